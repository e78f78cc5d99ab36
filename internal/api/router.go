package api

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// Router finds the endpoint of a request as Starlette does, which the clients of
// the Prefect API are used to, and where net/http's mux differs:
//
//   - the path is matched after %2F and all else in it is decoded, so that a name
//     with a slash is an unknown route and never cut;
//   - {id:uuid} matches UUIDs only, so that GET /flow_runs/filter is a wrong
//     method (405) of the route POST /flow_runs/filter, not an unknown flow run;
//   - a path with a slash too few or too many at its end is redirected with 307;
//   - HEAD is not GET.
//
// Patterns have the parameters {name} (one segment), {name:uuid} and, at the end,
// {name:path} (all that is left). Fixed segments are preferred to uuid to plain
// parameters to the rest.
type Router struct {
	// Prefix stands before all patterns, such as /api. What does not begin with it
	// is unknown.
	Prefix  string
	Dialect *Dialect
	// Guard is asked before a request is answered, with 404 too; its error is the
	// answer. Open routes are not guarded. Nil guards nothing.
	Guard func(r *http.Request) error
	// Alias gives the path that a path stands for, with its Prefix; nil is for
	// paths that stand for themselves. Redirects keep what was asked for.
	Alias func(path string) string

	root   segment
	routes []Operation
	busy   inflight
}

// route is where a request ends.
type route struct {
	pattern  string
	names    []string
	endpoint Endpoint
	open     bool
}

// segment is a place in the tree of patterns.
type segment struct {
	fixed map[string]*segment
	uuid  *segment
	plain *segment
	rest  map[string]*route // by method
	end   map[string]*route // by method
}

// NewRouter returns a router without routes.
func NewRouter(d *Dialect, prefix string) *Router { return &Router{Dialect: d, Prefix: prefix} }

// Handle adds a route. It panics if there is one of the same shape and method.
func (rt *Router) Handle(method, pattern string, e Endpoint) { rt.add(method, pattern, e, false) }

// HandleOpen adds a route that Guard is not asked about: one for everybody, or
// one that checks by itself, as websockets do.
func (rt *Router) HandleOpen(method, pattern string, e Endpoint) { rt.add(method, pattern, e, true) }

// Plain makes an endpoint of a handler, for what is no JSON: files, websockets.
func Plain(h http.Handler) Endpoint {
	return Endpoint{serve: func(_ *Dialect, w http.ResponseWriter, r *http.Request) { h.ServeHTTP(w, r) }}
}

// Routes lists the routes, such as "POST /api/flows/{id}", sorted.
func (rt *Router) Routes() []string {
	out := make([]string, len(rt.routes))
	for i, o := range rt.routes {
		out[i] = o.Method + " " + o.Path
	}
	slices.Sort(out)
	return out
}

func (rt *Router) add(method, pattern string, e Endpoint, open bool) {
	if !strings.HasPrefix(pattern, "/") {
		panic("api: pattern " + pattern + " does not begin with a slash")
	}
	ro := &route{endpoint: e, open: open}
	at := &rt.root
	parts := strings.Split(pattern[1:], "/")
	var shown strings.Builder
	shown.WriteString(rt.Prefix)
	ends := &at.end
	for i, part := range parts {
		name, kind := "", ""
		if strings.HasPrefix(part, "{") && strings.HasSuffix(part, "}") {
			name, kind, _ = strings.Cut(part[1:len(part)-1], ":")
			ro.names = append(ro.names, name)
			shown.WriteString("/{" + name + "}")
		} else {
			shown.WriteString("/" + part)
		}
		if kind == "path" && i < len(parts)-1 {
			panic("api: " + pattern + ": a path parameter is not at the end")
		}
		if kind == "path" {
			ends = &at.rest
			break
		}
		at = at.child(part, name, kind)
		ends = &at.end
	}
	if *ends == nil {
		*ends = map[string]*route{}
	}
	if (*ends)[method] != nil {
		panic("api: route " + method + " " + shown.String() + " is there already")
	}
	ro.pattern = shown.String()
	(*ends)[method] = ro
	rt.routes = append(rt.routes, operationOf(method, ro))
}

