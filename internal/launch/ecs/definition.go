package ecs

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/launch"
)

// definition is what matters here of a task definition.
type definition struct {
	TaskDefinitionArn    string
	Status               string
	NetworkMode          string
	ContainerDefinitions []struct {
		Name             string
		LogConfiguration struct {
			LogDriver string
			Options   map[string]string
		}
	}
}

// registered is a definition of a family that is known to be there.
type registered struct {
	wanted map[string]any // in canonical form
	def    *definition
}

// definition returns the definition that a task runs by, and whether this call
// registered it: the one that its request names, or the newest of the family if it
// is as wanted, or a new revision.
func (l *Launcher) definition(ctx context.Context, at place, t *launch.Task) (d *definition, isNew bool, err error) {
	if t.Definition == nil {
		ref, _ := t.Request["taskDefinition"].(string)
		if ref == "" {
			return nil, false, errNoTask
		}
		d, err := l.describeDefinition(ctx, at, ref)
		return d, false, err
	}
	wanted, err := l.wanted(ctx, at, t)
	if err != nil {
		return nil, false, err
	}
	family, _ := wanted["family"].(string)
	if family == "" {
		return nil, false, fmt.Errorf("%w definition's family", errNoTask)
	}
	form := canonical(wanted)
	l.defining.Lock()
	defer l.defining.Unlock()
	key := at.region + " " + at.role + " " + family
	if known := l.definitions[key]; known != nil && reflect.DeepEqual(known.wanted, form) {
		return known.def, false, nil
	}
	d, err = l.latest(ctx, at, family, form)
	if err != nil {
		return nil, false, err
	}
	if d == nil {
		isNew = true
		if d, err = l.register(ctx, at, wanted); err != nil {
			return nil, false, fmt.Errorf("register the task definition %s: %w", family, err)
		}
	}
	if l.definitions == nil {
		l.definitions = map[string]*registered{}
	}
	l.definitions[key] = &registered{form, d}
	return d, isNew, nil
}

// wanted is a task's definition with what the launcher adds to it: the region of
// its logs, and the grace of its program.
func (l *Launcher) wanted(ctx context.Context, at place, t *launch.Task) (map[string]any, error) {
	plain, err := clone(t.Definition)
	if err != nil {
		return nil, err
	}
	containers, _ := plain["containerDefinitions"].([]any)
	for _, item := range containers {
		c, ok := item.(map[string]any)
		if !ok {
			continue
		}
		if name, _ := c["name"].(string); name == t.Container && c["stopTimeout"] == nil && l.Grace != 0 && l.Grace != 30*time.Second {
			seconds := int((l.Grace + time.Second - 1) / time.Second)
			c["stopTimeout"] = min(max(seconds, 2), 120) // the least and the most that Fargate takes
		}
		logs, _ := c["logConfiguration"].(map[string]any)
		options, _ := logs["options"].(map[string]any)
		if logs["logDriver"] != "awslogs" || options == nil || options["awslogs-region"] != nil {
			continue
		}
		region := at.region
		if region == "" {
			if region, err = l.Caller.Region(ctx); err != nil {
				return nil, err
			}
		}
		options["awslogs-region"] = region
	}
	return plain, nil
}

// clone copies JSON.
func clone(o map[string]any) (map[string]any, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var out map[string]any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	return out, d.Decode(&out)
}

// latest returns the newest active revision of a family if it is in a form.
func (l *Launcher) latest(ctx context.Context, at place, family string, form map[string]any) (*definition, error) {
	body, err := l.body(ctx, at, "ecs", "describeTaskDefinition", map[string]any{"taskDefinition": family})
	if isCode(err, "ClientException") {
		return nil, nil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("describe the task definition %s: %w", family, err)
	}
	var d struct{ TaskDefinition definition }
	var whole struct{ TaskDefinition map[string]any }
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := errors.Join(decoder.Decode(&whole), json.Unmarshal(body, &d)); err != nil {
		return nil, fmt.Errorf("read the task definition %s: %w", family, err)
	}
	if d.TaskDefinition.Status == "INACTIVE" || !reflect.DeepEqual(canonical(whole.TaskDefinition), form) {
		return nil, nil
	}
	return &d.TaskDefinition, nil
}

