package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// The bounds of a batch of retention's, in rows.
const (
	minExpiry   = 25
	firstExpiry = 100
	maxExpiry   = 500
)

const (
	// expiryTime is how long a batch should keep other writers waiting.
	expiryTime = 4 * time.Millisecond
	// expiryShare is how many times as long as a batch took the pause after it is.
	expiryShare = 3
	// patience is how many times as long as a batch waited for its turn the pause
	// after it is: then others have much to write.
	patience = 5
	// Bounds of the pause.
	minRest, maxRest = 2 * time.Millisecond, time.Second
)

// freeReserve is how many free pages a SQLite file keeps for what comes.
const freeReserve = 256

// lookAgain is how often retention looks again at what it passed over, since
// something that lives referred to it, and for task runs whose flow run is gone.
const lookAgain = time.Hour

// Retention removes what was kept long enough and gives its place back to the
// disk, in small transactions with pauses between them, the longer the more
// others write. A round that ends early goes on at the next. It belongs to one loop.
type Retention struct {
	Store core.Store
	Now   func() time.Time
	Keep  core.Retention
	// Round bounds how long a round takes; 0 is without bound.
	Round time.Duration
	// Log receives what was removed; nil discards it.
	Log *slog.Logger

	sizes map[string]int                      // of the next batch, by kind
	seen  map[core.WorkspaceID]*retentionSeen // how far the workspaces were looked through
	until time.Time                           // when the part of the round ends
	gone  map[string]int                      // what the round removed, by kind
}

// retentionSeen remembers how far a workspace was looked through.
type retentionSeen struct {
	runs  core.RunMark
	again time.Time // when to look from the beginning
}

// Tick does one round.
func (r *Retention) Tick(ctx context.Context) error {
	if r.sizes == nil {
		r.sizes, r.seen = map[string]int{}, map[core.WorkspaceID]*retentionSeen{}
	}
	r.gone = map[string]int{}
	workspaces, err := r.Store.Workspaces(ctx)
	if err != nil {
		return err
	}
	var parts []func() error
	for _, ws := range workspaces {
		parts = append(
			parts,
			func() error { return r.runs(ctx, ws) },
			func() error { return r.events(ctx, ws) },
			func() error { return r.others(ctx, ws) },
		)
	}
	parts = append(parts, func() error { return r.logs(ctx) }, func() error { return r.giveBack(ctx) })
	for _, part := range parts {
		// Each has its share, so that none waits until another has caught up.
		if r.until = (time.Time{}); r.Round > 0 {
			r.until = r.Now().Add(r.Round / time.Duration(len(parts)))
		}
		if err = part(); err != nil {
			break
		}
	}
	r.tell()
	return err
}

func (r *Retention) tell() {
	if r.Log == nil || len(r.gone) == 0 {
		return
	}
	var facts []any
	for _, kind := range []string{"flow_runs", "task_runs", "logs", "events", "artifacts", "workers", "task_cache", "remains"} {
		if n := r.gone[kind]; n > 0 {
			facts = append(facts, slog.Int(kind, n))
		}
	}
	r.Log.Info("removed what was kept long enough", facts...)
}

func (r *Retention) events(ctx context.Context, ws core.WorkspaceID) error {
	now, age := r.Now(), r.Keep.EventAge()
	if age == 0 {
		return nil
	}
	return r.all(ctx, ws, "events", func(tx core.Tx, limit int) (int, error) { return tx.ForgetEvents(now.Add(-age), now, limit) })
}

// others removes what there is less of.
func (r *Retention) others(ctx context.Context, ws core.WorkspaceID) error {
	now := r.Now()
	if r.Keep.Artifacts > 0 {
		before := now.Add(-r.Keep.Artifacts)
		if err := r.all(ctx, ws, "artifacts", func(tx core.Tx, limit int) (int, error) { return tx.ForgetArtifacts(before, limit) }); err != nil {
			return err
		}
	}
	if err := r.all(ctx, ws, "task_cache", func(tx core.Tx, limit int) (int, error) { return tx.ForgetTaskCache(now, limit) }); err != nil {
		return err
	}
	_, err := r.batch(ctx, ws, "workers", func(tx core.Tx, _ int) (int, error) { return tx.ForgetWorkers(now.Add(-core.WorkerAge)) })
	return err
}

