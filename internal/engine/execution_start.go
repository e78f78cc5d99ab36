package engine

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// NewExecution describes an execution to be started.
type NewExecution struct {
	// ARN is of a state machine, a version or an alias.
	ARN string
	// Name is made when it is empty.
	Name string
	// Input is JSON; "" is {}.
	Input       string
	TraceHeader *string
	// mapRun is set for an execution of a map run, with its number in it.
	mapRun *core.MapRun
	item   int
}

// StartExecution starts an execution and lets it run until it waits for
// something, or for a while; what it has come to is stored when it returns. A
// standard execution with the name and the input of one that runs is that one;
// with another input the name is taken. Step Functions: StartExecution.
func (e *Engine) StartExecution(ctx context.Context, ws core.WorkspaceID, in NewExecution) (*core.Execution, error) {
	input, err := parseInput(in.Input)
	if err != nil {
		return nil, err
	}
	if in.Input == "" {
		in.Input = "{}"
	}
	var t *machineTarget
	var prior *core.Execution
	if err := e.store.View(ctx, ws, func(tx core.Tx) (err error) {
		if t, err = e.startable(tx, in); err != nil {
			return err
		}
		prior, err = sameNamed(tx, t, in)
		return err
	}); err != nil || prior != nil {
		return prior, err
	}
	p, err := e.begin(t, in, input)
	if err != nil {
		return nil, err
	}
	now := p.row.Started
	first := asl.Input{Kind: asl.InputStart, Text: in.Input}
	if p.row.VersionARN != nil {
		first.VersionARN = *p.row.VersionARN
	}
	if p.row.AliasARN != nil {
		first.AliasARN = *p.row.AliasARN
	}
	res := p.x.Step(now, first)
	s := e.newStep(p, res, now)
	err = e.store.Update(ctx, ws, func(tx core.Tx) (err error) {
		if prior, err = sameNamed(tx, t, in); err != nil || prior != nil {
			return err
		}
		if err := tx.RecordTaskRuns(visitRuns(p.row, res, now)); err != nil {
			return err
		}
		return e.insertStarted(tx, p, s, input, now)
	})
	if err != nil || prior != nil {
		return prior, err
	}
	e.stored(ws, p, s)
	return p.row, nil
}

// createExecutionRun makes the run that an execution is. The machine's flow is
// made anew if somebody has deleted it.
func createExecutionRun(tx core.Tx, now time.Time, m *core.StateMachine, in NewFlowRun) (*core.FlowRun, error) {
	run, _, err := createFlowRun(tx, now, in)
	if core.CodeOf(err) != core.Conflict {
		return run, err
	}
	flow, err := flowNamed(tx, m.Name, now)
	if err != nil {
		return nil, err
	}
	in.FlowID = flow.ID
	run, _, err = createFlowRun(tx, now, in)
	return run, err
}

// insertStarted stores an execution with its run after its first step.
func (e *Engine) insertStarted(tx core.Tx, p *standing, s *step, input any, now time.Time) error {
	run, err := createExecutionRun(tx, now, p.machine, NewFlowRun{
		FlowID: p.machine.FlowID, Name: p.row.Name, Parameters: executionParameters(input, p.row.Input), InfrastructurePID: &p.row.ARN,
		State: new(newState(core.Running, now)), Tags: []string{}, id: &p.row.RunID,
	})
	if err != nil {
		return err
	}
	e.observe("", core.Running)
	if err := tx.InsertExecution(s.change.Execution); err != nil {
		return err
	}
	if err := tx.WriteExecutionStep(s.change); err != nil || !s.result.Ended {
		return err
	}
	return e.finishRun(tx, p, s, run, now)
}

// parseInput reads an execution's input.
func parseInput(text string) (any, error) {
	if text == "" {
		text = "{}"
	}
	v, err := value.Parse([]byte(text))
	if err != nil {
		return nil, core.Errorf(core.Invalid, "Invalid State Machine Execution Input: '%v'", err).Because("InvalidExecutionInput")
	}
	return v, nil
}