func (l *Launcher) register(ctx context.Context, at place, wanted map[string]any) (*definition, error) {
	var out struct{ TaskDefinition definition }
	err := l.patiently(ctx, func() error {
		return l.call(ctx, at, "ecs", "registerTaskDefinition", wanted, &out)
	})
	return &out.TaskDefinition, err
}

// patiently repeats what may succeed later.
func (l *Launcher) patiently(ctx context.Context, do func() error) error {
	began := l.Now()
	for attempt := 1; ; attempt++ {
		err := do()
		if err == nil || !transient(err) || l.Now().Sub(began) > l.patience() {
			return err
		}
		if l.rest(ctx, l.backoff(attempt)) != nil {
			return err
		}
	}
}

// describeDefinition describes a definition; those that are named by their ARN,
// which never change, are asked for once.
func (l *Launcher) describeDefinition(ctx context.Context, at place, ref string) (*definition, error) {
	l.mu.Lock()
	known := l.described[ref]
	l.mu.Unlock()
	if known != nil {
		return known, nil
	}
	var out struct{ TaskDefinition definition }
	if err := l.call(ctx, at, "ecs", "describeTaskDefinition", map[string]any{"taskDefinition": ref}, &out); err != nil {
		return nil, fmt.Errorf("describe the task definition %s: %w", ref, err)
	}
	if ref == out.TaskDefinition.TaskDefinitionArn {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.described == nil {
			l.described = map[string]*definition{}
		}
		l.described[ref] = &out.TaskDefinition
	}
	return &out.TaskDefinition, nil
}

// forget drops a definition that is not there any more.
func (l *Launcher) forget(arn string) {
	l.defining.Lock()
	defer l.defining.Unlock()
	maps.DeleteFunc(l.definitions, func(_ string, r *registered) bool { return r.def.TaskDefinitionArn == arn })
}

// deregister takes a definition back that was registered for a task.
func (l *Launcher) deregister(w *work) {
	l.forget(w.definition)
	ctx := context.Background() // the task outlived whoever started it
	err := l.call(ctx, w.at, "ecs", "deregisterTaskDefinition", map[string]any{"taskDefinition": w.definition}, nil)
	if err != nil {
		l.log().Warn("taking a task definition back", "definition", w.definition, "error", err)
	}
}

// canonical is a definition in a form that is the same before and after it was
// registered: without what ECS adds, without defaults, and with lists in order
// whose order means nothing. Prefect's worker compares alike.
func canonical(d map[string]any) map[string]any {
	out, _ := bare(d).(map[string]any)
	if out == nil {
		out = map[string]any{}
	}
	for _, added := range []string{
		"compatibilities", "taskDefinitionArn", "revision", "status", "requiresAttributes", "registeredAt", "registeredBy", "deregisteredAt", "tags",
	} {
		delete(out, added)
	}
	if out["networkMode"] == nil {
		out["networkMode"] = "bridge"
	}
	containers, _ := out["containerDefinitions"].([]any)
	for _, item := range containers {
		c, ok := item.(map[string]any)
		if !ok {
			continue
		}
		if c["essential"] == nil {
			c["essential"] = true
		}
		for list, by := range map[string]string{"environment": "name", "secrets": "name", "environmentFiles": "value"} {
			items, _ := c[list].([]any)
			slices.SortStableFunc(items, func(a, b any) int { return cmp.Compare(member(a, by), member(b, by)) })
		}
		ports, _ := c["portMappings"].([]any)
		for _, item := range ports {
			if p, ok := item.(map[string]any); ok {
				if p["protocol"] == nil {
					p["protocol"] = "tcp"
				}
				if p["hostPort"] == nil && out["networkMode"] == "awsvpc" {
					p["hostPort"] = p["containerPort"]
				}
			}
		}
	}
	return out
}

func member(v any, name string) string {
	o, _ := v.(map[string]any)
	s, _ := o[name].(string)
	return s
}

// bare copies JSON without what is empty or zero; numbers become texts.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, below := range v {
			if b := bare(below); b != nil {
				out[key] = b
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case []any:
		out := make([]any, 0, len(v))
		for _, below := range v {
			if b := bare(below); b != nil {
				out = append(out, b)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	case string:
		if v == "" {
			return nil
		}
	case json.Number:
		if v == "0" {
			return nil
		}
		return v.String()
	case float64:
		return bare(json.Number(strconv.FormatFloat(v, 'f', -1, 64)))
	case int:
		return bare(json.Number(strconv.Itoa(v)))
	}
	return v
}
