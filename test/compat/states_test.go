package compat

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// awsSettings are the settings by which AWS's own programs reach an endpoint; the
// key names the account. StartSyncExecution and TestState go to a host of their
// own in AWS, which the last setting keeps from happening.
func awsSettings(account string, endpoints ...string) []string {
	return append([]string{
		"AWS_ACCESS_KEY_ID=" + account, "AWS_SECRET_ACCESS_KEY=any", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
		"AWS_DISABLE_HOST_PREFIX_INJECTION=true",
	}, endpoints...)
}

// root is where AWS's programs find the server.
func (s *server) root() string { return strings.TrimSuffix(s.api, "/api") }

// needAWS skips the test when the Python has no boto3.
func needAWS(t *testing.T) {
	t.Helper()
	leatOnly(t)
	if err := exec.CommandContext(t.Context(), env.python, "-c", "import boto3, awscli").Run(); err != nil {
		t.Skip("the Python of LEAT_TEST_PYTHON has no boto3 and awscli: `make venv` installs them")
	}
}

// aws runs the AWS CLI, which must succeed, and returns what it wrote.
func (c *client) aws(args ...string) object {
	c.t.Helper()
	r := c.exec(env.python, append([]string{"-m", "awscli"}, args...)...)
	if r.code != 0 {
		c.t.Fatalf("aws %q ended with %d:\n%s", args, r.code, r.all())
	}
	var out object
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		c.t.Fatalf("aws %q: %v\n%s", args, err, r.all())
	}
	return out
}

// states calls an operation of Step Functions.
func (s *server) states(ctx context.Context, operation string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.root()+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "AWSStepFunctions."+operation)
	resp, err := env.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: status %d: %s", operation, resp.StatusCode, data)
	}
	return json.Unmarshal(data, out)
}

