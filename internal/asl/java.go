package asl

import (
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// javaType is the name under which the service's errors show a value's type.
func javaType(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "java.lang.String"
	case bool:
		return "java.lang.Boolean"
	case []any:
		return "java.util.ArrayList"
	case *value.Object:
		return "java.util.LinkedHashMap"
	default:
		if n, ok := value.Integer(v); ok && int64(int32(n)) == n {
			return "java.lang.Integer"
		} else if ok {
			return "java.lang.Long"
		}
		return "java.lang.Double"
	}
}

// javaText is how the service writes a value into a text: strings without
// quotes, objects as {a=1, b=[x, y]}.
func javaText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = javaText(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *value.Object:
		parts := make([]string, 0, v.Len())
		for k, e := range v.All() {
			parts = append(parts, k+"="+javaText(e))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return value.String(v)
}
