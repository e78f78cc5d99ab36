package engine

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// schemaChecksum identifies a block schema's fields as Prefect's clients do: the
// SHA-256 of Python's json.dumps([[fields], {}], sort_keys=True) without the
// secret_fields and without the definitions of other blocks.
func schemaChecksum(fields map[string]any) string {
	plain, _ := withoutSecretFields(fields).(map[string]any)
	if definitions, ok := plain["definitions"].(map[string]any); ok && len(definitions) > 0 {
		if own := nonBlockDefinitions(plain, definitions, nil); len(own) > 0 {
			plain["definitions"] = own
		} else {
			delete(plain, "definitions")
		}
	}
	text := appendPython(nil, []any{[]any{plain}, map[string]any{}})
	sum := sha256.Sum256(text)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// parseFields reads a schema's fields; numbers keep their text.
func parseFields(raw json.RawMessage) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	fields := map[string]any{}
	err := dec.Decode(&fields)
	return fields, err
}

// withoutSecretFields copies a value without the keys secret_fields of nested
// objects; lists are not looked into.
func withoutSecretFields(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	out := make(map[string]any, len(m))
	for k, v := range m {
		if k != "secret_fields" {
			out[k] = withoutSecretFields(v)
		}
	}
	return out
}

// referenceStrings lists all $ref within a value.
func referenceStrings(v any) []string {
	var out []string
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok && ref != "" {
			out = append(out, ref)
		}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			out = append(out, referenceStrings(v[k])...)
		}
	case []any:
		for _, e := range v {
			out = append(out, referenceStrings(e)...)
		}
	}
	return out
}

func definitionKey(ref string) string { return strings.ReplaceAll(ref, "#/definitions/", "") }

// nonBlockDefinitions are the definitions that a value refers to, also through
// others, and that are no blocks. seen ends circles.
func nonBlockDefinitions(v any, definitions map[string]any, seen map[string]bool) map[string]any {
	if seen == nil {
		seen = map[string]bool{}
	}
	out := map[string]any{}
	for _, ref := range referenceStrings(v) {
		key := definitionKey(ref)
		definition, ok := definitions[key].(map[string]any)
		if !ok || len(definition) == 0 || definition["block_type_slug"] != nil || seen[key] {
			continue
		}
		seen[key] = true
		out[key] = definition
		maps.Copy(out, nonBlockDefinitions(definition, definitions, seen))
	}
	return out
}

// appendPython writes JSON as Python's json.dumps does with sort_keys: blanks
// after commas and colons, and nothing but ASCII.
func appendPython(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return fmt.Appendf(b, "%t", v)
	case json.Number:
		return append(b, v.String()...)
	case string:
		return appendASCII(b, v)
	case []any:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendPython(b, e)
		}
		return append(b, ']')
	case map[string]any:
		b = append(b, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = append(appendASCII(b, k), ": "...)
			b = appendPython(b, v[k])
		}
		return append(b, '}')
	}
	return b
}

func appendASCII(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\f':
			b = append(b, `\f`...)
		case r < ' ' || r >= 0x7f && r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		case r > 0xffff:
			r -= 0x10000
			b = fmt.Appendf(b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			b = append(b, byte(r))
		}
	}
	return append(b, '"')
}
