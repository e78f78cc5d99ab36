package notify

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// maxDepth bounds how deep templates are looked into.
const maxDepth = 100

// fill replaces the placeholders {{ name }} of a template by values. One that
// stands alone becomes the value as it is; names that there are none of are an
// error. Values are not looked into again.
func fill(template any, values *value.Object) (any, error) { return fillAt(template, values, 0) }

func fillAt(template any, values *value.Object, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	switch v := template.(type) {
	case string:
		return fillText(v, values)
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			var err error
			if list[i], err = fillAt(item, values, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case *value.Object:
		o := value.NewObject(v.Len())
		for name, item := range v.All() {
			x, err := fillAt(item, values, depth+1)
			if err != nil {
				return nil, err
			}
			o.Set(name, x)
		}
		return o, nil
	default:
		return v, nil
	}
}

func fillText(text string, values *value.Object) (any, error) {
	placeholder := regexp.MustCompile(`\{\{\s*([\pL\pN_.\-\[\]$]+)\s*\}\}`)
	var unknown error
	lookup := func(match string) any {
		name := placeholder.FindStringSubmatch(match)[1]
		v, ok := values.Get(name)
		if !ok {
			unknown = fmt.Errorf("the placeholder %s has no value", match)
		}
		return v
	}
	if at := placeholder.FindStringIndex(text); at != nil && at[0] == 0 && at[1] == len(text) {
		v := lookup(text)
		return v, unknown
	}
	filled := placeholder.ReplaceAllStringFunc(text, func(match string) string { return printed(lookup(match)) })
	return filled, unknown
}

// printed is a value within a text, as Python prints it.
func printed(v any) string {
	switch x := v.(type) {
	case nil:
		return "None"
	case bool:
		if x {
			return "True"
		}
		return "False"
	case string:
		return x
	default:
		return strings.TrimSpace(value.String(x))
	}
}
