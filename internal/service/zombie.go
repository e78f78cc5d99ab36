package service

import (
	"context"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

// Zombie ends runs whose process died without a word, and offers runs again
// whose worker died before it started them.
type Zombie struct {
	Engine *engine.Engine
	Now    func() time.Time
	// Heartbeat is the silence after which a run that sent heartbeats is dead;
	// 0 follows the rhythm of the run's own.
	Heartbeat time.Duration
	// Silence is the same for a run whose event connection broke.
	Silence time.Duration
	// Claim is how long a gone worker's claim on a run holds.
	Claim time.Duration
	// Attendance says since when signs of life could be heard; nil for always.
	Attendance *Attendance
}

// Attendance remembers since when a service has worked without a break. What
// lives cannot be heard while the server, its replica or its database is away,
// and that silence counts against nobody. It belongs to one service.
type Attendance struct {
	// Gap is the pause between two rounds that is a break.
	Gap         time.Duration
	since, last time.Time
}

// begin returns the begin of the unbroken time until now.
func (a *Attendance) begin(now time.Time) time.Time {
	if a == nil {
		return time.Time{}
	}
	if a.last.IsZero() || now.Sub(a.last) > a.Gap {
		a.since = now
	}
	return a.since
}

// end notes that a round was carried out.
func (a *Attendance) end(now time.Time) {
	if a != nil {
		a.last = now
	}
}

// defaultRhythm is how often the Prefect SDK sends heartbeats unless told
// otherwise; it stands for the rhythm of a run that sent only one.
const defaultRhythm = 180 * time.Second

// beatsMissed is how many heartbeats in a row may be missed.
const beatsMissed = 3

// Tick does one round.
func (z Zombie) Tick(ctx context.Context) error {
	since := z.Attendance.begin(z.Now())
	err := each(ctx, z.Engine.Store(), func(ws core.WorkspaceID) error {
		if err := z.endDead(ctx, ws, since); err != nil || z.Now().Sub(since) < z.Claim {
			return err
		}
		return z.offerAgain(ctx, ws)
	})
	if err == nil {
		z.Attendance.end(z.Now())
	}
	return err
}

func (z Zombie) endDead(ctx context.Context, ws core.WorkspaceID, since time.Time) error {
	now := z.Now()
	var silent []core.StaleRun
	err := z.Engine.Store().View(ctx, ws, func(tx core.Tx) (err error) {
		silent, err = tx.StaleFlowRuns(core.Running, now.Add(-z.shortest()), sweepBatch)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range silent {
		// The run is judged again, as it is then, in the transaction that ends it.
		judge := func(s core.StaleRun) string { return z.dead(s, now, since) }
		if judge(s) == "" {
			continue
		}
		if err := ignoreMissing(z.Engine.CrashSilent(ctx, ws, s.ID, judge)); err != nil {
			return err
		}
	}
	return nil
}

// shortest is the silence below which no run is looked at.
func (z Zombie) shortest() time.Duration {
	if z.Heartbeat > 0 {
		return min(z.Heartbeat, z.Silence)
	}
	return z.Silence
}

// dead says why a silent run is dead, or "" when it may live. A run that never
// sent a heartbeat is never dead: nobody knows that it should have sent one.
// Silence counts from since on.
func (z Zombie) dead(s core.StaleRun, now, since time.Time) string {
	if s.LastBeat == nil || now.Sub(since) < z.shortest() {
		return ""
	}
	seen := s.Since
	if s.LastSeen != nil && s.LastSeen.After(seen) {
		seen = *s.LastSeen
	}
	silence, counts := now.Sub(seen), now.Sub(later(seen, since))
	if s.Lost != nil && !seen.After(*s.Lost) && now.Sub(later(*s.Lost, since)) >= z.Silence {
		return fmt.Sprintf("The flow run's process ended without a word: its event connection broke at %s and nothing was heard of it for %s.",
			s.Lost.UTC().Format(time.RFC3339), silence.Round(time.Second))
	}
	limit := z.Heartbeat
	if limit == 0 {
		limit = beatsMissed * max(s.Rhythm, rhythmOf(s))
	}
	if counts < limit {
		return ""
	}
	return fmt.Sprintf("No heartbeat and no other sign of life of the flow run for %s; its process or its machine is gone.", silence.Round(time.Second))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// rhythmOf is the least rhythm to expect of a run: the SDK's fastest once the
// run has shown one, else the SDK's usual.
func rhythmOf(s core.StaleRun) time.Duration {
	if s.Rhythm > 0 {
		return 30 * time.Second
	}
	return defaultRhythm
}

func (z Zombie) offerAgain(ctx context.Context, ws core.WorkspaceID) error {
	now := z.Now()
	var claimed []core.StaleRun
	err := z.Engine.Store().View(ctx, ws, func(tx core.Tx) (err error) {
		claimed, err = tx.StaleFlowRuns(core.Pending, now.Add(-z.Claim), sweepBatch)
		return err
	})
	if err != nil {
		return err
	}
	for _, s := range claimed {
		if err := ignoreMissing(z.Engine.OfferAgain(ctx, ws, s.ID, z.Claim)); err != nil {
			return err
		}
	}
	return nil
}
