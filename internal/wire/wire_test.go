package wire_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

type operator string

func (operator) Enum() []string { return []string{"and_", "or_"} }

type flowSort string

func (flowSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"}
}

// flowCreate is the model of POST /flows/.
type flowCreate struct {
	_      struct{}    `wire:"forbid"`
	Name   string      `json:"name" wire:"required,pattern=name"`
	Tags   []string    `json:"tags,omitempty"`
	Labels wire.Labels `json:"labels,omitempty" wire:"nullable"`
}

type idFilter struct {
	_   struct{}            `wire:"forbid"`
	Any wire.Opt[[]core.ID] `json:"any_,omitzero"`
}

type nameFilter struct {
	_    struct{}  `wire:"forbid"`
	Any  *[]string `json:"any_,omitempty"`
	Like *string   `json:"like_,omitempty"`
}

type flowFilter struct {
	_        struct{}    `wire:"forbid"`
	Operator operator    `json:"operator" wire:"default=and_"`
	ID       *idFilter   `json:"id,omitempty"`
	Name     *nameFilter `json:"name,omitempty"`
}

// flowsFilter holds the parameters of POST /flows/filter.
type flowsFilter struct {
	_      struct{}    `wire:"embed"`
	Limit  *int        `json:"limit,omitempty"`
	Offset int         `json:"offset" wire:"ge=0"`
	Flows  *flowFilter `json:"flows,omitempty"`
	Sort   flowSort    `json:"sort" wire:"default=NAME_DESC"`
}

// kinds has a field of each kind of value.
type kinds struct {
	_       struct{}            `wire:"forbid"`
	Int     int                 `json:"int"`
	Small   int8                `json:"small"`
	Float   float64             `json:"float"`
	Bool    bool                `json:"bool"`
	String  string              `json:"string,omitempty" wire:"min=1,max=3"`
	ID      core.ID             `json:"id"`
	Time    wire.Time           `json:"time"`
	State   core.StateType      `json:"state,omitempty"`
	List    []string            `json:"list,omitempty" wire:"min=1,max=2"`
	Map     map[string]int      `json:"map,omitempty" wire:"min=1"`
	Raw     json.RawMessage     `json:"raw,omitempty"`
	Object  json.RawMessage     `json:"object,omitempty" wire:"object"`
	Array   json.RawMessage     `json:"array,omitempty" wire:"array,nullable"`
	Any     any                 `json:"any"`
	Rate    float64             `json:"rate,omitempty" wire:"gt=0,le=5.5"`
	Count   uint                `json:"count,omitempty" wire:"gt=0,lt=5"`
	Opt     wire.Opt[wire.Time] `json:"opt,omitzero"`
	Pointer *int                `json:"pointer,omitempty"`
	Labels  *wire.Labels        `json:"labels,omitempty"`
}

type nested struct {
	A int     `json:"a" wire:"required"`
	B *strict `json:"b"`
}

type strict struct {
	_ struct{} `wire:"forbid"`
	X int      `json:"x" wire:"required"`
}

