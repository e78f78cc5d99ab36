package integration

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// renderer gives answers the form they have in Step Functions: members in
// alphabetical order, their names with a capital first letter.
type renderer struct {
	// millis shows times as milliseconds since 1970, as version 1 of the SDK for
	// Java is printed; otherwise they are texts.
	millis bool
	// lists shows lists that an answer leaves out as empty.
	lists bool
	// name is a member's name as it is shown.
	name func(string) string
}

func (s service) renderer() renderer {
	return renderer{millis: s.sdk != "", lists: s.lists, name: awscall.Upper}
}

func (r renderer) structure(s *awscall.Shape, o *value.Object) *value.Object {
	if s == nil {
		return value.NewObject(0)
	}
	members := make([]*awscall.Member, len(s.Members))
	for i := range s.Members {
		members[i] = &s.Members[i]
	}
	slices.SortFunc(members, func(a, b *awscall.Member) int { return strings.Compare(r.name(a.Name), r.name(b.Name)) })
	out := value.NewObject(len(members))
	for _, m := range members {
		v, ok := o.Get(m.Name)
		switch {
		case ok && v != nil:
			out.Set(r.name(m.Name), r.value(m.Shape, v))
		case r.lists && m.Shape.Kind == awscall.List:
			out.Set(r.name(m.Name), []any{})
		}
	}
	return out
}

func (r renderer) value(s *awscall.Shape, v any) any {
	switch s.Kind {
	case awscall.Structure:
		if o, ok := v.(*value.Object); ok {
			return r.structure(s, o)
		}
	case awscall.List:
		list, ok := v.([]any)
		if !ok {
			return v
		}
		out := make([]any, len(list))
		for i, x := range list {
			out[i] = r.value(s.Element, x)
		}
		return out
	case awscall.Map:
		o, ok := v.(*value.Object)
		if !ok {
			return v
		}
		out := value.NewObject(o.Len())
		for k, x := range o.All() {
			out.Set(k, r.value(s.Element, x))
		}
		return out
	case awscall.Timestamp:
		if t, ok := v.(string); ok && r.millis {
			if at, err := time.Parse(time.RFC3339Nano, t); err == nil {
				return at.UnixMilli()
			}
		}
	case awscall.Float:
		// A double of Java is never printed like an integer.
		if n, ok := v.(json.Number); ok && !strings.ContainsAny(string(n), ".eE") {
			return n + ".0"
		}
	default:
	}
	return v
}

// withMetadata adds what version 1 of the SDK for Java tells of an answer.
func withMetadata(out *value.Object, meta awscall.Meta) *value.Object {
	all, single := value.NewObject(8), value.NewObject(8)
	names := make([]string, 0, len(meta.Header))
	shown := map[string]string{}
	for k := range meta.Header {
		name := headerName(k)
		names = append(names, name)
		shown[name] = k
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	for _, name := range names {
		values := meta.Header[shown[name]]
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = v
		}
		all.Set(name, list)
		single.Set(name, strings.Join(values, ","))
	}
	sorted := value.NewObject(out.Len() + 2)
	keys := append(out.Keys(), "SdkHttpMetadata", "SdkResponseMetadata")
	slices.Sort(keys)
	for _, k := range keys {
		switch k {
		case "SdkHttpMetadata":
			sorted.Set(k, value.Of("AllHttpHeaders", all, "HttpHeaders", single, "HttpStatusCode", int64(meta.Status)))
		case "SdkResponseMetadata":
			sorted.Set(k, value.Of("RequestId", orNull(meta.RequestID)))
		default:
			v, _ := out.Get(k)
			sorted.Set(k, v)
		}
	}
	return sorted
}

// headerName is a header as AWS's services write it; the case on the wire is
// lost in net/http.
func headerName(canonical string) string {
	switch canonical {
	case "X-Amzn-Requestid":
		return "x-amzn-RequestId"
	case "X-Amzn-Remapped-Content-Length":
		return "x-amzn-Remapped-Content-Length"
	case "X-Amz-Crc32":
		return "x-amz-crc32"
	}
	return canonical
}

// headersOf shows the headers of an answer over HTTP.
func headersOf(h http.Header) *value.Object {
	names := make([]string, 0, len(h))
	for k := range h {
		names = append(names, k)
	}
	slices.Sort(names)
	out := value.NewObject(len(names))
	for _, k := range names {
		list := make([]any, len(h[k]))
		for i, v := range h[k] {
			list[i] = v
		}
		out.Set(headerName(k), list)
	}
	return out
}
