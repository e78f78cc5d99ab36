package ecslocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// pattern is an event pattern. AWS: "Amazon EventBridge event patterns".
type pattern struct {
	fields map[string]*pattern // all must match
	or     []*pattern          // one must match, if there are any
	rules  []matcher           // of a leaf: one must match
}

// matcher tells whether a value, or its absence, satisfies a condition.
type matcher func(value any, there bool) bool

// parsePattern reads an event pattern.
func parsePattern(text string) (*pattern, error) {
	var value any
	if err := json.Unmarshal([]byte(text), &value); err != nil {
		return nil, fmt.Errorf("it is not valid JSON: %w", err)
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("Filter is not an object")
	}
	if len(object) == 0 {
		return nil, errors.New("Empty objects are not allowed")
	}
	return parseFields(object)
}

func parseFields(object map[string]any) (*pattern, error) {
	p := &pattern{fields: map[string]*pattern{}}
	for name, value := range object {
		var err error
		switch v := value.(type) {
		case map[string]any:
			if len(v) == 0 {
				return nil, errors.New("Empty objects are not allowed")
			}
			p.fields[name], err = parseFields(v)
		case []any:
			if name == "$or" {
				p.or, err = parseOr(v)
				break
			}
			p.fields[name], err = parseRules(v)
		default:
			return nil, fmt.Errorf(`"%s" must be an object or an array`, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return p, nil
}

func parseOr(list []any) ([]*pattern, error) {
	if len(list) < 2 {
		return nil, errors.New("There must have at least 2 Objects in $or relationship")
	}
	var all []*pattern
	for _, item := range list {
		object, ok := item.(map[string]any)
		if !ok {
			return nil, errors.New("Only JSON object is allowed in array of $or relationship")
		}
		p, err := parseFields(object)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

func parseRules(list []any) (*pattern, error) {
	if len(list) == 0 {
		return nil, errors.New("Empty arrays are not allowed")
	}
	p := &pattern{}
	for _, item := range list {
		switch v := item.(type) {
		case map[string]any:
			if len(v) != 1 {
				return nil, errors.New("Only one key allowed in match expression")
			}
			for name, argument := range v {
				m, err := parseMatcher(name, argument)
				if err != nil {
					return nil, err
				}
				p.rules = append(p.rules, m)
			}
		case []any:
			return nil, errors.New("Match value must be String, number, true, false, or null")
		default:
			p.rules = append(p.rules, equals(v))
		}
	}
	return p, nil
}

func equals(want any) matcher {
	return func(value any, there bool) bool { return there && value == want }
}

func text(want string, test func(value, want string) bool) matcher {
	return func(value any, there bool) bool {
		s, ok := value.(string)
		return there && ok && test(s, want)
	}
}

// parseMatcher reads {name: argument}.
func parseMatcher(name string, argument any) (matcher, error) {
	s, isText := argument.(string)
	switch name {
	case "exists":
		want, ok := argument.(bool)
		if !ok {
			return nil, errors.New("exists match pattern must be either true or false.")
		}
		return func(_ any, there bool) bool { return there == want }, nil
	case "prefix", "suffix":
		test := strings.HasPrefix
		if name == "suffix" {
			test = strings.HasSuffix
		}
		if object, ok := argument.(map[string]any); ok {
			lower, ok := object["equals-ignore-case"].(string)
			if !ok || len(object) != 1 {
				return nil, fmt.Errorf("%s match pattern must be a string", name)
			}
			return text(strings.ToLower(lower), func(value, want string) bool { return test(strings.ToLower(value), want) }), nil
		}
		if isText {
			return text(s, test), nil
		}
	case "equals-ignore-case":
		if isText {
			return text(s, strings.EqualFold), nil
		}
	case "wildcard":
		if isText {
			if strings.Contains(s, "**") {
				return nil, errors.New("Consecutive wildcard characters at pos " + fmt.Sprint(strings.Index(s, "**")))
			}
			return text(s, wildcard), nil
		}
	case "numeric":
		return parseNumeric(argument)
	case "anything-but":
		return parseAnythingBut(argument)
	case "cidr":
		return nil, errors.New("the local ECS does not imitate cidr matching")
	default:
		return nil, fmt.Errorf("Unrecognized match type %s", name)
	}
	return nil, fmt.Errorf("%s match pattern must be a string", name)
}

// wildcard matches * in the pattern with anything.
func wildcard(value, pattern string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return value == pattern
	}
	rest, ok := strings.CutPrefix(value, parts[0])
	if !ok {
		return false
	}
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(rest, part)
		if i < 0 {
			return false
		}
		rest = rest[i+len(part):]
	}
	return strings.HasSuffix(rest, parts[len(parts)-1])
}

// parseNumeric reads [op, number] or two of them.
func parseNumeric(argument any) (matcher, error) {
	list, ok := argument.([]any)
	if !ok || len(list) == 0 || len(list)%2 != 0 || len(list) > 4 {
		return nil, errors.New("Invalid member in numeric match: it is a list of operators and numbers in turn")
	}
	var tests []func(f float64) bool
	for i := 0; i < len(list); i += 2 {
		op, isOp := list[i].(string)
		n, isNumber := list[i+1].(float64)
		if !isOp || !isNumber || math.Abs(n) > 5e9 {
			return nil, errors.New("Value of numeric match must be a number between -5.0E9 and 5.0E9")
		}
		test, ok := map[string]func(f float64) bool{
			"=": func(f float64) bool { return f == n }, "<": func(f float64) bool { return f < n }, "<=": func(f float64) bool { return f <= n },
			">": func(f float64) bool { return f > n }, ">=": func(f float64) bool { return f >= n },
		}[op]
		if !ok {
			return nil, fmt.Errorf("Unrecognized numeric range operator: %s", op)
		}
		tests = append(tests, test)
	}
	return func(value any, there bool) bool {
		f, ok := value.(float64)
		if !there || !ok {
			return false
		}
		for _, test := range tests {
			if !test(f) {
				return false
			}
		}
		return true
	}, nil
}

// parseAnythingBut reads a value, a list of values, or a matcher of text.
func parseAnythingBut(argument any) (matcher, error) {
	var but []matcher
	switch v := argument.(type) {
	case []any:
		if len(v) == 0 {
			return nil, errors.New("Empty arrays are not allowed")
		}
		for _, item := range v {
			switch item.(type) {
			case string, float64:
				but = append(but, equals(item))
			default:
				return nil, errors.New("Inside anything but list, start|null|boolean is not supported.")
			}
		}
	case string, float64:
		but = append(but, equals(v))
	case map[string]any:
		for name, below := range v {
			texts, ok := below.([]any)
			if !ok {
				texts = []any{below}
			}
			if len(v) != 1 || name != "prefix" && name != "suffix" && name != "equals-ignore-case" && name != "wildcard" {
				return nil, fmt.Errorf("Unsupported anything-but pattern: %s", name)
			}
			for _, one := range texts {
				m, err := parseMatcher(name, one)
				if err != nil {
					return nil, err
				}
				but = append(but, m)
			}
		}
	default:
		return nil, errors.New("Value of anything-but must be an array or single string/number value.")
	}
	return func(value any, there bool) bool {
		if !there {
			return false
		}
		for _, m := range but {
			if m(value, true) {
				return false
			}
		}
		return true
	}, nil
}

// matches tells whether a value matches.
func (p *pattern) matches(value any) bool {
	object, _ := value.(map[string]any)
	for name, below := range p.fields {
		v, there := object[name]
		if !below.matchesField(v, there) {
			return false
		}
	}
	if len(p.or) == 0 {
		return true
	}
	for _, one := range p.or {
		if one.matches(value) {
			return true
		}
	}
	return false
}

// matchesField matches a field, in a list any of its elements.
func (p *pattern) matchesField(value any, there bool) bool {
	elements, isList := value.([]any)
	if p.rules == nil {
		if !isList {
			return p.matches(value)
		}
		return slices.ContainsFunc(elements, p.matches)
	}
	if _, isObject := value.(map[string]any); isObject {
		there, value = false, nil // only leaves exist
	}
	if isList && len(elements) == 0 {
		isList, there, value = false, false, nil
	}
	if !isList {
		elements = []any{value}
	}
	for _, m := range p.rules {
		for _, element := range elements {
			if m(element, there) {
				return true
			}
		}
	}
	return false
}