// answer is what a client would see of an error, "" for none.
func answer(t *testing.T, err error) string {
	t.Helper()
	var invalid *wire.Invalid
	if !errors.As(err, &invalid) {
		if err != nil {
			return err.Error()
		}
		return ""
	}
	out, err := wire.Marshal(invalid.Errors)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// The wanted texts are those of a Prefect 3.8.8 server, without "body" in loc.
func TestDecodeReportsWhatTheReferenceDoes(t *testing.T) {
	t.Parallel()
	const patternMessage = `String should match pattern '^[^/%&><]+$'`
	tests := []struct {
		name string
		dst  func() any
		body string
		want string
	}{
		{"a missing field", create, `{}`, `[{"type":"missing","loc":["name"],"msg":"Field required","input":{}}]`},
		{"a wrong type", create, `{"name": 1}`, `[{"type":"string_type","loc":["name"],"msg":"Input should be a valid string","input":1}]`},
		{"an extra field", create, `{"name": "a", "extra": 1}`, `[{"type":"extra_forbidden","loc":["extra"],"msg":"Extra inputs are not permitted","input":1}]`},
		{"a banned character", create, `{"name": "a/b"}`, `[{"type":"string_pattern_mismatch","loc":["name"],"msg":"` + patternMessage + `","input":"a/b","ctx":{"pattern":"^[^/%&><]+$"}}]`},
		{"an empty name", create, `{"name": ""}`, `[{"type":"string_pattern_mismatch","loc":["name"],"msg":"` + patternMessage + `","input":"","ctx":{"pattern":"^[^/%&><]+$"}}]`},
		{"a null name", create, `{"name": null}`, `[{"type":"string_type","loc":["name"],"msg":"Input should be a valid string","input":null}]`},
		{"a string for a list", create, `{"name": "a", "tags": "x"}`, `[{"type":"list_type","loc":["tags"],"msg":"Input should be a valid list","input":"x"}]`},
		{"a number in a list of strings", create, `{"name": "a", "tags": [1]}`, `[{"type":"string_type","loc":["tags",0],"msg":"Input should be a valid string","input":1}]`},
		{
			"a label that is no scalar", create, `{"name": "a", "labels": {"a": {}}}`,
			`[{"type":"bool_type","loc":["labels","a","bool"],"msg":"Input should be a valid boolean","input":{}},{"type":"int_type","loc":["labels","a","int"],"msg":"Input should be a valid integer","input":{}},{"type":"float_type","loc":["labels","a","float"],"msg":"Input should be a valid number","input":{}},{"type":"string_type","loc":["labels","a","str"],"msg":"Input should be a valid string","input":{}}]`,
		},
		{"no body for a model", create, ``, `[{"type":"missing","loc":[],"msg":"Field required","input":null}]`},
		{"null for a model", create, `null`, `[{"type":"missing","loc":[],"msg":"Field required","input":null}]`},
		{"a string for a model", create, `"x"`, `[{"type":"model_attributes_type","loc":[],"msg":"Input should be a valid dictionary or object to extract fields from","input":"x"}]`},
		{"no body for parameters", filter, ``, ``},
		{"null for parameters", filter, `null`, ``},
		{
			"an array for parameters", filter, `[]`,
			`[{"type":"missing","loc":["limit"],"msg":"Field required","input":null},{"type":"missing","loc":["offset"],"msg":"Field required","input":null},{"type":"missing","loc":["flows"],"msg":"Field required","input":null},{"type":"missing","loc":["sort"],"msg":"Field required","input":null}]`,
		},
		{"an unknown parameter", filter, `{"nope": 1}`, ``},
		{"null parameters", filter, `{"limit":null,"offset":null,"flows":null,"sort":null}`, ``},
		{"a word for an integer", filter, `{"limit": "x"}`, `[{"type":"int_parsing","loc":["limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"}]`},
		{"a fraction for an integer", filter, `{"limit": 1.5}`, `[{"type":"int_from_float","loc":["limit"],"msg":"Input should be a valid integer, got a number with a fractional part","input":1.5}]`},
		{"a negative offset", filter, `{"offset": -1}`, `[{"type":"greater_than_equal","loc":["offset"],"msg":"Input should be greater than or equal to 0","input":-1,"ctx":{"ge":0}}]`},
		{"an unknown sort", filter, `{"sort": "NOPE"}`, `[{"type":"enum","loc":["sort"],"msg":"Input should be 'CREATED_DESC', 'UPDATED_DESC', 'NAME_ASC' or 'NAME_DESC'","input":"NOPE","ctx":{"expected":"'CREATED_DESC', 'UPDATED_DESC', 'NAME_ASC' or 'NAME_DESC'"}}]`},
		{"an unknown filter", filter, `{"flows": {"nope": 1}}`, `[{"type":"extra_forbidden","loc":["flows","nope"],"msg":"Extra inputs are not permitted","input":1}]`},
		{"a bad id in a filter", filter, `{"flows": {"id": {"any_": ["x"]}}}`, "[{\"type\":\"uuid_parsing\",\"loc\":[\"flows\",\"id\",\"any_\",0],\"msg\":\"Input should be a valid UUID, invalid character: found `x` at 0\",\"input\":\"x\",\"ctx\":{\"error\":\"invalid character: found `x` at 0\"}}]"},
		{"a string for ids", filter, `{"flows": {"id": {"any_": "x"}}}`, `[{"type":"list_type","loc":["flows","id","any_"],"msg":"Input should be a valid list","input":"x"}]`},
		{"an unknown operator", filter, `{"flows": {"operator": "xor_"}}`, `[{"type":"enum","loc":["flows","operator"],"msg":"Input should be 'and_' or 'or_'","input":"xor_","ctx":{"expected":"'and_' or 'or_'"}}]`},
		{"a null in a filter", filter, `{"flows": {"name": {"like_": null}}}`, ``},
		{
			"errors in the order of the fields, extra keys last", func() any { return new(nested) }, `{"b": {"w": 2, "x": "q", "z": 1}}`,
			`[{"type":"missing","loc":["a"],"msg":"Field required","input":{"b":{"w":2,"x":"q","z":1}}},{"type":"int_parsing","loc":["b","x"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"q"},{"type":"extra_forbidden","loc":["b","w"],"msg":"Extra inputs are not permitted","input":2},{"type":"extra_forbidden","loc":["b","z"],"msg":"Extra inputs are not permitted","input":1}]`,
		},
		{"a number for a nested model", func() any { return new(nested) }, `{"a":1,"b":1}`, `[{"type":"model_attributes_type","loc":["b"],"msg":"Input should be a valid dictionary or object to extract fields from","input":1}]`},
		{"a list for a map", func() any { return new(map[string]string) }, `[]`, `[{"type":"dict_type","loc":[],"msg":"Input should be a valid dictionary","input":[]}]`},
		{"no body for a list", func() any { return new([]flowCreate) }, ``, `[{"type":"missing","loc":[],"msg":"Field required","input":null}]`},
		{"no body for a pointer", func() any { return new(*flowCreate) }, ``, ``},
		{"an error in a list of models", func() any { return new([]flowCreate) }, `[{"name":"a"},{}]`, `[{"type":"missing","loc":[1,"name"],"msg":"Field required","input":{}}]`},
		{"keys match by case", create, `{"Name": "a"}`, `[{"type":"missing","loc":["name"],"msg":"Field required","input":{"Name":"a"}},{"type":"extra_forbidden","loc":["Name"],"msg":"Extra inputs are not permitted","input":"a"}]`},
		{"the last of equal keys counts", create, `{"name": 1, "name": "a"}`, ``},
		{"inputs are shown as Python writes them", create, "{\"name\": [1e3, 1.50, 1E22, \"\\u00e9\\/<\", 0.00001, -0.0]}", `[{"type":"string_type","loc":["name"],"msg":"Input should be a valid string","input":[1000.0,1.5,1e+22,"é/<",1e-05,-0.0]}]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, answer(t, wire.Decode([]byte(tt.body), tt.dst()))); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTextIsNoModelAndNoParameters(t *testing.T) {
	t.Parallel()
	const text = `{"name":"ct"}`
	want := `[{"type":"model_attributes_type","loc":[],"msg":"Input should be a valid dictionary or object to extract fields from","input":"{\"name\":\"ct\"}"}]`
	if diff := cmp.Diff(want, answer(t, wire.DecodeText([]byte(text), create()))); diff != "" {
		t.Errorf("model (-want +got):\n%s", diff)
	}
	var params flowsFilter
	if err := wire.DecodeText([]byte(`{"limit":5}`), &params); err != nil || params.Limit != nil {
		t.Errorf("parameters: %+v, %v", params, err)
	}
}

func create() any { return new(flowCreate) }
func filter() any { return new(flowsFilter) }

func TestDecodeFillsValues(t *testing.T) {
	t.Parallel()
	got := flowsFilter{Offset: 7}
	body := `{"limit":"5","flows":{"id":{"any_":["00000000000000000000000000000001"]},"name":{"any_":["a\n\u00e9\ud83d\ude00"]}}}`
	if err := wire.Decode([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	limit := 5
	want := flowsFilter{
		Limit: &limit, Offset: 7, Sort: "NAME_DESC",
		Flows: &flowFilter{
			Operator: "and_",
			ID:       &idFilter{Any: wire.Some([]core.ID{{15: 1}})},
			Name:     &nameFilter{Any: &[]string{"a\né😀"}},
		},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(flowsFilter{}, flowFilter{}, idFilter{}, nameFilter{})); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
}

func TestOptTellsAbsentFromNull(t *testing.T) {
	t.Parallel()
	type patch struct {
		A wire.Opt[string] `json:"a,omitzero"`
	}
	for _, tt := range []struct {
		name, body string
		want       wire.Opt[string]
	}{
		{"absent", `{}`, wire.Opt[string]{}},
		{"null", `{"a":null}`, wire.Null[string]()},
		{"a value", `{"a":"x"}`, wire.Some("x")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var decoded, unmarshaled patch
			if err := wire.Decode([]byte(tt.body), &decoded); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal([]byte(tt.body), &unmarshaled); err != nil {
				t.Fatal(err)
			}
			if decoded.A != tt.want || unmarshaled.A != tt.want {
				t.Errorf("got %+v and %+v, want %+v", decoded.A, unmarshaled.A, tt.want)
			}
			out, err := wire.Marshal(decoded)
			if err != nil || string(out) != tt.body {
				t.Errorf("written again: %s, %v", out, err)
			}
			value, ok := decoded.A.Get()
			if ptr := decoded.A.Ptr(); ok != (ptr != nil) || ok && *ptr != value || decoded.A.Or("other") == "other" && ok {
				t.Errorf("Get, Ptr and Or differ: %q %v %v", value, ok, ptr)
			}
		})
	}
}

func TestTimeIsWrittenAsPydanticDoes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 8, 24, 9, 92036999, time.FixedZone("", 3600))
	for _, tt := range []struct {
		name string
		at   time.Time
		want string
	}{
		{"six digits of a fraction", at, `"2026-11-22T07:24:09.092036Z"`},
		{"zeros at the end stay", at.Truncate(time.Millisecond), `"2026-11-22T07:24:09.092000Z"`},
		{"none without a fraction", at.Truncate(time.Second), `"2026-11-22T07:24:09Z"`},
		{"none below a microsecond", at.Truncate(time.Second).Add(999), `"2026-11-22T07:24:09Z"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, v := range []wire.Time{{Time: tt.at}, wire.FromTime(tt.at), *wire.FromTimePtr(&tt.at)} {
				if out, err := wire.Marshal(v); err != nil || string(out) != tt.want {
					t.Errorf("got %s, %v; want %s", out, err, tt.want)
				}
			}
		})
	}
	if wire.FromTimePtr(nil) != nil || (*wire.Time)(nil).Ptr() != nil {
		t.Error("nil does not stay nil")
	}
}

func TestFloatIsWrittenAsPythonDoes(t *testing.T) {
	t.Parallel()
	for f, want := range map[wire.Float]string{
		0: "0.0", 1.5: "1.5", -2: "-2.0", 1e16: "1e+16", 1e15: "1000000000000000.0", 1e-5: "1e-05", 1e-4: "0.0001", 1.25e300: "1.25e+300",
	} {
		if out, err := wire.Marshal(f); err != nil || string(out) != want {
			t.Errorf("got %s, %v; want %s", out, err, want)
		}
	}
}

func TestEchoRepeatsTheBody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, want string }{
		{"an empty body is null", ``, `null`},
		{"JSON is compacted", ` {"a" : [1, 2.0] } `, `{"a":[1,2.0]}`},
		{"what is no JSON is a string", `{"limit": nope}`, `"{\"limit\": nope}"`},
		{"bytes that are no text are replaced", "\xff{", `"` + "\ufffd" + `{"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(wire.Echo([]byte(tt.body))); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
