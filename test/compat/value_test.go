package compat

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestVariablesAndBlocks(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		c.python("values.py").check(t,
			want{"variables of any JSON type are set, read, and default", "variables", []any{
				"plain", object{"list": []any{1, nil, "ü"}, "deep": object{"er": true}}, "fallback", "again",
			}},
			want{"a variable is not overwritten by accident", "doubled", "ValueError"},
			want{"Secret blocks keep text and JSON", "secrets", []any{"sesame", object{"user": "ada", "pins": []int{1, 2}}}},
			want{"a Secret block is obscured unless asked for", "hidden", "********"},
			want{"a block in a block is kept by reference", "nested", []any{object{"cpu": []int{1, 2}}, "hunter2", 9}},
			want{"a block type that the server knows is used", "hook", "https://example.com/hook"},
			want{"an unknown block is not found", "missing", "Unable to find block document named " + c.name + "-none for block type secret"},
		)
		key := strings.ReplaceAll(c.name, "-", "_")
		contains(t, "prefect variable inspect", c.prefect("variable", "inspect", key+"_json"), "ü", key+"_json")
		contains(t, "prefect variable ls", c.prefect("variable", "ls", "--limit", "200"), key+"_text")
		contains(t, "prefect block ls", c.prefect("block", "ls"), c.name+"-secret", c.name+"-nested")
		t.Run("prefect variable unset", func(t *testing.T) {
			c.in(t).prefect("variable", "unset", key+"_json")
			a, err := s.send(t.Context(), http.MethodGet, "/variables/name/"+key+"_json", nil)
			if err != nil || a.status != http.StatusNotFound {
				t.Errorf("status %d, %v; want 404", a.status, err)
			}
		})
	})
}

func TestConcurrencyLimits(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		c.prefect("concurrency-limit", "create", c.name+"-tag", "2")
		c.prefect("concurrency-limit", "create", c.name+"-none", "0")
		c.python("limits.py", "forbidden").check(t,
			want{"slots are counted while held", "active", 2},
			want{"no more than the limit are inside", "most", 2},
			want{"slots are given back", "free_again", 0},
			want{"waiting for a slot can time out", "timeout", "TimeoutError"},
			want{"a strict caller is told that the limit is unknown", "strict", "ConcurrencySlotAcquisitionError"},
			want{"others pass", "unknown", "entered"},
			want{"rate_limit waits for slots to decay", "rate_took_seconds", true},
			want{"a tag limit holds tasks back", "tagged_most", 2},
			want{"until all are done", "tagged_states", []string{"Completed"}},
			want{"a tag limit of 0 ends the task", "forbidden", "Failed"},
		)
		contains(t, "prefect concurrency-limit inspect", c.prefect("concurrency-limit", "inspect", c.name+"-tag"), c.name+"-tag", "2")
		contains(t, "prefect concurrency-limit ls", c.prefect("concurrency-limit", "ls"), c.name+"-tag")
		contains(t, "prefect gcl ls", c.prefect("gcl", "ls"), c.name+"-two")
		contains(t, "prefect gcl update and inspect", c.prefect("gcl", "update", c.name+"-two", "--limit", "7")+
			c.prefect("gcl", "inspect", c.name+"-two"), "7")
	})
}

// A lease that nobody renews gives its slot back.
func TestLeaseOfDeadHolderExpires(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		limit := c.name + "-leased"
		s.mustCall(t, http.MethodPost, "/v2/concurrency_limits/", object{"name": limit, "limit": 1}, nil)
		acquire := func(ctx context.Context) (answer, error) {
			body, err := json.Marshal(object{"names": []string{limit}, "slots": 1, "mode": "concurrency", "lease_duration": 60})
			if err != nil {
				return answer{}, err
			}
			return s.send(ctx, http.MethodPost, "/v2/concurrency_limits/increment-with-lease", body)
		}
		holder := c.serve("slot is held", "lease.py")
		a, err := acquire(t.Context())
		if err != nil || a.status != http.StatusLocked || a.header.Get("Retry-After") == "" {
			t.Fatalf("status %d, Retry-After %q, %v; want 423 with Retry-After", a.status, a.header.Get("Retry-After"), err)
		}
		holder.killGroup()
		waitFor(t, 150*time.Second, "the dead holder's lease of 60 s to expire", func(ctx context.Context) (bool, error) {
			a, err := acquire(ctx)
			return a.status == http.StatusOK, err
		})
	})
}

func TestEventsAndLiveLogs(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		stream := c.spawn("Subscribing to event stream", env.python, "-m", "prefect", "event", "stream", "--format", "json")
		f := c.python("events.py")
		f.check(t,
			want{"events of a resource are followed live, with payload and related flow run", "events", []any{
				[]any{c.name + ".spoken", object{"n": 1}, []string{"flow-run", "flow"}},
				[]any{c.name + ".last", object{"ü": nil}, []string{}},
			}},
			want{"logs are followed live, in order", "logs", []any{
				[]any{"line 0", false}, []any{"line 1", false}, []any{"line 2", false}, []any{"last line", true},
			}},
		)
		c.prefect("event", "emit", c.name+".by-hand", "--resource-id", c.name+".hand", "--payload", `{"by": "hand"}`)
		stream.waitOutput(c.name+".by-hand", 20*time.Second)
		contains(t, "prefect event stream shows user events and the server's", stream.out.String(),
			c.name+".spoken", c.name+".other", c.name+".last", "prefect.flow-run.Running", "prefect.flow-run.Completed", f.text(t, "id"))
		t.Run("a flow run's events are recorded in order", func(t *testing.T) {
			recordedEvents(t, s, f.text(t, "id"), []string{"prefect.flow-run.Pending", "prefect.flow-run.Running", "prefect.flow-run.Completed"})
		})
	})
}

// recordedEvents wants the flow run's state events to be these, oldest first.
func recordedEvents(t *testing.T, s *server, run string, want []string) {
	t.Helper()
	var names []string
	waitFor(t, 20*time.Second, strings.Join(want, ", "), func(ctx context.Context) (bool, error) {
		var page struct {
			Events []struct{ Event string }
		}
		err := s.call(ctx, http.MethodPost, "/events/filter", object{"filter": object{
			"resource": object{"id": []string{"prefect.flow-run." + run}}, "order": "ASC",
		}}, &page)
		names = nil
		for _, e := range page.Events {
			if e.Event != "prefect.flow-run.heartbeat" {
				names = append(names, e.Event)
			}
		}
		return strings.Join(names, ",") == strings.Join(want, ","), err
	})
}
