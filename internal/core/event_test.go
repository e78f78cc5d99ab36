package core

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLabelsComeBackAsTheyCame(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want Labels
		bad  bool
	}{
		"none":             {`{}`, nil, false},
		"with white space": {" { \"a\" : \"1\" ,\n\"b\":\"2\" } ", Labels{{"a", "1"}, {"b", "2"}}, false},
		"with escapes":     {`{"a\"\\":"\u00e9\n","é":"<&>"}`, Labels{{`a"\`, "é\n"}, {"é", "<&>"}}, false},
		"with braces":      {`{"}":"{,:}"}`, Labels{{"}", "{,:}"}}, false},
		"a number":         {`{"a":1}`, nil, true},
		"an object":        {`{"a":{}}`, nil, true},
		"null":             {`{"a":null}`, nil, true},
		"a list":           {`["a"]`, nil, true},
		"cut off":          {`{"a":"b`, nil, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got Labels
			err := got.UnmarshalJSON([]byte(tt.text))
			if (err != nil) != tt.bad {
				t.Fatalf("error %v", err)
			}
			if tt.bad {
				return
			}
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			shown, err := json.Marshal(got)
			if err != nil {
				t.Fatal(err)
			}
			var again Labels
			if err := json.Unmarshal(shown, &again); err != nil || len(again) != len(got) {
				t.Errorf("%s: %v", shown, err)
			}
		})
	}
}

func FuzzLabels(f *testing.F) {
	f.Add([]byte(`{"a": "b"}`))
	f.Add([]byte(`{"a": "\ud800", "b": "\u0000"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var got Labels
		var want map[string]string
		err, other := got.UnmarshalJSON(data), json.Unmarshal(data, &want)
		if err == nil && other != nil {
			t.Errorf("%q is accepted; encoding/json says %v", data, other)
		}
		for _, l := range got {
			if err == nil && !got.Has(l.Key) {
				t.Error("lost a key")
			}
		}
	})
}
