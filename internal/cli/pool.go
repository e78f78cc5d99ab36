package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

func poolCommand(env *Env) *cobra.Command {
	return group("pool", "List, create, show, pause and resume work pools",
		poolLsCommand(env),
		poolCreateCommand(env),
		poolShowCommand(env),
		poolPauseCommand(env, true),
		poolPauseCommand(env, false),
	)
}

// onPool is a command whose only argument is a work pool.
func onPool(env *Env, cmd *cobra.Command, do func(ctx context.Context, c *client.Client, p client.WorkPool) error) *cobra.Command {
	cmd.Args = args("POOL")
	cmd.RunE = func(cmd *cobra.Command, given []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		p, err := c.WorkPool(cmd.Context(), given[0])
		if err != nil {
			return orNotFound(err, "pool", given[0])
		}
		return do(cmd.Context(), c, p)
	}
	return cmd
}

func poolPauseCommand(env *Env, pause bool) *cobra.Command {
	cmd := &cobra.Command{Use: "pause POOL", Short: "Keep workers from getting a pool's runs"}
	said := "paused: workers get none of its runs"
	if !pause {
		cmd = &cobra.Command{Use: "resume POOL", Short: "Let workers get a paused pool's runs again"}
		said = "active"
	}
	return onPool(env, cmd, func(ctx context.Context, c *client.Client, p client.WorkPool) error {
		if err := c.PauseWorkPool(ctx, p.Name, pause); err != nil {
			return err
		}
		env.say("Work pool %s is %s", p.Name, said)
		return nil
	})
}

func poolLsCommand(env *Env) *cobra.Command {
	return lister[client.WorkPool]{
		nouns: "work pools", limit: 200, heading: "POOL,TYPE,STATE,SLOTS,ID",
		find: func(ctx context.Context, c *client.Client, limit int) ([]client.WorkPool, func(*client.WorkPool) []string, error) {
			pools, err := c.WorkPools(ctx, client.Query{"limit": limit})
			return pools, func(p *client.WorkPool) []string {
				return []string{p.Name, p.Type, poolState(p), slots(p.ActiveSlots, p.ConcurrencyLimit), p.ID.String()}
			}, err
		},
	}.command(env, &cobra.Command{Use: "ls", Short: "List work pools", Args: args()})
}

// poolState says whether a pool is paused, else whether workers poll it.
func poolState(p *client.WorkPool) string {
	if p.IsPaused || p.Status == nil {
		return map[bool]string{true: "paused", false: ""}[p.IsPaused]
	}
	return strings.ToLower(strings.ReplaceAll(string(*p.Status), "_", " "))
}

// slots shows how much of a limit is used.
func slots(used, limit *int) string {
	if limit == nil {
		return "unlimited"
	}
	return number(used, "?") + " of " + number(limit, "")
}
