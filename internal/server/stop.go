package server

import (
	"context"
	"fmt"
	"strings"
)

// stop ends the parts one after the other, each within its share of the grace
// time: producers before consumers, so no new requests, then those under way
// and the websockets, then the services, then the store. What has not ended by
// then is left running, for the process to end with, and named by the error.
func (p *parts) stop(ctx context.Context, services func(context.Context) (left []string)) error {
	p.log.Info("stopping")
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.grace)
	defer cancel()
	left := p.stopRequests(whole)
	serving, cancel := context.WithTimeout(whole, p.grace/10)
	defer cancel()
	for _, name := range services(serving) {
		left = append(left, "the service "+name)
	}
	if !p.closeStore(whole) {
		left = append(left, "the transactions of the database")
	}
	if len(left) > 0 {
		return fmt.Errorf("stopped after %s (--stop-timeout) without finishing %s", p.grace, strings.Join(left, ", "))
	}
	return nil
}

// stopRequests waits for the requests that were accepted and for the handlers
// of websockets, then cuts all connections, and lists those that do not even
// end by that: they wait for the database. Requests have most of the grace
// time, for they are what clients wait for.
func (p *parts) stopRequests(ctx context.Context) (left []string) {
	cut, cancel := context.WithTimeout(ctx, p.grace*7/10)
	defer cancel()
	last, cancel := context.WithTimeout(ctx, p.grace*8/10)
	defer cancel()
	close(p.done)
	if err := p.http.Shutdown(cut); err != nil {
		p.log.Warn("some requests did not end in time and are cut off", "error", err)
	}
	p.dialect.Drain(cut)
	_ = p.http.Close() // there is nobody to tell of its error
	return p.dialect.Drain(last)
}

// closeStore reports whether the store was closed before ctx ended.
func (p *parts) closeStore(ctx context.Context) bool {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		if err := p.db.Close(); err != nil {
			p.log.Error("closing the database", "error", err)
		}
	}()
	return ends(ctx, closed)
}

// ends reports whether the channel is closed before ctx ends.
func ends(ctx context.Context, ended <-chan struct{}) bool {
	select {
	case <-ended:
	case <-ctx.Done():
	}
	select {
	case <-ended:
		return true
	default:
		return false
	}
}
