package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strings"

	"github.com/leat-dev/leat/internal/wire"
)

// Endpoint answers requests in a dialect. The Router calls it.
type Endpoint struct {
	serve func(d *Dialect, w http.ResponseWriter, r *http.Request)
	// in and out are the types that Handle was given, nil for other endpoints.
	in, out reflect.Type
	status  int
}

// Handle makes an endpoint of a function. In is a struct; its fields say by
// their tags where they come from:
//
//   - path:"id": a parameter of the route, a string or any type that wire reads
//     from a string; patterns such as {id:uuid} keep away what it cannot read;
//   - query:"name" and header:"X-Name": as the keys of a body, with wire tags;
//     a slice takes all values of a query's name;
//   - body:"": the body, by wire.Decode; []byte takes it unread;
//   - a field of type *http.Request is the request.
//
// The answer is the output as JSON with the given status, unless the output is a
// Response, a Reply or a StatusCoder. With status 204 there is no body. A struct{} is null.
func Handle[In, Out any](status int, fn func(ctx context.Context, in In) (Out, error)) Endpoint {
	input := inputOf(reflect.TypeFor[In]())
	e := Endpoint{in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](), status: status}
	e.serve = func(d *Dialect, w http.ResponseWriter, r *http.Request) {
		var in In
		if err := input.read(d, r, reflect.ValueOf(&in).Elem()); err != nil {
			d.Fail(w, r, err)
			return
		}
		out, err := fn(r.Context(), in)
		if err != nil {
			d.Fail(w, r, err)
			return
		}
		d.Write(w, r, responseOf(status, out))
	}
	return e
}

func responseOf(status int, out any) Response {
	if reply, ok := out.(replied); ok {
		out, _ = reply.reply()
	}
	switch v := out.(type) {
	case Response:
		if v.Status == 0 {
			v.Status = status
		}
		return v
	case StatusCoder:
		return Response{Status: v.StatusCode(), Body: out}
	}
	return Response{Status: status, Body: out}
}

// input says how an In is filled.
type input struct {
	params  []param
	body    int // index of the field, -1 for none
	rawBody bool
	request int // index of the field, -1 for none
}

// param is one field that is filled by texts.
type param struct {
	source string // path, query or header
	name   string
	field  int
	value  *wire.Value
}

// inputOf reads the tags of an In. It panics when they are wrong: that is a
// defect that the first test shows.
func inputOf(t reflect.Type) *input {
	if t.Kind() != reflect.Struct {
		panic("api: input " + t.String() + " is not a struct")
	}
	in := &input{body: -1, request: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Type == reflect.TypeFor[*http.Request]() {
			in.request = i
			continue
		}
		if _, ok := f.Tag.Lookup("body"); ok {
			in.body, in.rawBody = i, f.Type == reflect.TypeFor[[]byte]()
			continue
		}
		source, name := sourceOf(f.Tag)
		if source == "" {
			panic("api: field " + f.Name + " of " + t.String() + " has no tag path, query, header or body")
		}
		in.params = append(in.params, param{source, name, i, wire.ValueOf(f.Type, f.Tag.Get("wire"))})
	}
	return in
}

func sourceOf(tag reflect.StructTag) (source, name string) {
	for _, source := range []string{"path", "query", "header"} {
		if name, ok := tag.Lookup(source); ok {
			return source, name
		}
	}
	return "", ""
}

// read fills dst, an In, from the request.
func (in *input) read(d *Dialect, r *http.Request, dst reflect.Value) error {
	errs := in.readParams(r, dst)
	if in.request >= 0 {
		dst.Field(in.request).Set(reflect.ValueOf(r))
	}
	var body []byte
	if in.body >= 0 {
		var err error
		if body, err = ReadBody(r, d.bodyLimit()); err != nil {
			return err
		}
		field := dst.Field(in.body)
		if in.rawBody {
			field.SetBytes(body)
			return nil
		}
		decode := wire.Decode
		if len(body) > 0 && !isJSON(r.Header.Get("Content-Type")) {
			decode = wire.DecodeText
		}
		more, err := bodyErrors(decode(body, field.Addr().Interface()))
		if err != nil {
			return err
		}
		errs = append(errs, more...)
	}
	if len(errs) == 0 {
		return nil
	}
	invalid := &InvalidRequest{Errors: errs, Body: wire.Echo(body)}
	if len(body) > 0 && !isJSON(r.Header.Get("Content-Type")) {
		invalid.Body = wire.Quote(body)
	}
	return invalid
}

