package ecslocal

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/leat-dev/leat/internal/launch"
)

// store keeps a server's state in a directory: state.json has everything but the
// events of logs, which are appended to a file for each stream. A nil store keeps
// nothing.
type store struct {
	dir      string
	snapshot func() ([]byte, error)
	report   func(err error)

	wake chan struct{} // holds one when there is something to write
	done chan struct{} // closed when the writer has ended

	mu     sync.Mutex
	wanted int           // number of the last change
	kept   int           // number of the last change that is on disk
	err    error         // of the last write
	wrote  chan struct{} // closed and replaced after each write
	closed bool
	logs   map[string]*os.File // open files of streams
}

// maxLogFiles is how many files of streams stay open.
const maxLogFiles = 64

// load reads the data directory and begins to keep it.
func (s *Server) load() error {
	if s.cfg.Data == "" {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(s.cfg.Data, "logs"), 0o700); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(s.cfg.Data, "state.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err == nil {
		var kept []*site
		if err := json.Unmarshal(text, &kept); err != nil {
			return fmt.Errorf("state.json: %w", err)
		}
		for _, st := range kept {
			st.fill()
			s.sites[st.key()] = st
			if err := s.readEvents(st); err != nil {
				return err
			}
			s.bury(st)
		}
	}
	s.store = &store{
		dir: s.cfg.Data, snapshot: s.snapshot, wake: make(chan struct{}, 1), done: make(chan struct{}), wrote: make(chan struct{}),
		logs: map[string]*os.File{}, report: func(err error) { s.cfg.Log.Error("keeping the state", "error", err) },
	}
	go s.store.write()
	return nil
}

// bury ends what an earlier process of this program left behind when it was
// killed, and stops the tasks that it ran.
func (s *Server) bury(st *site) {
	now := s.cfg.Now()
	for _, t := range st.Tasks {
		if t.LastStatus == statusStopped {
			continue
		}
		for run, identifier := range t.Jobs {
			if err := s.cfg.Launcher.Adopt(s.tasks, run, identifier); errors.Is(err, launch.ErrNotFound) {
				continue
			}
			s.drivers.Go(func() {
				if err := s.cfg.Launcher.Kill(context.WithoutCancel(s.tasks), run, 0); err != nil {
					s.cfg.Log.Error("ending a container of an earlier process", "task", t.id(), "error", err)
				}
			})
		}
		t.Jobs, t.LastStatus, t.DesiredStatus = nil, statusStopped, statusStopped
		t.StopCode = cmp.Or(t.StopCode, "TerminationNotice")
		t.StoppedReason = cmp.Or(t.StoppedReason, "The local ECS was restarted.")
		t.StoppedAt, t.ExecutionStoppedAt = at(now), at(now)
		if t.StoppingAt == nil {
			t.StoppingAt = at(now)
		}
		for _, c := range t.Containers {
			c.LastStatus = statusStopped
		}
	}
}

func (s *Server) snapshot() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []*site{}
	for _, st := range s.sites {
		all = append(all, st)
	}
	slices.SortFunc(all, func(a, b *site) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Region, b.Region))
	})
	return json.Marshal(all)
}

// changed says that there is something new to keep.
func (k *store) changed() int {
	if k == nil {
		return 0
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted++
	if k.closed {
		return k.wanted
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return k.wanted
}

// keep returns once all changes until now are on disk. Changes that arrive while
// it writes share the next write.
func (k *store) keep(ctx context.Context) error {
	if k == nil {
		return nil
	}
	n := k.changed()
	for {
		k.mu.Lock()
		kept, err, wrote, closed := k.kept, k.err, k.wrote, k.closed
		k.mu.Unlock()
		if kept >= n || closed {
			return err
		}
		select {
		case <-wrote:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write writes until the store is closed.
func (k *store) write() {
	defer close(k.done)
	for range k.wake {
		k.mu.Lock()
		n := k.wanted
		k.mu.Unlock()
		err := k.writeOnce()
		if err != nil {
			k.report(err)
		}
		k.mu.Lock()
		k.kept, k.err = n, err
		close(k.wrote)
		k.wrote = make(chan struct{})
		k.mu.Unlock()
	}
}

func (k *store) writeOnce() error {
	text, err := k.snapshot()
	if err != nil {
		return err
	}
	name := filepath.Join(k.dir, "state.json")
	f, err := os.OpenFile(name+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// close writes a last time.
func (k *store) close() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	again := k.closed
	k.closed = true
	k.mu.Unlock()
	if again {
		return nil
	}
	close(k.wake)
	<-k.done
	err := k.writeOnce()
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, f := range k.logs {
		err = errors.Join(err, f.Close())
	}
	return err
}

func (k *store) logDir(st *site, group string) string {
	return filepath.Join(k.dir, "logs", st.Account+"_"+st.Region, url.QueryEscape(group))
}

// appendEvents appends to a stream's file. What it can't write is reported and
// stays in memory.
func (k *store) appendEvents(st *site, g *logGroup, stream *logStream, events []logEvent) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	dir := k.logDir(st, g.Name)
	name := filepath.Join(dir, url.QueryEscape(stream.Name)+".jsonl")
	f := k.logs[name]
	if f == nil {
		err := os.MkdirAll(dir, 0o700)
		if err == nil {
			f, err = os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		}
		if err != nil {
			k.report(err)
			return
		}
		for old, other := range k.logs {
			if len(k.logs) < maxLogFiles {
				break
			}
			_ = other.Close()
			delete(k.logs, old)
		}
		k.logs[name] = f
	}
	var text []byte
	for i := range events {
		line, _ := json.Marshal(events[i])
		text = append(append(text, line...), '\n')
	}
	if _, err := f.Write(text); err != nil {
		k.report(err)
	}
}

// dropEvents removes the files of a group, or of one of its streams.
func (k *store) dropEvents(st *site, group, stream string) error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	name := k.logDir(st, group)
	if stream != "" {
		name = filepath.Join(name, url.QueryEscape(stream)+".jsonl")
	}
	for open, f := range k.logs {
		if open == name || filepath.Dir(open) == name {
			_ = f.Close()
			delete(k.logs, open)
		}
	}
	return os.RemoveAll(name)
}

// readEvents reads the events of a site's streams. A line that was cut short by
// a crash is skipped.
func (s *Server) readEvents(st *site) error {
	k := &store{dir: s.cfg.Data}
	for _, g := range st.Groups {
		for _, stream := range g.Streams {
			f, err := os.Open(filepath.Join(k.logDir(st, g.Name), url.QueryEscape(stream.Name)+".jsonl"))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return err
			}
			in := bufio.NewScanner(f)
			in.Buffer(nil, 8*maxLine)
			for in.Scan() {
				var e logEvent
				if json.Unmarshal(in.Bytes(), &e) == nil {
					stream.Events = append(stream.Events, e)
					stream.Next = max(stream.Next, e.Number+1)
				}
			}
			if err := errors.Join(in.Err(), f.Close()); err != nil {
				return err
			}
			slices.SortStableFunc(stream.Events, func(a, b logEvent) int { return cmp.Compare(a.Time, b.Time) })
		}
	}
	return nil
}
