package sfn

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode/utf16"
)

//go:embed model.json
var modelJSON []byte

// model is what the service's description says about requests.
type model struct {
	// Operations holds the shape of each operation's input.
	Operations map[string]string `json:"operations"`
	Shapes     map[string]*shape `json:"shapes"`
}

// shape is a type of values with its constraints.
type shape struct {
	Type      string      `json:"type"`
	Min       *float64    `json:"min"`
	Max       *float64    `json:"max"`
	Pattern   string      `json:"pattern"`
	Enum      []string    `json:"enum"`
	Sensitive bool        `json:"sensitive"`
	Required  []string    `json:"required"`
	Members   [][2]string `json:"members"` // name and shape
	Member    string      `json:"member"`
	patterns  []*regexp.Regexp
}

// loadModel reads the model. maxPayload lifts the limit of inputs and outputs,
// in characters; 0 leaves it.
func loadModel(maxPayload int) *model {
	m := &model{}
	if err := json.Unmarshal(modelJSON, m); err != nil {
		panic("sfn: model.json: " + err.Error())
	}
	for _, s := range m.Shapes {
		s.patterns = compile(s.Pattern)
	}
	if maxPayload > 0 {
		most := float64(maxPayload)
		m.Shapes["SensitiveData"].Max = &most
	}
	return m
}

// compile makes expressions, all of which must match, of a Java one.
func compile(pattern string) []*regexp.Regexp {
	if pattern == "" {
		return nil
	}
	text := strings.ReplaceAll(pattern, `\p{ASCII}`, `[\x00-\x7F]`)
	var out []*regexp.Regexp
	// Go has no look-ahead: what it asks for at the start is an expression of its own.
	if rest, ok := strings.CutPrefix(text, "^(?="); ok {
		ahead, after, _ := strings.Cut(rest, ")")
		out = append(out, regexp.MustCompile("^(?:"+ahead+")"))
		text = "^" + after
	}
	return append(out, regexp.MustCompile("^(?:"+text+")$"))
}

// badRequest is a value of a wrong type.
type badRequest struct{ text string }

func (e *badRequest) Error() string { return e.text }

// checker collects what is wrong with a request.
type checker struct {
	model    *model
	problems []string
	// unknown tells that an object has a key that the model does not name.
	unknown bool
}

// check returns what is wrong with the value at the path, as far as its type is
// right; a *badRequest when it is not. null counts as absent.
func (c *checker) check(s *shape, path string, v any) error {
	switch s.Type {
	case "structure":
		return c.structure(s, path, v)
	case "list":
		return c.list(s, path, v)
	case "boolean":
		if _, ok := v.(bool); !ok {
			return wrongType(v, "Boolean")
		}
	case "integer", "long", "float", "double":
		return c.number(s, path, v)
	default:
		text, ok := v.(string)
		if !ok {
			return wrongType(v, "String")
		}
		c.text(s, path, text)
	}
	return nil
}

