package api_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// testDialect words errors as the Prefect API does.
func testDialect(log *slog.Logger) *api.Dialect {
	return &api.Dialect{BodyLimit: 1000, Log: log, Error: func(_ *http.Request, err error) api.Response {
		var invalid *api.InvalidRequest
		var status *api.StatusError
		var deep *wire.TooDeep
		var encoding *wire.BadEncoding
		switch {
		case errors.As(err, &invalid):
			return api.Response{Status: 422, Body: struct {
				Message string            `json:"exception_message"`
				Detail  []wire.FieldError `json:"exception_detail"`
				Body    json.RawMessage   `json:"request_body"`
			}{"Invalid request received.", invalid.Errors, invalid.Body}}
		case errors.As(err, &status):
			return api.Response{Status: status.Status, Header: status.Header, Body: map[string]string{"detail": status.Error()}}
		case errors.As(err, &deep), errors.As(err, &encoding):
			return api.Response{Status: 400, Body: map[string]string{"detail": "There was an error parsing the body"}}
		case core.CodeOf(err) == core.NotFound:
			return api.Response{Status: 404, Body: map[string]string{"detail": err.Error()}}
		}
		return api.Response{Status: 500, Body: map[string]string{"exception_message": "Internal Server Error"}}
	}}
}

type flow struct {
	_    struct{} `wire:"forbid"`
	Name string   `json:"name" wire:"required"`
}

type filterParams struct {
	_     struct{} `wire:"embed"`
	Limit int      `json:"limit" wire:"default=200"`
}

type accepted struct {
	Created bool `json:"created"`
}

func (a accepted) StatusCode() int {
	if a.Created {
		return http.StatusCreated
	}
	return http.StatusOK
}

type none = struct{}

// testRouter has a route of each kind.
func testRouter(log *slog.Logger) *api.Router {
	rt := api.NewRouter(testDialect(log), "/api")
	rt.HandleOpen("GET", "/health", api.Handle(200, func(context.Context, none) (bool, error) { return true, nil }))
	rt.Handle("POST", "/flows/", api.Handle(201, func(_ context.Context, in struct {
		Flow flow `body:""`
	},
	) (flow, error) {
		return in.Flow, nil
	}))
	rt.Handle("POST", "/flows/filter", api.Handle(200, func(_ context.Context, in struct {
		Params filterParams `body:""`
	},
	) ([]int, error) {
		if in.Params.Limit == 0 {
			return nil, nil
		}
		return []int{in.Params.Limit}, nil
	}))
	type one struct {
		ID core.ID `path:"id"`
	}
	rt.Handle("GET", "/flows/{id:uuid}", api.Handle(200, func(_ context.Context, in one) (core.ID, error) {
		if in.ID.IsZero() {
			return in.ID, core.Errorf(core.NotFound, "Flow not found")
		}
		return in.ID, nil
	}))
	rt.Handle("DELETE", "/flows/{id:uuid}", api.Handle(204, func(context.Context, one) (none, error) { return none{}, nil }))
	rt.Handle("GET", "/loose/{id}", api.Handle(202, func(context.Context, one) (none, error) { return none{}, nil }))
	rt.Handle("GET", "/variables/name/{name}", api.Handle(200, func(_ context.Context, in struct {
		Name string `path:"name"`
	},
	) (string, error) {
		return in.Name, nil
	}))
	rt.Handle("GET", "/query", api.Handle(200, func(_ context.Context, in struct {
		Client string        `query:"client" wire:"required,min=2"`
		Limit  int           `query:"limit" wire:"default=10,ge=0"`
		Tags   []string      `query:"tag"`
		ID     *core.ID      `query:"id"`
		On     bool          `query:"on"`
		Mode   string        `header:"X-Mode" wire:"default=plain"`
		R      *http.Request `json:"-"`
	},
	) (string, error) {
		return fmt.Sprintf("%s %d %q %v %v %s %s", in.Client, in.Limit, in.Tags, in.ID, in.On, in.Mode, in.R.Method), nil
	}))
	rt.Handle("POST", "/raw", api.Handle(200, func(_ context.Context, in struct {
		Body []byte `body:""`
	},
	) (api.Response, error) {
		return api.Response{Header: http.Header{"Content-Type": {"text/csv"}}, Body: in.Body}, nil
	}))
	rt.Handle("GET", "/status", api.Handle(200, func(context.Context, none) (accepted, error) { return accepted{true}, nil }))
	rt.Handle("GET", "/panic", api.Handle(200, func(context.Context, none) (none, error) { panic("boom") }))
	rt.Handle("GET", "/defect", api.Handle(200, func(context.Context, none) (none, error) { return none{}, errors.New("secret text") }))
	rt.Handle("GET", "/large", api.Handle(200, func(context.Context, none) (string, error) { return strings.Repeat("large", 4000), nil }))
	rt.Handle("GET", "/files/{path:path}", api.Plain(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, r.PathValue("path"))
	})))
	return rt
}

