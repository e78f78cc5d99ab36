package compat

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"
)

func TestSchedules(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		newClient(t, s).python("schedules.py").check(t,
			want{"an interval schedule makes runs at its steps", "interval_steps", []float64{600}},
			want{"counted from its anchor", "interval_seconds", []int{30}},
			want{"with the schedule's parameters over the deployment's", "interval_parameters", object{"who": "interval"}},
			want{"marked as made by the scheduler", "interval_auto", true},
			want{"in the state Scheduled", "interval_states", []string{"Scheduled"}},
			want{"a cron schedule keeps to its time zone", "cron_local", []string{"02:30"}},
			want{"an rrule schedule keeps to its days and time zone", "rrule_local", []string{"Fri 09:15", "Mon 09:15"}},
			want{
				"several schedules each have their parameters, inactive ones make no runs", "several",
				[][]any{{"hourly", 1}, {"quarter", 2}},
			},
			want{"a paused deployment gets no runs", "paused", 0},
			want{"a changed schedule replaces the runs that are no longer due", "changed_steps", []float64{1200}},
			want{"and their parameters", "changed_parameters", object{}},
			want{"pausing one schedule removes its runs alone", "after_pause_of_one", []string{"quarter"}},
			want{"resuming another adds its runs", "after_resume_of_other", []string{"off", "quarter"}},
			want{"pausing a deployment removes its runs", "after_pause", 0},
			want{"resuming it makes them again", "after_resume", true},
			want{"a deleted schedule leaves only runs made by hand", "left_after_delete", []bool{true}},
			want{"schedules are added by the client", "added", 3},
			want{"each kind keeps 9 o'clock in its time zone", "nine_in_berlin", []string{"09:00"}},
		)
	})
}

// Runs of a served deployment start when they are due, without anyone asking.
func TestServeWithSchedule(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		c.serve("Your deployments are being served", "served.py",
			`hello={"interval": 4, "parameters": {"name": "by schedule"}}`)
		id := s.deploymentID(t, c.name+"-hello/hello")
		waitFor(t, time.Minute, "two scheduled runs to complete", func(ctx context.Context) (bool, error) {
			runs, err := s.runsOf(ctx, id, "Completed")
			return len(runs) >= 2, err
		})
		runs, err := s.runsOf(t.Context(), id, "Completed")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			if r.Parameters["name"] != "by schedule" || r.RunCount != 1 {
				t.Errorf("run %s has parameters %v and ran %d times", r.ID, r.Parameters, r.RunCount)
			}
		}
	})
}

func TestScheduleCommands(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		c.python("deploy_plain.py")
		name := c.name + "-undeployed/plain"
		id := s.deploymentID(t, name)
		create := c.prefect("deployment", "schedule", "create", name, "--cron", "5 4 * * *", "--timezone", "Asia/Tokyo")
		contains(t, "prefect deployment schedule create", create, "Created deployment schedule")
		contains(t, "prefect deployment schedule ls", c.prefect("deployment", "schedule", "ls", name), "5 4 * * *")
		contains(t, "prefect deployment ls", c.prefect("deployment", "ls", "--flow-name", c.name+"-undeployed"), name, id)
		contains(t, "prefect deployment inspect", c.prefect("deployment", "inspect", name), id, "Asia/Tokyo")
		t.Run("prefect deployment schedule clear removes the runs", func(t *testing.T) {
			c := c.in(t)
			waitFor(t, 30*time.Second, "scheduled runs", func(ctx context.Context) (bool, error) {
				runs, err := s.runsOf(ctx, id, "Scheduled")
				return len(runs) > 0, err
			})
			c.prefect("deployment", "schedule", "clear", name, "--accept-yes")
			waitFor(t, 30*time.Second, "no scheduled runs", func(ctx context.Context) (bool, error) {
				runs, err := s.runsOf(ctx, id, "Scheduled")
				return len(runs) == 0, err
			})
		})
		t.Run("prefect deployment delete", func(t *testing.T) {
			c.in(t).prefect("deployment", "delete", name)
			a, err := s.send(t.Context(), http.MethodGet, "/deployments/"+id, nil)
			if err != nil || a.status != http.StatusNotFound {
				t.Errorf("status %d, %v; want 404", a.status, err)
			}
		})
	})
}

