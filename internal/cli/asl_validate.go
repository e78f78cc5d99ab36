package cli

import (
	"encoding/json"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/asl"
)

// fileDiagnostics is what validate --json says of a file.
type fileDiagnostics struct {
	File        string           `json:"file"`
	Result      string           `json:"result"`
	Diagnostics []diagnosticJSON `json:"diagnostics"`
}

// diagnosticJSON is a finding as ValidateStateMachineDefinition gives it.
type diagnosticJSON struct {
	Severity asl.Severity `json:"severity"`
	Code     string       `json:"code"`
	Message  string       `json:"message"`
	Location string       `json:"location"`
}

func aslValidateCommand(env *Env) *cobra.Command {
	cmd := &cobra.Command{
		Use: "validate FILE...", Short: "Say what is wrong with definitions of state machines", Args: atLeastOne("FILE"),
		Long: `Say what is wrong with definitions of state machines, in JSON, with the codes and
messages of AWS. - is the standard input. The exit code is 1 when there is an error.`,
		Example: "  leat asl validate order.asl.json\n  cdk-output | leat asl validate -",
	}
	asJSON := cmd.Flags().Bool("json", false, "show the findings as JSON")
	express := cmd.Flags().Bool("express", false, "check them as machines of type EXPRESS")
	cmd.RunE = func(_ *cobra.Command, files []string) error {
		all := make([]fileDiagnostics, 0, len(files))
		bad := false
		for _, file := range files {
			text, err := env.readFile(file)
			if err != nil {
				return err
			}
			m, found, err := env.parseMachine(text, *express)
			if err != nil {
				return err
			}
			f := fileDiagnostics{File: file, Result: "OK", Diagnostics: []diagnosticJSON{}}
			if m == nil {
				f.Result, bad = "FAIL", true
			}
			for _, d := range found {
				f.Diagnostics = append(f.Diagnostics, diagnosticJSON{d.Severity, d.Code, d.Message, d.Location})
				if !*asJSON {
					env.say("%s", diagnosticText(file, d))
				}
			}
			if !*asJSON && m != nil {
				env.say("%s: OK", file)
			}
			all = append(all, f)
		}
		if *asJSON {
			enc := json.NewEncoder(env.Stdout)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			if err := enc.Encode(all); err != nil {
				return err
			}
		}
		if bad {
			return exitError(exitFailure)
		}
		return nil
	}
	return cmd
}
