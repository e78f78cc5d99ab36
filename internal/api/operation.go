package api

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/leat-dev/leat/internal/wire"
)

// Operation is what a router serves under one method and path, as its types tell.
type Operation struct {
	Method string
	// Path has its parameters in braces, such as /api/flows/{id}.
	Path string
	// Status is the one of a success, 0 when the endpoint is not of Handle.
	Status int

	names   []string
	in, out reflect.Type
}

func operationOf(method string, ro *route) Operation {
	e := ro.endpoint
	return Operation{Method: method, Path: ro.pattern, Status: e.status, names: ro.names, in: e.in, out: e.out}
}

// Operations lists what is served, in the order in which it was added.
func (rt *Router) Operations() []Operation { return rt.routes }

// Parameter is a value that a request has outside of its body.
type Parameter struct {
	Name     string       `json:"name"`
	In       string       `json:"in"` // path, query or header
	Required bool         `json:"required"`
	Schema   *wire.Schema `json:"schema"`
}

// Parameters describes what the operation takes from its path, query and headers.
func (o *Operation) Parameters(d *wire.Describer) []Parameter {
	if o.in == nil {
		return nil
	}
	var out []Parameter
	for f := range o.in.Fields() {
		source, name := sourceOf(f.Tag)
		if source == "" {
			continue
		}
		schema, required := d.Field(f.Type, f.Tag.Get("wire"))
		if source == "path" {
			schema.Default, required = nil, true
		}
		out = append(out, Parameter{Name: name, In: source, Required: required, Schema: schema})
	}
	return out
}

// Body describes the body that the operation reads, nil when it reads none;
// raw tells that it is not read as JSON.
func (o *Operation) Body(d *wire.Describer) (s *wire.Schema, raw bool) {
	if o.in == nil {
		return nil, false
	}
	for f := range o.in.Fields() {
		if _, ok := f.Tag.Lookup("body"); !ok {
			continue
		}
		if f.Type == reflect.TypeFor[[]byte]() {
			return nil, true
		}
		return d.Input(f.Type), false
	}
	return nil, false
}

// Answer describes the body of a success, nil when there is none or its type is
// not known.
func (o *Operation) Answer(d *wire.Describer) *wire.Schema {
	out := o.out
	if out == nil || o.Status == http.StatusNoContent || out == reflect.TypeFor[Response]() {
		return nil
	}
	if reply, ok := reflect.TypeAssert[replied](reflect.Zero(out)); ok {
		_, out = reply.reply()
	}
	if out == reflect.TypeFor[struct{}]() {
		return &wire.Schema{}
	}
	if out.Kind() == reflect.Pointer {
		out = out.Elem() // what is not there is an error
	}
	return d.Output(out)
}

// OpenAPI is a document that describes the router's operations.
func (rt *Router) OpenAPI(title, version string) map[string]any {
	d := wire.NewDescriber()
	paths := map[string]map[string]any{}
	for i := range rt.routes {
		o := &rt.routes[i]
		if o.Status == 0 {
			continue // websockets and files
		}
		if paths[o.Path] == nil {
			paths[o.Path] = map[string]any{}
		}
		success := map[string]any{"description": http.StatusText(o.Status)}
		if answer := o.Answer(d); answer != nil {
			success["content"] = jsonContent(answer)
		}
		item := map[string]any{"responses": map[int]any{o.Status: success}}
		if parameters := o.Parameters(d); len(parameters) > 0 {
			item["parameters"] = parameters
		}
		if body, _ := o.Body(d); body != nil {
			item["requestBody"] = map[string]any{"content": jsonContent(body)}
		}
		paths[o.Path][strings.ToLower(o.Method)] = item
	}
	return map[string]any{
		"openapi": "3.1.0", "info": map[string]string{"title": title, "version": version},
		"paths": paths, "components": map[string]any{"schemas": d.Schemas},
	}
}

func jsonContent(s *wire.Schema) map[string]any {
	return map[string]any{"application/json": map[string]any{"schema": s}}
}