// runs removes flow runs and task runs that ended long enough ago, and task runs
// whose flow run is gone. What is left of those removed before comes first.
func (r *Retention) runs(ctx context.Context, ws core.WorkspaceID) error {
	if err := r.remains(ctx, ws); err != nil || r.Keep.Runs == 0 {
		return err
	}
	before := r.Now().Add(-r.Keep.Runs)
	seen := r.seen[ws]
	stale := seen == nil || !r.Now().Before(seen.again)
	if stale {
		seen = &retentionSeen{again: r.Now().Add(lookAgain)}
		r.seen[ws] = seen
	}
	for !r.over(ctx) {
		var found []core.RunMark
		err := r.Store.View(ctx, ws, func(tx core.Tx) (err error) {
			found, err = tx.ExpiredFlowRuns(before, seen.runs, minExpiry)
			return err
		})
		if err != nil || len(found) == 0 {
			return errorOr(err, func() error { return r.taskRuns(ctx, ws, before, stale) })
		}
		ids := make([]core.ID, len(found))
		for i, f := range found {
			ids[i], seen.runs = f.ID, f
		}
		if _, err := r.batch(ctx, ws, "flow_runs", func(tx core.Tx, _ int) (int, error) { return tx.ForgetFlowRuns(ids, before) }); err != nil {
			return err
		}
		if err := r.remains(ctx, ws); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// errorOr returns the error, or what next does.
func errorOr(err error, next func() error) error {
	if err != nil {
		return err
	}
	return next()
}

func (r *Retention) taskRuns(ctx context.Context, ws core.WorkspaceID, before time.Time, strays bool) error {
	err := r.all(ctx, ws, "task_runs", func(tx core.Tx, limit int) (int, error) { return tx.ForgetTaskRuns(before, limit) })
	var at core.RunMark
	for err == nil && strays && !r.over(ctx) {
		var ids []core.ID
		from := at
		err = r.Store.View(ctx, ws, func(tx core.Tx) (err error) {
			ids, at, err = tx.StrayTaskRuns(before, from, maxExpiry)
			return err
		})
		if err == nil && len(ids) > 0 {
			_, err = r.batch(ctx, ws, "task_runs", func(tx core.Tx, _ int) (int, error) { return tx.ForgetStrays(ids) })
		}
		if at == from {
			break
		}
	}
	return errorOr(err, func() error { return r.remains(ctx, ws) })
}

// remains clears what is left of runs that were removed.
func (r *Retention) remains(ctx context.Context, ws core.WorkspaceID) error {
	for more := true; more && !r.over(ctx); {
		_, err := r.batch(ctx, ws, "remains", func(tx core.Tx, limit int) (n int, err error) {
			n, more, err = tx.ClearRemains(limit)
			return n, err
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// logs removes old lines of all workspaces.
func (r *Retention) logs(ctx context.Context) error {
	if r.Keep.Logs == 0 {
		return nil
	}
	now := r.Now()
	var at core.Cursor
	for !r.over(ctx) {
		var next core.Cursor
		_, err := r.batch(ctx, 0, "logs", func(tx core.Tx, limit int) (n int, err error) {
			n, next, err = tx.ForgetLogs(at, now.Add(-r.Keep.Logs), now, limit)
			return n, err
		})
		if err != nil || next == (core.Cursor{}) {
			return err
		}
		at = next
	}
	return ctx.Err()
}

// giveBack returns free pages to the disk.
func (r *Retention) giveBack(ctx context.Context) error {
	for left := 1; left > 0 && !r.over(ctx); {
		_, err := r.batch(ctx, 0, "pages", func(tx core.Tx, limit int) (_ int, err error) {
			// A page that moves costs more than a row that goes: it is written whole.
			left, err = tx.GiveBack(limit/4, freeReserve)
			return 0, err
		})
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// all runs batches until one finds less than it might.
func (r *Retention) all(ctx context.Context, ws core.WorkspaceID, kind string, fn func(tx core.Tx, limit int) (int, error)) error {
	for more := true; more && !r.over(ctx); {
		limit := 0
		n, err := r.batch(ctx, ws, kind, func(tx core.Tx, size int) (int, error) {
			limit = size
			return fn(tx, size)
		})
		if err != nil {
			return err
		}
		more = n >= limit
	}
	return ctx.Err()
}

// batch runs one transaction, and pauses.
func (r *Retention) batch(ctx context.Context, ws core.WorkspaceID, kind string, fn func(tx core.Tx, limit int) (int, error)) (n int, err error) {
	size, ok := r.sizes[kind]
	if !ok {
		size = firstExpiry
	}
	asked := r.Now()
	var begun, done time.Time
	err = r.Store.Update(ctx, ws, func(tx core.Tx) (err error) {
		begun = r.Now()
		n, err = fn(tx, size)
		done = r.Now()
		return err
	})
	if err != nil {
		return 0, err
	}
	if n > 0 {
		r.gone[kind] += n
	}
	took := done.Sub(begun)
	switch {
	case took > expiryTime:
		size = max(size/2, minExpiry)
	case took < expiryTime/2:
		size = min(size*3/2, maxExpiry)
	}
	r.sizes[kind] = size
	return n, rest(ctx, min(max(expiryShare*took+patience*begun.Sub(asked), minRest), maxRest))
}

func rest(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// over reports whether the part of the round is.
func (r *Retention) over(ctx context.Context) bool {
	return ctx.Err() != nil || !r.until.IsZero() && !r.Now().Before(r.until)
}
