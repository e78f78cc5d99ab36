package asl

import (
	"fmt"

	"github.com/leat-dev/leat/internal/value"
)

// query is a compiled JSONata expression, without {% %}.
type query struct {
	text string
	expr *expression
}

func compileQuery(text string) (*query, error) {
	e, err := compileExpression(text)
	if err != nil {
		return nil, err
	}
	return &query{text: text, expr: e}, nil
}

// eval gives the expression's value. field and suffix are where it stands, as
// the service names it: Output and /result.
func (q *query) eval(sc *scope, field, suffix string) (any, *Failure) {
	v, found, err := q.expr.eval(sc)
	switch {
	case err != nil:
		return nil, q.failure(field+suffix, " threw an error during evaluation. "+errorText(err))
	case !found:
		return nil, q.failure(field+suffix, " returned nothing (undefined).")
	case !supported(v):
		return nil, q.failure(field+suffix, " returned an unsupported result type.")
	}
	return v, nil
}

func (q *query) failure(field, what string) *Failure {
	return &Failure{
		Error:    errQueryEvaluation,
		Cause:    fmt.Sprintf("The JSONata expression '%s' specified for the field '%s'%s", q.text, field, what),
		Location: field,
		runtime:  true,
	}
}

// unexpected is the failure of an expression that gave another type than the
// field takes.
func (q *query) unexpected(field, want string, v any) *Failure {
	return q.failure(field, fmt.Sprintf(" returned an unexpected result type. Expected '%s', but was '%s' for value: %s",
		want, typeName(v), value.String(v)))
}

func (q *query) variables(yield func(string)) {
	for _, name := range q.expr.variables() {
		yield(name)
	}
}

// supported tells whether a result is a JSON value, not a function.
func supported(v any) bool {
	switch v := v.(type) {
	case nil, bool, string:
		return true
	case []any:
		for _, e := range v {
			if !supported(e) {
				return false
			}
		}
		return true
	case *value.Object:
		for _, e := range v.All() {
			if !supported(e) {
				return false
			}
		}
		return true
	}
	_, ok := value.Number(v)
	return ok
}

// typeName is what JSONata calls a value's type.
func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case *value.Object:
		return "object"
	}
	return "number"
}
