package client

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/wire"
)

// The names that the API restricts to some characters; each decodes by itself,
// since the reference words their errors as it does no others.
type (
	// VariableName is the name of a variable.
	VariableName string
	// ArtifactKey is the key of an artifact.
	ArtifactKey string
	// BlockTypeSlug is the slug of a block type.
	BlockTypeSlug string
	// RunName is the name that a client gives a run; "" stands for one that is made up.
	RunName string
	// BlockDocumentName is the name of a block document.
	BlockDocumentName string
)

const lowerAndDigits = "abcdefghijklmnopqrstuvwxyz0123456789"

// maxVariableName is the most characters that the name of a variable has.
const maxVariableName = 255

// DecodeWire implements wire's interface for types that decode themselves.
func (n *VariableName) DecodeWire(raw json.RawMessage) []wire.FieldError {
	errs := restricted((*string)(n), raw, "Variable name", lowerAndDigits+"-_", "dashes or underscores")
	if length := utf8.RuneCountInString(string(*n)); errs == nil && length > maxVariableName {
		return []wire.FieldError{{
			Type: "too_long", Msg: fmt.Sprintf("Value should have at most %d items after validation, not %d", maxVariableName, length),
			Input: raw, Ctx: map[string]any{"field_type": "Value", "max_length": maxVariableName, "actual_length": length},
		}}
	}
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*VariableName) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	most := maxVariableName
	return &wire.Schema{Type: "string", MaxLength: &most}
}

// DecodeWire implements wire's interface for types that decode themselves.
func (k *ArtifactKey) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return restricted((*string)(k), raw, "Artifact key", lowerAndDigits+"-", "dashes")
}

// WireSchema implements wire's interface for types that describe themselves.
func (*ArtifactKey) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "string"}
}

// DecodeWire implements wire's interface for types that decode themselves.
func (s *BlockTypeSlug) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return restricted((*string)(s), raw, "Block type slug", lowerAndDigits+"-", "dashes")
}

// WireSchema implements wire's interface for types that describe themselves.
func (*BlockTypeSlug) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "string"}
}

// DecodeWire implements wire's interface for types that decode themselves. What
// is empty or false in any type asks for a name that is made up.
func (n *RunName) DecodeWire(raw json.RawMessage) []wire.FieldError {
	if falsy(raw) {
		*n = ""
		return nil
	}
	return wire.FieldErrors(wire.Decode(raw, (*string)(n)), raw)
}

// WireSchema implements wire's interface for types that describe themselves.
func (*RunName) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "string"}
}

// DecodeWire implements wire's interface for types that decode themselves.
func (n *BlockDocumentName) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var name struct {
		Name string `json:"name" wire:"pattern=name"`
	}
	wrapped := append(append([]byte(`{"name":`), raw...), '}')
	if errs := wire.FieldErrors(wire.Decode(wrapped, &name), wrapped); len(errs) > 0 {
		errs[0].Loc = nil
		return errs[:1]
	}
	return restricted((*string)(n), raw, "Block document name", lowerAndDigits+"-", "dashes")
}

// WireSchema implements wire's interface for types that describe themselves.
func (*BlockDocumentName) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return &wire.Schema{Type: "string", Pattern: wire.Pattern("name")}
}

func restricted(dst *string, raw json.RawMessage, what, allowed, besides string) []wire.FieldError {
	var s string
	if errs := wire.FieldErrors(wire.Decode(raw, &s), raw); len(errs) > 0 {
		return errs
	}
	// A newline at the end passes Python's $.
	if strings.ContainsFunc(strings.TrimSuffix(s, "\n"), func(r rune) bool {
		return !strings.ContainsRune(allowed, r)
	}) {
		return []wire.FieldError{valueError(what+" must only contain lowercase letters, numbers, and "+besides+".", raw)}
	}
	*dst = s
	return nil
}
