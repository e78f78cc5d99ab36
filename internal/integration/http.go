package integration

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// maxBody bounds what is read of an answer, in bytes; a result may be smaller.
const maxBody = 6 << 20

// endpoint is a request to an endpoint that a state names.
type endpoint struct {
	method  string
	url     string
	query   url.Values
	header  http.Header
	body    []byte
	prepare func(*http.Request, []byte) error // signs it
}

// reply is an endpoint's answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// exchange sends a request and reads the answer.
func (r *Runner) exchange(ctx context.Context, e *endpoint) (*reply, error) {
	return exchangeBy(ctx, r.cfg.HTTP, e)
}

// userAgent is what requests are sent by whose state names nobody else.
const userAgent = "Amazon|StepFunctions|leat"

// target is the request's URL with its query.
func (e *endpoint) target() (*url.URL, error) {
	u, err := url.Parse(e.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no URL of HTTP", e.url)
	}
	query := u.Query()
	for k, vs := range e.query {
		query[k] = append(query[k], vs...)
	}
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return u, nil
}

func exchangeBy(ctx context.Context, client *http.Client, e *endpoint) (*reply, error) {
	u, err := e.target()
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, e.method, u.String(), bytes.NewReader(e.body))
	if err != nil {
		return nil, fmt.Errorf("make a request: %w", err)
	}
	if len(e.body) == 0 {
		req.Body = http.NoBody
	}
	maps.Copy(req.Header, e.header)
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", userAgent)
	}
	if e.prepare != nil {
		if err := e.prepare(req, e.body); err != nil {
			return nil, err
		}
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("send a request: %w", err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	return &reply{resp.StatusCode, resp.Header, body}, nil
}

// shown is an answer as a state's result.
func (a *reply) shown() *value.Object {
	h := a.header.Clone()
	if h.Get("Content-Length") == "" && len(a.body) > 0 {
		h.Set("Content-Length", fmt.Sprint(len(a.body)))
	}
	return value.Of("Headers", headersOf(h), "ResponseBody", parsedBody(a), "StatusCode", int64(a.status), "StatusText", http.StatusText(a.status))
}

// parsedBody is JSON as a value and anything else as text.
func parsedBody(a *reply) any {
	if len(a.body) == 0 {
		return ""
	}
	return parsed(strings.ToValidUTF8(string(a.body), "\uFFFD"))
}

// texts reads a member whose values are texts, numbers or lists of them.
func texts(params *value.Object, name string, add func(key, text string)) *TaskError {
	v, ok := params.Get(name)
	if !ok || v == nil {
		return nil
	}
	o, ok := v.(*value.Object)
	if !ok {
		return badParameters(params, fmt.Sprintf("The field \"%s\" must be a JSON object", name))
	}
	for key, x := range o.All() {
		list, ok := x.([]any)
		if !ok {
			list = []any{x}
		}
		for _, y := range list {
			if y != nil {
				add(key, plain(y))
			}
		}
	}
	return nil
}

// plain is a text as it is and anything else as JSON.
func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return value.String(v)
}

// reserved are headers that a state may not set.
func reserved(name string) bool {
	switch n := strings.ToLower(name); n {
	case "authorization", "connection", "content-md5", "date", "expect", "host", "max-forwards", "proxy-authenticate",
		"server", "te", "transfer-encoding", "trailer", "upgrade", "via", "www-authenticate", "x-forwarded-for":
		return true
	default:
		return strings.HasPrefix(n, "x-amz-") || strings.HasPrefix(n, "x-amzn-")
	}
}

// endpointOf reads what requests of both integrations have in common.
func endpointOf(params *value.Object, known ...string) (*endpoint, *TaskError) {
	for key := range params.All() {
		if !slices.Contains(known, key) {
			return nil, badParameters(params, unsupported(key))
		}
	}
	e := &endpoint{method: strings.ToUpper(member(params, "Method")), url: member(params, "ApiEndpoint"), query: url.Values{}, header: http.Header{}}
	if e.url == "" {
		return nil, badParameters(params, required("ApiEndpoint"))
	}
	if e.method == "" {
		return nil, badParameters(params, required("Method"))
	}
	if err := texts(params, "QueryParameters", func(k, t string) { e.query.Add(k, t) }); err != nil {
		return nil, err
	}
	var refused string
	err := texts(params, "Headers", func(k, t string) {
		if reserved(k) && refused == "" {
			refused = k
		}
		e.header.Add(k, t)
	})
	if err == nil && refused != "" {
		err = badParameters(params, fmt.Sprintf("The header \"%s\" is not allowed", refused))
	}
	return e, err
}
