package service

import (
	"context"
	"log/slog"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// Loop calls a service's Tick at once, then every Interval and whenever a
// topic wakes it, on one replica at a time unless it is for every one.
type Loop struct {
	// Name is the service's, for its lease and the log.
	Name  string
	Store core.Store
	// Holder names this replica; "" works without a lease, on every replica.
	Holder   string
	Interval time.Duration
	// Topics wake the loop before its time.
	Topics []core.Topic
	// Pace is the shortest time between two rounds that topics asked for.
	Pace time.Duration
	Log  *slog.Logger
	Tick func(ctx context.Context) error
}

// Run works until ctx ends. A round that fails is logged and tried again at the next.
func (l Loop) Run(ctx context.Context) error {
	wake := make(chan struct{}, 1)
	for _, t := range l.Topics {
		ch, stop := l.Store.Subscribe(t)
		defer stop()
		go func() {
			for {
				select {
				case <-ch:
					select {
					case wake <- struct{}{}:
					default:
					}
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	next := time.NewTimer(0)
	defer next.Stop()
	for {
		select {
		case <-next.C:
		case <-wake:
		case <-ctx.Done():
			return nil
		}
		l.round(ctx)
		next.Reset(l.Interval)
		if l.Pace > 0 {
			select {
			case <-time.After(l.Pace):
			case <-ctx.Done():
				return nil
			}
		}
	}
}

// leaseRounds is how many missed rounds make another replica take over.
const leaseRounds = 3

func (l Loop) round(ctx context.Context) {
	mine, err := true, error(nil)
	if l.Holder != "" {
		mine, err = l.Store.Lease(ctx, "service/"+l.Name, l.Holder, leaseRounds*max(l.Interval, time.Second).Seconds())
	}
	if err == nil && mine {
		err = l.Tick(ctx)
	}
	if err != nil && ctx.Err() == nil {
		l.Log.Error("a service's round failed", "service", l.Name, "error", err)
	}
}

// each calls fn for every workspace.
func each(ctx context.Context, s core.Store, fn func(core.WorkspaceID) error) error {
	all, err := s.Workspaces(ctx)
	if err != nil {
		return err
	}
	for _, ws := range all {
		if err := fn(ws); err != nil {
			return err
		}
	}
	return nil
}
