package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// output is the flag -o.
type output struct {
	env    *Env
	format string
}

// addOutput gives a command the flag -o.
func addOutput(env *Env, cmd *cobra.Command) *output {
	o := &output{env: env, format: "table"}
	cmd.Flags().VarP(o, "output", "o", "how to show the result: table or json")
	return o
}

// Set implements the value of a flag.
func (o *output) Set(text string) error {
	if text != "table" && text != "json" {
		return fmt.Errorf("%q is neither table nor json", text)
	}
	o.format = text
	return nil
}

// String shows the default in the help.
func (o *output) String() string { return o.format }

// Type names the kind of value in the help.
func (o *output) Type() string { return "format" }

// show writes v as JSON, or calls table for people.
func (o *output) show(v any, table func(w io.Writer)) error {
	if o.format == "json" {
		enc := json.NewEncoder(o.env.Stdout)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	table(o.env.Stdout)
	return nil
}

// table writes a list in columns under a heading, a row for each element.
func table[T any](w io.Writer, heading string, list []T, row func(*T) []string) {
	tab := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	_, _ = fmt.Fprintln(tab, strings.ReplaceAll(heading, ",", "\t"))
	for i := range list {
		_, _ = fmt.Fprintln(tab, strings.Join(row(&list[i]), "\t"))
	}
	_ = tab.Flush()
}

// fields writes names and values, one a line; what is empty is left out.
func fields(w io.Writer, pairs ...string) {
	tab := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			_, _ = fmt.Fprintf(tab, "%s\t%s\n", pairs[i], oneLine(pairs[i+1]))
		}
	}
	_ = tab.Flush()
}

// oneLine keeps a value in its line.
func oneLine(text string) string {
	return strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ").Replace(text)
}

// ago says how far a time is from now.
func ago(t *wire.Time, now time.Time) string {
	if t == nil {
		return ""
	}
	d := now.Sub(t.Time)
	if d < 0 {
		return "in " + roughly(-d)
	}
	return roughly(d) + " ago"
}

// roughly shows a duration in its largest unit or two.
func roughly(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// took shows seconds.
func took(s wire.Float) string {
	d := time.Duration(float64(s) * float64(time.Second))
	if d == 0 {
		return ""
	}
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return roughly(d)
}

// stateText is the name of a state, "" for none.
func stateText(s *client.State) string {
	if s == nil {
		return ""
	}
	return s.Name
}

// text is what a pointer points to, "" for nil.
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// number shows an optional number, and what none means.
func number(n *int, none string) string {
	if n == nil {
		return none
	}
	return fmt.Sprint(*n)
}

// jsonText shows JSON; {} and null are nothing to show.
func jsonText(raw json.RawMessage) string {
	if s := string(raw); s == "{}" || s == "null" {
		return ""
	}
	return string(raw)
}

// timeText shows a time in UTC.
func timeText(t *wire.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// isState reports whether a state is of a type.
func isState(s *client.State, t core.StateType) bool { return s != nil && s.Type == t }
