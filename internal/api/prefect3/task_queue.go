package prefect3

import (
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
)

// claimTime is how long a task worker has a background task run for itself
// before the run is offered to others: it should be Pending by then.
const claimTime = 30 * time.Second

// closes of the task queue's socket, as the reference has them.
const statusProtocolViolation = websocket.StatusCode(4001)

func (a *API) taskQueueRoutes(r *api.Router) {
	r.HandleOpen("GET", "/task_runs/subscriptions/scheduled", api.Socket(a.scheduledTasks))
}

// scheduledTasks offers background task runs to a task worker, one at a time:
// the next is sent when the last is acknowledged. Prefect REST: WS
// /task_runs/subscriptions/scheduled.
func (a *API) scheduledTasks(w http.ResponseWriter, r *http.Request) {
	s := a.accept(w, r, api.SocketOptions{})
	if s == nil {
		return
	}
	defer s.cancel()
	var sub struct {
		Type     string   `json:"type"`
		Keys     []string `json:"keys"`
		ClientID string   `json:"client_id"`
	}
	switch err := s.receive(&sub); {
	case err != nil:
		s.refuse(websocket.StatusProtocolError, "Expected 'subscribe' message")
		return
	case sub.Type != "subscribe":
		s.refuse(statusProtocolViolation, "Protocol violation: expected 'subscribe' message")
		return
	case len(sub.Keys) == 0:
		s.refuse(statusProtocolViolation, "Protocol violation: expected 'keys' in subscribe message")
		return
	case sub.ClientID == "":
		s.refuse(statusProtocolViolation, "Protocol violation: expected 'client_id' in subscribe message")
		return
	}
	defer a.workers.forget(sub.ClientID)
	a.offerTasks(s, sub.ClientID, sub.Keys)
}

// offerTasks sends runs until the worker quits or goes.
func (a *API) offerTasks(s *socket, workerID string, keys []string) {
	wake, stop := a.store.Subscribe(core.TopicTaskQueue)
	defer stop()
	// Runs whose time comes, or whose worker died, wake nobody.
	look := time.NewTicker(time.Second)
	defer look.Stop()
	answers := s.answers()
	for {
		a.workers.observe(workerID, keys, a.Now())
		run, err := a.Engine.ClaimTaskRun(s.ctx, a.workspace(s.ctx), keys, claimTime)
		if core.CodeOf(err) == core.NotFound {
			select {
			case <-wake:
			case <-look.C:
			case answer := <-answers:
				s.endTasks(answer)
				return
			}
			continue
		}
		if err != nil {
			a.endFollowing(s, err)
			return
		}
		if s.send(a.taskRunOf(run)) != nil {
			return
		}
		if answer := <-answers; answer != "ack" {
			s.endTasks(answer)
			return
		}
	}
}

// answers returns a channel of the types of the messages that the worker
// sends; it is closed when the worker goes.
func (s *socket) answers() <-chan string {
	out := make(chan string)
	go func() {
		defer close(out)
		for {
			var m struct {
				Type string `json:"type"`
			}
			if s.receive(&m) != nil {
				return
			}
			select {
			case out <- m.Type:
			case <-s.ctx.Done():
				return
			}
		}
	}()
	return out
}

// endTasks closes the socket after a message that was no acknowledgement; ""
// stands for none, of a worker that has gone.
func (s *socket) endTasks(answer string) {
	switch answer {
	case "quit", "":
		s.refuse(websocket.StatusNormalClosure, "")
	default:
		s.refuse(statusProtocolViolation, "Protocol violation: expected 'ack' message")
	}
}
