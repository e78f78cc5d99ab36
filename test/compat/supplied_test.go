package compat

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// supplied is what the reference supplies every server with, without the words
// that describe it.
type supplied struct {
	Types map[string]struct {
		Name             string
		LogoURL          *string `json:"logo_url"`
		DocumentationURL *string `json:"documentation_url"`
		IsProtected      bool    `json:"is_protected"`
		Schema           suppliedSchema
	}
	Workers any
}

type suppliedSchema struct {
	Fields       any
	Capabilities []string
	Version      string
	Checksum     string
}

// TestSuppliedTypes compares the block types, their schemas and the types of
// workers of a new server with those in the installed reference: names, fields,
// types, defaults, capabilities and checksums. The words are the server's own.
func TestSuppliedTypes(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, s *server) {
		data, err := json.Marshal(newClient(t, s).python("supplied.py"))
		if err != nil {
			t.Fatal(err)
		}
		var want supplied
		if err := json.Unmarshal(data, &want); err != nil {
			t.Fatal(err)
		}
		for _, slug := range slices.Sorted(maps.Keys(want.Types)) {
			t.Run("block type "+slug, func(t *testing.T) {
				w := want.Types[slug]
				got := w
				s.mustCall(t, http.MethodGet, "/block_types/slug/"+slug, nil, &got)
				s.mustCall(t, http.MethodGet, "/block_schemas/checksum/"+w.Schema.Checksum+"?version="+w.Schema.Version, nil, &got.Schema)
				w.Schema.Fields, got.Schema.Fields = asAnswered(w.Schema.Fields, got.Schema.Fields)
				slices.Sort(got.Schema.Capabilities)
				if diff := cmp.Diff(w, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
		t.Run("types of workers", func(t *testing.T) {
			var got any
			s.mustCall(t, http.MethodGet, "/collections/views/aggregate-worker-metadata", nil, &got)
			if diff := cmp.Diff(wordless(want.Workers, false), wordless(got, false)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
}

// asAnswered makes a schema of a client and one of a server alike where they may
// differ: a server tells only of definitions that the schema leads to, and which
// schemas it made of those within it.
func asAnswered(client, server any) (any, any) {
	w, _ := wordless(client, false).(map[string]any)
	g, _ := wordless(server, false).(map[string]any)
	if defined, ok := w["definitions"].(map[string]any); ok {
		told, _ := g["definitions"].(map[string]any)
		maps.DeleteFunc(defined, func(name string, _ any) bool { return told[name] == nil })
		if len(defined) == 0 {
			delete(w, "definitions")
		}
	}
	return w, g
}

// wordless is a copy without descriptions and references to schemas; names tells
// that the keys are the names of fields.
func wordless(v any, names bool) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for k, e := range v {
			_, text := e.(string)
			isWords := (k == "description" || k == "code_example") && (text || e == nil)
			if names || !isWords && k != "block_schema_references" {
				out[k] = wordless(e, !names && (k == "properties" || k == "definitions"))
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = wordless(e, false)
		}
		return out
	}
	return v
}
