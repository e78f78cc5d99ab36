// Package asl is the Amazon States Language: it parses and validates a
// definition and steps an execution of it. It is pure: an execution is told what
// happened and answers with the events to append to its history and the actions
// that others are to perform. It reads no clock and no source of chance but what
// it is given, so the same inputs make the same history.
package asl

import (
	"github.com/leat-dev/leat/internal/value"
)

// Language is a query language.
type Language string

// The query languages.
const (
	JSONPath Language = "JSONPath"
	JSONata  Language = "JSONata"
)

// StateType is the kind of a state.
type StateType string

// The types of states.
const (
	Pass     StateType = "Pass"
	Task     StateType = "Task"
	Choice   StateType = "Choice"
	Wait     StateType = "Wait"
	Succeed  StateType = "Succeed"
	Fail     StateType = "Fail"
	Parallel StateType = "Parallel"
	Map      StateType = "Map"
)

// Graph is a set of states with a first one: a whole machine, a branch or an
// item processor.
type Graph struct {
	Comment string
	StartAt string
	States  map[string]*State
	// Order lists the names of the states as they were written.
	Order []string
}

// Machine is a parsed definition.
type Machine struct {
	Graph
	Language Language
	Version  string
	// TimeoutSeconds bounds an execution; 0 is no bound.
	TimeoutSeconds int64
	// all lists every state, nested ones too; names are unique in a machine.
	all map[string]*State
}

// State returns a state by its name, however deep it is nested.
func (m *Machine) State(name string) (*State, bool) {
	s, ok := m.all[name]
	return s, ok
}

// Processor returns the machine that a distributed Map state runs its items by.
func (m *Machine) Processor(state string) (*Machine, bool) {
	s, ok := m.all[state]
	if !ok || s.Map == nil {
		return nil, false
	}
	return &Machine{Graph: *s.Map.Processor, Language: m.Language, all: m.all}, true
}

// State is one state of a definition. Fields that its type does not have are zero.
type State struct {
	Name     string
	Type     StateType
	Comment  string
	Language Language
	// Next is the state after this one; "" when End.
	Next string
	End  bool

	// InputPath, OutputPath and ResultPath are nil when they are not given.
	InputPath, OutputPath, ResultPath *pathField
	Parameters, ResultSelector        *template // JSONPath
	Arguments, Output, Assign         *template // JSONata; Assign in both

	// Result is a Pass state's fixed result; HasResult tells null from none.
	Result    any
	HasResult bool

	Task     *taskFields
	Retry    []*Retrier
	Catch    []*Catcher
	Choices  []*choiceRule
	Default  string
	Wait     *waitFields
	Fail     *failFields
	Branches []*Graph
	Map      *mapFields
}

// taskFields are what a Task alone has.
type taskFields struct {
	Resource string
	// parsed is Resource, taken apart.
	parsed Resource
	// Timeout and Heartbeat are in seconds; nil when not given.
	Timeout, Heartbeat *scalar
	// Credentials is nil when not given.
	Credentials *template
}

// scalar is a field that holds a literal, a JSONata expression ({% %}), or, in
// its ...Path form, a path.
type scalar struct {
	// Field is the name as it was written, such as TimeoutSecondsPath.
	Field string
	// Literal is nil when the value is computed.
	Literal any
	path    *pathField
	tmpl    *template
}

// Retrier says when and how a failed state is tried again.
type Retrier struct {
	ErrorEquals []string
	// IntervalSeconds, MaxAttempts and BackoffRate have their defaults filled in.
	IntervalSeconds int64
	MaxAttempts     int64
	BackoffRate     float64
	// MaxDelaySeconds bounds a delay; 0 is no bound.
	MaxDelaySeconds int64
	// FullJitter draws a delay between nothing and the whole.
	FullJitter bool
}

// Catcher says where a failed state goes on.
type Catcher struct {
	ErrorEquals    []string
	Next           string
	ResultPath     *pathField
	Output, Assign *template
}

// waitFields are what a Wait alone has; one is given.
type waitFields struct {
	Seconds, Timestamp *scalar
}

// failFields are what a Fail alone has; nil when not given.
type failFields struct {
	Error, Cause *scalar
}

// mapFields are what a Map alone has.
type mapFields struct {
	Processor *Graph
	// Distributed: items are run as executions of their own, of ExecutionType.
	Distributed   bool
	ExecutionType string // STANDARD or EXPRESS; "" when inline
	Label         string
	// Iterator: the definition used the older name of the processor, whose
	// Parameters are the item selector.
	Iterator       bool
	ItemsPath      *pathField
	Items          *template // JSONata: an array or an expression
	ItemSelector   *template
	MaxConcurrency *scalar
	// ToleratedCount and ToleratedPercentage are nil when not given.
	ToleratedCount, ToleratedPercentage *scalar
	Reader                              *itemReader
	Batcher                             *itemBatcher
	Writer                              *resultWriter
}

// itemReader says where a distributed map's items are read from.
type itemReader struct {
	Resource string
	// Arguments is Parameters in JSONPath.
	Arguments *template
	// Config is the ReaderConfig as written: InputType, CSVHeaderLocation, ...
	Config   *value.Object
	MaxItems *scalar
}

// itemBatcher says how items are grouped.
type itemBatcher struct {
	BatchInput              *template
	MaxItems, MaxInputBytes *scalar
}

// resultWriter says where a distributed map's results are written to.
type resultWriter struct {
	Resource  string
	Arguments *template
	// Config is the WriterConfig as written: Transformation, OutputType.
	Config *value.Object
}
