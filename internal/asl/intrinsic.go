package asl

import (
	"errors"
	"fmt"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

const intrinsicPrefix = "States."

// maxIntrinsicDepth is how deep calls may lie within each other, as the service has it.
const maxIntrinsicDepth = 10

// intrinsic is a compiled call of an intrinsic function.
type intrinsic struct {
	// text is the call as it is written.
	text string
	name string
	fn   *intrinsicFunction
	args []argument
}

// argument is a call, a path or a literal.
type argument struct {
	call    *intrinsic
	path    *path
	literal any
}

// intrinsicFunction is what is known of a function.
type intrinsicFunction struct {
	least, most int
	apply       func(sc *scope, args []any) (any, error)
}

// intrinsicNamed finds a function by its name without the prefix.
func intrinsicNamed(name string) (*intrinsicFunction, bool) {
	fn := func(least, most int, apply func(*scope, []any) (any, error)) (*intrinsicFunction, bool) {
		return &intrinsicFunction{least, most, apply}, true
	}
	switch name {
	case "Format":
		return fn(1, -1, formatText)
	case "StringToJson":
		return fn(1, 1, stringToJSON)
	case "JsonToString":
		return fn(1, 1, func(_ *scope, a []any) (any, error) { return value.String(a[0]), nil })
	case "Array":
		return fn(0, -1, func(_ *scope, a []any) (any, error) { return a, nil })
	case "ArrayPartition":
		return fn(2, 2, arrayPartition)
	case "ArrayContains":
		return fn(2, 2, arrayContains)
	case "ArrayRange":
		return fn(3, 3, arrayRange)
	case "ArrayGetItem":
		return fn(2, 2, arrayGetItem)
	case "ArrayLength":
		return fn(1, 1, arrayLength)
	case "ArrayUnique":
		return fn(1, 1, arrayUnique)
	case "Base64Encode":
		return fn(1, 1, base64Encode)
	case "Base64Decode":
		return fn(1, 1, base64Decode)
	case "Hash":
		return fn(2, 2, hashText)
	case "JsonMerge":
		return fn(3, 3, jsonMerge)
	case "MathRandom":
		return fn(2, 3, mathRandom)
	case "MathAdd":
		return fn(2, 2, mathAdd)
	case "StringSplit":
		return fn(2, 2, stringSplit)
	case "UUID":
		return fn(0, 0, newUUID)
	}
	return nil, false
}

// parseIntrinsic compiles a call that is the whole text.
func parseIntrinsic(text string) (*intrinsic, error) {
	p := &intrinsicParser{text: text}
	p.space()
	c, err := p.call(1)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos != len(text) {
		return nil, p.errorf("unexpected %q", text[p.pos:])
	}
	return c, nil
}

type intrinsicParser struct {
	text string
	pos  int
}

func (p *intrinsicParser) errorf(format string, args ...any) error {
	return fmt.Errorf("intrinsic function at %d: %s", p.pos, fmt.Sprintf(format, args...))
}

func (p *intrinsicParser) space() {
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
}

func (p *intrinsicParser) take(c byte) bool {
	p.space()
	if p.pos < len(p.text) && p.text[p.pos] == c {
		p.pos++
		return true
	}
	return false
}

func (p *intrinsicParser) call(depth int) (*intrinsic, error) {
	if depth > maxIntrinsicDepth {
		return nil, p.errorf("calls are nested too deeply")
	}
	if !strings.HasPrefix(p.text[p.pos:], intrinsicPrefix) {
		return nil, p.errorf("a function of States is expected")
	}
	start := p.pos
	p.pos += len(intrinsicPrefix)
	end := strings.IndexByte(p.text[p.pos:], '(')
	if end < 0 {
		return nil, p.errorf("( is missing")
	}
	c := &intrinsic{name: strings.TrimSpace(p.text[p.pos : p.pos+end])}
	var known bool
	if c.fn, known = intrinsicNamed(c.name); !known {
		return nil, p.errorf("unknown function %s", c.name)
	}
	p.pos += end + 1
	if !p.take(')') {
		for {
			a, err := p.argument(depth)
			if err != nil {
				return nil, err
			}
			c.args = append(c.args, a)
			if p.take(')') {
				break
			}
			if !p.take(',') {
				return nil, p.errorf(", or ) is missing")
			}
		}
	}
	if len(c.args) < c.fn.least || c.fn.most >= 0 && len(c.args) > c.fn.most {
		return nil, p.errorf("%s takes another number of arguments", c.name)
	}
	c.text = p.text[start:p.pos]
	return c, nil
}

func (p *intrinsicParser) argument(depth int) (argument, error) {
	p.space()
	rest := p.text[p.pos:]
	switch {
	case strings.HasPrefix(rest, "'"):
		s, err := p.quoted()
		return argument{literal: s}, err
	case strings.HasPrefix(rest, "$"):
		end := pathEnd(rest)
		q, err := parsePath(strings.TrimRight(rest[:end], " \t"))
		p.pos += end
		return argument{path: q}, err
	case strings.HasPrefix(rest, intrinsicPrefix):
		c, err := p.call(depth + 1)
		return argument{call: c}, err
	}
	end := strings.IndexAny(rest, ",) \t")
	if end < 0 {
		return argument{}, p.errorf(") is missing")
	}
	v, err := value.Parse([]byte(rest[:end]))
	if _, isText := v.(string); err != nil || isText {
		return argument{}, p.errorf("%q is no argument", rest[:end])
	}
	p.pos += end
	return argument{literal: v}, nil
}

// pathEnd finds where a path among arguments ends.
func pathEnd(text string) int {
	depth, quote := 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '[' || c == '(':
			depth++
		case c == ']' || c == ')' && depth > 0:
			depth--
		case (c == ',' || c == ')') && depth <= 0:
			return i
		}
	}
	return len(text)
}

