package engine

import (
	"crypto/sha256"
	"encoding/binary"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// Performer does what executions ask for. It is told after the commit, by the
// goroutine of whoever moved the execution, and must not block.
type Performer interface {
	// Perform takes actions in hand that were stored as the owner's.
	Perform(ws core.WorkspaceID, actions []*core.ExecutionAction)
	// Happened tells of events of executions whose machine has a log, and of those
	// by which an execution begins or ends.
	Happened(ws core.WorkspaceID, x *core.Execution, logging core.MachineLogging, events []*asl.Event)
}

// executions is the part of the engine that moves executions.
type executions struct {
	performer Performer
	// owner names this replica in actions; hold is how long it has them in hand.
	owner string
	hold  time.Duration
	// prepare completes a task's parameters.
	prepare func(resource string, parameters any) any
	// limits bound each execution.
	limits asl.Limits

	locks    [256]sync.Mutex
	mu       sync.Mutex               // guards machines and warm
	machines map[core.ID]*asl.Machine // by revision
	warm     map[core.ID]*standing    // executions that wait, as they were left
}

const (
	// warmStandings bounds how many executions are kept in memory between steps.
	warmStandings = 256
	// parsedMachines bounds how many definitions are kept parsed.
	parsedMachines = 1000
)

// standing is an execution with its row.
type standing struct {
	row     *core.Execution
	x       *asl.Execution
	machine *core.StateMachine
	logging core.MachineLogging
}

// PerformBy makes the performer take in hand what executions ask for, as the
// owner, who must renew its hold before the time is over. It is called once,
// before the first execution.
func (e *Engine) PerformBy(p Performer, owner string, hold time.Duration) {
	e.runs.performer, e.runs.owner, e.runs.hold = p, owner, hold
}

// lock keeps others of this process off the execution.
func (r *executions) lock(id core.ID) func() {
	m := &r.locks[id[15]]
	m.Lock()
	return m.Unlock
}

// take returns the position if it is warm and of the version; it is nobody
// else's until it is put back.
func (r *executions) take(id core.ID) *standing {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.warm[id]
	delete(r.warm, id)
	return p
}

// keep puts a position back.
func (r *executions) keep(p *standing) {
	r.mu.Lock()
	defer r.mu.Unlock()
	makeRoom(r.warm, warmStandings)
	r.warm[p.row.RunID] = p
}

// makeRoom removes what comes first until there is room for one more.
func makeRoom[V any](m map[core.ID]V, most int) {
	for id := range m {
		if len(m) < most {
			return
		}
		delete(m, id)
	}
}

// machineOf returns a revision's machine, parsed once.
func (r *executions) machineOf(rev *core.StateMachineRevision, express bool) (*asl.Machine, error) {
	r.mu.Lock()
	m := r.machines[rev.ID]
	r.mu.Unlock()
	if m != nil {
		return m, nil
	}
	m, ds := asl.Parse([]byte(rev.Definition), asl.Options{Express: express})
	if m == nil {
		return nil, core.Errorf(core.Internal, "the stored definition %s is not valid: %s", rev.ID, asl.DefinitionError(ds))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	makeRoom(r.machines, parsedMachines)
	r.machines[rev.ID] = m
	return m, nil
}

// load reads an execution's position.
func (e *Engine) load(tx core.Tx, row *core.Execution) (*standing, error) {
	rev, err := tx.StateMachineRevision(row.RevisionID)
	if err != nil {
		return nil, err
	}
	m, err := e.runs.machineOf(rev, row.Express)
	if err != nil {
		return nil, err
	}
	if m, err = e.partOf(tx, row, m); err != nil {
		return nil, err
	}
	pieces, err := tx.ExecutionPieces(row.RunID)
	if err != nil {
		return nil, err
	}
	machine, err := tx.StateMachine(row.MachineID)
	if missing(err) {
		machine, err = &core.StateMachine{ID: row.MachineID, ARN: row.MachineARN}, nil
	}
	if err != nil {
		return nil, err
	}
	x, err := asl.Load(m, e.info(row, rev, machine), pieces)
	return &standing{row: row, x: x, machine: machine, logging: rev.Config.Logging}, err
}

// partOf is the part of the machine that an execution runs: an item processor's
// for one of a map run.
func (e *Engine) partOf(tx core.Tx, row *core.Execution, m *asl.Machine) (*asl.Machine, error) {
	if row.MapRunID == nil {
		return m, nil
	}
	run, err := tx.MapRun(*row.MapRunID)
	if err != nil {
		return nil, err
	}
	part, ok := m.Processor(run.State)
	if !ok {
		return nil, core.Errorf(core.Internal, "the machine of %s has no Map state %q", row.ARN, run.State)
	}
	return part, nil
}

// info is what the execution knows of itself.
func (e *Engine) info(row *core.Execution, rev *core.StateMachineRevision, machine *core.StateMachine) asl.Info {
	var seed [8]byte
	binary.BigEndian.PutUint64(seed[:], uint64(row.Seed))
	chance := sha256.Sum256(append([]byte("chance"), seed[:]...)) // task tokens are made of the seed itself
	input, err := value.Parse([]byte(row.Input))
	if err != nil {
		input = nil // it was checked when it came
	}
	return asl.Info{
		ExecutionARN: row.ARN, Name: row.Name, RoleARN: rev.RoleARN, MachineARN: row.MachineARN, MachineName: machine.Name, Started: row.Started,
		Input: input, Seed: binary.BigEndian.Uint64(chance[:]), Express: row.Express, Limits: e.runs.limits,
		Prepare: e.runs.prepare,
		Token:   func(key int64) string { return taskToken(row, key) },
	}
}
