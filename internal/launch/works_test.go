package launch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/leat-dev/leat/internal/launch"
)

// errand is a launcher's own kind of work.
type errand struct {
	launch.Work
	id string
}

func newErrand(id string) *errand { return &errand{Work: launch.NewWork("run"), id: id} }

func TestARunHasOneWorkAtATime(t *testing.T) {
	t.Parallel()
	var works launch.Works[*errand]
	first, second := newErrand("first"), newErrand("second")
	if before, ok := works.Claim(first); !ok || before != nil {
		t.Fatalf("the first claim: %v %v", before, ok)
	}
	first.Begin()
	if before, ok := works.Claim(second); ok || before != first {
		t.Errorf("a claim while another is under way: %v %v", before, ok)
	}
	first.End(launch.Exit{Code: 3})
	if exit, err := works.Wait(t.Context(), "run"); err != nil || exit.Code != 3 {
		t.Errorf("the first ended with %+v %v", exit, err)
	}
	if before, ok := works.Claim(second); !ok || before != first {
		t.Errorf("a claim after the end: %v %v", before, ok)
	}
	if _, err := works.Find(t.Context(), "other"); !errors.Is(err, launch.ErrNotFound) {
		t.Errorf("a run that nobody knows: %v", err)
	}
}

func TestWorkIsFoundOnceItIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var works launch.Works[*errand]
		w := newErrand("it")
		works.Claim(w)
		found := make(chan *errand, 1)
		go func() {
			w, err := works.Find(t.Context(), "run")
			if err != nil {
				t.Error(err)
			}
			found <- w
		}()
		synctest.Wait()
		if len(found) != 0 {
			t.Fatal("it is found before it has begun")
		}
		w.Begin()
		if got := <-found; got != w {
			t.Errorf("found %v", got)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := works.Find(ctx, "run"); err != nil {
			t.Errorf("what is under way is not found when the context has ended: %v", err)
		}
		if _, err := works.Wait(ctx, "run"); !errors.Is(err, context.Canceled) {
			t.Errorf("waiting for it: %v", err)
		}
	})
}

func TestWorkThatCannotBeStartedIsForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var works launch.Works[*errand]
		w, why := newErrand("it"), errors.New("no image")
		works.Claim(w)
		joined, looked := make(chan error, 1), make(chan error, 1)
		go func() { joined <- w.Begun(t.Context()) }()
		go func() {
			_, err := works.Wait(t.Context(), "run")
			looked <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := works.Find(ctx, "run"); !errors.Is(err, context.Canceled) {
			t.Errorf("looking for it no longer: %v", err)
		}
		works.Fail(w, why)
		if err := <-joined; !errors.Is(err, why) {
			t.Errorf("who waits for its start hears %v", err)
		}
		if err := <-looked; !errors.Is(err, launch.ErrNotFound) {
			t.Errorf("who waits for its end hears %v", err)
		}
		if _, ok := works.Claim(newErrand("again")); !ok {
			t.Error("the run can't be claimed again")
		}
	})
}
