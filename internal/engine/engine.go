package engine

import (
	"log/slog"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

// Config is what an Engine needs.
type Config struct {
	Store core.Store
	// Now is the clock.
	Now func() time.Time
	// Log receives what no caller is told; nil discards it.
	Log *slog.Logger
	// SlotWait is how long a run waits before it asks again for a slot of its
	// deployment; 0 means 30 seconds.
	SlotWait time.Duration
	// Observe is told of every written flow run state; nil is allowed.
	Observe func(from, to core.StateType)
	// ObserveEvents is told of events that were recorded and of the time since
	// the last of them occurred, by its sender's clock; nil is allowed.
	ObserveEvents func(count int, lag time.Duration)
	// Sealer encrypts block documents; without one they are refused.
	Sealer Sealer
	// Limits bound executions of state machines; zero fields take AWS' own.
	Limits asl.Limits
	// Prepare completes the parameters of a task for its resource; nil leaves them.
	Prepare func(resource string, parameters any) any
	// MaxMachines is how many state machines, and how many activities, a region
	// may have; 0 means DefaultMaxMachines.
	MaxMachines int
	// Trial makes the calls of states that are tried on their own; nil refuses them.
	Trial TaskTrial
	// CheckResource refuses the Resource of a Task that cannot be called; nil takes all.
	CheckResource func(resource string) error
}

// Engine runs the use cases.
type Engine struct {
	store    core.Store
	clock    func() time.Time
	log      *slog.Logger
	slotWait time.Duration
	observe  func(from, to core.StateType)
	sealer   Sealer

	maxMachines   int
	checkResource func(resource string) error
	trial         TaskTrial
	runs          executions
	observeEvents func(count int, lag time.Duration)
}

// New returns an Engine.
func New(cfg Config) *Engine {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.SlotWait <= 0 {
		cfg.SlotWait = 30 * time.Second
	}
	if cfg.Observe == nil {
		cfg.Observe = func(core.StateType, core.StateType) {}
	}
	if cfg.ObserveEvents == nil {
		cfg.ObserveEvents = func(int, time.Duration) {}
	}
	if cfg.MaxMachines <= 0 {
		cfg.MaxMachines = DefaultMaxMachines
	}
	return &Engine{
		store: cfg.Store, clock: cfg.Now, log: cfg.Log, slotWait: cfg.SlotWait, observe: cfg.Observe, sealer: cfg.Sealer,
		observeEvents: cfg.ObserveEvents, maxMachines: cfg.MaxMachines, checkResource: cfg.CheckResource, trial: cfg.Trial,
		runs: executions{warm: map[core.ID]*standing{}, machines: map[core.ID]*asl.Machine{}, limits: cfg.Limits, prepare: cfg.Prepare},
	}
}

// Store returns the store for reads that need no rule: the dialects' lists and look-ups.
func (e *Engine) Store() core.Store { return e.store }

// now returns the time in the resolution in which it is stored.
func (e *Engine) now() time.Time { return e.clock().UTC().Truncate(time.Microsecond) }
