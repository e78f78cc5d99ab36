package engine_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

func TestBlockSchemaChecksumsAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	e, _ := setup(t)
	kind, err := e.CreateBlockType(t.Context(), ws, core.BlockType{Name: "B", Slug: "b"})
	if err != nil {
		t.Fatal(err)
	}
	for fields, want := range map[string]string{
		`{"title":"B","type":"object","properties":{"x":{"type":"string"}},"secret_fields":["x"],"block_schema_references":{}}`: "sha256:152f5c0eba1eff282f7d66de1a7f742d2b84272ce4464101c04600f1a7b42692",
		`{"title": "S", "type": "object", "properties": {}}`:                                                                    "sha256:1c302324137eaf197ecfb1d51fa98fa5991ec36ce3245c17751b7f8c3c3c3e5a",
	} {
		s, made, err := e.CreateBlockSchema(t.Context(), ws, engine.NewBlockSchema{
			Fields: json.RawMessage(fields), BlockTypeID: kind.ID, Version: "1",
		})
		if err != nil || !made {
			t.Fatal(made, err)
		}
		if s.Checksum != want {
			t.Errorf("checksum of %s = %s, want %s", fields, s.Checksum, want)
		}
	}
}

func TestBlockDocumentsAreSealedInTheDatabase(t *testing.T) {
	t.Parallel()
	e, _ := setup(t)
	kind, err := e.CreateBlockType(t.Context(), ws, core.BlockType{Name: "B", Slug: "b"})
	if err != nil {
		t.Fatal(err)
	}
	s, _, err := e.CreateBlockSchema(t.Context(), ws, engine.NewBlockSchema{
		Fields: json.RawMessage(`{"title":"B","secret_fields":["token","login.password","all.*"]}`), BlockTypeID: kind.ID, Version: "1",
	})
	if err != nil {
		t.Fatal(err)
	}
	const data = `{"token":"t0ken","login":{"user":"u","password":"pa55"},"all":{"a":"a1","b":{"c":1}},"none":null}`
	doc, err := e.CreateBlockDocument(t.Context(), ws, engine.NewBlockDocument{
		Name: "d", Data: json.RawMessage(data), BlockSchemaID: s.ID, BlockTypeID: kind.ID,
	})
	if err != nil {
		t.Fatal(err)
	}
	const masked = `{"token":"********","login":{"user":"u","password":"********"},"all":{"a":"********","b":{"c":"********"}},"none":null}`
	if diff := cmp.Diff(masked, string(doc.Data)); diff != "" {
		t.Error(diff)
	}
	if bytes.Contains(doc.Sealed, []byte("t0ken")) {
		t.Error("the database holds a secret readably")
	}
	if err := e.UpdateBlockDocument(t.Context(), ws, doc.ID, engine.BlockDocumentChange{
		Data: json.RawMessage(strings.Replace(masked, `"user":"u"`, `"user":"w"`, 1)), Merge: true,
	}); err != nil {
		t.Fatal(err)
	}
	got, err := e.BlockDocument(t.Context(), ws, doc.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Replace(data, `"user":"u"`, `"user":"w"`, 1), string(got.Data)); diff != "" {
		t.Errorf("secrets that came back masked (-want +got)\n%s", diff)
	}
}

func TestSealedDataIsBoundToItsSubject(t *testing.T) {
	t.Parallel()
	sealer, err := engine.NewSealer(bytes.Repeat([]byte{1}, engine.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := sealer.Seal([]byte("x"), []byte("a"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sealer.Open(sealed, []byte("a")); err != nil || string(got) != "x" {
		t.Errorf("opened %q, %v", got, err)
	}
	if _, err := sealer.Open(sealed, []byte("b")); err == nil {
		t.Error("opened for another subject")
	}
	if _, err := engine.NewSealer([]byte("short")); err == nil {
		t.Error("a short key was accepted")
	}
}

func TestInstallingBlockTypesTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	e, _ := setup(t)
	counts := func() [2]int {
		t.Helper()
		if err := e.InstallBlockTypes(t.Context(), ws); err != nil {
			t.Fatal(err)
		}
		var out [2]int
		err := e.Store().View(t.Context(), ws, func(tx core.Tx) error {
			types, err := tx.FilterBlockTypes(core.Query{Limit: 200})
			if err != nil {
				return err
			}
			schemas, err := tx.FilterBlockSchemas(core.Query{Limit: 200})
			out = [2]int{len(types), len(schemas)}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// As many as the reference has when it starts.
	for range 2 {
		if got, want := counts(), [2]int{54, 64}; got != want {
			t.Fatalf("%d types and schemas, want %d", got, want)
		}
	}
}

func TestSchemasWithinSchemasOfBuiltinBlocksAreBuiltinToo(t *testing.T) {
	t.Parallel()
	e, _ := setup(t)
	if err := e.InstallBlockTypes(t.Context(), ws); err != nil {
		t.Fatal(err)
	}
	err := e.Store().View(t.Context(), ws, func(tx core.Tx) error {
		schemas, err := tx.FilterBlockSchemas(core.Query{Limit: 200})
		if err != nil {
			return err
		}
		for _, s := range schemas {
			for _, checksum := range regexp.MustCompile(`"block_schema_checksum":"([^"]+)"`).FindAllSubmatch(s.Fields, -1) {
				if _, err := tx.BlockSchemaByChecksum(string(checksum[1]), nil); err != nil {
					t.Errorf("%s %s refers to a schema that is not there: %v", s.Type.Slug, s.Version, err)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
