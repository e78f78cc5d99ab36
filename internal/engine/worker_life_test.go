package engine_test

import (
	"slices"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

const claim = "claim"

// lifeStep is a heartbeat of a worker's life at a second, or the claim.
type lifeStep struct {
	at   int
	life string
}

// beats are the heartbeats of a life, which come every ten seconds.
func beats(life string, from, to int) (list []lifeStep) {
	for at := from; at <= to; at += 10 {
		list = append(list, lifeStep{at, life})
	}
	return list
}

// live plays the steps until the second.
func (b *pollBench) live(run core.ID, steps []lifeStep, until int) {
	b.t.Helper()
	start, interval := b.now(), 10
	for second := 0; second <= until; second++ {
		b.advance(start.Add(time.Duration(second) * time.Second).Sub(b.now()))
		for _, s := range steps {
			switch {
			case s.at != second:
			case s.life == claim:
				b.claim(run, "w")
			default:
				b.must(b.BeatWorker(b.t.Context(), ws, "pool", "w", s.life, &interval))
			}
		}
	}
}

// A claim is void when every life of the worker that may have made it is gone.
func TestAClaimOfAFormerLifeIsOfferedAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		steps [][]lifeStep
		at    int
		// again tells whether the run is offered again at that second.
		again bool
	}{
		"a worker that lives keeps its claim":                {[][]lifeStep{beats("a", 0, 600), {{5, claim}}}, 601, false},
		"a worker that died loses it after three heartbeats": {[][]lifeStep{beats("a", 0, 20), {{5, claim}}}, 51, true},
		"so it does when it is started again under its name": {
			[][]lifeStep{beats("a", 0, 20), {{5, claim}}, beats("b", 25, 120)}, 51, true,
		},
		"but not before, for the new one may be a second one beside it": {
			[][]lifeStep{beats("a", 0, 20), {{5, claim}}, beats("b", 25, 120)}, 49, false,
		},
		"the new life keeps its own claims": {[][]lifeStep{beats("a", 0, 20), beats("b", 25, 120), {{26, claim}}}, 115, false},
		"two that live under one name keep each other's claims": {
			[][]lifeStep{beats("a", 0, 600), beats("b", 3, 600), {{5, claim}}}, 601, false,
		},
		"a claim that either may have made stays while one lives": {
			[][]lifeStep{beats("a", 0, 20), beats("b", 3, 600), {{5, claim}}}, 601, false,
		},
		"lives that do not say which they are can't be told apart": {
			[][]lifeStep{beats("", 0, 20), {{5, claim}}, beats("", 25, 120)}, 121, false,
		},
		"a life that lost its channel for a while is not another one": {
			[][]lifeStep{beats("a", 0, 20), {{5, claim}}, beats("", 25, 120)}, 121, false,
		},
		"nor is one that says which it is only later": {
			[][]lifeStep{beats("", 0, 20), {{5, claim}}, beats("a", 25, 120)}, 121, false,
		},
		"nor is one that comes back without its channel after the server was away": {
			[][]lifeStep{beats("a", 0, 20), {{5, claim}}, beats("", 200, 300)}, 301, false,
		},
		"nor one that says which it is only after the server was away": {
			[][]lifeStep{beats("", 0, 20), {{5, claim}}, beats("a", 200, 300)}, 301, false,
		},
		"a silence ends a life that does not say which it is": {
			[][]lifeStep{beats("", 0, 20), {{5, claim}}}, 51, true,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newPollBench(t)
			run := b.deploy("default", 0)
			b.live(run, slices.Concat(tt.steps...), tt.at)
			b.must(b.OfferAgain(t.Context(), ws, run, time.Second))
			if got := b.stateOf(run); got.Is(core.Scheduled) != tt.again {
				t.Errorf("the run is %s, want it offered again: %t", got.Name, tt.again)
			}
		})
	}
}

func TestALifeIsForgottenInTime(t *testing.T) {
	t.Parallel()
	b := newPollBench(t)
	interval := 10
	for _, life := range []string{"a", "b", "c"} {
		b.must(b.BeatWorker(t.Context(), ws, "pool", "w", life, &interval))
		b.advance(25 * time.Hour)
	}
	b.must(b.Store().View(t.Context(), ws, func(tx core.Tx) error {
		p, err := tx.WorkPoolByName("pool")
		if err != nil {
			return err
		}
		lives, err := tx.WorkerLives(p.ID, "w")
		if len(lives) != 1 || lives[0].ID != "c" {
			t.Errorf("lives %v are remembered, want the last", lives)
		}
		return err
	}))
}

func (b *pollBench) stateOf(id core.ID) *core.State {
	b.t.Helper()
	var run *core.FlowRun
	b.must(b.Store().View(b.t.Context(), ws, func(tx core.Tx) (err error) {
		run, err = tx.FlowRun(id)
		return err
	}))
	return run.State
}

// claim makes the run Pending as the worker does.
func (b *pollBench) claim(run core.ID, worker string) {
	b.t.Helper()
	_, err := b.SetFlowRunState(b.t.Context(), ws, run, engine.Proposal{State: core.NewState(core.Pending, nil), Worker: worker})
	b.must(err)
}