// quoted reads a text in single quotes. Only quotes, braces and backslashes are
// escaped; the braces' backslashes stay, for Format gives them their meaning.
func (p *intrinsicParser) quoted() (string, error) {
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		c := p.text[i]
		if c == '\'' {
			p.pos = i + 1
			return b.String(), nil
		}
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		i++
		if i >= len(p.text) || strings.IndexByte(`'{}\`, p.text[i]) < 0 {
			return "", p.errorf("an open backslash")
		}
		if p.text[i] != '\'' {
			b.WriteByte('\\')
		}
		b.WriteByte(p.text[i])
	}
	return "", p.errorf("a quote is not closed")
}

// plain takes the backslashes off that quoted left for Format.
func plain(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// eval calls the function, its arguments first.
func (c *intrinsic) eval(sc *scope) (any, *Failure) {
	args := make([]any, len(c.args))
	for i, a := range c.args {
		switch {
		case a.call != nil:
			v, failure := a.call.eval(sc)
			if failure != nil {
				return nil, failure
			}
			args[i] = v
		case a.path != nil:
			v, err := sc.lookup(a.path)
			if err != nil {
				return nil, c.failure(fmt.Errorf("The JsonPath argument for the field '%s' could not be found in the input '%s'", //nolint:staticcheck // the service's own words
					a.path.text, value.String(sc.input)))
			}
			args[i] = v
		default:
			args[i] = a.literal
			if s, ok := a.literal.(string); ok && (c.name != "Format" || i > 0) {
				args[i] = plain(s)
			}
		}
	}
	v, err := c.fn.apply(sc, args)
	if err != nil {
		return nil, c.failure(err)
	}
	return v, nil
}

func (c *intrinsic) failure(err error) *Failure {
	return &Failure{Error: errIntrinsic, Cause: fmt.Sprintf("The function '%s' had the following error: %v", c.text, err), runtime: true}
}

var errNoText = errors.New("a string is expected")

func textOf(v any) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", errNoText
	}
	return s, nil
}
