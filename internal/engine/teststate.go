package engine

import (
	"context"
	"fmt"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// TaskTrial does what states that are tried on their own need from outside.
type TaskTrial interface {
	// CheckMock compares a mocked result with what the resource's service answers;
	// mode is STRICT, PRESENT or NONE. The error's text is for the client.
	CheckMock(resource string, result any, mode string) error
	// GivenItems reads the items in data that is given for what an ItemReader reads.
	GivenItems(from *asl.Transfer, data string) (asl.ItemsRead, *asl.Failure)
	// Call makes a Task's call and waits for its result.
	Call(ctx context.Context, c TrialCall) TrialAnswer
}

// TrialCall is a call that a state makes which is tried.
type TrialCall struct {
	Place  core.Place
	Info   asl.Info
	Action asl.Action
	// RevealSecrets: what is told of a request to an endpoint may hold secrets.
	RevealSecrets bool
}

// TrialAnswer is what came of a call.
type TrialAnswer struct {
	Output any
	// Failure is nil when nothing failed.
	Failure *asl.Failure
	// Request and Response tell of an exchange over HTTP; nil for calls of other kinds.
	Request, Response *value.Object
}

// StateTest is a state to be tried.
type StateTest struct {
	Place core.Place
	// Definition is of the state alone, or of a machine in which StateName is.
	Definition, StateName, RoleARN string
	Input                          any
	// Variables and Context may be nil.
	Variables, Context *value.Object
	RevealSecrets      bool
	// Mock is nil to do the state's work.
	Mock *StateMock
	// Retries, FailedItems and ReaderData say what is to be assumed; nil for nothing.
	Retries     *int64
	FailedItems *int
	ReaderData  *string
	// CausedBy names the state within a Map or Parallel state that is to have
	// failed; "" for none.
	CausedBy string
}

// StateMock stands for a state's work.
type StateMock struct {
	Result    any
	HasResult bool
	// Failure is nil when nothing was said about one.
	Failure *asl.Failure
	// Mode is how closely a result is compared with the service's.
	Mode string
}

// TestState tries one state. Step Functions: TestState.
func (e *Engine) TestState(ctx context.Context, in StateTest) (*asl.TrialResult, error) {
	m, name, findings := asl.ParseState([]byte(in.Definition), in.StateName, asl.Options{Resource: e.checkResource})
	if m == nil {
		if text := asl.DefinitionError(findings); text != "" {
			return nil, &core.Error{Code: core.Invalid, Message: text, Reason: "InvalidDefinition"}
		}
		return nil, notValid("State not found in definition")
	}
	s, ok := m.State(name)
	if !ok {
		return nil, notValid("State not found in definition")
	}
	if err := e.checkTest(in, s); err != nil {
		return nil, err
	}
	t := asl.Trial{
		Name: name, Single: in.StateName == "", Input: in.Input, Variables: in.Variables, Context: in.Context,
	}
	if in.Retries != nil {
		t.Retries = *in.Retries
	}
	if in.ReaderData != nil && e.trial != nil {
		t.Read = func(from *asl.Transfer) (asl.ItemsRead, *asl.Failure) {
			return e.trial.GivenItems(from, *in.ReaderData)
		}
	}
	if in.FailedItems != nil {
		t.FailedItems = *in.FailedItems
	}
	t.Info = e.trialInfo(in)
	var answer TrialAnswer
	t.Work = func(a asl.Action) (any, *asl.Failure) {
		switch {
		case in.Mock != nil && in.Mock.Failure != nil:
			return nil, in.Mock.Failure
		case in.Mock != nil:
			return in.Mock.Result, nil
		}
		answer = e.trial.Call(ctx, TrialCall{Place: in.Place, Info: t.Info, Action: a, RevealSecrets: in.RevealSecrets})
		return answer.Output, answer.Failure
	}
	out := m.Try(e.now(), t)
	if answer.Request != nil {
		out.Seen.Set("request", answer.Request)
	}
	if answer.Response != nil {
		out.Seen.Set("response", answer.Response)
	}
	return out, nil
}

// trialInfo is what a tried state is told of the execution that it would be in.
func (e *Engine) trialInfo(in StateTest) asl.Info {
	machine, name := "TestState-"+randomUUID(), randomUUID()
	return asl.Info{
		ExecutionARN: in.Place.ARN("express:" + machine + ":" + name), Name: name, RoleARN: in.RoleARN,
		MachineARN: in.Place.ARN("stateMachine:" + machine), MachineName: machine,
		Started: e.now(), Seed: randomUint64(), Express: true, Prepare: e.runs.prepare, Limits: e.runs.limits,
		Token: func(int64) string { return randomUUID() }, // nobody waits for it
	}
}

// checkTest refuses what cannot be tried, in the order in which the service does.
func (e *Engine) checkTest(in StateTest, s *asl.State) error {
	children := s.Type == asl.Map || s.Type == asl.Parallel
	if in.RoleARN != "" {
		if err := checkRole(in.RoleARN); err != nil {
			return err
		}
	}
	const mocksOnly = "TestState does not support %s when a mock is not specified."
	switch {
	case in.FailedItems != nil && in.Mock == nil:
		return notValid(mocksOnly, "MapIterationFailureCount")
	case in.Retries != nil && in.Mock == nil:
		return notValid(mocksOnly, "RetrierRetryCount")
	case in.CausedBy != "" && in.Mock == nil:
		return notValid(mocksOnly, "ErrorCausedByState")
	case in.ReaderData != nil && in.Mock == nil:
		return notValid(mocksOnly, "MapItemReaderData")
	case children && in.Mock == nil:
		return core.Errorf(core.Invalid, "TestState API does not support Map or Parallel states. "+
			"Supported state types include: [Task, Wait, Pass, Succeed, Fail, Choice]").Because("InvalidDefinition")
	}
	if in.Mock != nil {
		if err := e.checkMock(in, s); err != nil {
			return err
		}
	}
	if in.Context != nil {
		if err := checkContext(in, s); err != nil {
			return err
		}
	}
	if s.Type != asl.Task || in.Mock != nil {
		return nil
	}
	if asl.ParseResource(s.Resource()).ByToken() {
		return core.Errorf(core.Invalid, "TestState API does not support Activity tasks or the .waitForTaskToken integration pattern without a mock").
			Because("InvalidDefinition")
	}
	if in.RoleARN == "" {
		return notValid("RoleArn must be specified when testing a Task state")
	}
	if e.trial == nil {
		return core.Errorf(core.Unavailable, "This server makes no calls")
	}
	return nil
}

const unmockable = "State type '%s' is not supported when a mock is specified"

func (e *Engine) checkMock(in StateTest, s *asl.State) error {
	list, isList := in.Mock.Result.([]any)
	_, isObject := in.Mock.Result.(*value.Object)
	result := in.Mock.HasResult
	switch {
	case result && isList && in.FailedItems != nil && *in.FailedItems > len(list):
		return notValid("Map iteration failure count must be less than or equal to the number of Map iterations")
	case !mockable(s):
		return notValid(unmockable, s.Type)
	case in.RevealSecrets:
		return notValid("TestState does not support RevealSecrets when a mock is specified.")
	case result == (in.Mock.Failure != nil):
		return notValid("A test mock should have only one of the following fields: [result, errorOutput].")
	case !result:
		return nil
	case s.Type == asl.Map && s.WritesResults() && !isObject:
		return notValid("Mocked result must be a JSON object.")
	case s.Type == asl.Map && !s.WritesResults() && !isList, s.Type == asl.Parallel && !isList:
		return notValid("Mocked result must be an array.")
	case s.Type == asl.Parallel && len(list) != len(s.Branches):
		return notValid("Mocked result must contain the same number of items as number of Parallel branches.")
	case s.Type == asl.Task && e.trial != nil:
		if err := e.trial.CheckMock(s.Resource(), in.Mock.Result, in.Mock.Mode); err != nil {
			return notValid("Mock result schema validation error: %v", err)
		}
	}
	return nil
}

// contextFields lists what a mocked context object may hold: "" is anything.
func contextFields() map[string]map[string]string {
	return map[string]map[string]string{
		"Execution":    {"Id": "string", "Input": "", "Name": "string", "RoleArn": "string", "StartTime": "string", "RedriveCount": "integer", "RedriveTime": "string"},
		"State":        {"EnteredTime": "string", "Name": "string", "RetryCount": "integer"},
		"StateMachine": {"Id": "string", "Name": "string"},
		"Task":         {"Token": "string"},
	}
}

// mockable tells whether work of the state can be stood in for.
func mockable(s *asl.State) bool {
	return s.Type == asl.Task || s.Type == asl.Map || s.Type == asl.Parallel
}

func checkContext(in StateTest, s *asl.State) error {
	bad := func(format string, args ...any) error {
		return notValid("Invalid Context object provided: %s", fmt.Sprintf(format, args...))
	}
	switch {
	case in.Mock == nil && !mockable(s):
		return notValid(unmockable, s.Type)
	case in.Mock == nil:
		return notValid("TestState does not support Context when a mock is not specified.")
	}
	fields := contextFields()
	for name, v := range in.Context.All() {
		allowed, ok := fields[name]
		if name == "Map" {
			return bad("'Map' field is not supported when mocking a Context object")
		}
		if !ok {
			return bad("Field '%s' is not allowed", name)
		}
		o, ok := v.(*value.Object)
		if !ok {
			return bad("%s must be an object", name)
		}
		for key, v := range o.All() {
			kind, ok := allowed[key]
			if !ok {
				return bad("Field '%s' is not allowed", key)
			}
			_, isText := v.(string)
			n, isNumber := value.Number(v)
			switch {
			case kind == "string" && !isText:
				return bad("%s.%s must be a string", name, key)
			case kind == "integer" && (!isNumber || n != float64(int64(n))):
				return bad("%s.%s must be an integer", name, key)
			}
		}
	}
	return nil
}
