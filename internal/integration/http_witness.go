package integration

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// HTTPExchange is a request of http:invoke and its answer, as TestState shows
// them at inspection level TRACE: texts all of them.
type HTTPExchange struct {
	// Request has protocol, method, url, headers and body; Response protocol,
	// statusCode, statusMessage, headers and body. nil without one.
	Request, Response *value.Object
}

// httpWitness is who wants to know of exchanges.
type httpWitness struct {
	secrets bool
	tell    func(HTTPExchange)
}

type httpWitnessKey struct{}

// WitnessHTTP returns a context whose calls of http:invoke are told to a function.
// Without secrets, what a connection adds to a request is left out of it.
func WitnessHTTP(ctx context.Context, secrets bool, tell func(HTTPExchange)) context.Context {
	return context.WithValue(ctx, httpWitnessKey{}, &httpWitness{secrets, tell})
}

// witnessOf returns the context's witness; nil for none.
func witnessOf(ctx context.Context) *httpWitness {
	w, _ := ctx.Value(httpWitnessKey{}).(*httpWitness)
	return w
}

// before keeps the request as the state alone made it, when its witness may know
// no more.
func (w *httpWitness) before(e *endpoint) *endpoint {
	if w == nil || w.secrets {
		return e
	}
	c := *e
	c.header, c.query = e.header.Clone(), url.Values(http.Header(e.query).Clone())
	return &c
}

// told tells of an exchange; the answer may be nil.
func (w *httpWitness) told(e *endpoint, a *reply) {
	if w == nil {
		return
	}
	x := HTTPExchange{Request: value.NewObject(5)}
	protocol := "https"
	address := e.url
	if u, err := e.target(); err == nil {
		protocol, address = u.Scheme, u.String()
	}
	header := e.header.Clone()
	if header.Get("User-Agent") == "" {
		header.Set("User-Agent", userAgent)
	}
	setTexts(x.Request, "protocol", protocol, "method", e.method, "url", address, "headers", headerText(header), "body", string(e.body))
	if a != nil {
		x.Response = value.NewObject(5)
		setTexts(x.Response, "protocol", protocol, "statusCode", strconv.Itoa(a.status), "statusMessage", http.StatusText(a.status),
			"headers", headerText(a.header), "body", string(a.body))
	}
	w.tell(x)
}

// setTexts sets the members whose texts are not empty.
func setTexts(o *value.Object, pairs ...string) {
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			o.Set(pairs[i], strings.ToValidUTF8(pairs[i+1], "\uFFFD"))
		}
	}
}

// headerText writes headers as TestState does: [name: value, name: value].
func headerText(h http.Header) string {
	var parts []string
	for name, values := range h {
		for _, v := range values {
			parts = append(parts, name+": "+v)
		}
	}
	slices.Sort(parts)
	return "[" + strings.Join(parts, ", ") + "]"
}
