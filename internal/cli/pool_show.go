package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func poolShowCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{Use: "show POOL", Short: "Show a work pool with its queues and workers"}
	out := addOutput(env, cmd)
	return onPool(env, cmd, func(ctx context.Context, c *client.Client, p client.WorkPool) error {
		queues, err := c.WorkQueues(ctx, p.Name, client.Query{})
		if err != nil {
			return err
		}
		workers, err := c.Workers(ctx, p.Name, client.Query{})
		if err != nil {
			return err
		}
		shown := struct {
			client.WorkPool
			Queues  []client.WorkQueue `json:"queues"`
			Workers []client.Worker    `json:"workers"`
		}{p, queues, workers}
		return out.show(shown, func(w io.Writer) { showPool(env, w, p, queues, workers) })
	})
}

func showPool(env *Env, w io.Writer, p client.WorkPool, queues []client.WorkQueue, workers []client.Worker) {
	fields(w, "Work pool", p.Name, "Id", p.ID.String(), "Type", p.Type, "State", poolState(&p), "Description", text(p.Description),
		"Slots", slots(p.ActiveSlots, p.ConcurrencyLimit), "Created", timeText(&p.Created))
	_, _ = fmt.Fprintln(w)
	table(w, "QUEUE,PRIORITY,STATE,SLOTS,POLLED", queues, func(q *client.WorkQueue) []string {
		state := strings.ToLower(strings.ReplaceAll(string(q.Status), "_", " "))
		return []string{q.Name, fmt.Sprint(q.Priority), state, slots(q.ActiveSlots, q.ConcurrencyLimit), ago(q.LastPolled, env.Now())}
	})
	_, _ = fmt.Fprintln(w)
	if len(workers) == 0 {
		_, _ = fmt.Fprintf(w, "No worker has polled it yet. Start one:  leat worker start --pool %s\n", p.Name)
		return
	}
	table(w, "WORKER,STATE,HEARD OF", workers, func(k *client.Worker) []string {
		return []string{k.Name, strings.ToLower(string(k.Status)), ago(&k.LastHeartbeatTime, env.Now())}
	})
}