// startable finds what is to be started.
func (e *Engine) startable(tx core.Tx, in NewExecution) (*machineTarget, error) {
	t, err := resolveMachine(tx, in.ARN, pickWeight)
	if err != nil {
		return nil, err
	}
	if t.machine.Status == core.MachineDeleting {
		return nil, machineDeleting(in.ARN)
	}
	return t, nil
}

// pickWeight chooses by chance one of the weights, which sum up to 100.
func pickWeight(weights []int) int {
	n := int(randomUint64() % 100)
	for i, w := range weights {
		if n -= w; n < 0 {
			return i
		}
	}
	return len(weights) - 1
}

func randomUint64() uint64 {
	var b [8]byte
	// crypto/rand.Read never fails on supported platforms; it ends the program instead.
	_, _ = rand.Read(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// sameNamed returns the execution that the name already stands for.
func sameNamed(tx core.Tx, t *machineTarget, in NewExecution) (*core.Execution, error) {
	if in.Name == "" || t.machine.Type == core.ExpressMachine {
		return nil, nil
	}
	arn := executionARN(t.machine, in.Name)
	prior, err := tx.ExecutionByARN(arn)
	if err != nil {
		return nil, ignoring(err)
	}
	if prior.Status == string(asl.Running) && sameJSON(prior.Input, in.Input) {
		return prior, nil
	}
	return nil, core.Errorf(core.Conflict, "Execution Already Exists: '%s'", arn).Because("ExecutionAlreadyExists")
}

func sameJSON(a, b string) bool {
	x, errA := value.Parse([]byte(a))
	y, errB := value.Parse([]byte(b))
	return errA == nil && errB == nil && value.Equal(x, y)
}

// executionARN is the ARN of a standard execution.
func executionARN(m *core.StateMachine, name string) string {
	return strings.Replace(m.ARN, ":stateMachine:", ":execution:", 1) + ":" + name
}

// begin makes an execution that has not taken a step.
func (e *Engine) begin(t *machineTarget, in NewExecution, input any) (*standing, error) {
	now := e.now()
	id := core.NewID(now)
	if in.Name == "" {
		in.Name = randomUUID()
	}
	row := &core.Execution{
		RunID: id, Name: in.Name, MachineID: t.machine.ID, MachineARN: t.machine.ARN, RevisionID: t.revision.ID,
		Express: t.machine.Type == core.ExpressMachine, Status: string(asl.Running), Started: now, Input: in.Input, TraceHeader: in.TraceHeader,
		Seed: int64(randomUint64()), Item: in.item,
	}
	row.ARN = executionARN(t.machine, in.Name)
	if t.version != nil {
		row.VersionARN = &t.version.ARN
	}
	if t.alias != nil {
		row.AliasARN = &t.alias.ARN
	}
	m, err := e.runs.machineOf(t.revision, row.Express)
	if err != nil {
		return nil, err
	}
	if run := in.mapRun; run != nil {
		row.MapRunID, row.MachineARN = &run.ID, run.MachineARN
		row.Express = run.ExecutionType() == string(core.ExpressMachine)
		row.ARN = strings.Replace(run.MachineARN, ":stateMachine:", ":execution:", 1) + ":" + in.Name
		var ok bool
		if m, ok = m.Processor(run.State); !ok {
			return nil, core.Errorf(core.Internal, "the machine of %s has no Map state %q", run.ARN, run.State)
		}
	}
	if row.Express {
		row.ARN = strings.Replace(row.ARN, ":execution:", ":express:", 1) + ":" + randomUUID()
	}
	info := e.info(row, t.revision, t.machine)
	info.Input = input
	return &standing{row: row, x: asl.New(m, info), machine: t.machine, logging: t.revision.Config.Logging}, nil
}

// randomUUID is a UUID of version 4, as AWS names things by.
func randomUUID() string {
	var id core.ID
	_, _ = rand.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id.String()
}
