package jsonata

import (
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// signature is a function's parameters, as in <s-nn?:s>.
type signature struct {
	params []param
}

type param struct {
	letter   byte   // as written: s n b l a o f j u x; ( for a choice
	accepts  string // kinds of argument, of "snblaofm"
	context  bool   // - : the context stands in for a missing argument
	optional bool   // ?
	repeated bool   // +
	sub      byte   // kind of an array's items, 0 for any
}

// parseSignature reads a signature. What follows the colon, the type of the
// result, is not checked when a function returns.
func parseSignature(text string) (*signature, *Error) {
	text = strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
	sig := &signature{}
	for i := 0; i < len(text) && text[i] != ':'; i++ {
		c := text[i]
		p := param{letter: c}
		switch c {
		case '-', '?', '+':
			if len(sig.params) > 0 {
				last := &sig.params[len(sig.params)-1]
				last.context = last.context || c == '-'
				last.optional = last.optional || c == '?'
				last.repeated = last.repeated || c == '+'
			}
			continue
		case '(':
			end := strings.IndexByte(text[i:], ')')
			if end < 0 {
				end = len(text) - i
			}
			choice := text[i+1 : i+end]
			if strings.ContainsRune(choice, '<') {
				return nil, failValue("S0402", choice)
			}
			p.accepts = choice + "m"
			i += end
		case '<':
			end := closing(text, i)
			if len(sig.params) > 0 {
				last := &sig.params[len(sig.params)-1]
				if last.letter != 'a' && last.letter != 'f' {
					return nil, failValue("S0401", string(last.letter))
				}
				if end > i+1 {
					last.sub = text[i+1]
				}
			}
			i = end
			continue
		case 's', 'n', 'b', 'l', 'o':
			p.accepts = string(c) + "m"
		case 'f':
			p.accepts = "f"
		case 'a', 'x':
			p.accepts = "asnblfom"
		case 'j', 'u':
			p.accepts = "asnblom"
			if c == 'u' {
				p.accepts = "bnslm"
			}
		default:
			// An unknown letter takes no parameter, so that arguments do not fit.
			continue
		}
		sig.params = append(sig.params, p)
	}
	return sig, nil
}

// closing is the index of the bracket that closes the one at i.
func closing(text string, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '<':
			depth++
		case '>':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(text)
}

// kindOf is the letter of a value in signatures; m is undefined.
func kindOf(v any) byte {
	switch v.(type) {
	case string:
		return 's'
	case bool:
		return 'b'
	case nil:
		return 'l'
	case []any, *list:
		return 'a'
	case *value.Object:
		return 'o'
	case function:
		return 'f'
	case Undefined:
		return 'm'
	}
	return 'n'
}

func (p *param) takes(kind byte) bool { return strings.IndexByte(p.accepts, kind) >= 0 }

// matching is one attempt to fit arguments to parameters.
type matching struct {
	params   []param
	kinds    []byte
	counts   []int // how many arguments each parameter takes
	furthest int   // how many arguments fitted at best
	// hopeless notes from which parameter and argument on nothing fits: without
	// it, many repeated parameters would be tried in all combinations.
	hopeless map[[2]int]bool
}

// from fits the arguments from one on to the parameters from i on: each takes
// as many as it may, and less where the rest would not fit.
func (m *matching) from(i, arg int) bool {
	m.furthest = max(m.furthest, arg)
	if i == len(m.params) {
		return arg == len(m.kinds)
	}
	if m.hopeless[[2]int{i, arg}] {
		return false
	}
	p := &m.params[i]
	most, least := 1, 1
	if p.repeated {
		most = len(m.kinds) - arg
	}
	if p.optional || p.context {
		least = 0
	}
	n := 0
	for n < most && arg+n < len(m.kinds) && p.takes(m.kinds[arg+n]) {
		n++
		m.furthest = max(m.furthest, arg+n)
	}
	for ; n >= least; n-- {
		if m.from(i+1, arg+n) {
			m.counts[i] = n
			return true
		}
	}
	if len(m.params) > 4 {
		if m.hopeless == nil {
			m.hopeless = map[[2]int]bool{}
		}
		m.hopeless[[2]int{i, arg}] = true
	}
	return false
}

// validate fits arguments to the parameters: a missing one is taken from the
// context where allowed, a single value becomes an array where one is due.
func (s *signature) validate(args []any, context any) ([]any, error) {
	var kindBuffer [8]byte
	kinds := kindBuffer[:0]
	for _, a := range args {
		kinds = append(kinds, kindOf(a))
	}
	var countBuffer [8]int
	counts := countBuffer[:]
	if len(s.params) > len(countBuffer) {
		counts = make([]int, len(s.params))
	}
	m := matching{params: s.params, kinds: kinds, counts: counts}
	if !m.from(0, 0) {
		return nil, failValue("T0410", argument(args, m.furthest)).withIndex(m.furthest + 1)
	}
	out := make([]any, 0, len(s.params))
	next := 0
	for i := range s.params {
		p := &s.params[i]
		if counts[i] == 0 {
			if !p.context {
				// As in the public implementation, an argument that was left out
				// uses up one that was given.
				out = append(out, argument(args, next))
				next++
				continue
			}
			if l, ok := context.(*list); ok && l.outer {
				context = l.items[0]
			}
			if !p.takes(kindOf(context)) {
				return nil, failValue("T0411", context).withIndex(next + 1)
			}
			out = append(out, context)
			continue
		}
		for range counts[i] {
			arg, err := p.fit(argument(args, next), next)
			if err != nil {
				return nil, err
			}
			out = append(out, arg)
			next++
		}
	}
	return out, nil
}

// fit makes an array of a single value and checks the items of an array.
func (p *param) fit(arg any, i int) (any, error) {
	if p.letter != 'a' || isUndefined(arg) {
		return arg, nil
	}
	items, isArray := elements(arg)
	if p.sub != 0 {
		if !isArray {
			items = []any{arg}
		}
		for _, item := range items {
			if kindOf(item) != p.sub {
				return nil, failValue("T0412", arg).withIndex(i+1).withDetail("type", value.String(kindPlural(p.sub)))
			}
		}
	}
	if !isArray {
		return []any{arg}, nil
	}
	return arg, nil
}

func kindPlural(kind byte) string {
	switch kind {
	case 'a':
		return "arrays"
	case 'b':
		return "booleans"
	case 'f':
		return "functions"
	case 'n':
		return "numbers"
	case 'o':
		return "objects"
	case 's':
		return "strings"
	}
	return "values"
}
