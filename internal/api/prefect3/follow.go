package prefect3

import (
	"errors"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

const (
	// followBatch is how many rows a follower reads at once.
	followBatch = 500
	// followPace is the shortest time between two reads of one follower, so that
	// many followers of a busy server do not keep it busier.
	followPace = 20 * time.Millisecond
	// followIdle is the longest time between two reads.
	followIdle = 5 * time.Second
)

// follower reads rows as they are committed, for one socket.
type follower struct {
	s    *socket
	wake <-chan struct{}
	stop func()
	gone chan error // receives once, when the peer closes or breaks
}

// newFollower subscribes to the topic. The peer has nothing more to say: what
// it sends is read only to notice its end.
func (a *API) newFollower(s *socket, t core.Topic) *follower {
	f := &follower{s: s, gone: make(chan error, 1)}
	f.wake, f.stop = a.store.Subscribe(t)
	go func() {
		for {
			if _, _, err := s.Read(s.ctx); err != nil {
				f.gone <- err
				return
			}
		}
	}()
	return f
}

// run calls read after every commit that concerns the topic, again while it
// says that there is more, until the socket ends or read fails. On Postgres a
// row can be hidden for a moment after the commit that was told of, by a
// transaction of another replica that began before it; so a wake-up is
// followed by more looks, at growing distances.
func (f *follower) run(read func() (more bool, err error)) error {
	look := time.NewTimer(0)
	defer look.Stop()
	pause, soon := followPace, false
	for {
		select {
		case <-look.C:
		case <-f.wake:
			pause = followPace
			if !soon { // a look that is due already is not put off, or a busy server would put it off for ever
				look.Reset(followPace)
			}
			soon = true
			continue
		case err := <-f.gone:
			return err
		}
		soon = false
		more, err := read()
		if err != nil && core.CodeOf(err) != core.Unavailable { // a database that is away comes back
			return err
		}
		if more {
			pause = followPace
		} else {
			pause = min(2*pause, followIdle)
		}
		look.Reset(pause)
	}
}

// endFollowing closes the socket; a failure of ours is told, the peer's end is not.
func (a *API) endFollowing(s *socket, err error) {
	var closed websocket.CloseError
	if errors.As(err, &closed) || s.ctx.Err() != nil {
		s.refuse(websocket.StatusNormalClosure, "")
		return
	}
	a.Log.Debug("a subscriber's socket ended", "error", err)
	s.refuse(websocket.StatusInternalError, "the stream broke")
}

// logsOut sends lines that match the subscriber's filter as they are stored.
// Prefect REST: WS /logs/out.
func (a *API) logsOut(w http.ResponseWriter, r *http.Request) {
	s := a.accept(w, r, api.SocketOptions{})
	if s == nil {
		return
	}
	defer s.cancel()
	var f filter[ofLog]
	if _, ok := s.receiveFilter(&f); !ok {
		return
	}
	follow := a.newFollower(s, core.TopicLogs)
	defer follow.stop()
	var cursor core.Cursor
	err := a.view(s.ctx, func(tx core.Tx) (err error) {
		cursor, err = tx.LogCursor()
		return err
	})
	if err == nil {
		err = follow.run(func() (more bool, err error) {
			var logs []*core.Log
			err = a.view(s.ctx, func(tx core.Tx) (err error) {
				logs, cursor, err = tx.LogsAfter(cursor, followBatch)
				return err
			})
			for _, l := range logs {
				if err == nil && core.MatchesLog(&f.Filter, l) {
					err = s.send(map[string]any{"type": "log", "log": client.LogOf(l)})
				}
			}
			return len(logs) == followBatch, err
		})
	}
	a.endFollowing(s, err)
}