func TestParameterSchemas(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		refused := func(reason string) []any { return []any{http.StatusConflict, "Error creating flow run: " + reason} }
		field := func(name, reason string) []any {
			return refused("Validation failed for field '" + name + "'. Failure reason: " + reason)
		}
		newClient(t, s).python("parameters.py").check(t,
			want{"a deployment's parameters fill in", "preset", object{"name": "preset"}},
			want{"good parameters are taken", "good", object{
				"name": "preset", "n": 5, "colour": "blue", "words": []string{"a"},
				"address": object{"street": "Hauptstraße", "number": 7},
			}},
			want{"a wrong type is refused", "wrong_type", field("n", "'many' is not of type 'integer'")},
			want{"a value outside an enum is refused", "wrong_enum", field("colour", "'green' is not one of ['red', 'blue']")},
			want{"a nested value out of bounds is refused", "nested", field("address.number", "0 is less than or equal to the minimum of 0")},
			want{"a nested missing value is refused", "nested_missing", field("address", "'number' is a required property")},
			want{"another nested missing value is refused", "missing_key", field("address", "'street' is a required property")},
			want{"a wrong list item is refused", "item", field("words[1]", "2 is not of type 'string'")},
			want{"a missing value is refused", "missing", refused("Validation failed. Failure reason: 'name' is a required property")},
			want{"an unknown parameter is taken", "unknown", object{"name": "preset", "surprise": 1}},
			want{"a schema that is not enforced refuses nothing", "loose", object{"n": "many", "surprise": 1}},
			want{"the schema is kept", "schema", []string{"name"}},
		)
	})
}

func TestDeploymentConcurrencyLimits(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		c := newClient(t, s)
		limit := func(strategy string) string {
			data, err := json.Marshal(object{"concurrency_limit": object{
				"limit": 1, "collision_strategy": strategy, "grace_period_seconds": 60,
			}})
			if err != nil {
				t.Fatal(err)
			}
			return string(data)
		}
		c.serve("Your deployments are being served", "served.py", "long="+limit("ENQUEUE"), "hello="+limit("CANCEL_NEW"), "sleeper="+limit("CANCEL_NEW"))
		t.Run("ENQUEUE lets the second run wait for the first", func(t *testing.T) { enqueue(t, c.in(t)) })
		t.Run("CANCEL_NEW cancels the second run", func(t *testing.T) { cancelNew(t, c.in(t)) })
	})
}

func enqueue(t *testing.T, c *client) {
	t.Helper()
	s, id := c.s, c.s.deploymentID(t, c.name+"-long/long")
	first := s.createRun(t, id, object{"parameters": object{"seconds": 8}})
	s.waitState(t, first, "Running", time.Minute)
	second := s.createRun(t, id, object{"parameters": object{"seconds": 0}})
	r := s.waitState(t, second, "AwaitingConcurrencySlot", 30*time.Second)
	if r.State.Type != "SCHEDULED" {
		t.Errorf("state type %s, want SCHEDULED", r.State.Type)
	}
	s.waitState(t, first, "Completed", time.Minute)
	// The server offers the run again after a delay (30 s in the reference).
	s.waitState(t, second, "Completed", 90*time.Second)
}

func cancelNew(t *testing.T, c *client) {
	t.Helper()
	s, id := c.s, c.s.deploymentID(t, c.name+"-sleeper/sleeper")
	first := s.createRun(t, id, object{"parameters": object{"seconds": 6}})
	s.waitState(t, first, "Running", time.Minute)
	second := s.createRun(t, id, nil)
	if r := s.waitState(t, second, "Cancelled", 30*time.Second); r.State.Message != "Deployment concurrency limit reached." {
		t.Errorf("message %q", r.State.Message)
	}
	s.waitState(t, first, "Completed", time.Minute)
}
