package client

import (
	"encoding/json"
	"fmt"
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

// DecodeWire implements wire's interface for types that decode themselves.
func (k *ArtifactKey) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return restricted((*string)(k), raw, "Artifact key", lowerAndDigits+"-", "dashes")
}

// DecodeWire implements wire's interface for types that decode themselves.
func (s *BlockTypeSlug) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return restricted((*string)(s), raw, "Block type slug", lowerAndDigits+"-", "dashes")
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
