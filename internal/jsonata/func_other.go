package jsonata

import (
	"errors"

	"github.com/leat-dev/leat/internal/value"
)

func callBoolean(_ *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	return truth(args[0]), nil
}

func callNot(_ *callContext, args []any) (any, error) {
	if isUndefined(argument(args, 0)) {
		return Undefined{}, nil
	}
	return !truth(args[0]), nil
}

func callExists(_ *callContext, args []any) (any, error) {
	return !isUndefined(argument(args, 0)), nil
}

func callType(_ *callContext, args []any) (any, error) {
	switch v := argument(args, 0).(type) {
	case Undefined:
		return v, nil
	case nil:
		return "null", nil
	case string:
		return "string", nil
	case bool:
		return "boolean", nil
	case []any:
		return "array", nil
	case *value.Object:
		return "object", nil
	case function:
		return "function", nil
	}
	return "number", nil
}

func callError(_ *callContext, args []any) (any, error) {
	message, ok := argument(args, 0).(string)
	if !ok {
		message = "$error() function evaluated"
	}
	return nil, fail("D3137").withDetail("message", message)
}

func callAssert(_ *callContext, args []any) (any, error) {
	if truth(argument(args, 0)) {
		return Undefined{}, nil
	}
	message, ok := argument(args, 1).(string)
	if !ok {
		message = "$assert() statement failed"
	}
	return nil, fail("D3141").withDetail("message", message)
}

// callEval evaluates a text on the context, or on its second argument.
func callEval(c *callContext, args []any) (any, error) {
	text, ok := argument(args, 0).(string)
	if !ok {
		return Undefined{}, nil
	}
	in := c.input
	if focus := argument(args, 1); !isUndefined(focus) {
		in = focus
		if items, ok := focus.([]any); ok {
			in = &list{items: []any{items}, seq: true, outer: true}
		}
	}
	if err := c.spend(len(text)); err != nil {
		return nil, err
	}
	root, err := parse(text)
	if err != nil {
		return nil, inner("D3120", err, text)
	}
	v, err := c.eval(root, in, c.root)
	if err != nil {
		return nil, inner("D3121", err, text)
	}
	return v, nil
}

// inner reports an error of an evaluated text; limits stay what they are.
func inner(code string, err error, text string) error {
	var e *Error
	if !errors.As(err, &e) || e.Code == "U1001" {
		return err
	}
	return failValue(code, e.finish(text).Message)
}
