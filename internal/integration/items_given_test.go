package integration_test

import (
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

func TestGivenItemsAreReadAsFromTheirSource(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, config, data, want, pointed, cause string }{
		{"a JSON array", `{"InputType":"JSON"}`, `[1, {"a": 2}]`, `[1,{"a":2}]`, "", ""},
		{"a reader without a configuration", `null`, `[1]`, `[1]`, "", ""},
		{"what the pointer points to", `{"InputType":"JSON","ItemsPointer":"/a/b"}`, `{"a":{"b":[1,2]}}`, `[1,2]`, `[1,2]`, ""},
		{"an object that the pointer points to", `{"InputType":"JSON","ItemsPointer":"/a"}`, `{"a":{"b":1}}`, `[{"Key":"b","Value":1}]`, `{"b":1}`, ""},
		{"a pointer to nothing", `{"InputType":"JSON","ItemsPointer":"/x"}`, `{}`, "", "", "points to nothing"},
		{"CSV", `{"InputType":"CSV","CSVHeaderLocation":"FIRST_ROW"}`, "a,b\n1,2\n", `[{"a":"1","b":"2"}]`, "", ""},
		{"the items of CSV", `{"InputType":"CSV"}`, `[{"a":"1"}]`, `[{"a":"1"}]`, "", ""},
		{"JSON lines", `{"InputType":"JSONL"}`, "{\"a\":1}\n{\"a\":2}\n", `[{"a":1},{"a":2}]`, "", ""},
		{"JSON lines that are arrays", `{"InputType":"JSONL"}`, "[1]\n[2]", `[[1],[2]]`, "", ""},
		{"a listing", `{}`, `[{"Key":"k"}]`, `[{"Key":"k"}]`, "", ""},
		{"a manifest", `{"InputType":"MANIFEST"}`, `[{"Key":"k"}]`, `[{"Key":"k"}]`, "", ""},
		{"no JSON", `{"InputType":"JSON"}`, `{`, "", "", "cannot be read"},
		{"nothing to go through", `{"InputType":"JSON"}`, `1`, "", "", "non-iterable"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := &asl.Transfer{}
			if tt.config != "null" {
				from.Config = object(t, tt.config)
			}
			read, failure := integration.GivenItems(from, tt.data)
			if tt.cause != "" {
				if failure == nil || failure.Error != "States.ItemReaderFailed" || !strings.Contains(failure.Cause, tt.cause) {
					t.Errorf("got %+v, want %q", failure, tt.cause)
				}
				return
			}
			if failure != nil || value.String(read.Items) != tt.want {
				t.Errorf("got %s %+v, want %s", value.String(read.Items), failure, tt.want)
			}
			if read.HasPointed != (tt.pointed != "") || read.HasPointed && value.String(read.Pointed) != tt.pointed {
				t.Errorf("the pointer led to %s, want %s", value.String(read.Pointed), tt.pointed)
			}
		})
	}
}
