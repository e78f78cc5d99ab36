package awscall

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// Error is a service's refusal.
type Error struct {
	// Service is the service's id, SFN.
	Service string
	// Code is the error's code on the wire, Shape the modelled error it stands
	// for, empty if the model has none.
	Code, Shape string
	Message     string
	Status      int
	RequestID   string
	// ExtendedID is S3's second request id.
	ExtendedID string
	// Client tells whether the caller is at fault.
	Client bool
	// Fields are the members of the error besides.
	Fields *value.Object
	// Attempts counts the requests made.
	Attempts int
}

func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (%s, status code %d)", e.Code, e.Message, e.Service, e.Status)
}

// decodeError reads the error of an answer whose status is none of success.
func decodeError(op *Operation, a *answer) *Error {
	e := &Error{Service: op.Service.ID, Status: a.status, Client: a.status < http.StatusInternalServerError, Fields: value.NewObject(0)}
	e.RequestID = requestID(a.header)
	e.ExtendedID = a.header.Get("X-Amz-Id-2")
	switch op.Service.protocol {
	case "json", "rest-json":
		e.readJSON(op, a)
	default:
		e.readXML(a)
	}
	if e.Code == "" {
		e.Code = strings.ReplaceAll(http.StatusText(a.status), " ", "")
	}
	if s := op.errorShape(e.Code); s != nil {
		e.Shape = s.name
	}
	return e
}

func requestID(h http.Header) string {
	for _, name := range []string{"X-Amzn-Requestid", "X-Amz-Request-Id", "X-Amz-Requestid"} {
		if id := h.Get(name); id != "" {
			return id
		}
	}
	return ""
}

// plainCode strips a code's name space and the address behind it.
func plainCode(code string) string {
	code, _, _ = strings.Cut(code, ":")
	if _, after, ok := strings.Cut(code, "#"); ok {
		code = after
	}
	return strings.TrimSpace(code)
}

func (e *Error) readJSON(op *Operation, a *answer) {
	v, _ := value.Parse(a.body) // an error without JSON has its code in a header
	o := object(v)
	e.Fields = o
	for _, key := range []string{"message", "Message", "errorMessage"} {
		if t, ok := get(o, key).(string); ok && e.Message == "" {
			e.Message = t
		}
	}
	code := a.header.Get("X-Amzn-Errortype")
	for _, key := range []string{"__type", "code", "Code"} {
		if t, ok := get(o, key).(string); ok && code == "" {
			code = t
		}
	}
	e.Code = plainCode(code)
	// A service that once spoke the query protocol tells its old code, too.
	if old, _, ok := strings.Cut(a.header.Get("X-Amzn-Query-Error"), ";"); ok && op.Service.queryErrors {
		if s := op.errorShape(e.Code); s != nil {
			e.Shape = s.name
		}
		e.Code = old
	}
}

func (e *Error) readXML(a *answer) {
	root, err := parseXML(a.body)
	if err != nil || root == nil {
		return
	}
	n := root
	if errs := root.child("Errors"); errs != nil {
		n = errs
	}
	if inner := n.child("Error"); inner != nil {
		n = inner
	}
	e.Code, e.Message = n.childText("Code"), n.childText("Message")
	for _, name := range []string{"RequestId", "RequestID"} {
		for _, from := range []*node{root, n} {
			if id := from.childText(name); id != "" && e.RequestID == "" {
				e.RequestID = id
			}
		}
	}
	if id := n.childText("HostId"); id != "" && e.ExtendedID == "" {
		e.ExtendedID = id
	}
	for _, c := range n.children {
		if len(c.children) == 0 {
			e.Fields.Set(c.name, c.text)
		}
	}
}

// errorShape finds a modelled error by its code, first among the operation's.
func (op *Operation) errorShape(code string) *Shape {
	for _, s := range op.errors {
		if s.code == code || s.name == code {
			return s
		}
	}
	for _, other := range op.Service.operations {
		for _, s := range other.errors {
			if s.code == code || s.name == code {
				return s
			}
		}
	}
	return nil
}
