package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
)

// lister is a command that lists things as a table or as JSON.
type lister[T any] struct {
	// nouns says what is listed, and limit how many at most unless told otherwise.
	nouns   string
	limit   int
	heading string
	// find returns the things and how a row of the table shows one.
	find func(ctx context.Context, c *client.Client, limit int) (list []T, row func(*T) []string, err error)
}

// command gives cmd its flags and what it does.
func (l lister[T]) command(env *Env, cmd *cobra.Command) *cobra.Command {
	out := addOutput(env, cmd)
	limit := cmd.Flags().Int("limit", l.limit, "how many "+l.nouns+" at most (up to 200)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		c, err := env.api("")
		if err != nil {
			return err
		}
		if *limit < 1 || *limit > 200 {
			return usagef("--limit %d is not between 1 and 200", *limit)
		}
		list, row, err := l.find(cmd.Context(), c, *limit)
		if err != nil {
			return err
		}
		return out.show(list, func(w io.Writer) { table(w, l.heading, list, row) })
	}
	return cmd
}
