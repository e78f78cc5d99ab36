package robust

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// smallDisk mounts a file system of 8 MB, or skips.
func smallDisk(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can mount the small file system that this test fills")
	}
	dir := t.TempDir()
	if err := syscall.Mount("leat-robust", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("no small file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fill takes all space that is left but for a little.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	info, err := f.Stat()
	if err == nil {
		err = f.Truncate(info.Size() - 400<<10)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestAFullDisk(t *testing.T) {
	t.Parallel()
	dir := smallDisk(t)
	s := startServer(t, filepath.Join(dir, "leat.db"))
	flow := s.flow()
	l := newLedger()
	run := s.run(flow)
	l.runs[run] = []string{"Pending"}
	ballast := filepath.Join(dir, "ballast")
	for round := range 2 {
		fill(t, ballast)
		refused := 0
		waitFor(t, 20*time.Second, "20 writes to be refused", func() bool {
			message := fmt.Sprintf("%d %s %s", round, newID(), strings.Repeat("x", 8000))
			line := object{"name": "robust", "level": 20, "message": message, "timestamp": time.Now().UTC(), "flow_run_id": run}
			status, err := s.call(t.Context(), http.MethodPost, "/logs/", []object{line}, nil)
			switch {
			case err == nil:
				l.logs[message] = run
			case status != http.StatusServiceUnavailable || !strings.Contains(err.Error(), "the disk of the database is full; nothing was stored"):
				t.Fatal(err)
			default:
				refused++
			}
			return refused == 20
		})
		if got := names(s.history("flow_run", run)); fmt.Sprint(got) != "[Pending]" {
			t.Errorf("read on a full disk: %v", got)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		later := s.run(flow)
		l.runs[later] = []string{"Pending"}
	}
	if len(l.logs) == 0 {
		t.Error("the disk was full before anything was written")
	}
	l.check(t, s, flow)
	integrity(t, s)
	s.start()
	l.check(t, s, flow)
}
