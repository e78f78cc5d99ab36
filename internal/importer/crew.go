package importer

import (
	"context"
	"sync"
)

// crew runs functions side by side, at most so many at once. The first error
// ends the context that they share.
type crew struct {
	cancel context.CancelCauseFunc
	places chan struct{}
	group  sync.WaitGroup
	once   sync.Once
	err    error
}

// newCrew returns a crew and the context that its functions take.
func newCrew(ctx context.Context, size int) (*crew, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	return &crew{cancel: cancel, places: make(chan struct{}, size)}, ctx
}

// run starts fn as soon as there is a place.
func (c *crew) run(fn func() error) {
	c.places <- struct{}{}
	c.group.Go(func() {
		defer func() { <-c.places }()
		c.fail(fn())
	})
}

// fail ends the work of all, unless err is nil.
func (c *crew) fail(err error) {
	if err != nil {
		c.once.Do(func() {
			c.err = err
			c.cancel(err)
		})
	}
}

// wait waits until all have returned, and returns the first error.
func (c *crew) wait() error {
	c.group.Wait()
	c.cancel(nil)
	return c.err
}
