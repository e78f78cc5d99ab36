package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// jsonObject is a JSON object whose order is kept.
type jsonObject []jsonMember

type jsonMember struct {
	key   string
	value json.RawMessage
}

func parseObject(raw json.RawMessage) (jsonObject, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	out := jsonObject{}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := jsonMember{}
		m.key, _ = key.(string)
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		out.set(m.key, m.value)
	}
	return out, nil
}

func isObject(raw json.RawMessage) bool { return bytes.HasPrefix(bytes.TrimSpace(raw), []byte("{")) }

func (o jsonObject) get(key string) (json.RawMessage, bool) {
	for _, m := range o {
		if m.key == key {
			return m.value, true
		}
	}
	return nil, false
}

// set replaces the value of a key or appends it.
func (o *jsonObject) set(key string, value json.RawMessage) {
	for i := range *o {
		if (*o)[i].key == key {
			(*o)[i].value = value
			return
		}
	}
	*o = append(*o, jsonMember{key, value})
}

func (o jsonObject) raw() json.RawMessage {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			continue // strings always marshal
		}
		b = append(append(append(b, key...), ':'), m.value...)
	}
	return append(b, '}')
}

// lookup finds the value at a path of keys.
func lookup(raw json.RawMessage, path []string) (json.RawMessage, bool) {
	for _, key := range path {
		o, err := parseObject(raw)
		if err != nil {
			return nil, false
		}
		var ok bool
		if raw, ok = o.get(key); !ok {
			return nil, false
		}
	}
	return raw, true
}

// masked stands for a secret.
const masked = `"********"`

// maskSecrets hides the values that the schema's secret_fields name, such as
// "password", "login.token" or "values.*"; nulls stay visible.
func maskSecrets(data json.RawMessage, secrets []string) json.RawMessage {
	return eachSecret(data, secrets, func(_ []string, leaf json.RawMessage) json.RawMessage {
		if string(leaf) == "null" {
			return leaf
		}
		return json.RawMessage(masked)
	})
}

// restoreSecrets puts back the secrets that a client was shown masked and sent so.
func restoreSecrets(data, current json.RawMessage, secrets []string) json.RawMessage {
	return eachSecret(data, secrets, func(path []string, leaf json.RawMessage) json.RawMessage {
		if string(leaf) != masked {
			return leaf
		}
		if old, ok := lookup(current, path); ok && string(old) != "null" {
			return old
		}
		return leaf
	})
}

// eachSecret replaces all that is no object at and below the secret fields.
func eachSecret(data json.RawMessage, secrets []string, fn func(path []string, leaf json.RawMessage) json.RawMessage) json.RawMessage {
	paths := make([][]string, len(secrets))
	for i, s := range secrets {
		paths[i] = strings.Split(s, ".")
	}
	return secretsBelow(data, nil, paths, false, fn)
}

func secretsBelow(
	raw json.RawMessage, at []string, paths [][]string, all bool, fn func(path []string, leaf json.RawMessage) json.RawMessage,
) json.RawMessage {
	if !isObject(raw) {
		if all {
			return fn(at, raw)
		}
		return raw
	}
	o, err := parseObject(raw)
	if err != nil {
		return raw
	}
	for i, m := range o {
		below := all
		var rest [][]string
		for _, p := range paths {
			switch {
			case p[0] == "*" || p[0] == m.key && len(p) == 1:
				below = true
			case p[0] == m.key:
				rest = append(rest, p[1:])
			}
		}
		o[i].value = secretsBelow(m.value, append(slices.Clone(at), m.key), rest, below, fn)
	}
	return o.raw()
}
