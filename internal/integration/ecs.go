package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// describeAtOnce is how many tasks one DescribeTasks may name.
const describeAtOnce = 100

// maxMissing is how often a task may be unknown before it counts as lost: right
// after RunTask it is not known everywhere.
const maxMissing = 5

// runTask is ecs:runTask. A task that answers by token is watched as well, since
// a container that dies does not answer.
func (r *Runner) runTask(ctx context.Context, t *Task, s service, params *value.Object) (Outcome, *TaskError) {
	out, raw, err := r.call(ctx, t, s, "runTask", params)
	if err != nil {
		return Outcome{}, err
	}
	if t.Resource.Pattern == RequestResponse {
		return Outcome{Output: out}, nil
	}
	list, _ := raw.Get("tasks")
	tasks, _ := list.([]any)
	var ids []string
	cluster := ""
	for _, v := range tasks {
		task, _ := v.(*value.Object)
		if arn := member(task, "taskArn"); arn != "" {
			ids = append(ids, arn)
			cluster = member(task, "clusterArn")
		}
	}
	failures, _ := raw.Get("failures")
	if list, _ := failures.([]any); len(ids) == 0 || len(list) > 0 && t.Resource.Pattern == Sync {
		return Outcome{}, &TaskError{Error: s.prefix + "." + s.base, Cause: value.String(value.Of("Failures", pick(out, "Failures"), "Tasks", pick(out, "Tasks")))}
	}
	return Outcome{Output: out, Watch: r.watch(t, cluster, ids...)}, nil
}

func pick(o *value.Object, key string) any {
	v, _ := o.Get(key)
	return v
}

func member(o *value.Object, key string) string {
	if o == nil {
		return ""
	}
	s, _ := pick(o, key).(string)
	return s
}

// taskWait grows from half a second to ten: a task takes seconds to start.
func taskWait(looks int) time.Duration {
	return min(10*time.Second, 500*time.Millisecond<<min(looks/3, 6))
}

// cluster is what one DescribeTasks can ask about.
type cluster struct{ region, account, role, arn string }

// pollTasks looks at the tasks of many watches with as few calls as can be.
func (r *Runner) pollTasks(ctx context.Context, watches []Watch, at []int, out []Progress) {
	groups := map[cluster][]int{}
	for _, i := range at {
		w := watches[i]
		key := cluster{w.Region, w.Account, w.RoleARN, w.Parent}
		groups[key] = append(groups[key], i)
	}
	for _, members := range groups {
		for len(members) > 0 {
			n, tasks := 0, 0
			for n < len(members) && (n == 0 || tasks+len(watches[members[n]].IDs) <= describeAtOnce) {
				tasks += len(watches[members[n]].IDs)
				n++
			}
			r.describeTasks(ctx, watches, members[:n], out)
			members = members[n:]
		}
	}
}

func (r *Runner) describeTasks(ctx context.Context, watches []Watch, at []int, out []Progress) {
	s, _ := serviceOf("ecs")
	op, ok := r.cfg.Caller.Lookup("ecs", "describeTasks")
	if !ok {
		for _, i := range at {
			out[i] = watches[i].broken()
		}
		return
	}
	var ids []any
	for _, i := range at {
		for _, id := range watches[i].IDs {
			ids = append(ids, id)
		}
	}
	first := watches[at[0]]
	params := value.Of("cluster", first.Parent, "tasks", ids)
	raw, _, err := r.cfg.Caller.Call(ctx, first.request("ecs", "describeTasks", params))
	if err != nil {
		for _, i := range at {
			out[i] = watches[i].failedLook(fault(s, op, params, err), err)
		}
		return
	}
	list, _ := pick(raw, "tasks").([]any)
	found := make(map[string]*value.Object, len(list))
	for _, v := range list {
		if task, ok := v.(*value.Object); ok {
			found[member(task, "taskArn")] = task
		}
	}
	shape := elementOf(op.Output, "tasks")
	for _, i := range at {
		out[i] = r.taskProgress(ctx, watches[i], found, shape)
	}
}

// elementOf is the shape of the elements of a list member.
func elementOf(s *awscall.Shape, name string) *awscall.Shape {
	if m, ok := s.Member(name); ok && m.Shape.Element != nil {
		return m.Shape.Element
	}
	return nil
}