// mustStates is states for a test that cannot go on without.
func (s *server) mustStates(t *testing.T, operation string, in object) facts {
	t.Helper()
	var out facts
	if err := s.states(t.Context(), operation, in, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// startMachine makes a machine with the name and starts an execution of it.
func (s *server) startMachine(t *testing.T, name, definition, input string) (arn string) {
	t.Helper()
	m := s.mustStates(t, "CreateStateMachine", object{"name": name, "definition": definition, "roleArn": "arn:aws:iam::000000000000:role/compat"})
	x := s.mustStates(t, "StartExecution", object{"stateMachineArn": m["stateMachineArn"], "input": input})
	return x.text(t, "executionArn")
}

// historyOf lists the types of an execution's events, and the events.
func (s *server) historyOf(t *testing.T, arn string) (types []string, events []object) {
	t.Helper()
	var h struct{ Events []object }
	if err := s.states(t.Context(), "GetExecutionHistory", object{"executionArn": arn, "maxResults": 1000}, &h); err != nil {
		t.Fatal(err)
	}
	for _, e := range h.Events {
		kind, _ := e["type"].(string)
		types = append(types, kind)
	}
	return types, h.Events
}

// waitExecution waits until an execution has ended and returns its description.
func (s *server) waitExecution(t *testing.T, arn string, limit time.Duration) object {
	t.Helper()
	var x object
	waitFor(t, limit, "the end of "+arn, func(ctx context.Context) (bool, error) {
		err := s.states(ctx, "DescribeExecution", object{"executionArn": arn}, &x)
		return err == nil && x["status"] != "RUNNING", err
	})
	return x
}

// TestStepFunctionsCalls lets boto3 call all operations that it knows.
func TestStepFunctionsCalls(t *testing.T) {
	needAWS(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		f := newClient(t, s, awsSettings("000000000000", "AWS_ENDPOINT_URL_SFN="+s.root())...).python("states_calls.py")
		f.check(t, callsOfMachines()...)
		f.check(t, callsOfExecutions()...)
		f.check(t, callsOfTasks()...)
		f.check(t,
			want{"every operation of boto3's model was called", "not_called", []string{}},
			want{"the model has 37 operations", "operations", 37},
		)
	})
}

func callsOfMachines() []want {
	return []want{
		{"a machine is made with a first version", "machine_made", []bool{true, true}},
		{"a machine that is made again is the same", "machine_made_again", true},
		{
			"a machine and its version are described", "machine_described",
			[]any{"ACTIVE", "STANDARD", "arn:aws:iam::000000000000:role/compat", "first", true, "OFF"},
		},
		{"an update publishes, and publishing what is published changes nothing", "machine_updated", []bool{true, true}},
		{"machines are listed page by page", "machines_listed", []string{"-calls", "-other"}},
		{"a deleted machine is gone", "machine_deleted", "StateMachineDoesNotExist"},
		{"refusals of machines have AWS's codes", "machine_refusals", []string{
			"StateMachineAlreadyExists", "InvalidDefinition", "InvalidName", "InvalidArn", "InvalidArn", "MissingRequiredParameter",
			"ConflictException", "InvalidToken",
		}},
		{"an alias is updated and described", "alias", []any{true, "prod", "both", []int{100}}},
		{"aliases are listed", "aliases_listed", []bool{true}},
		{"an execution of an alias runs the version that it routes to", "alias_routes", []any{"SUCCEEDED", true, true}},
		{"versions are listed, the newest first", "versions_listed", []string{"2", "1"}},
		{"a version with an alias stays", "version_in_use", "ConflictException"},
		{"a version without one goes", "versions_left", []string{"2"}},
		{"a deleted alias is gone", "alias_gone", "ResourceNotFound"},
		{"resources are tagged and untagged", "tags", []any{[]string{"a", "b"}, []object{{"key": "b", "value": "2"}}}},
		{"tags belong to what is there", "tag_refusal", "ResourceNotFound"},
		{"a good definition is valid", "valid", []any{"OK", []any{}}},
		{"a bad one has diagnostics", "invalid", []string{"FAIL", "ERROR", "MISSING_TRANSITION_TARGET"}},
		{"a state is tried on its own", "tried", []any{"SUCCEEDED", object{"b": 1}, "N", object{"b": 1}}},
		{"a tried task's answer can be mocked", "mocked", []string{"FAILED", "Mocked", "so"}},
	}
}

func callsOfExecutions() []want {
	return []want{
		{"an execution is described", "execution", []any{"SUCCEEDED", object{"a": 1}, object{"included": true}, 0}},
		{"a running execution that is started again is the same", "execution_made_again", true},
		{"its history tells what happened", "history", []string{"ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"}},
		{"the history can be read from its end", "history_reversed", []string{"ExecutionSucceeded", "PassStateExited"}},
		{"the history can be read page by page", "history_paged", []int{1, 2, 3, 4}},
		{"the history can be read without data", "history_without_data", []bool{false}},
		{"running executions are listed", "running", []string{"open"}},
		{"an execution is stopped", "stopped", []string{"ABORTED", "Enough", "of it", "ExecutionAborted"}},
		{"executions are listed page by page, the newest first", "pages", [][]string{{"page-3", "page-2"}, {"page-1", "page-0"}, {"done"}}},
		{"an execution knows its machine", "machine_of_execution", true},
		{"refusals of executions have AWS's codes", "execution_refusals", []string{
			"ExecutionAlreadyExists", "InvalidExecutionInput", "InvalidName", "StateMachineDoesNotExist", "ExecutionDoesNotExist",
			"ExecutionDoesNotExist", "InvalidToken", "ExecutionNotRedrivable", "StateMachineTypeNotSupported",
		}},
		{"an express machine answers at once", "sync", []any{"SUCCEEDED", `{"a":1}`, "sync", []string{"billedDurationInMilliseconds", "billedMemoryUsedInMB"}}},
		{"its executions are not listed", "express_is_not_listed", "StateMachineTypeNotSupported"},
		{"a distributed map gives its items' outputs", "map_output", []int{1, 2, 3}},
		{"its map run is updated, described and listed", "map_run", []any{"SUCCEEDED", 3, 1, 3, 3, 3}},
		{"refusals of map runs have AWS's codes", "map_refusals", []string{"ResourceNotFound", "ResourceNotFound"}},
	}
}

func callsOfTasks() []want {
	return []want{
		{"an activity is made, listed and gives its task's input", "activity", []any{true, true, object{"n": 1}}},
		{"its history tells of the worker", "activity_history", []string{
			"ExecutionStarted", "TaskStateEntered", "ActivityScheduled", "ActivityStarted", "ActivitySucceeded", "TaskStateExited", "ExecutionSucceeded",
		}},
		{"the worker's answer is the output", "activity_output", `{"n":2}`},
		{"the worker's failure is the execution's", "activity_failure", []string{"FAILED", "Bad", "luck", "REDRIVABLE"}},
		{"a failed execution is redriven", "redriven", []any{"SUCCEEDED", 1, "[]", true}},
		{"a deleted activity is gone", "activity_gone", "ActivityDoesNotExist"},
		{"refusals of answers have AWS's codes", "task_refusals", []string{
			"TaskTimedOut", "InvalidToken", "InvalidOutput", "TaskTimedOut", "ActivityDoesNotExist",
		}},
	}
}

// TestStepFunctionsCommandLine lets the AWS CLI make, start and look at an execution.
func TestStepFunctionsCommandLine(t *testing.T) {
	needAWS(t)
	t.Parallel()
	for _, setting := range []string{"AWS_ENDPOINT_URL_SFN", "AWS_ENDPOINT_URL"} {
		t.Run(setting, func(t *testing.T) {
			onEachDatabase(t, func(t *testing.T, s *server) {
				c := newClient(t, s, awsSettings("000000000000", setting+"="+s.root())...)
				definition := `{"StartAt": "P", "States": {"P": {"Type": "Pass", "Result": {"sum": 3}, "End": true}}}`
				m := facts(c.aws("stepfunctions", "create-state-machine", "--name", c.name, "--definition", definition, "--role-arn", "arn:aws:iam::000000000000:role/r"))
				x := facts(c.aws("stepfunctions", "start-execution", "--state-machine-arn", m.text(t, "stateMachineArn"), "--input", `{"n": 1}`))
				arn := x.text(t, "executionArn")
				s.waitExecution(t, arn, 20*time.Second)
				d := c.aws("stepfunctions", "describe-execution", "--execution-arn", arn)
				if d["status"] != "SUCCEEDED" || d["output"] != `{"sum":3}` || d["input"] != `{"n": 1}` {
					t.Errorf("describe-execution gives %v", d)
				}
				h := c.aws("stepfunctions", "get-execution-history", "--execution-arn", arn)
				if events, _ := h["events"].([]any); len(events) != 4 {
					t.Errorf("get-execution-history gives %v", h)
				}
				l := c.aws("stepfunctions", "list-executions", "--state-machine-arn", m.text(t, "stateMachineArn"), "--status-filter", "SUCCEEDED")
				if list, _ := l["executions"].([]any); len(list) != 1 {
					t.Errorf("list-executions gives %v", l)
				}
			})
		})
	}
}

// TestStepFunctionsAccounts keeps accounts and regions apart.
func TestStepFunctionsAccounts(t *testing.T) {
	needAWS(t)
	onEachDatabase(t, func(t *testing.T, s *server) {
		f := newClient(t, s, awsSettings("000000000000", "AWS_ENDPOINT_URL_SFN="+s.root())...).python("states_keys.py", "accounts")
		machine, execution := []any{"StateMachineDoesNotExist", 400}, []any{"ExecutionDoesNotExist", 400}
		f.check(t,
			want{"the key names the account, the signature the region", "places", []string{"us-east-1:111111111111", "us-east-1:222222222222", "eu-west-3:111111111111"}},
			want{"each sees its own", "names", []int{1, 1, 1, 0, 0}},
			want{"what is one's own is found", "own", true},
			want{"what is others' is not there", "of_others", []any{machine, machine, execution, execution, execution, "no error", []any{"ResourceNotFound", 400}}},
			want{"and stays", "left", 1},
		)
	})
}

// TestStepFunctionsSignatures checks signatures where the server has a key pair.
func TestStepFunctionsSignatures(t *testing.T) {
	needAWS(t)
	onOwnServer(t, options{auth: "AKIDCOMPAT:se:cret"}, func(t *testing.T, s *server) {
		f := newClient(t, s, awsSettings("000000000000", "AWS_ENDPOINT_URL_SFN="+s.root())...).python("states_keys.py", "signatures")
		expired := []any{"InvalidSignatureException", 400}
		f.check(t,
			want{"the right key is let in, to the server's account and the region that was signed", "place", "ap-northeast-1:000000000000"},
			want{"a wrong secret is refused", "wrong_secret", []any{"InvalidSignatureException", 400}},
			want{"a wrong key is refused", "wrong_key", []any{"UnrecognizedClientException", 400}},
			want{"no signature is refused", "unsigned", []any{"MissingAuthenticationTokenException", 400}},
			want{"a clock may be five minutes off", "clocks", object{"-10": expired, "-4": "no error", "4": "no error", "10": expired}},
			want{"and the refused have done nothing", "names", 1},
		)
	})
}
