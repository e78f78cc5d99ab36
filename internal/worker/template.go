package worker

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
)

// placeholder is {{ name }} in a template. Prefect: base job templates.
func placeholder() *regexp.Regexp { return regexp.MustCompile(`\{\{\s*([\w.\-\[\]$]+)\s*\}\}`) }

// Prefixes of placeholders that name something on the server, which fill leaves
// to resolve, and of those that name a variable of the worker's environment.
const (
	blockPrefix    = "prefect.blocks."
	variablePrefix = "prefect.variables."
	envPrefix      = "$"
)

// filler fills placeholders of a template.
type filler struct {
	pattern *regexp.Regexp
	values  map[string]any
	env     func(name string) (string, bool)
}

// fill returns a template with its placeholders replaced. A text that is nothing
// but a placeholder becomes the value with its type; within a text the value
// becomes text. What has no value vanishes: from a text, from a list, with its
// key from an object. ok is false when the template itself has no value.
func (f *filler) fill(template any) (filled any, ok bool) {
	switch t := template.(type) {
	case string:
		return f.fillText(t)
	case map[string]any:
		out := make(map[string]any, len(t))
		for key, value := range t {
			if v, ok := f.fill(value); ok {
				out[key] = v
			}
		}
		return out, true
	case []any:
		out := make([]any, 0, len(t))
		for _, value := range t {
			if v, ok := f.fill(value); ok {
				out = append(out, v)
			}
		}
		return out, true
	}
	return template, true
}

func (f *filler) fillText(t string) (any, bool) {
	found := f.pattern.FindAllStringSubmatch(t, -1)
	if len(found) == 1 && found[0][0] == t && standard(found[0][1]) {
		return lookup(f.values, found[0][1])
	}
	for _, m := range found {
		whole, name := m[0], m[1]
		var value any
		var ok bool
		switch {
		case standard(name):
			value, ok = lookup(f.values, name)
		case strings.HasPrefix(name, envPrefix):
			value, ok = f.env(strings.TrimLeft(name, envPrefix))
		default:
			continue
		}
		text := ""
		if ok {
			text = plain(value)
		}
		t = strings.ReplaceAll(t, whole, text)
	}
	return t, true
}

// standard reports whether a placeholder names one of the job's variables.
func standard(name string) bool {
	return !strings.HasPrefix(name, blockPrefix) && !strings.HasPrefix(name, variablePrefix) && !strings.HasPrefix(name, envPrefix)
}

// plain is how a value stands within a text: as Python writes it.
func plain(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case nil:
		return "None"
	case bool:
		if v {
			return "True"
		}
		return "False"
	case json.Number:
		return v.String()
	}
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

// lookup follows a path like a.b[0].c into values.
func lookup(values any, path string) (any, bool) {
	for step := range strings.SplitSeq(strings.NewReplacer("[", ".", "]", "").Replace(path), ".") {
		switch v := values.(type) {
		case map[string]any:
			next, ok := v[step]
			if !ok {
				return nil, false
			}
			values = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil, false
			}
			values = v[i]
		default:
			return nil, false
		}
	}
	return values, true
}

// variables merges the values of a job's variables: the schema's defaults, the
// deployment's, the run's. A key with dots, like env.A, stands for a path; a
// value given by its plain key wins over those given by paths.
func variables(schema map[string]any, given map[string]any) map[string]any {
	values := map[string]any{}
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		if property, ok := p.(map[string]any); ok && property["default"] != nil {
			values[name] = property["default"]
		}
	}
	nested := map[string]any{}
	for key, value := range given {
		if strings.Contains(key, ".") {
			put(nested, strings.Split(key, "."), value)
		}
	}
	for key, value := range given {
		if strings.Contains(key, ".") {
			continue
		}
		below, isBelow := nested[key].(map[string]any)
		object, isObject := value.(map[string]any)
		if isBelow && isObject {
			value = merge(below, object)
		}
		nested[key] = value
	}
	maps.Copy(values, nested)
	return values
}

// put stores a value under a path, making the objects on its way.
func put(object map[string]any, path []string, value any) {
	for ; len(path) > 1; path = path[1:] {
		below, ok := object[path[0]].(map[string]any)
		if !ok {
			below = map[string]any{}
			object[path[0]] = below
		}
		object = below
	}
	object[path[0]] = value
}

// merge returns base with over laid upon it, object by object.
func merge(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for key, value := range over {
		below, isBelow := out[key].(map[string]any)
		object, isObject := value.(map[string]any)
		if isBelow && isObject {
			value = merge(below, object)
		}
		out[key] = value
	}
	return out
}

// configure makes a job's configuration from a base job template and the values
// given for its variables. Environments are merged, not replaced: what the
// template itself sets, the schema's defaults, the values given.
func configure(template map[string]any, given map[string]any, env func(string) (string, bool)) map[string]any {
	job, _ := template["job_configuration"].(map[string]any)
	schema, _ := template["variables"].(map[string]any)
	job = maps.Clone(job)
	if job == nil {
		job = map[string]any{}
	}
	defaults := variables(schema, nil)
	own, isObject := job["env"].(map[string]any)
	if def, ok := defaults["env"].(map[string]any); ok && len(def) > 0 {
		if !isObject {
			own = map[string]any{}
		}
		own, isObject = overlay(own, def), true
	}
	values := variables(schema, given)
	if isObject {
		if more, ok := values["env"].(map[string]any); ok {
			own = overlay(own, more)
		}
		job["env"] = own
	}
	f := &filler{pattern: placeholder(), values: values, env: env}
	filled, _ := f.fill(job)
	out, _ := filled.(map[string]any)
	return out
}

// overlay returns base with the keys of over.
func overlay(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	maps.Copy(out, over)
	return out
}