// taskProgress judges the tasks of one state.
func (r *Runner) taskProgress(ctx context.Context, w Watch, found map[string]*value.Object, shape *awscall.Shape) Progress {
	s, _ := serviceOf("ecs")
	var shown []any
	var failed *value.Object
	var raw *value.Object
	for _, id := range w.IDs {
		task := found[id]
		if task == nil {
			return w.missing(id)
		}
		if member(task, "lastStatus") != "STOPPED" {
			w.Failures = 0
			return w.again(taskWait(w.Looks))
		}
		o := s.renderer().structure(shape, task)
		shown = append(shown, o)
		if failed == nil && !succeeded(task) {
			failed, raw = o, task
		}
	}
	switch {
	case failed != nil && w.Pattern == WaitForToken:
		return Progress{Done: true, Watch: w, Error: &TaskError{Error: errTaskFailed, Cause: r.obituary(ctx, &w, failed, raw)}}
	case failed != nil:
		return Progress{Done: true, Watch: w, Error: &TaskError{Error: errTaskFailed, Cause: value.String(failed)}}
	case w.Pattern == WaitForToken:
		return Progress{Over: true, Watch: w}
	case len(shown) == 1:
		return Progress{Done: true, Watch: w, Output: shown[0]}
	}
	return Progress{Done: true, Watch: w, Output: value.Of("Tasks", shown)}
}

// succeeded tells whether every container of a stopped task ended with 0.
func succeeded(task *value.Object) bool {
	containers, _ := pick(task, "containers").([]any)
	for _, v := range containers {
		c, _ := v.(*value.Object)
		if c == nil {
			return false
		}
		if code, ok := value.Integer(pick(c, "exitCode")); !ok || code != 0 {
			return false
		}
	}
	return len(containers) > 0 && member(task, "stopCode") != "TaskFailedToStart"
}

// missing is a task that ECS does not know.
func (w Watch) missing(id string) Progress {
	w.Failures++
	if w.Failures < maxMissing {
		return w.again(taskWait(w.Looks))
	}
	return Progress{Done: true, Watch: w, Error: &TaskError{
		Error: errTaskFailed, Cause: value.String(value.Of("TaskArn", id, "StoppedReason", "The task is not known to Amazon ECS any more.")),
	}}
}

// maxLogLines is how many lines of a container's log a cause holds.
const maxLogLines = 20

// obituary describes a task that died without answering: the task as it is
// shown otherwise, with the last lines that its failed container logged.
func (r *Runner) obituary(ctx context.Context, w *Watch, shown, raw *value.Object) string {
	out := value.NewObject(shown.Len() + 1)
	for k, v := range shown.All() {
		out.Set(k, v)
	}
	containers, _ := pick(raw, "containers").([]any)
	for _, v := range containers {
		c, _ := v.(*value.Object)
		if c == nil {
			continue
		}
		if code, ok := value.Integer(pick(c, "exitCode")); ok && code == 0 {
			continue
		}
		if lines := r.lastLines(ctx, w, raw, member(c, "name")); len(lines) > 0 {
			out.Set("LogLines", lines)
			break
		}
	}
	return value.String(out)
}

// lastLines reads the end of a container's log, if it logs to CloudWatch. A log
// that cannot be read is left out of the cause, which stands without it.
func (r *Runner) lastLines(ctx context.Context, w *Watch, task *value.Object, container string) []any {
	answer, _, err := r.cfg.Caller.Call(ctx, w.request("ecs", "describeTaskDefinition", value.Of("taskDefinition", member(task, "taskDefinitionArn"))))
	if err != nil {
		return nil
	}
	definition, _ := pick(answer, "taskDefinition").(*value.Object)
	if definition == nil {
		return nil
	}
	list, _ := pick(definition, "containerDefinitions").([]any)
	for _, v := range list {
		c, _ := v.(*value.Object)
		if c == nil || member(c, "name") != container {
			continue
		}
		config, _ := pick(c, "logConfiguration").(*value.Object)
		if member(config, "logDriver") != "awslogs" {
			return nil
		}
		options, _ := pick(config, "options").(*value.Object)
		return r.logTail(ctx, w, options, container, member(task, "taskArn"))
	}
	return nil
}

func (r *Runner) logTail(ctx context.Context, w *Watch, options *value.Object, container, task string) []any {
	prefix := member(options, "awslogs-stream-prefix")
	if prefix == "" {
		return nil
	}
	req := w.request("cloudwatchlogs", "getLogEvents", value.Of(
		"logGroupName", member(options, "awslogs-group"),
		"logStreamName", fmt.Sprintf("%s/%s/%s", prefix, container, task[strings.LastIndexByte(task, '/')+1:]),
		"limit", json.Number(fmt.Sprint(maxLogLines)), "startFromHead", false))
	if region := member(options, "awslogs-region"); region != "" {
		req.Region = region
	}
	answer, _, err := r.cfg.Caller.Call(ctx, req)
	if err != nil {
		return nil
	}
	events, _ := pick(answer, "events").([]any)
	lines := make([]any, 0, len(events))
	for _, v := range events {
		if e, ok := v.(*value.Object); ok {
			lines = append(lines, member(e, "message"))
		}
	}
	return lines
}
