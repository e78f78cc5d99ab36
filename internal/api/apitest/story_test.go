package apitest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/api/apitest"
)

func TestSectionsOfAStory(t *testing.T) {
	t.Parallel()
	got := apitest.Sections("what it is about\n-- GET / --\n-- 200 --\n{\n  \"a\": 1 }\n\n-- Next -- \n-- --\n")
	want := []apitest.Section{{"GET /", ""}, {"200", "{\n  \"a\": 1 }\n\n-- Next -- \n-- --"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAnswersAreCompared(t *testing.T) {
	t.Parallel()
	m := apitest.Marks{
		Text: func(want string, have any) any {
			if want == "<any>" {
				return have
			}
			return want
		},
		Member: func(key string, _, have any) (any, bool) { return have, key == "unseen" },
	}
	for _, tt := range []struct {
		name, want, got string
		same            bool
	}{
		{"the same", `{"a":[1,{"b":null}]}`, `{"a":[1,{"b":null}]}`, true},
		{"another value", `{"a":[1,{"b":null}]}`, `{"a":[1,{"b":0}]}`, false},
		{"a mark", `["<any>","x"]`, `[{"y":1},"x"]`, true},
		{"a mark for nothing", `["x","<any>"]`, `["x"]`, false},
		{"one item more", `["x"]`, `["x","y"]`, false},
		{"one member more", `{"a":1}`, `{"a":1,"b":2}`, false},
		{"members that are not named", `{"a":1,"...":""}`, `{"a":1,"b":2}`, true},
		{"a member that is missing", `{"a":1,"...":""}`, `{"b":2}`, false},
		{"a member that is judged by itself", `{"unseen":1}`, `{"unseen":2}`, true},
		{"another type", `{"a":1}`, `[1]`, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := m.Diff(t, tt.want, []byte(tt.got)); (diff == "") != tt.same {
				t.Errorf("the difference is %q", diff)
			}
		})
	}
}
