package storetest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/leat-dev/leat/internal/core"
)

// transactions checks the promises of Update.
func transactions(t *testing.T, open Opener) {
	t.Run("what a failing closure wrote is undone, and its neighbours' writes are not", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		errMine := errors.New("mine")
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				err := s.Update(t.Context(), ws, func(tx core.Tx) error {
					f := &core.Flow{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: fmt.Sprintf("f%02d", i)}
					if err := tx.InsertFlow(f); err != nil {
						return err
					}
					if i%3 == 0 {
						return errMine
					}
					return nil
				})
				if want := i%3 == 0; errors.Is(err, errMine) != want {
					t.Errorf("closure %d: error %v", i, err)
				}
			})
		}
		wg.Wait()
		if n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountFlows(core.Query{}) }); n != 40 {
			t.Errorf("%d flows, want 40", n)
		}
	})
	t.Run("a refused statement fails its own closure alone", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		newFlow(t, s, "taken")
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				name := fmt.Sprintf("free%02d", i)
				if i == 7 {
					name = "taken"
				}
				err := s.Update(t.Context(), ws, func(tx core.Tx) error {
					return tx.InsertFlow(&core.Flow{ID: core.NewID(noon()), Created: noon(), Updated: noon(), Name: name})
				})
				if (err != nil) != (i == 7) {
					t.Errorf("%s: error %v", name, err)
				}
			})
		}
		wg.Wait()
		if n := must(t, s, func(tx core.Tx) (int, error) { return tx.CountFlows(core.Query{}) }); n != 20 {
			t.Errorf("%d flows, want 20", n)
		}
	})
	t.Run("a panic in a closure is its own error", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		if err := s.Update(t.Context(), ws, func(core.Tx) error { panic("oh") }); err == nil {
			t.Error("no error")
		}
		newFlow(t, s, "after")
	})
	t.Run("workspaces do not see each other", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		f := newFlow(t, s, "mine")
		err := s.View(t.Context(), ws+1, func(tx core.Tx) error {
			_, err := tx.Flow(f.ID)
			return err
		})
		if core.CodeOf(err) != core.NotFound {
			t.Errorf("error %v, want not found", err)
		}
	})
	t.Run("a lease is held by one", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		if ok, err := s.Lease(t.Context(), "l", "a", 60); err != nil || !ok {
			t.Fatalf("a: %v %v", ok, err)
		}
		if ok, err := s.Lease(t.Context(), "l", "a", 60); err != nil || !ok {
			t.Fatalf("a again: %v %v", ok, err)
		}
	})
	t.Run("a closed store refuses work", func(t *testing.T) {
		t.Parallel()
		s := open(t)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		err := s.Update(t.Context(), ws, func(core.Tx) error { return nil })
		if core.CodeOf(err) != core.Unavailable {
			t.Errorf("error %v, want unavailable", err)
		}
	})
}
