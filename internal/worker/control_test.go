package worker

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// child connects as Prefect's engine does.
func child(t *testing.T, vars []string) net.Conn {
	t.Helper()
	values := map[string]string{}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", "127.0.0.1:"+values["PREFECT__CONTROL_PORT"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	// The question of a newer engine follows the token.
	if _, err := conn.Write([]byte(values["PREFECT__CONTROL_TOKEN"] + "\n\x00PF\x02\x01")); err != nil {
		t.Fatal(err)
	}
	return conn
}

func startControl(t *testing.T) *control {
	t.Helper()
	c, err := listenControl(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	group.Go(c.serve)
	t.Cleanup(func() {
		c.close()
		group.Wait()
	})
	return c
}

func TestControl(t *testing.T) {
	t.Parallel()
	c := startControl(t)
	run := core.NewID(time.Now())
	vars := c.register(run)
	if c.cancel(run) {
		t.Error("cancelling is confirmed though nobody is connected")
	}
	conn := child(t, vars)
	in := bufio.NewReader(conn)
	answer := make([]byte, len(controlHello))
	if _, err := io.ReadFull(in, answer); err != nil || string(answer) != controlHello {
		t.Fatalf("the question is answered by %q, %v", answer, err)
	}
	go func() {
		if b, err := in.ReadByte(); err == nil && b == 'c' {
			_, _ = conn.Write([]byte("a"))
		}
	}()
	if !c.cancel(run) {
		t.Error("cancelling is not confirmed")
	}
	c.forget(run)
	if c.cancel(run) {
		t.Error("a forgotten flow is cancelled")
	}
}

func TestControlTakesATokenOnce(t *testing.T) {
	t.Parallel()
	c := startControl(t)
	vars := c.register(core.NewID(time.Now()))
	first := child(t, vars)
	if _, err := io.ReadFull(first, make([]byte, len(controlHello))); err != nil {
		t.Fatal(err)
	}
	for name, vars := range map[string][]string{
		"used": vars, "wrong": {vars[0], "PREFECT__CONTROL_TOKEN=0123"}, "empty": {vars[0], "PREFECT__CONTROL_TOKEN="},
	} {
		if n, err := child(t, vars).Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("a %s token is taken", name)
		}
	}
}
