package compat

import "testing"

// Every operation of Step Functions by boto3, and an execution in the words of
// Prefect: it is a flow run.
func TestStepFunctions(t *testing.T) {
	leatOnly(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		f := c.python("states.py")
		f.check(t, stepFunctionsWants()...)
		f.check(t, want{"without auth any key pair will do", "keys", []string{"none", "none", "none"}})
		contains(t, "prefect flow-run ls shows executions", c.prefect("flow-run", "ls", "--limit", "100"), c.name+"-plain", c.name+"-worker")
	})
}

func TestStepFunctionsWithAuth(t *testing.T) {
	leatOnly(t)
	onOwnServer(t, options{auth: "AKIDEXAMPLE:secret/+=key"}, func(t *testing.T, s *server) {
		f := newClient(t, s).python("states.py")
		f.check(t, stepFunctionsWants()...)
		f.check(t, want{"requests are signed with the auth string", "keys", []string{"none", "InvalidSignatureException", "UnrecognizedClientException"}})
	})
}

func stepFunctionsWants() []want {
	return []want{
		{"every operation is answered", "missing", []string{}},
		{"tags are kept in order", "tags", []object{{"key": "b", "value": "2"}}},
		{"versions are listed from the newest", "versions", []string{":2", ":1"}},
		{"and aliases", "aliases", 1},
		{"lists have pages", "pages", true},
		{"a definition is validated", "validated", "FAIL"},
		{"an execution by an alias", "one", []any{"SUCCEEDED", `{"in": 1}`, `{"x":1}`, true, true}},
		{"its history", "history", []string{"ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"}},
		{"its machine", "of_execution", true},
		{"and it is listed", "executions", 1},
		{"an express execution is waited for", "sync", []string{"SUCCEEDED", "[1]"}},
		{"a state is tried", "tried", []string{"SUCCEEDED", `{"a": 1}`}},
		{"a worker of an activity answers", "good", []string{"SUCCEEDED", `{"done":true}`}},
		{"once", "again", "TaskTimedOut"},
		{"or fails", "failed", []string{"FAILED", "Broken", "by hand"}},
		{"and a failed execution is redriven", "redriven", []any{"SUCCEEDED", "2", 1}},
		{"a map run's executions", "children", 2},
		{"are stopped with it", "stopped", []string{"ABORTED", "Enough"}},
		{"what is wrong is refused as AWS does", "refused", object{
			"conflict": "StateMachineAlreadyExists", "version in use": "ConflictException",
			"elsewhere": "StateMachineDoesNotExist", "definition": "InvalidDefinition",
		}},
	}
}
