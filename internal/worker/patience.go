package worker

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/leat-dev/leat/internal/client"
)

// complaint tells once that something fails, and once that it works again. It
// belongs to one goroutine.
type complaint struct {
	log *slog.Logger
	// while is what needs the server, such as "polling the work pool".
	while   string
	failing bool
}

// note is told how an attempt ended and reports whether it failed. What ctx
// ended is no failure.
func (c *complaint) note(ctx context.Context, err error) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil && !c.failing:
		c.log.Warn("an exchange with the server failed; trying again", "while", c.while, "error", err)
	case err != nil:
		c.log.Debug("an exchange with the server failed again", "while", c.while, "error", err)
	case c.failing:
		c.log.Info("exchanges with the server work again", "while", c.while)
	}
	c.failing = err != nil
	return c.failing
}

// unreachable reports whether nobody knows if the server has done what it was
// asked for: it could not be reached, or its answer was lost.
func unreachable(err error) bool {
	var gone *client.Unreachable
	return errors.As(err, &gone)
}

// answerPause is how long an attempt waits at most before it asks a server again
// that it could not reach.
const answerPause = 5 * time.Second

// answered asks the server until it answers, the worker stops, or ctx ends. What
// it asks for must do no harm when it is done twice.
func (a *attempt) answered(ctx context.Context, ask func() error) error {
	tell := complaint{log: a.log(), while: "reporting on the flow run"}
	for wait := min(a.w.cfg.PollEvery, answerPause); ; wait = min(2*wait, answerPause) {
		err := ask()
		if !unreachable(err) {
			tell.note(ctx, nil)
			return err
		}
		if a.isStopping() || ctx.Err() != nil {
			return err
		}
		tell.note(ctx, err)
		if sleep(ctx, wait) != nil {
			return err
		}
	}
}