// child returns the place after one part of a pattern, and makes it if needed.
func (s *segment) child(part, name, kind string) *segment {
	var place **segment
	switch {
	case name == "":
		if s.fixed == nil {
			s.fixed = map[string]*segment{}
		}
		if s.fixed[part] == nil {
			s.fixed[part] = &segment{}
		}
		return s.fixed[part]
	case kind == "uuid":
		place = &s.uuid
	case kind == "":
		place = &s.plain
	default:
		panic("api: parameters of kind " + kind + " are not known")
	}
	if *place == nil {
		*place = &segment{}
	}
	return *place
}

// search is one look through the tree.
type search struct {
	method string
	values []string
	found  *route
	// allowed holds the methods of the routes that match but for theirs.
	allowed map[string]bool
}

// match looks for the path, which lacks its first slash, below s.
func (q *search) match(s *segment, path string) bool {
	part, rest, more := strings.Cut(path, "/")
	down := func(next *segment) bool {
		if next == nil {
			return false
		}
		if more {
			return q.match(next, rest)
		}
		return q.end(next.end)
	}
	if down(s.fixed[part]) {
		return true
	}
	param := func(next *segment) bool {
		if next == nil {
			return false
		}
		q.values = append(q.values, part)
		if down(next) {
			return true
		}
		q.values = q.values[:len(q.values)-1]
		return false
	}
	if s.uuid != nil && isUUID(part) && param(s.uuid) {
		return true
	}
	if part != "" && param(s.plain) {
		return true
	}
	if s.rest == nil {
		return false
	}
	q.values = append(q.values, path)
	if q.end(s.rest) {
		return true
	}
	q.values = q.values[:len(q.values)-1]
	return false
}

func (q *search) end(routes map[string]*route) bool {
	if ro := routes[q.method]; ro != nil {
		q.found = ro
		return true
	}
	for method := range routes {
		if q.allowed == nil {
			q.allowed = map[string]bool{}
		}
		q.allowed[method] = true
	}
	return false
}

// isUUID takes the forms that stand in a path: with or without hyphens.
func isUUID(part string) bool {
	if len(part) != 36 && len(part) != 32 {
		return false
	}
	_, err := core.ParseID(part)
	return err == nil
}

// find searches for a whole path.
func (rt *Router) find(method, path string) search {
	q := search{method: method}
	if rt.Alias != nil {
		path = rt.Alias(path)
	}
	if inner, ok := strings.CutPrefix(path, rt.Prefix); ok && strings.HasPrefix(inner, "/") {
		q.match(&rt.root, inner[1:])
	}
	return q
}

// ServeHTTP implements http.Handler.
func (rt *Router) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := rt.find(r.Method, r.URL.Path)
	if rt.Guard != nil && (q.found == nil || !q.found.open) {
		if err := rt.Guard(r); err != nil {
			rt.Dialect.Fail(w, r, err)
			return
		}
	}
	switch {
	case q.found != nil:
		for i, name := range q.found.names {
			r.SetPathValue(name, q.values[i])
		}
		r.Pattern = q.found.pattern
		if rec := recorderOf(w); rec != nil {
			rec.pattern = q.found.pattern
		}
		where := r.Method + " " + q.found.pattern
		rt.busy.begin(where)
		defer rt.busy.end(where)
		q.found.endpoint.serve(rt.Dialect, w, r)
	case q.allowed != nil:
		allow := strings.Join(slices.Sorted(maps.Keys(q.allowed)), ", ")
		rt.Dialect.Fail(w, r, &StatusError{
			Status: http.StatusMethodNotAllowed, Header: http.Header{"Allow": {allow}},
		})
	default:
		rt.lost(w, r)
	}
}

// lost redirects a path whose last slash is missing or too much; others are
// unknown.
func (rt *Router) lost(w http.ResponseWriter, r *http.Request) {
	other := r.URL.Path + "/"
	if short, ok := strings.CutSuffix(r.URL.Path, "/"); ok {
		other = short
	}
	if q := rt.find(r.Method, other); q.found == nil && q.allowed == nil {
		rt.Dialect.Fail(w, r, &StatusError{Status: http.StatusNotFound})
		return
	}
	to := url.URL{Scheme: "http", Host: r.Host, Path: other, RawQuery: r.URL.RawQuery}
	if r.TLS != nil {
		to.Scheme = "https"
	}
	w.Header().Set("Location", to.String())
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(http.StatusTemporaryRedirect)
}
