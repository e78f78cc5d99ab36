package worker

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	v, err := decodeObject(json.RawMessage(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestConfigure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, template, given, want string }{
		{
			"a placeholder alone keeps the type of its value",
			`{"job_configuration":{"a":"{{ n }}","b":"{{n}}","c":["{{ list }}"],"d":{"e":"{{ flag }}"}},"variables":{}}`,
			`{"n":5,"list":[1,"x"],"flag":true}`,
			`{"a":5,"b":5,"c":[[1,"x"]],"d":{"e":true}}`,
		},
		{
			"within a text a value is written as Python writes it",
			`{"job_configuration":{"a":"n={{ n }} f={{ f }} s={{ s }}","b":"{{ s }}{{ s }}"},"variables":{}}`,
			`{"n":1.50,"f":true,"s":"x"}`,
			`{"a":"n=1.50 f=True s=x","b":"xx"}`,
		},
		{
			"what has no value vanishes",
			`{"job_configuration":{"a":"{{ none }}","b":"<{{ none }}>","c":["{{ none }}","x"],"d":{"e":"{{ none }}"},"f":null},"variables":{}}`,
			`{}`, `{"b":"<>","c":["x"],"d":{},"f":null}`,
		},
		{
			"defaults come from the schema, and a default of null is none",
			`{"job_configuration":{"a":"{{ a }}","b":"{{ b }}","c":"{{ c }}"},"variables":{"properties":{"a":{"default":1},"b":{"default":null},"c":{"default":"x"}}}}`,
			`{"c":"given"}`, `{"a":1,"c":"given"}`,
		},
		{
			"a path leads into objects and lists",
			`{"job_configuration":{"a":"{{ o.list[1].k }}","b":"{{ o.none }}"},"variables":{}}`,
			`{"o":{"list":[0,{"k":"v"}]}}`, `{"a":"v"}`,
		},
		{
			"a given null replaces a default",
			`{"job_configuration":{"a":"{{ a }}"},"variables":{"properties":{"a":{"default":1}}}}`, `{"a":null}`, `{"a":null}`,
		},
		{
			"env merges the schema's default and what is given",
			`{"job_configuration":{"env":"{{ env }}"},"variables":{"properties":{"env":{"default":{"A":"1","B":"2"}}}}}`,
			`{"env":{"B":"3","C":"4"}}`, `{"env":{"A":"1","B":"3","C":"4"}}`,
		},
		{
			"env of the template itself is kept",
			`{"job_configuration":{"env":{"T":"{{ x }}","A":"0"}},"variables":{"properties":{"env":{"default":{"A":"1"}}}}}`,
			`{"x":"y","env":{"B":"2"}}`, `{"env":{"T":"y","A":"1","B":"2"}}`,
		},
		{
			"a key with a dot is a path, and the plain key wins over it",
			`{"job_configuration":{"env":"{{ env }}"},"variables":{}}`,
			`{"env.A":"1","env.B":"2","env":{"B":"3"}}`, `{"env":{"A":"1","B":"3"}}`,
		},
		{
			"placeholders of the server's things are left, those of the worker's environment filled",
			`{"job_configuration":{"a":"{{ prefect.variables.v }}","b":"{{ prefect.blocks.secret.s }}","c":"{{ $HOME }}/x","d":"{{ $NONE }}"},"variables":{}}`,
			`{}`, `{"a":"{{ prefect.variables.v }}","b":"{{ prefect.blocks.secret.s }}","c":"/home/x","d":""}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := func(name string) (string, bool) { return "/home", name == "HOME" }
			template, given := object(t, tt.template), object(t, tt.given)
			got := configure(template, given, env)
			if diff := cmp.Diff(object(t, tt.want), got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(object(t, tt.template), template); diff != "" {
				t.Errorf("the template was changed: %s", diff)
			}
		})
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"gw": "gw", "ProcessWorker 01A2-b": "processworker-01a2-b", " -x_y- ": "x-y"} {
		if got := slug(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
