package launch

import (
	"context"
	"fmt"
	"sync"
)

// Work follows the work of one run. A launcher embeds it in what else it knows
// of the work.
type Work struct {
	run    string
	begun  chan struct{} // closed when the launcher knows what does the work, or failed is set
	failed error
	done   chan struct{} // closed when the work has ended; exit is set before
	exit   Exit
}

// NewWork is a run's work before it begins.
func NewWork(run string) Work {
	return Work{run: run, begun: make(chan struct{}), done: make(chan struct{})}
}

func (w *Work) base() *Work { return w }

// Run is the flow run's id.
func (w *Work) Run() string { return w.run }

// Begin says that the work is under way. What the launcher knows of it is set
// before, and read by others after Begun.
func (w *Work) Begin() { close(w.begun) }

// Begun waits until the work is under way. The error is why it could not be
// started, or that of ctx.
func (w *Work) Begun(ctx context.Context) error {
	select {
	case <-w.begun: // also when ctx has ended
		return w.failed
	default:
	}
	select {
	case <-w.begun:
		return w.failed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// End says how the work ended, once.
func (w *Work) End(exit Exit) {
	w.exit = exit
	close(w.done)
}

// Done is closed when the work has ended.
func (w *Work) Done() <-chan struct{} { return w.done }

// Ended reports whether the work has ended.
func (w *Work) Ended() bool {
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}

// Wait returns how the work ended, once it has. The error is that of ctx.
func (w *Work) Wait(ctx context.Context) (Exit, error) {
	select {
	case <-w.done:
		return w.exit, nil
	case <-ctx.Done():
		return Exit{}, ctx.Err()
	}
}

// Works are the works that a launcher knows, the last one of each run. W is a
// pointer to a struct with an embedded Work. The zero value knows none; its
// methods may be called by many goroutines at once.
type Works[W interface{ base() *Work }] struct {
	mu   sync.Mutex
	runs map[string]W
}

// Claim makes w known as its run's work, unless one is under way: then ok is
// false. Either way it returns the run's work before, if there was any.
func (s *Works[W]) Claim(w W) (before W, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	run := w.base().run
	before, known := s.runs[run]
	if known && !before.base().Ended() {
		return before, false
	}
	if s.runs == nil {
		s.runs = map[string]W{}
	}
	s.runs[run] = w
	return before, true
}

// Fail takes a claim back, as the work could not be started.
func (s *Works[W]) Fail(w W, err error) {
	b := w.base()
	s.mu.Lock()
	delete(s.runs, b.run)
	s.mu.Unlock()
	b.failed = err
	close(b.done)
	close(b.begun)
}

// Find returns a run's work once it is under way. The error is ErrNotFound when
// there is none, or that of ctx.
func (s *Works[W]) Find(ctx context.Context, run string) (W, error) {
	var none W
	s.mu.Lock()
	w, known := s.runs[run]
	s.mu.Unlock()
	if known && w.base().Begun(ctx) == nil {
		return w, nil
	}
	if err := ctx.Err(); known && err != nil {
		return none, err
	}
	return none, fmt.Errorf("%w: run %s", ErrNotFound, run)
}

// Wait returns how a run's work ended, once it has, as Launcher.Wait does.
func (s *Works[W]) Wait(ctx context.Context, run string) (Exit, error) {
	w, err := s.Find(ctx, run)
	if err != nil {
		return Exit{}, err
	}
	return w.base().Wait(ctx)
}
