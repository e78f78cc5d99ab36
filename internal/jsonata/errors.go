package jsonata

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// Error is what is wrong with an expression or with an evaluation of it. Code
// and wording are those of JSONata's public implementation.
type Error struct {
	Code     string // Sxxxx: syntax; T, D: evaluation; U1001: limits
	Message  string
	Position int    // UTF-16 units from the start, as JavaScript counts; 0 when unknown
	Token    string // operator, function name or text that the error is about
	Index    int    // which argument, from 1; 0 when it is about none
	Value    any    // the offending value, nil when there is none
	Value2   any    // the other value of a comparison

	offset   int // bytes from the start of the text; -1 when unknown
	hasValue bool
	bare     bool              // the token is no text: a number, true, false or null
	details  map[string]string // further words of the message
}

// Error implements error: the message alone.
func (e *Error) Error() string { return e.Message }

// fail returns an error without a position: the node or call that it arises in
// gives it one.
func fail(code string) *Error { return &Error{Code: code, offset: -1} }

func failValue(code string, v any) *Error {
	return &Error{Code: code, Value: plain(v), hasValue: true, offset: -1}
}

func (e *Error) at(offset int) *Error {
	e.offset = offset
	return e
}

func (e *Error) withToken(token string) *Error {
	e.Token = token
	return e
}

func (e *Error) withWord(t token) *Error {
	e.Token = t.text
	e.bare = t.kind == tokenNumber || t.kind == tokenLiteral
	return e
}

func (e *Error) withIndex(index int) *Error {
	e.Index = index
	return e
}

func (e *Error) withDetail(name, text string) *Error {
	if e.details == nil {
		e.details = map[string]string{}
	}
	e.details[name] = text
	return e
}

// located gives an error the place and name of a call, unless it has them.
func located(err error, offset int, token string) error {
	var e *Error
	if !errors.As(err, &e) {
		e = fail("D3137").withDetail("message", err.Error())
	}
	if e.offset < 0 {
		e.offset = offset
	}
	if e.Token == "" {
		e.Token = token
	}
	return e
}

// finish words the message and counts the position in UTF-16 units.
func (e *Error) finish(text string) *Error {
	if e.offset >= 0 {
		e.Position = units(text[:min(e.offset, len(text))])
	}
	if e.Message == "" {
		e.Message = e.word()
	}
	if _, none := e.Value.(Undefined); none {
		e.Value = nil
	}
	return e
}

var placeholder = regexp.MustCompile(`\{\{\{?\w+\}?\}\}`)

func (e *Error) word() string {
	return placeholder.ReplaceAllStringFunc(messageOf(e.Code), func(p string) string {
		name := strings.Trim(p, "{}")
		raw := strings.HasPrefix(p, "{{{")
		switch name {
		case "token":
			if raw || e.bare {
				return e.Token
			}
			if e.Token == "" {
				return "undefined" // a function without a name
			}
			return value.String(e.Token)
		case "index":
			return strconv.Itoa(e.Index)
		case "value":
			if e.hasValue {
				return errorText(e.Value)
			}
			return "undefined"
		case "value2":
			return errorText(e.Value2)
		}
		return e.details[name]
	})
}

// errorText is a value within a message, cut when it is long.
func errorText(v any) string {
	const most = 1024
	if n, ok := toNumber(v); ok {
		return formatNumber(n)
	}
	w := &jsonWriter{limit: most, depth: maxNesting}
	if err := w.write(v, 0); err != nil {
		return string(w.out) + "..."
	}
	return string(w.out)
}

// messageOf is the template of a code's message.
func messageOf(code string) string {
	switch {
	case strings.HasPrefix(code, "S"):
		return syntaxMessage(code)
	case strings.HasPrefix(code, "T"):
		return typeMessage(code)
	case !strings.HasPrefix(code, "D"):
		return code
	case code < "D3080":
		return dynamicMessage(code)
	}
	return pictureMessage(code)
}
