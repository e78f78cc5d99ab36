package notify

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// fields reads the fields of a block. What is wrong with them gathers in err,
// which names fields and never their values.
type fields struct {
	data *value.Object
	err  error
}

func (f *fields) fail(format string, args ...any) {
	f.err = errors.Join(f.err, invalid(format, args...))
}

// get is a field's value; nil when it is null or absent.
func (f *fields) get(name string) any {
	if f.data == nil {
		return nil
	}
	v, _ := f.data.Get(name)
	return v
}

// text is a field that may be missing.
func (f *fields) text(name, missing string) string {
	switch v := f.get(name).(type) {
	case nil:
		return missing
	case string:
		return v
	default:
		f.fail("%s: not a text", name)
		return missing
	}
}

// needed is a field that the block cannot do without.
func (f *fields) needed(name string) string {
	text := f.text(name, "")
	if text == "" && f.err == nil {
		f.fail("%s: missing", name)
	}
	return text
}

// choice is a field with the values that it may have, the first being meant by none.
func (f *fields) choice(name string, values ...string) string {
	text := f.text(name, values[0])
	if !slices.Contains(values, text) {
		f.fail("%s: not one of %s", name, strings.Join(values, ", "))
	}
	return text
}

func (f *fields) flag(name string, missing bool) bool {
	switch v := f.get(name).(type) {
	case nil:
		return missing
	case bool:
		return v
	default:
		f.fail("%s: neither true nor false", name)
		return missing
	}
}

func (f *fields) number(name string, missing float64) float64 {
	v := f.get(name)
	if v == nil {
		return missing
	}
	n, ok := value.Number(v)
	if !ok {
		f.fail("%s: not a number", name)
		return missing
	}
	return n
}

// list is a field of texts.
func (f *fields) list(name string) []string {
	v := f.get(name)
	if v == nil {
		return nil
	}
	items, ok := v.([]any)
	if !ok {
		f.fail("%s: not a list", name)
	}
	texts := make([]string, 0, len(items))
	for _, item := range items {
		text, ok := item.(string)
		if !ok {
			f.fail("%s: holds something else than texts", name)
			continue
		}
		texts = append(texts, text)
	}
	return texts
}

// object is a field of named values; empty when there is none.
func (f *fields) object(name string) *value.Object {
	switch v := f.get(name).(type) {
	case nil:
		return value.NewObject(0)
	case *value.Object:
		return v
	default:
		f.fail("%s: not an object", name)
		return value.NewObject(0)
	}
}

// address is a field with a URL of HTTP.
func (f *fields) address(name string) string {
	text := f.needed(name)
	if f.err == nil && !isAddress(text) {
		f.fail("%s: not a URL of HTTP", name)
	}
	return text
}

func isAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Hostname() != "" && (u.Scheme == "http" || u.Scheme == "https")
}
