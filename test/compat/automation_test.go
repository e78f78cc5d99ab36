package compat

import (
	"context"
	"testing"
	"time"
)

func TestAutomations(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{flags: []string{"--allow-private-webhooks", "127.0.0.1"}}, func(t *testing.T, s *server) {
		c := newClient(t, s)
		c.python("automations.py").check(t,
			want{"a failed run is notified of, with its state and message", "notified", []any{
				[]any{c.name + "-breaks FAILED", "Flow run encountered an exception: ValueError: out of water"},
			}},
			want{
				"a deployment runs with rendered parameters of their types, and what it starts can be cancelled", "runs",
				[]any{[]any{object{"who": "ada", "n": 7}, "AUTOMATION", true}},
			},
			want{"a threshold counts each resource apart", "third", []any{object{"of": c.name + ".a"}}},
			want{"what should follow and does not is noticed", "silent", []any{object{"of": c.name + ".x"}}},
			want{"both of two triggers, again after they fired", "both", []any{object{"firings": "3"}, object{"firings": "3"}}},
			want{"triggers in their order", "order", []any{object{"last": c.name + ".three"}}},
			want{"an automation that another one paused fires no more", "once", 1},
			want{"and is paused", "enabled", false},
		)
		triggeredDeployment(t, c)
	})
}

// triggeredDeployment serves a flow that runs when an event comes.
func triggeredDeployment(t *testing.T, c *client) {
	t.Helper()
	c.serve("Your deployments are being served", "served.py", `hello={"triggers": [{"type": "event", "posture": "Reactive",
		"expect": ["`+c.name+`.called"], "parameters": {"name": "{{ event.payload.who }}"}}]}`)
	id := c.s.deploymentID(t, c.name+"-hello/hello")
	c.prefect("event", "emit", c.name+".called", "--resource-id", c.name+".caller", "--payload", `{"who": "an event"}`)
	waitFor(t, time.Minute, "the triggered run to complete", func(ctx context.Context) (bool, error) {
		runs, err := c.s.runsOf(ctx, id, "Completed")
		return len(runs) == 1 && runs[0].Parameters["name"] == "an event", err
	})
}
