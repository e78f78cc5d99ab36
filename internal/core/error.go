package core

import (
	"errors"
	"fmt"
)

// Code tells machines what kind of error happened; each dialect maps it to
// its own wire form once.
type Code string

// The codes of domain errors.
const (
	// NotFound: the thing named does not exist in this workspace.
	NotFound Code = "not_found"
	// Conflict: the thing exists already or is in a state that forbids the change.
	Conflict Code = "conflict"
	// Invalid: the request is understood and can never be right.
	Invalid Code = "invalid"
	// BadRequest: the request cannot be carried out as it is worded; status 400
	// where a dialect has one, else like Invalid.
	BadRequest Code = "bad_request"
	// Locked: what was asked for is taken now; trying again later may help.
	Locked Code = "locked"
	// Forbidden: the caller may not do this.
	Forbidden Code = "forbidden"
	// Unavailable: the server cannot answer now; nothing was lost or done.
	Unavailable Code = "unavailable"
	// Internal: a defect or a failed part; its text goes to the log, never to the wire.
	Internal Code = "internal"
)

// Error is an error with a code for machines and a text for people.
type Error struct {
	Code Code
	// Message is shown to the client unless Code is Internal.
	Message string
	// RetryAfter is the number of seconds after which a Locked or Unavailable
	// request may be tried again; 0 leaves it to the client.
	RetryAfter float64
	// Reason names the cause more closely than Code, for a dialect that tells such
	// causes apart: the name of an error of the Step Functions API. Mostly "".
	Reason string
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Errorf returns an *Error with the code and a formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Because sets the reason and returns e.
func (e *Error) Because(reason string) *Error {
	e.Reason = reason
	return e
}

// CodeOf returns the code of the first *Error in err's chain, Internal when
// there is none, and "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