// readParams fills the fields that come from the path, the query and headers.
func (in *input) readParams(r *http.Request, dst reflect.Value) []wire.FieldError {
	var errs []wire.FieldError
	var query map[string][]string
	for _, p := range in.params {
		var texts []string
		field := dst.Field(p.field)
		switch p.source {
		case "path":
			for _, e := range p.value.Read([]string{r.PathValue(p.name)}, field) {
				e.Loc = append([]any{"path", p.name}, e.Loc...)
				errs = append(errs, e)
			}
			continue
		case "query":
			if query == nil {
				query = r.URL.Query()
			}
			texts = query[p.name]
		case "header":
			texts = r.Header.Values(p.name)
		}
		switch {
		case len(texts) > 0:
			for _, e := range p.value.Read(texts, field) {
				e.Loc = append([]any{p.source, p.name}, e.Loc...)
				errs = append(errs, e)
			}
		case p.value.Required():
			errs = append(errs, wire.FieldError{
				Type: "missing", Loc: []any{p.source, p.name}, Msg: "Field required", Input: json.RawMessage("null"),
			})
		default:
			p.value.Default(field)
		}
	}
	return errs
}

// bodyErrors turns an error of wire.Decode into entries; those that have none in
// the reference are returned as they are.
func bodyErrors(err error) ([]wire.FieldError, error) {
	var errs []wire.FieldError
	var invalid *wire.Invalid
	var malformed *wire.Malformed
	switch {
	case err == nil:
		return nil, nil
	case errors.As(err, &invalid):
		errs = invalid.Errors
	case errors.As(err, &malformed):
		errs = []wire.FieldError{malformed.FieldError()}
	default:
		return nil, err
	}
	for i := range errs {
		errs[i].Loc = append([]any{"body"}, errs[i].Loc...)
	}
	return errs, nil
}

// isJSON tells whether a body of the type is read as JSON. No type is, too.
func isJSON(contentType string) bool {
	if contentType == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil && media == "" {
		return false
	}
	sub, ok := strings.CutPrefix(media, "application/")
	return ok && (sub == "json" || strings.HasSuffix(sub, "+json"))
}

// lingerLimit is how much more of a body that is too large is read.
const lingerLimit = 256 << 20

// tooLarge reads what the client still sends, up to a limit, and throws it
// away: a client that is cut off while it writes never sees the answer.
func tooLarge(r *http.Request) error {
	_, _ = io.CopyN(io.Discard, r.Body, lingerLimit) // its end or error changes nothing
	return &StatusError{Status: http.StatusRequestEntityTooLarge}
}

// ReadBody reads a request's body of at most limit bytes; a larger one is a
// *StatusError 413.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(r)
	}
	if r.ContentLength == 0 || r.Body == nil {
		return nil, nil
	}
	var body []byte
	var err error
	reader := io.LimitReader(r.Body, limit+1)
	if n := r.ContentLength; n > 0 && n <= 1<<20 {
		// A larger announcement is believed only as the bytes come.
		body = make([]byte, n)
		_, err = io.ReadFull(reader, body)
	} else {
		body, err = io.ReadAll(reader)
	}
	switch {
	case int64(len(body)) > limit:
		return nil, tooLarge(r)
	case err != nil:
		// The client broke off; nobody reads the answer.
		return nil, &StatusError{Status: http.StatusBadRequest}
	}
	return body, nil
}
