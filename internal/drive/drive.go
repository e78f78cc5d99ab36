// Package drive runs an execution of a state machine in memory, without a server:
// it steps the interpreter, keeps its timers and has its tasks answered. Time is
// virtual, so that it jumps to the next timer whenever nothing else is under way
// and a Wait of a year ends at once, or real.
package drive

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/leat-dev/leat/internal/asl"
)

// Config says what is run and how.
type Config struct {
	Machine *asl.Machine
	// Name is the machine's; "" is "machine".
	Name string
	// Input is the execution's input; nil is null. InputText is how it was written;
	// "" for what Input is as JSON.
	Input     any
	InputText string
	// Express runs it as an express execution.
	Express bool
	// Seed makes its chances, names and task tokens: with the same seed and
	// answers an execution in virtual time has the same history.
	Seed   uint64
	Limits asl.Limits
	// Region and Account are those in ARNs; "" is us-east-1 and 000000000000.
	Region, Account string

	// Performer answers tasks. Nil refuses all.
	Performer Performer
	// Items reads and writes for distributed Map states. Nil refuses to.
	Items Items
	// Prepare is asl.Info.Prepare.
	Prepare func(resource string, parameters any) any

	// Start is when the execution begins in virtual time; zero is the first second
	// of the year 2000.
	Start time.Time
	// Now is the clock, needed for real time and for answers that take real time.
	Now func() time.Time
	// Real has timers take the time that they say.
	Real bool
	// Observe is told the events of executions as they happen; nil is not.
	Observe func(x *Execution, events []*asl.Event)
}

// Performer answers tasks and activities.
type Performer interface {
	// Begin is called for each task in the order in which they are asked for, never
	// twice at once. An error ends the whole run: nobody knows an answer.
	Begin(c *Call) (Work, error)
}

// Call is a task that a state asks for.
type Call struct {
	*asl.Action
	// Execution is who asks.
	Execution asl.Info
}

// Work is how a task is answered: by Answer, or by what Do returns.
type Work struct {
	Answer Answer
	// Do works beside the execution until ctx ends. It may report once that a job
	// was accepted. Nil: Answer counts.
	Do func(ctx context.Context, submitted func(output any)) (Answer, error)
}

// Answer is what came of a task.
type Answer struct {
	Output any
	// Failure is nil when it succeeded.
	Failure *asl.Failure
	// After is how long the answer takes in the execution's time.
	After time.Duration
}

// Items reads the items of distributed Map states and writes their results.
type Items interface {
	// Read reads at most so many items; 0 is all.
	Read(ctx context.Context, c *Call, most int64) ([]any, *asl.Failure, error)
	// Write writes the results of a run and returns the state's result.
	Write(ctx context.Context, c *Call, run *MapRun) (any, *asl.Failure, error)
}

// Execution is what came of an execution.
type Execution struct {
	Name, ARN        string
	Status           asl.Status
	Input, Output    any
	Failure          asl.Failure
	Started, Stopped time.Time
	Events           []*asl.Event
	// Visits are as the interpreter reports them: each visit when it begins and
	// when it ends.
	Visits []*asl.Visit
	// MapRuns are those of its distributed Map states.
	MapRuns []*MapRun

	machineARN string
}

// MapRun is a run of a distributed Map state.
type MapRun struct {
	ARN, State string
	// Executions are those that were started, by the number of their items.
	Executions []*Execution
	// Unstarted are the inputs of those that were not, because too many had failed.
	Unstarted []any
}

// errStuck says that an execution can never go on.
var errStuck = errors.New("the execution waits for what will never happen")

// maxExpress bounds the events of an express execution, which has no bound of its
// own but its five minutes: in virtual time a loop without a Wait takes none.
const maxExpress = 250_000

// Run runs an execution to its end. The error tells why it could not be: a task
// that nobody answers, or ctx that ended; what has happened until then is returned with it. An
// execution that fails is no error.
func Run(ctx context.Context, cfg Config) (*Execution, error) {
	if cfg.Machine == nil {
		return nil, errors.New("there is no machine to run")
	}
	if cfg.Real && cfg.Now == nil {
		return nil, errors.New("real time needs a clock")
	}
	d := newDriver(&cfg)
	ctx, cancel := context.WithCancel(ctx)
	defer d.calls.Wait()
	defer cancel()
	root := d.newLine(cfg.Machine, asl.Info{
		ExecutionARN: fmt.Sprintf("arn:aws:states:%s:%s:execution:%s:%s", cfg.Region, cfg.Account, cfg.Name, d.uuid()),
		MachineARN:   fmt.Sprintf("arn:aws:states:%s:%s:stateMachine:%s", cfg.Region, cfg.Account, cfg.Name),
		Input:        cfg.Input, Express: cfg.Express, Seed: cfg.Seed,
	})
	err := d.step(ctx, root, asl.Input{Kind: asl.InputStart, Text: cfg.InputText})
	for err == nil && !root.ended() {
		err = d.next(ctx)
	}
	if err != nil && !root.ended() {
		// What was under way is told as aborted; the error says why.
		_ = d.step(context.WithoutCancel(ctx), root, asl.Input{Kind: asl.InputAbort})
	}
	return root.out, err
}
