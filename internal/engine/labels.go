package engine

import (
	"bytes"
	"encoding/json"

	"github.com/leat-dev/leat/internal/core"
)

// member is one entry of a JSON object.
type member struct {
	key   string
	value json.RawMessage
}

// mergeObjects lays JSON objects over each other: a later value replaces an
// earlier one in its place, and the order of first appearance is kept. nil and
// null count as empty; anything else that is no object is ignored.
func mergeObjects(objects ...json.RawMessage) json.RawMessage {
	var all []member
	at := map[string]int{}
	for _, o := range objects {
		for _, m := range members(o) {
			if i, ok := at[m.key]; ok {
				all[i].value = m.value
				continue
			}
			at[m.key] = len(all)
			all = append(all, m)
		}
	}
	return joinMembers(all)
}

// joinMembers writes an object.
func joinMembers(fields []member) json.RawMessage {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range fields {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(quote(m.key))
		b.WriteByte(':')
		b.Write(m.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}

func members(object json.RawMessage) []member {
	if len(object) <= 2 { // nil and {}
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(object))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var out []member
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return out
		}
		var m member
		m.key, _ = key.(string)
		if err := dec.Decode(&m.value); err != nil {
			return out
		}
		out = append(out, m)
	}
	return out
}

// object makes a JSON object of strings from pairs of key and value.
func object(pairs ...string) json.RawMessage {
	var l core.Labels
	for i := 0; i+1 < len(pairs); i += 2 {
		l = append(l, core.Label{Key: pairs[i], Value: pairs[i+1]})
	}
	b, err := l.MarshalJSON()
	if err != nil {
		return json.RawMessage("{}") // labels always marshal
	}
	return b
}

func quote(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`) // strings always marshal
	}
	return b
}
