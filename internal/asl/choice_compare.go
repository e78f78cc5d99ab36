package asl

import (
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// operandKind is what kind of operand an operator takes.
type operandKind int

const (
	textOperand operandKind = iota + 1
	numberOperand
	booleanOperand
	timestampOperand
	patternOperand
	isOperand
)

// operatorKind tells what operand an operator takes; path is set for the form
// that takes a path to it. It is 0 for a name that is no operator.
func operatorKind(name string) (base string, kind operandKind, path bool) {
	base, path = strings.CutSuffix(name, "Path")
	switch base {
	case "BooleanEquals":
		return base, booleanOperand, path
	case "StringMatches":
		kind = patternOperand
	case "IsBoolean", "IsNull", "IsNumeric", "IsPresent", "IsString", "IsTimestamp":
		kind = isOperand
	}
	if kind != 0 {
		if path {
			kind = 0
		}
		return base, kind, path
	}
	for _, t := range []struct {
		prefix string
		kind   operandKind
	}{{"String", textOperand}, {"Numeric", numberOperand}, {"Timestamp", timestampOperand}} {
		rest, ok := strings.CutPrefix(base, t.prefix)
		switch rest {
		case "Equals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals":
			if ok {
				return base, t.kind, path
			}
		}
	}
	return base, 0, path
}

// compare applies an operator. Values of other types than it is for do not match.
func compare(op string, v, operand any) bool {
	switch op {
	case "BooleanEquals":
		a, ok := v.(bool)
		b, ok2 := operand.(bool)
		return ok && ok2 && a == b
	case "StringMatches":
		s, ok := v.(string)
		pattern, ok2 := operand.(string)
		return ok && ok2 && matchPattern(pattern, s)
	}
	if strings.HasPrefix(op, "Is") {
		return isA(op, v) == operand
	}
	if rest, ok := strings.CutPrefix(op, "Numeric"); ok {
		a, ok := value.Number(v)
		b, ok2 := value.Number(operand)
		return ok && ok2 && ordered(rest, compareFloats(a, b))
	}
	a, ok := v.(string)
	b, ok2 := operand.(string)
	if !ok || !ok2 {
		return false
	}
	if rest, ok := strings.CutPrefix(op, "Timestamp"); ok {
		t, ok := parseTimestamp(a)
		u, ok2 := parseTimestamp(b)
		return ok && ok2 && ordered(rest, t.Compare(u))
	}
	return ordered(strings.TrimPrefix(op, "String"), strings.Compare(a, b))
}

func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func ordered(relation string, c int) bool {
	switch relation {
	case "LessThan":
		return c < 0
	case "LessThanEquals":
		return c <= 0
	case "GreaterThan":
		return c > 0
	case "GreaterThanEquals":
		return c >= 0
	}
	return c == 0
}

func isA(op string, v any) bool {
	ok := false
	switch op {
	case "IsNull":
		return v == nil
	case "IsBoolean":
		_, ok = v.(bool)
	case "IsNumeric":
		_, ok = value.Number(v)
	case "IsString":
		_, ok = v.(string)
	case "IsTimestamp":
		if s, isText := v.(string); isText {
			_, ok = parseTimestamp(s)
		}
	}
	return ok
}

// matchPattern matches a text with a pattern in which * stands for any
// characters and a backslash takes the next one literally. It takes time in
// proportion to the product of their lengths at most.
func matchPattern(pattern, s string) bool {
	type piece struct {
		star bool
		c    byte
	}
	var pieces []piece
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\' && i+1 < len(pattern):
			i++
			pieces = append(pieces, piece{c: pattern[i]})
		case c == '*':
			pieces = append(pieces, piece{star: true})
		default:
			pieces = append(pieces, piece{c: c})
		}
	}
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		switch {
		case p < len(pieces) && pieces[p].star:
			star, mark = p, i
			p++
		case p < len(pieces) && pieces[p].c == s[i]:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pieces) && pieces[p].star {
		p++
	}
	return p == len(pieces)
}
