package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/drive"
	"github.com/leat-dev/leat/internal/value"
)

// aslRunOptions are the flags of leat asl run.
type aslRunOptions struct {
	input, mock, name, region, account string
	aws, events, express               bool
	virtual, real                      bool
	seed                               uint64
}

func aslRunCommand(env *Env) *cobra.Command {
	o := &aslRunOptions{}
	cmd := &cobra.Command{
		Use: "run FILE", Short: "Run a state machine here, without a server", Args: args("FILE"),
		Long: `Run a state machine here, without a server, and show its output. The exit code is
1 when the execution fails.

Tasks are answered by the mocks of a file; with --aws, those without a mock really
call their services, as the environment's credentials, region and AWS_ENDPOINT_URL
say. Time is virtual: a Wait ends at once, and so do the delays of a Retry. With
--aws time is real unless --virtual-time is given.`,
		Example: "  leat asl run order.asl.json --input '{\"id\": 7}' --mock order.test.json\n  leat asl run order.asl.json --input @order.json --aws --events",
		RunE: func(cmd *cobra.Command, given []string) error {
			if o.virtual && o.real {
				return usagef("--virtual-time and --real-time do not go together")
			}
			return o.run(cmd.Context(), env, given[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.input, "input", "", "the input as JSON, or @FILE (default {})")
	flags.StringVar(&o.mock, "mock", "", "file of mocks that answer tasks: its \"mocks\"")
	flags.BoolVar(&o.aws, "aws", false, "really call the services of tasks that have no mock")
	flags.BoolVar(&o.virtual, "virtual-time", false, "let time jump to what comes next (default without --aws)")
	flags.BoolVar(&o.real, "real-time", false, "let time pass as it does (default with --aws)")
	flags.BoolVar(&o.events, "events", false, "show the history as it happens, an event as JSON on each line, instead of the output")
	flags.BoolVar(&o.express, "express", false, "run it as a machine of type EXPRESS")
	flags.StringVar(&o.name, "name", "", "name of the machine (default: by the file)")
	flags.StringVar(&o.region, "region", "", "region of the machine and of the services (default: AWS_REGION, or us-east-1)")
	flags.StringVar(&o.account, "account", "000000000000", "account of the machine")
	flags.Uint64Var(&o.seed, "seed", 1, "makes random values, names and task tokens: the same seed, the same ones")
	return cmd
}

func (o *aslRunOptions) run(ctx context.Context, env *Env, file string) error {
	m, err := env.readMachine(file, o.express)
	if err != nil {
		return err
	}
	cfg := drive.Config{
		Machine: m, Name: o.name, Express: o.express, Seed: o.seed, Account: o.account,
		Prepare: prepareTask, Start: env.Now().UTC().Truncate(time.Millisecond), Now: env.Now, Real: o.real || o.aws && !o.virtual,
	}
	if cfg.Name == "" {
		cfg.Name = machineName(file)
	}
	if cfg.Region = o.region; cfg.Region == "" {
		cfg.Region = env.getenv("AWS_REGION", "AWS_DEFAULT_REGION") // calls ask the profile as well
	}
	if cfg.Input, err = env.readInput(o.input); err != nil {
		return err
	}
	if err := o.answer(env, &cfg); err != nil {
		return err
	}
	if o.events {
		cfg.Observe = eventPrinter(env)
	}
	x, err := drive.Run(ctx, cfg)
	if err != nil {
		return o.explain(err)
	}
	if x.Status != asl.Succeeded {
		return fmt.Errorf("the execution %s", failureText(x))
	}
	if o.events {
		return nil
	}
	return printJSON(env, x.Output)
}

// answer sets who answers tasks and reads items.
func (o *aslRunOptions) answer(env *Env, cfg *drive.Config) error {
	mocks := &drive.Mocks{}
	if o.mock != "" {
		f, err := readMocks(env, o.mock, o.name, nil)
		if err != nil {
			return err
		}
		if len(f.Mocks) == 0 && len(f.Cases) > 0 {
			return fmt.Errorf("%s has test cases but no \"mocks\" that stand for themselves: use leat asl test", o.mock)
		}
		mocks.States = f.Mocks
	}
	cfg.Performer, cfg.Items = mocks, mocks.Items()
	if !o.aws {
		return nil
	}
	runner, err := env.newRunner()
	if err != nil {
		return err
	}
	calls := &drive.Calls{Runner: runner, Region: o.region, Account: o.account}
	mocks.Else, cfg.Items = calls, &drive.CalledItems{Calls: calls, Simulated: mocks.Items()}
	return nil
}

// explain adds the way out to an error of a run.
func (o *aslRunOptions) explain(err error) error {
	if errors.Is(err, context.Canceled) {
		return errors.New("interrupted")
	}
	u, ok := errors.AsType[*drive.UnansweredError](err)
	if !ok {
		return err
	}
	answer := `{"return": ...}`
	if u.Items {
		answer = `{"items": [...]}`
	}
	file := o.mock
	if file == "" {
		file = "FILE"
	}
	out := fmt.Sprintf("%v\nAnswer it in a file, {\"mocks\": {%q: %s}}, and name that by --mock %s", err, u.State, answer, file)
	if !o.aws && !u.Items {
		out += "; or really call it with --aws"
	}
	return errors.New(out)
}

// failureText says how an execution ended that did not succeed.
func failureText(x *drive.Execution) string {
	text := "ended as " + string(x.Status)
	if x.Failure.Error != "" {
		text += ": " + x.Failure.Error
	}
	if x.Failure.Cause != "" {
		text += ": " + x.Failure.Cause
	}
	return text
}

// eventPrinter shows events as they happen; those of a map run's executions tell
// whose they are.
func eventPrinter(env *Env) func(*drive.Execution, []*asl.Event) {
	var root *drive.Execution
	return func(x *drive.Execution, events []*asl.Event) {
		if root == nil {
			root = x
		}
		for _, e := range events {
			line := e.Append(nil)
			if x != root {
				line = fmt.Appendf(line[:len(line)-1], `,"executionArn":%s}`, value.AppendString(nil, x.ARN))
			}
			env.say("%s", line)
		}
	}
}

// readMocks reads a file of mocks.
func readMocks(env *Env, file, machine string, input any) (*drive.File, error) {
	text, err := env.readFile(file)
	if err != nil {
		return nil, err
	}
	f, err := drive.ParseMocks(text, machine, input)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", file, strings.TrimSpace(err.Error()))
	}
	return f, nil
}

func printJSON(env *Env, v any) error {
	var b bytes.Buffer
	if err := json.Indent(&b, value.Append(nil, v), "", "  "); err != nil {
		return err
	}
	env.say("%s", b.Bytes())
	return nil
}
