// Package apitest plays stories to the dialects: exchanges with a server, written
// down in the words of what it stands for. A story is a text of sections,
//
//	-- POST /variables/ --
//	{"name": "v1"}
//	-- 201 --
//	{"id": "<id-1>", "created": "<time>", "name": "v1"}
//
// of which each dialect says what their heads and marks like <time> mean.
package apitest

import (
	"encoding/json"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Section is a part of a story: the head between the dashes, and the text below it
// without the space around it.
type Section struct{ Head, Text string }

// Sections reads a story; what stands before the first head is not told.
func Sections(story string) []Section {
	heads := regexp.MustCompile(`(?m)^-- (\S.*) --$`).FindAllStringSubmatchIndex(story, -1)
	out := make([]Section, len(heads))
	for i, m := range heads {
		end := len(story)
		if i+1 < len(heads) {
			end = heads[i+1][0]
		}
		out[i] = Section{story[m[2]:m[3]], strings.TrimSpace(story[m[1]:end])}
	}
	return out
}

// Files plays each story of a folder as a test of its own.
func Files(t *testing.T, folder fs.FS, play func(t *testing.T, story string)) {
	t.Helper()
	files, err := fs.Glob(folder, "*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := fs.ReadFile(folder, file)
			if err != nil {
				t.Fatal(err)
			}
			play(t, string(text))
		})
	}
}

// Marks say what is expected where an answer is not written down to the letter.
type Marks struct {
	// Text returns what is expected for a text, when have stands at its place.
	Text func(want string, have any) any
	// Member does the same for a member of an object, before all else; ok is false
	// where it has nothing to say. It may be nil.
	Member func(key string, want, have any) (expected any, ok bool)
}

// Diff compares an answer, in JSON, with the expected one; it is "" when they
// agree. An object with the key "..." may have members that it does not name.
func (m Marks) Diff(t *testing.T, want string, got []byte) string {
	t.Helper()
	var have, expected any
	if err := json.Unmarshal(got, &have); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatalf("what is expected: %s: %v", want, err)
	}
	return cmp.Diff(m.Resolve(expected, have), have)
}

// Resolve replaces the marks of want by what is expected where have stands. Members
// are visited in the order of their keys.
func (m Marks) Resolve(want, have any) any {
	switch w := want.(type) {
	case string:
		return m.Text(w, have)
	case []any:
		h, _ := have.([]any)
		out := make([]any, len(w))
		for i := range w {
			var other any
			if i < len(h) {
				other = h[i]
			}
			out[i] = m.Resolve(w[i], other)
		}
		return out
	case map[string]any:
		h, _ := have.(map[string]any)
		return m.members(w, h)
	}
	return want
}

func (m Marks) members(want, have map[string]any) map[string]any {
	out := make(map[string]any, len(want))
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if m.Member != nil {
			if expected, ok := m.Member(k, want[k], have[k]); ok {
				out[k] = expected
				continue
			}
		}
		out[k] = m.Resolve(want[k], have[k])
	}
	if _, partial := want["..."]; partial {
		delete(out, "...")
		for k, v := range have {
			if _, named := want[k]; !named {
				out[k] = v
			}
		}
	}
	return out
}
