package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

func aslCommand(env *Env) *cobra.Command {
	cmd := group("asl", "Check, draw, run and test state machines of the Amazon States Language, without a server",
		aslValidateCommand(env),
		aslGraphCommand(env),
		aslRunCommand(env),
		aslTestCommand(env),
	)
	cmd.Example = "  leat asl validate order.asl.json\n  leat asl run order.asl.json --input '{\"id\": 7}' --mock order.test.json\n" +
		"  leat asl test order.asl.json --mock order.test.json --coverage"
	return cmd
}

// readFile reads a file that a command names; - is the standard input.
func (e *Env) readFile(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(e.Stdin)
	}
	return os.ReadFile(name)
}

// newRunner makes what calls services.
func (e *Env) newRunner() (*integration.Runner, error) {
	caller, err := awscall.New(awscall.Config{Now: e.Now})
	if err != nil {
		return nil, err
	}
	return integration.New(integration.Config{Caller: caller, Now: e.Now})
}

// parseMachine reads a definition and checks it as a server does.
func (e *Env) parseMachine(text []byte, express bool) (*asl.Machine, []asl.Diagnostic, error) {
	runner, err := e.newRunner()
	if err != nil {
		return nil, nil, err
	}
	m, found := asl.Parse(text, asl.Options{Express: express, Resource: func(arn string) error {
		_, err := runner.Recognize(arn)
		return err
	}})
	return m, found, nil
}

// readMachine reads a definition that is to be right.
func (e *Env) readMachine(file string, express bool) (*asl.Machine, error) {
	text, err := e.readFile(file)
	if err != nil {
		return nil, err
	}
	m, found, err := e.parseMachine(text, express)
	if err != nil {
		return nil, err
	}
	if m == nil {
		for _, d := range found {
			e.note("%s", diagnosticText(file, d))
		}
		return nil, fmt.Errorf("%s is not a valid state machine", file)
	}
	return m, nil
}

func diagnosticText(file string, d asl.Diagnostic) string {
	return fmt.Sprintf("%s: %s %s: %s at %s", file, d.Severity, d.Code, d.Message, d.Location)
}

// machineName is what a machine is called by its file: order for order.asl.json.
func machineName(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	if name == "" || name == "-" {
		return "machine"
	}
	return name
}

// readInput reads JSON given on the command line, or in a file after @.
func (e *Env) readInput(given string) (any, error) {
	if given == "" {
		return value.NewObject(0), nil
	}
	text := []byte(given)
	if name, ok := strings.CutPrefix(given, "@"); ok {
		var err error
		if text, err = e.readFile(name); err != nil {
			return nil, err
		}
	}
	v, err := value.Parse(text)
	if err != nil {
		return nil, usagef("--input is no JSON: %w", err)
	}
	return v, nil
}

// atLeastOne is a check of positional arguments.
func atLeastOne(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, given []string) error {
		if len(given) == 0 {
			return usagef("%s is missing", name)
		}
		return nil
	}
}

// prepareTask adds the parameters that AWS adds by itself.
func prepareTask(resource string, parameters any) any {
	r, err := integration.Parse(resource)
	if err != nil {
		return parameters
	}
	return integration.Defaults(r, parameters)
}

// writeFile writes what a command made to a file; "" and - are the standard output.
func (e *Env) writeFile(name string, content []byte) error {
	if name == "" || name == "-" {
		_, err := e.Stdout.Write(content)
		return err
	}
	return os.WriteFile(name, content, 0o644)
}
