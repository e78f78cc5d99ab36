package cli

import (
	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/asl"
)

func aslGraphCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "graph FILE", Short: "Draw a state machine as SVG, Mermaid or DOT", Args: args("FILE"),
		Example: "  leat asl graph order.asl.json -o order.svg\n  leat asl graph order.asl.json --format mermaid\n  leat asl graph order.asl.json --format dot | dot -Tpng -o order.png",
	}
	format := cmd.Flags().String("format", "svg", "svg, mermaid or dot")
	file := cmd.Flags().StringP("output", "o", "", "file to write (default: the standard output)")
	cmd.RunE = func(_ *cobra.Command, given []string) error {
		var draw func(*asl.Machine) []byte
		switch *format {
		case "svg":
			draw = func(m *asl.Machine) []byte { return asl.SVG(m, nil) }
		case "mermaid":
			draw = func(m *asl.Machine) []byte { return []byte(asl.Mermaid(m)) }
		case "dot":
			draw = func(m *asl.Machine) []byte { return []byte(asl.DOT(m)) }
		default:
			return usagef("--format %q is not svg, mermaid or dot", *format)
		}
		m, err := env.readMachine(given[0], false)
		if err != nil {
			return err
		}
		return env.writeFile(*file, draw(m))
	}
	return cmd
}
