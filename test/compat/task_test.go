package compat

import "testing"

func TestRetriesAndTimeouts(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		f := newClient(t, s).python("retries.py")
		retried := []string{"Pending", "Running", "AwaitingRetry", "Retrying", "AwaitingRetry", "Retrying", "Completed"}
		f.check(t,
			want{"a task that fails twice completes in its third attempt", "flaky_state", "Completed"},
			want{"its task run counts three attempts", "flaky_run_count", 3},
			want{"its states are recorded in order", "flaky_states", retried},
			want{
				"a task with a long delay waits in AwaitingRetry", "slow_states",
				[]string{"Pending", "Running", "AwaitingRetry", "Retrying", "Completed"},
			},
			want{"a retry condition that is false ends the task", "hopeless_attempts", 1},
			want{"and its task run is Failed", "hopeless_state", "Failed"},
			want{"a task beyond its timeout is TimedOut", "sleepy_state", "TimedOut"},
			want{"which is a failure", "sleepy_type", "FAILED"},
			want{"a flow that fails twice completes in its third attempt", "flow_value", "flow at last"},
			want{"in the same flow run", "flow_ids", 1},
			want{"which counts three attempts", "flow_run_count", 3},
			want{
				"its states are kept", "flow_states",
				[]string{"Pending", "Running", "AwaitingRetry", "Running", "AwaitingRetry", "Running", "Completed"},
			},
			want{"a flow beyond its timeout is TimedOut", "timed_out_flow", "TimedOut"},
			want{"with a message", "timed_out_message", "Flow run exceeded timeout of 0.5 second(s)"},
		)
	})
}

func TestSubflowsInProcess(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		newClient(t, s).python("subflows.py").check(t,
			want{"a submitted task waits for the future it is given", "second", 13},
			want{"wait_for orders tasks", "third", "value after"},
			want{"a task run's inputs name the task run they come from", "second_needs_first", true},
			want{"a sub-flow returns its value", "child_value", 14},
			want{"a failing sub-flow returns its state", "failed", "Failed"},
			want{"the parent's task runs include the sub-flows", "names", []string{"add", "child", "failing-child", "report"}},
			want{"a sub-flow run is linked to its parent by a task run", "child_has_parent", true},
			want{"whose state follows the sub-flow", "link_state", "Completed"},
			want{"and names it", "link_to_child", true},
		)
	})
}

func TestMapOverThousandItems(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		newClient(t, s).python("map.py").check(t,
			want{"all results arrive", "total", 332833500},
			want{"each task run is recorded once", "distinct", 1000},
			want{"each has its own dynamic key", "dynamic_keys", 1000},
			want{"each is Completed", "states", object{"Completed": 1000}},
			want{"each ran once", "run_counts", []int{1}},
			want{"each started before it ended", "times_ordered", true},
		)
	})
}

func TestCachedResultsAndTransactions(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		newClient(t, s).python("cache.py").check(t,
			want{"cached values are returned", "values", []int{100, 100, 200, 7, 7, 9, 9}},
			want{"cached tasks are not called again", "calls", []any{1, 2, "keyed 7", "refreshed 9"}},
			want{
				"their task runs are Cached", "states",
				[]string{"Completed", "Cached", "Completed", "Completed", "Cached", "Completed", "Cached"},
			},
			want{"which is a kind of Completed", "cached_types", []string{"COMPLETED"}},
			want{
				"transactions commit, and roll back in a failure", "happened",
				[]string{"write kept", "commit", "write undone", "value", "rollback"},
			},
			want{"the flow of the failed transaction is Failed", "transaction_flow", "Failed"},
		)
	})
}

func TestHooksAndCrashes(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		newClient(t, s).python("hooks.py").check(t,
			want{"hooks of tasks and flows are called with their states", "seen", []string{
				"running: good RUNNING", "task completion: work COMPLETED", "completion: good COMPLETED",
				"task failure: work FAILED", "failure: bad FAILED",
				"crashed: crashing CRASHED", "SystemExit", "crashed: interrupted CRASHED", "KeyboardInterrupt",
			}},
			want{"a flow that ends its process, or is interrupted, is Crashed", "crashed", []string{"CRASHED", "CRASHED"}},
			want{"with a message", "crash_messages", []string{
				"Execution was aborted by Python system exit call.", "Execution was aborted by an interrupt signal.",
			}},
			want{"a failed flow is Failed", "failed", "Failed"},
			want{"with the exception as its message", "failed_message", "Flow run encountered an exception: ValueError: task fails"},
		)
	})
}
