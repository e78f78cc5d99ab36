package engine

import (
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// A worker's name outlives its process: one that is restarted under its name
// looks alive at once and knows nothing of the runs that its former life had
// claimed. So lives are told apart where they say who they are, by the id that
// Prefect's worker gives in its channel and leat's worker with its heartbeats.
//
// A claim carries the name alone. It is void when no life is left that may have
// made it: each that had begun by then has missed three heartbeats. Several that
// live at once under one name therefore keep each other's claims, and nothing is
// taken from one that lives.

// missedBeats is how many heartbeats a worker misses before it counts as gone.
const missedBeats = 3

// lifeKept is how long a life that ended is remembered, for it may have left claims.
const lifeKept = 24 * time.Hour

// maxLife is how long a life's id may be, in bytes; a longer one counts as none.
const maxLife = 64

// usualBeat is the heartbeat interval of workers that do not say theirs.
const usualBeat = 30

// prolongLife notes that a life of the worker beats; "" is one that does not say
// which, as Prefect's worker while its channel is broken. That may be each of
// those that are known, and a new one may be that, so that it stands for them.
func prolongLife(tx core.Tx, now time.Time, poolID core.ID, name, id string, interval *int) error {
	lives, err := tx.WorkerLives(poolID, name)
	if err != nil {
		return err
	}
	this := core.WorkerLife{ID: id, Since: now, Until: now.Add(lasting(interval))}
	known := false
	for _, l := range lives {
		switch {
		case l.ID == id:
			known, this.Since = true, l.Since
		case id == "" && l.Until.Before(this.Until):
			l.Until = this.Until
			if err := tx.PutWorkerLife(poolID, name, l); err != nil {
				return err
			}
		case l.ID == "" && !known:
			this.Since = l.Since
		}
	}
	if !known {
		if err := tx.ForgetWorkerLives(now.Add(-lifeKept)); err != nil {
			return err
		}
	}
	return tx.PutWorkerLife(poolID, name, this)
}

func lasting(interval *int) time.Duration {
	seconds := usualBeat
	if interval != nil {
		seconds = *interval
	}
	return missedBeats * time.Duration(seconds) * time.Second
}

// claimantGone reports whether every life of the worker has ended that had begun
// at the time of a claim. It is false when none is known.
func claimantGone(tx core.Tx, poolID core.ID, name string, claimed, now time.Time) (bool, error) {
	lives, err := tx.WorkerLives(poolID, name)
	if err != nil {
		return false, err
	}
	gone := false
	for _, l := range lives {
		if l.Since.After(claimed) {
			continue
		}
		if !l.Until.Before(now) {
			return false, nil
		}
		gone = true
	}
	return gone, nil
}