func (c *checker) structure(s *shape, path string, v any) error {
	o, ok := v.(map[string]any)
	if !ok {
		return &badRequest{"Start of structure or map found where not expected."}
	}
	known := 0
	for _, m := range s.Members {
		at := m[0]
		if path != "" {
			at = path + "." + m[0]
		}
		value, there := o[m[0]]
		if there {
			known++
		}
		if value == nil {
			if slices.Contains(s.Required, m[0]) {
				c.problems = append(c.problems, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", at))
			}
			continue
		}
		if err := c.check(c.model.Shapes[m[1]], at, value); err != nil {
			return err
		}
	}
	c.unknown = c.unknown || known < len(o)
	return nil
}

func (c *checker) list(s *shape, path string, v any) error {
	l, ok := v.([]any)
	if !ok {
		return wrongType(v, "List")
	}
	for i, e := range l {
		at := fmt.Sprintf("%s.%d.member", path, i+1)
		if e == nil {
			c.problems = append(c.problems, fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", at))
			continue
		}
		if err := c.check(c.model.Shapes[s.Member], at, e); err != nil {
			return err
		}
	}
	c.length(s, path, len(l), func() string { return c.show(s, "", v) })
	return nil
}

func (c *checker) number(s *shape, path string, v any) error {
	kind := strings.ToUpper(s.Type[:1]) + s.Type[1:]
	n, ok := v.(json.Number)
	if !ok {
		return wrongType(v, kind)
	}
	f, err := n.Float64()
	if err != nil {
		return wrongType(v, kind)
	}
	if s.Type == "integer" || s.Type == "long" {
		if _, err := n.Int64(); err != nil {
			return wrongType(v, kind)
		}
	}
	if s.Max != nil && f > *s.Max {
		c.fail(s, path, n.String(), fmt.Sprintf("Member must have value less than or equal to %.0f", *s.Max))
	}
	if s.Min != nil && f < *s.Min {
		c.fail(s, path, n.String(), fmt.Sprintf("Member must have value greater than or equal to %.0f", *s.Min))
	}
	return nil
}

func (c *checker) text(s *shape, path, v string) {
	if s.Enum != nil {
		if !slices.Contains(s.Enum, v) {
			c.fail(s, path, v, "Member must satisfy enum value set: ["+strings.Join(s.Enum, ", ")+"]")
		}
		return
	}
	c.length(s, path, javaLength(v), func() string { return v })
	for _, p := range s.patterns {
		if !p.MatchString(v) {
			c.fail(s, path, v, "Member must satisfy regular expression pattern: "+s.Pattern)
			break
		}
	}
}

func (c *checker) length(s *shape, path string, n int, show func() string) {
	if s.Max != nil && float64(n) > *s.Max {
		c.fail(s, path, show(), fmt.Sprintf("Member must have length less than or equal to %.0f", *s.Max))
	}
	if s.Min != nil && float64(n) < *s.Min {
		c.fail(s, path, show(), fmt.Sprintf("Member must have length greater than or equal to %.0f", *s.Min))
	}
}

// fail notes a problem. Values that may hold secrets are not shown.
func (c *checker) fail(s *shape, path, shown, constraint string) {
	value := "Value '" + shown + "'"
	if s.Sensitive {
		value = "Value"
	}
	c.problems = append(c.problems, value+" at '"+path+"' failed to satisfy constraint: "+constraint)
}

// show writes a value as the service's own objects write themselves.
func (c *checker) show(s *shape, name string, v any) string {
	switch v := v.(type) {
	case map[string]any:
		var parts []string
		for _, m := range s.Members {
			if value, ok := v[m[0]]; ok && value != nil {
				parts = append(parts, m[0]+"="+c.show(c.model.Shapes[m[1]], m[1], value))
			}
		}
		return name + "(" + strings.Join(parts, ", ") + ")"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = c.show(c.model.Shapes[s.Member], s.Member, e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return fmt.Sprint(v)
}

// message words all problems, "" for none.
func (c *checker) message() string {
	switch len(c.problems) {
	case 0:
		return ""
	case 1:
		return "1 validation error detected: " + c.problems[0]
	}
	return fmt.Sprintf("%d validation errors detected: %s", len(c.problems), strings.Join(c.problems, "; "))
}

// wrongType words that a value cannot be read as the type.
func wrongType(v any, want string) *badRequest {
	kind := "NULL_VALUE"
	switch v := v.(type) {
	case string:
		kind = "STRING_VALUE"
	case json.Number:
		kind = "NUMBER_VALUE"
	case bool:
		kind = strings.ToUpper(fmt.Sprint(v)) + "_VALUE"
	case map[string]any:
		return &badRequest{"Start of structure or map found where not expected."}
	case []any:
		return &badRequest{"Start of list found where not expected"}
	}
	article := "a"
	if want == "Integer" {
		article = "an"
	}
	return &badRequest{fmt.Sprintf("%s can not be converted to %s %s", kind, article, want)}
}

// javaLength counts as Java does: in UTF-16 units.
func javaLength(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// known returns v without the keys that the model does not name.
func (m *model) known(s *shape, v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, member := range s.Members {
			if value, ok := v[member[0]]; ok {
				out[member[0]] = m.known(m.Shapes[member[1]], value)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = m.known(m.Shapes[s.Member], e)
		}
		return out
	}
	return v
}
