package cli

import (
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/server"
	"github.com/leat-dev/leat/internal/wire"
)

func dbUsageCommand(env *Env) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "usage", Short: "Show what takes the place in the database, and what retention removes next", Args: args(),
		Long: `Show what takes the place in the database, table by table, and what retention
removes next, by the server's settings (--retain-runs and the like). It works
beside a running server and reads the whole database, which takes a while when
that is large.`,
		Example: "  leat db usage\n  leat db usage --output json --database postgres://leat@db/leat",
	}
	cmd.Flags().BoolVar(&all, "all", false, "show empty tables, too")
	out := addOutput(env, cmd)
	return withSettings(env, cmd, func(cmd *cobra.Command, cfg server.Config, _ []string) error {
		now := env.Now()
		use, err := server.Survey(cmd.Context(), cfg, now)
		if err != nil {
			return err
		}
		return out.show(use, func(w io.Writer) { showUsage(w, use, now, all) })
	})
}

func showUsage(w io.Writer, use *server.Usage, now time.Time, all bool) {
	free := ""
	if use.FreeBytes > 0 {
		free = size(use.FreeBytes)
	}
	fields(w, "Database", use.Database, "Size", size(use.Bytes), "Free in it", free)
	_, _ = fmt.Fprintln(w)
	shown := use.Tables
	if !all {
		shown = withRows(shown)
	}
	table(w, "TABLE,ROWS,SIZE,OLDEST", shown, func(t *server.TableUsage) []string {
		return []string{t.Table, strconv.FormatInt(t.Rows, 10), size(t.Bytes), since(t.Oldest, now)}
	})
	_, _ = fmt.Fprintln(w)
	table(w, "RETENTION OF,KEPT FOR,ROWS,OLDEST,DUE NOW,NEXT DUE", use.Kinds, func(k *server.KindUsage) []string {
		kept, next := "ever", "never"
		if k.KeptSeconds > 0 {
			kept = roughly(time.Duration(k.KeptSeconds * float64(time.Second)))
			next = "-"
		}
		switch {
		case k.Due > 0:
			next = "now"
		case k.Next != nil:
			next = since(k.Next, now)
		}
		return []string{k.Kind, kept, strconv.FormatInt(k.Rows, 10), since(k.Oldest, now), strconv.FormatInt(k.Due, 10), next}
	})
}

func withRows(tables []server.TableUsage) (out []server.TableUsage) {
	for _, t := range tables {
		if t.Rows > 0 {
			out = append(out, t)
		}
	}
	return out
}

// since says how far a time is from now, "-" for none.
func since(t *time.Time, now time.Time) string {
	if t == nil {
		return "-"
	}
	return ago(&wire.Time{Time: *t}, now)
}

// size shows bytes in their largest unit.
func size(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	f, i := float64(n)/unit, 0
	for ; f >= unit && i < 4; i++ {
		f /= unit
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGTP"[i])
}
