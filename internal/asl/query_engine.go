package asl

import "errors"

// expression is what evaluates a query.
type expression interface {
	eval(sc *scope) (v any, found bool, err error)
	variables() []string
}

func compileExpression(string) (expression, error) { return pending{}, nil }

type pending struct{}

func (pending) eval(*scope) (any, bool, error) { return nil, false, errors.New("pending") }
func (pending) variables() []string            { return nil }

func errorText(err error) string { return err.Error() }
