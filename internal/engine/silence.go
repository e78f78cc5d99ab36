package engine

import (
	"context"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Silence says after how long nobody is thought to be there any more.
type Silence struct {
	// MissedBeats is the number of heartbeat intervals after which a worker is offline.
	MissedBeats int
	// Interval is that of workers that do not say theirs.
	Interval time.Duration
	// Poll is how long a queue or deployment stays Ready without being polled.
	Poll time.Duration
	// Batch bounds how many rows one call changes of each kind.
	Batch int
}

// MarkSilent marks workers as offline, and pools, deployments and queues as not
// ready, of which nothing was heard for too long. It reports whether there may
// be more of them.
func (e *Engine) MarkSilent(ctx context.Context, ws core.WorkspaceID, s Silence) (more bool, err error) {
	now := e.now()
	since := now.Add(-s.Poll)
	quiet, err := e.nobodySilent(ctx, ws, since)
	if err != nil {
		return false, err
	}
	err = e.store.Update(ctx, ws, func(tx core.Tx) error {
		more = false
		if _, err := tx.SilenceWorkers(now, s.MissedBeats, s.Interval); err != nil {
			return err
		}
		n, err := desertPools(tx, now, s.Batch)
		if err != nil {
			return err
		}
		more = n >= s.Batch
		if quiet {
			return nil
		}
		if n, err = silenceDeployments(tx, now, since, s.Batch); err != nil {
			return err
		}
		more = more || n >= s.Batch
		n, err = silenceQueues(tx, now, since, s.Batch)
		more = more || n >= s.Batch
		return err
	})
	return more, err
}

// nobodySilent looks, without writing, whether any queue or deployment is silent.
func (e *Engine) nobodySilent(ctx context.Context, ws core.WorkspaceID, since time.Time) (bool, error) {
	quiet := false
	err := e.store.View(ctx, ws, func(tx core.Tx) error {
		d, err := tx.SilentDeployments(since, 1)
		if err != nil {
			return err
		}
		q, err := tx.SilentWorkQueues(since, 1)
		quiet = len(d) == 0 && len(q) == 0
		return err
	})
	return quiet, err
}

func desertPools(tx core.Tx, now time.Time, limit int) (int, error) {
	ids, err := tx.DesertedWorkPools(limit)
	for _, id := range ids {
		p, err := tx.WorkPool(id)
		if missing(err) || err == nil && (p.Status == nil || *p.Status != core.Ready) {
			continue
		}
		if err != nil {
			return 0, err
		}
		if err := changePoolStatus(tx, now, p, core.NotReady); err != nil {
			return 0, err
		}
	}
	return len(ids), err
}

func silenceDeployments(tx core.Tx, now, since time.Time, limit int) (int, error) {
	ids, err := tx.SilentDeployments(since, limit)
	for _, id := range ids {
		d, err := tx.Deployment(id)
		if missing(err) || err == nil && d.Status != core.Ready {
			continue
		}
		if err != nil {
			return 0, err
		}
		// The queue's last poll stays as the deployment's own.
		if err := tx.SetDeploymentStatus(id, core.NotReady, d.LastPolled); err != nil {
			return 0, err
		}
		if err := tellDeployment(tx, now, "not-ready", d, nil); err != nil {
			return 0, err
		}
	}
	return len(ids), err
}

func silenceQueues(tx core.Tx, now, since time.Time, limit int) (int, error) {
	ids, err := tx.SilentWorkQueues(since, limit)
	for _, id := range ids {
		q, err := tx.WorkQueue(id)
		if missing(err) || err == nil && q.Status != core.Ready {
			continue
		}
		if err != nil {
			return 0, err
		}
		q.Status, q.Updated = core.NotReady, now
		if err := tx.UpdateWorkQueue(q); err != nil {
			return 0, err
		}
		if err := tellQueue(tx, now, "not-ready", q, nil); err != nil {
			return 0, err
		}
	}
	return len(ids), err
}