func do(ctx context.Context, h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// Most of the answers are recorded ones of a Prefect 3.8.8 server.
func TestAnswers(t *testing.T) {
	t.Parallel()
	const (
		id      = "00000000-0000-0000-0000-000000000002"
		unknown = `{"detail":"Not Found"}`
		wrong   = `{"detail":"Method Not Allowed"}`
	)
	invalid := func(detail, body string) string {
		return `{"exception_message":"Invalid request received.","exception_detail":[` + detail + `],"request_body":` + body + `}`
	}
	tests := []struct {
		name, method, target, body string
		status                     int
		want                       string
		header                     []string // of the request
	}{
		{"a scalar", "GET", "/api/health", "", 200, `true`, nil},
		{"a created model, without escapes of HTML", "POST", "/api/flows/", `{"name":"<é&>"}`, 201, `{"name":"<é&>"}`, nil},
		{"a list without elements", "POST", "/api/flows/filter", `{"limit":0}`, 200, `[]`, nil},
		{"defaults without a body", "POST", "/api/flows/filter", ``, 200, `[200]`, nil},
		{"no content", "DELETE", "/api/flows/" + id, ``, 204, ``, nil},
		{"nothing with another status is null", "GET", "/api/loose/" + id, ``, 202, `null`, nil},
		{"the output's own status", "GET", "/api/status", ``, 201, `{"created":true}`, nil},
		{"bytes as they came", "POST", "/api/raw", `a;b`, 200, `a;b`, nil},
		{"a domain error", "GET", "/api/flows/00000000-0000-0000-0000-000000000000", ``, 404, `{"detail":"Flow not found"}`, nil},
		{"an unknown error keeps its text", "GET", "/api/defect", ``, 500, `{"exception_message":"Internal Server Error"}`, nil},

		{"an invalid body", "POST", "/api/flows/", `{}`, 422, invalid(`{"type":"missing","loc":["body","name"],"msg":"Field required","input":{}}`, `{}`), nil},
		{"a missing body", "POST", "/api/flows/", ``, 422, invalid(`{"type":"missing","loc":["body"],"msg":"Field required","input":null}`, `null`), nil},
		{"malformed JSON", "POST", "/api/flows/filter", `{"limit": nope}`, 422, invalid(`{"type":"json_invalid","loc":["body",10],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}`, `"{\"limit\": nope}"`), nil},
		{"malformed JSON at its end", "POST", "/api/flows/filter", `{`, 422, invalid(`{"type":"json_invalid","loc":["body",1],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting property name enclosed in double quotes"}}`, `"{"`), nil},
		{
			"a body of another type is a text", "POST", "/api/flows/", `{"name":"ct"}`, 422,
			invalid(`{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"{\"name\":\"ct\"}"}`, `"{\"name\":\"ct\"}"`),
			[]string{"Content-Type", "text/plain"},
		},
		{"parameters of another type are ignored", "POST", "/api/flows/filter", `{"limit":5}`, 200, `[200]`, []string{"Content-Type", "text/plain"}},
		{"a type with +json", "POST", "/api/flows/", `{"name":"ct"}`, 201, `{"name":"ct"}`, []string{"Content-Type", "application/merge-patch+json"}},
		{"a type with a charset", "POST", "/api/flows/", `{"name":"ct"}`, 201, `{"name":"ct"}`, []string{"Content-Type", "application/json; charset=utf-8"}},
		{"a body that is too deep", "POST", "/api/flows/filter", strings.Repeat("[", 950), 400, `{"detail":"There was an error parsing the body"}`, nil},
		{"a body that is not UTF-8", "POST", "/api/flows/filter", "\"\xc3\"", 400, `{"detail":"There was an error parsing the body"}`, nil},
		{"a body that is too large", "POST", "/api/flows/filter", `"` + strings.Repeat("x", 1000) + `"`, 413, `{"detail":"Request Entity Too Large"}`, nil},

		{"a missing parameter", "GET", "/api/query", ``, 422, invalid(`{"type":"missing","loc":["query","client"],"msg":"Field required","input":null}`, `null`), nil},
		{"parameters and their defaults", "GET", "/api/query?client=ab", ``, 200, `"ab 10 [] <nil> false plain GET"`, nil},
		{"all parameters", "GET", "/api/query?client=%C3%A9%2F&limit=5&tag=a&tag=b&id=" + id + "&on=yes", ``, 200, `"é/ 5 [\"a\" \"b\"] ` + id + ` true x GET"`, []string{"X-Mode", "x"}},
		{
			"wrong parameters", "GET", "/api/query?client=a&limit=x&on=q", ``, 422,
			invalid(`{"type":"string_too_short","loc":["query","client"],"msg":"String should have at least 2 characters","input":"a","ctx":{"min_length":2}},{"type":"int_parsing","loc":["query","limit"],"msg":"Input should be a valid integer, unable to parse string as an integer","input":"x"},{"type":"bool_parsing","loc":["query","on"],"msg":"Input should be a valid boolean, unable to interpret input","input":"q"}`, `null`), nil,
		},

		{"an unknown route", "GET", "/api/nope", ``, 404, unknown, nil},
		{"a path outside", "GET", "/nope", ``, 404, unknown, nil},
		{"the prefix alone", "GET", "/api", ``, 404, unknown, nil},
		{"the prefix with a slash", "GET", "/api/", ``, 404, unknown, nil},
		{"a bad id", "GET", "/api/flows/x", ``, 404, unknown, nil},
		{
			"a bad id in a loose route", "GET", "/api/loose/x", ``, 422,
			invalid("{\"type\":\"uuid_parsing\",\"loc\":[\"path\",\"id\"],\"msg\":\"Input should be a valid UUID, invalid character: found `x` at 0\","+
				"\"input\":\"x\",\"ctx\":{\"error\":\"invalid character: found `x` at 0\"}}", `null`),
			nil,
		},
		{"an id without hyphens", "GET", "/api/flows/00000000000000000000000000000002", ``, 200, `"` + id + `"`, nil},
		{"an id in braces", "GET", "/api/flows/{" + id + "}", ``, 404, unknown, nil},
		{"a wrong method", "PUT", "/api/flows/filter", ``, 405, wrong, nil},
		{"a wrong method on a path that looks like an id", "GET", "/api/flows/filter", ``, 405, wrong, nil},
		{"HEAD is not GET", "HEAD", "/api/health", ``, 405, ``, nil},
		{"an escaped slash is a slash", "GET", "/api/variables/name/a%2Fb", ``, 404, unknown, nil},
		{"an escaped name is decoded once", "GET", "/api/variables/name/a%2525%20%C3%A9%3F", ``, 200, `"a%25 é?"`, nil},
		{"dots are a name", "GET", "/api/variables/name/..", ``, 200, `".."`, nil},
		{"an empty name is no name", "GET", "/api/variables/name/", ``, 404, unknown, nil},
		{"the rest of a path", "GET", "/api/files/a%2Fb/c", ``, 200, `a/b/c`, nil},
	}
	router := testRouter(nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := do(t.Context(), router, tt.method, tt.target, tt.body, tt.header...)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if diff := cmp.Diff(tt.want, w.Body.String()); diff != "" {
				t.Errorf("body (-want +got):\n%s", diff)
			}
			length := fmt.Sprint(len(tt.want))
			if tt.method == "HEAD" {
				length = fmt.Sprint(len(wrong))
			}
			if got := w.Header().Get("Content-Length"); tt.status == 204 && got != "" || tt.status != 204 && got != length && !strings.Contains(tt.target, "files") {
				t.Errorf("content-length %q, want %s", got, length)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	router := testRouter(nil)
	tests := []struct {
		name, method, target string
		header               []string
		status               int
		want                 map[string]string
	}{
		{"JSON is announced", "GET", "/api/health", nil, 200, map[string]string{"Content-Type": "application/json", "Vary": ""}},
		{"no content has no type", "DELETE", "/api/flows/00000000000000000000000000000002", nil, 204, map[string]string{"Content-Type": ""}},
		{"a handler's header", "POST", "/api/raw", nil, 200, map[string]string{"Content-Type": "text/csv"}},
		{"allowed methods", "PUT", "/api/flows/00000000000000000000000000000002", nil, 405, map[string]string{"Allow": "DELETE, GET"}},
		{"a missing slash", "POST", "/api/flows?a=b", nil, 307, map[string]string{"Location": "http://example.com/api/flows/?a=b", "Content-Length": "0"}},
		{"a slash too much", "GET", "/api/variables/name/%C3%A9%20x/", nil, 307, map[string]string{"Location": "http://example.com/api/variables/name/%C3%A9%20x"}},
		{"a slash too much with a wrong method", "PUT", "/api/flows/filter/", nil, 307, map[string]string{"Location": "http://example.com/api/flows/filter"}},
		{"a large body is compressed", "GET", "/api/large", []string{"Accept-Encoding", "br, gzip;q=0.8"}, 200, map[string]string{"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}},
		{"unless it must not be", "GET", "/api/large", []string{"Accept-Encoding", "gzip;q=0"}, 200, map[string]string{"Content-Encoding": "", "Content-Length": "20002"}},
		{"a small body is not", "GET", "/api/health", []string{"Accept-Encoding", "gzip"}, 200, map[string]string{"Content-Encoding": ""}},
		{"another origin", "GET", "/api/health", []string{"Origin", "http://a", "Cookie", "b=c"}, 200, map[string]string{"Access-Control-Allow-Origin": "*"}},
		{"no origin", "GET", "/api/health", nil, 200, map[string]string{"Access-Control-Allow-Origin": ""}},
		{
			"a preflight", "OPTIONS", "/api/flows/filter",
			[]string{"Origin", "http://a", "Access-Control-Request-Method", "POST", "Access-Control-Request-Headers", "content-type,authorization"},
			200,
			map[string]string{
				"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
				"Access-Control-Max-Age": "600", "Access-Control-Allow-Headers": "content-type,authorization", "Content-Type": "text/plain; charset=utf-8",
			},
		},
		{"OPTIONS without an origin", "OPTIONS", "/api/flows/filter", nil, 405, map[string]string{"Allow": "POST"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := do(t.Context(), api.CORS(router), tt.method, tt.target, "", tt.header...)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			for key, want := range tt.want {
				if got := w.Header().Get(key); got != want {
					t.Errorf("%s: %q, want %q", key, got, want)
				}
			}
			if w.Header().Get("Content-Encoding") == "gzip" {
				zr, err := gzip.NewReader(w.Body)
				if err != nil {
					t.Fatal(err)
				}
				if plain, err := io.ReadAll(zr); err != nil || len(plain) != 20002 {
					t.Errorf("%d bytes, %v", len(plain), err)
				}
			}
		})
	}
}

func TestAuthGuardsAllButOpenRoutes(t *testing.T) {
	t.Parallel()
	router := testRouter(nil)
	router.HandleOpen("GET", "/socket", api.Handle(200, func(context.Context, none) (none, error) { return none{}, nil }))
	router.Guard = api.Auth{Secret: "admin:pass:é", Open: []string{"/api/ready"}}.Check
	router.Handle("GET", "/ready", api.Handle(200, func(context.Context, none) (none, error) { return none{}, nil }))
	router.Handle("POST", "/ready", api.Handle(200, func(context.Context, none) (none, error) { return none{}, nil }))
	for _, tt := range []struct {
		name, method, target, authorization string
		status                              int
	}{
		{"no header", "GET", "/api/query?client=ab", "", 401},
		{"the secret", "GET", "/api/query?client=ab", "Basic YWRtaW46cGFzczrDqQ==", 200},
		{"the secret as a token", "GET", "/api/query?client=ab", "bearer admin:pass:é", 200},
		{"part of the secret", "GET", "/api/query?client=ab", "Bearer admin:pass", 401},
		{"another secret", "GET", "/api/query?client=ab", "Basic YWRtaW46eA==", 401},
		{"no base64", "GET", "/api/query?client=ab", "Basic ???", 401},
		{"another scheme", "GET", "/api/query?client=ab", "Digest admin:pass:é", 401},
		{"an unknown route", "GET", "/api/nope", "", 401},
		{"a wrong method", "PUT", "/api/flows/", "", 401},
		{"an open route", "GET", "/api/health", "", 200},
		{"an open path", "GET", "/api/ready", "", 200},
		{"an open path with another method", "POST", "/api/ready", "", 401},
		{"a route that looks like an open one", "GET", "/api/variables/name/ready", "", 401},
		{"a route that checks by itself", "GET", "/api/socket", "", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			// A header that asks for a websocket opens nothing.
			w := do(t.Context(), router, tt.method, tt.target, "", "Authorization", tt.authorization, "Upgrade", "websocket")
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
		})
	}
	if !(api.Auth{}).Allows("anything") {
		t.Error("an Auth without a secret refuses")
	}
}

func TestObserverLogsRequests(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, target string
		status       int
		want         map[string]any
	}{
		{"a success", "/api/flows/00000000000000000000000000000002", 200, map[string]any{"level": "DEBUG", "msg": "request", "route": "/api/flows/{id}", "status": 200.0, "bytes": 38.0, "duration": 1e9}},
		{"an unknown route", "/api/nope", 404, map[string]any{"level": "INFO", "msg": "request", "route": "", "status": 404.0}},
		{"a defect", "/api/defect", 500, map[string]any{"level": "ERROR", "msg": "request failed", "error": "secret text"}},
		{"a panic", "/api/panic", 500, map[string]any{"level": "ERROR", "msg": "request failed", "error": "panic: boom"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var buf bytes.Buffer
			log := slog.New(slog.NewJSONHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
			now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
			router := testRouter(log)
			observer := api.Observer{Dialect: router.Dialect, Log: log, Now: func() time.Time {
				now = now.Add(time.Second)
				return now
			}}
			w := do(t.Context(), observer.Wrap(router), "GET", tt.target, "")
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			var first map[string]any
			if err := json.NewDecoder(&buf).Decode(&first); err != nil {
				t.Fatal(err)
			}
			for key, want := range tt.want {
				if diff := cmp.Diff(want, first[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
			if tt.status == 500 {
				if id := w.Header().Get("X-Request-Id"); id == "" || id != first["request_id"] {
					t.Errorf("request id %q, logged %v", id, first["request_id"])
				}
				if w.Body.String() != `{"exception_message":"Internal Server Error"}` {
					t.Errorf("body %s", w.Body)
				}
			}
			if tt.name == "a panic" && !strings.Contains(fmt.Sprint(first["stack"]), "api_test.go") {
				t.Errorf("stack %v", first["stack"])
			}
		})
	}
}

func TestAClientThatLeftIsNoFailureOfTheServer(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	log := slog.New(slog.NewJSONHandler(&buf, nil))
	router := testRouter(log)
	router.Handle("GET", "/slow", api.Handle(200, func(ctx context.Context, _ struct{}) (struct{}, error) {
		<-ctx.Done()
		return struct{}{}, fmt.Errorf("waiting: %w", ctx.Err())
	}))
	ctx, leave := context.WithCancel(t.Context())
	leave()
	observer := api.Observer{Dialect: router.Dialect, Log: log, Now: func() time.Time { return time.Time{} }}
	if w := do(ctx, observer.Wrap(router), "GET", "/api/slow", ""); w.Code != 499 || w.Body.Len() > 0 {
		t.Errorf("status %d, body %s", w.Code, w.Body)
	}
	if strings.Contains(buf.String(), "ERROR") {
		t.Errorf("logged %s", buf.String())
	}
}

func TestRoutesAreListedAndUnique(t *testing.T) {
	t.Parallel()
	got := testRouter(nil).Routes()
	if diff := cmp.Diff([]string{
		"DELETE /api/flows/{id}", "GET /api/defect", "GET /api/files/{path}", "GET /api/flows/{id}", "GET /api/health", "GET /api/large",
		"GET /api/loose/{id}", "GET /api/panic", "GET /api/query", "GET /api/status", "GET /api/variables/name/{name}",
		"POST /api/flows/", "POST /api/flows/filter", "POST /api/raw",
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	defer func() {
		if recover() == nil {
			t.Error("a second route of one shape is taken")
		}
	}()
	testRouter(nil).Handle("GET", "/flows/{other:uuid}", api.Endpoint{})
}
