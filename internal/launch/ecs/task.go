package ecs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/launch"
)

const statusStopped = "STOPPED"

// task is what DescribeTasks says of a task that matters here.
type task struct {
	TaskArn, ClusterArn, TaskDefinitionArn string
	StartedBy                              string
	LastStatus, DesiredStatus              string
	StopCode, StoppedReason                string
	CreatedAt                              time.Time
	Containers                             []container
	Overrides                              struct {
		ContainerOverrides []struct {
			Name    string
			Command []string
		}
	}
}

type container struct {
	Name     string
	ExitCode *int
	Reason   string
}

// failure is why a task could not be run or described.
type failure struct{ Arn, Reason, Detail string }

// tasks are what RunTask and DescribeTasks answer.
type tasks struct {
	Tasks    []task
	Failures []failure
}

// program names the container whose command was overridden, which is the one that
// a launcher ran a program in.
func (t *task) program() string {
	for _, o := range t.Overrides.ContainerOverrides {
		if len(o.Command) > 0 {
			return o.Name
		}
	}
	if len(t.Containers) > 0 {
		return t.Containers[0].Name
	}
	return ""
}

// exit says how a task that has stopped ended: with the exit status of the
// program's container, and the reason that ECS gives unless it is only that the
// program ended.
func (t *task) exit(program string) launch.Exit {
	e := launch.Exit{Unknown: true}
	reason := strings.TrimSpace(t.StoppedReason)
	ordinary := t.StopCode == "EssentialContainerExited" || t.StopCode == "" && reason == ""
	if t.StopCode != "" {
		reason = strings.TrimSuffix(t.StopCode+": "+reason, ": ")
	}
	var others []string
	for _, c := range t.Containers {
		switch {
		case c.Name == program:
			if c.ExitCode != nil {
				e.Code, e.Unknown = *c.ExitCode, false
			}
			e.OutOfMemory = strings.HasPrefix(c.Reason, "OutOfMemory")
			if c.Reason != "" && !strings.Contains(reason, c.Reason) {
				others = append(others, c.Reason)
			}
		case c.Reason != "" || c.ExitCode != nil && *c.ExitCode != 0:
			if c.ExitCode != nil {
				others = append(others, strings.TrimSpace(fmt.Sprintf("the container %s ended with exit status %d. %s", c.Name, *c.ExitCode, c.Reason)))
			} else if !strings.Contains(reason, c.Reason) {
				others = append(others, c.Reason)
			}
		}
	}
	if strings.Contains(t.StoppedReason, "OutOfMemory") {
		e.OutOfMemory = true
	}
	if ordinary && !e.Unknown {
		reason = ""
	}
	if reason != "" {
		others = append([]string{reason}, others...)
	}
	e.Reason = strings.Join(others, "; ")
	return e
}

// describeTask describes a task; nil if it is not there.
func (l *Launcher) describeTask(ctx context.Context, at place, cluster, arn string) (*task, error) {
	var out tasks
	if err := l.call(ctx, at, "ecs", "describeTasks", map[string]any{"cluster": cluster, "tasks": []string{arn}}, &out); err != nil {
		return nil, err
	}
	if len(out.Tasks) == 0 {
		return nil, nil
	}
	return &out.Tasks[0], nil
}

// underWay finds a run's task that is not asked to stop; nil if there is none.
func (l *Launcher) underWay(ctx context.Context, at place, cluster, run string) (*task, error) {
	in := map[string]any{"startedBy": startedBy(run)}
	if cluster != "" {
		in["cluster"] = cluster
	}
	var out struct{ TaskArns []string }
	err := l.call(ctx, at, "ecs", "listTasks", in, &out)
	if err != nil || len(out.TaskArns) == 0 {
		return nil, err
	}
	return l.describeTask(ctx, at, cluster, out.TaskArns[0])
}
