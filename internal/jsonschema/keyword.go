package jsonschema

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/leat-dev/leat/internal/pyrepr"
)

// maxDepth bounds how deep schemas refer to each other.
const maxDepth = 400

// maxSteps bounds how many parts of a value are compared with parts of a schema:
// alternatives that refer to alternatives multiply.
const maxSteps = 1_000_000

// violation is one thing that is wrong with an instance.
type violation struct {
	message string
	// path leads from the instance that was asked about to the one that is wrong.
	path     []any
	keyword  string
	instance *Value
	schema   *Value
	// context holds what was wrong with each alternative of anyOf and oneOf.
	context []*violation
}

// checker checks instances against parts of one schema.
type checker struct {
	root     *Value
	checks   map[string]func(c *checker, arg, in, schema *Value) []*violation
	depth    int
	steps    int
	circular bool
	// unresolved is the reference that leads nowhere.
	unresolved string
	// stand holds the texts that stand for what is not known.
	stand Placeholders
}

func newChecker(root *Value, stand Placeholders) *checker {
	return &checker{root: root, checks: keywords(), stand: stand}
}

// fault is why a check could not be carried out; nil when it was.
func (c *checker) fault() error {
	switch {
	case c.unresolved != "":
		return &Error{Path: "$", Message: fmt.Sprintf("PointerToNowhere: %s does not exist within %s",
			pyrepr.String(strings.TrimPrefix(c.unresolved, "#")), c.root.repr())}
	case c.circular:
		return ErrCircular
	case c.steps >= maxSteps:
		return &Error{Path: "$", Message: fmt.Sprintf("the value takes more than %d steps to be compared with its schema", maxSteps)}
	}
	return nil
}

// keywords lists the checks that a schema's keys stand for.
func keywords() map[string]func(c *checker, arg, in, schema *Value) []*violation {
	return map[string]func(c *checker, arg, in, schema *Value) []*violation{
		"$ref": (*checker).ref, "additionalProperties": (*checker).additionalProperties, "allOf": (*checker).allOf,
		"anyOf": (*checker).anyOf, "const": (*checker).constant, "contains": (*checker).contains,
		"dependentRequired": (*checker).dependentRequired, "dependentSchemas": (*checker).dependentSchemas,
		"enum": (*checker).enum, "if": (*checker).conditional, "items": (*checker).items, "not": (*checker).not,
		"oneOf": (*checker).oneOf, "pattern": (*checker).pattern, "patternProperties": (*checker).patternProperties,
		"prefixItems": (*checker).prefixItems, "properties": (*checker).properties, "propertyNames": (*checker).propertyNames,
		"required": (*checker).required, "type": (*checker).types, "uniqueItems": (*checker).uniqueItems,
		"exclusiveMaximum": bound("is greater than or equal to the maximum of", func(c int) bool { return c >= 0 }),
		"exclusiveMinimum": bound("is less than or equal to the minimum of", func(c int) bool { return c <= 0 }),
		"maximum":          bound("is greater than the maximum of", func(c int) bool { return c > 0 }),
		"minimum":          bound("is less than the minimum of", func(c int) bool { return c < 0 }),
		"multipleOf":       (*checker).multipleOf,
		"maxItems":         atMost(array, "is too long"), "maxLength": atMost(text, "is too long"),
		"maxProperties": atMost(object, "has too many properties"),
		"minItems":      atLeast(array, "is too short"), "minLength": atLeast(text, "is too short"),
		"minProperties": atLeast(object, "does not have enough properties"),
	}
}

// descend lists what is wrong with the instance; the path leads to it from the caller's.
func (c *checker) descend(in, schema *Value, path ...any) []*violation {
	if schema.kind == boolean {
		if schema.yes {
			return nil
		}
		return []*violation{{message: "False schema does not allow " + in.repr(), instance: in, schema: schema, path: path}}
	}
	if c.depth >= maxDepth {
		c.circular = true
		return nil
	}
	if c.steps >= maxSteps {
		return nil // what is found so far is not used
	}
	c.steps++
	c.depth++
	defer func() { c.depth-- }()
	var found []*violation
	if c.stands(in) && c.stand[in.str] != "" {
		found = append(found, &violation{message: c.stand[in.str], keyword: placeholder, instance: in, schema: schema, path: path})
	}
	for _, key := range schema.keys {
		check, ok := c.checks[key]
		if !ok {
			continue
		}
		for _, v := range check(c, schema.vals[key], in, schema) {
			if v.keyword == "" && key != "$ref" && key != "if" {
				v.keyword, v.instance, v.schema = key, in, schema
			}
			if len(path) > 0 {
				v.path = append(slices.Clone(path), v.path...)
			}
			found = append(found, v)
		}
	}
	return found
}

func one(format string, args ...any) []*violation {
	return []*violation{{message: fmt.Sprintf(format, args...)}}
}

func (c *checker) ref(arg, in, _ *Value) []*violation {
	target := c.resolve(arg.str)
	if target == nil {
		c.unresolved = arg.str
		return nil
	}
	return c.descend(in, target)
}

// resolve finds what a reference within the schema points to, or nil.
func (c *checker) resolve(ref string) *Value {
	fragment, ok := strings.CutPrefix(ref, "#")
	if !ok {
		return nil
	}
	at := c.root
	if fragment == "" {
		return at
	}
	pointer, err := url.PathUnescape(fragment)
	if err != nil {
		return nil
	}
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.ReplaceAll(strings.ReplaceAll(token, "~1", "/"), "~0", "~")
		if at.kind == array {
			i, err := strconv.Atoi(token)
			if err != nil || i < 0 || i >= len(at.list) {
				return nil
			}
			at = at.list[i]
			continue
		}
		if at = at.get(token); at == nil {
			return nil
		}
	}
	return at
}

func (c *checker) properties(arg, in, _ *Value) []*violation {
	if in.kind != object {
		return nil
	}
	var found []*violation
	for _, name := range arg.keys {
		if v := in.get(name); v != nil {
			found = append(found, c.descend(v, arg.vals[name], name)...)
		}
	}
	return found
}

func (c *checker) patternProperties(arg, in, _ *Value) []*violation {
	if in.kind != object {
		return nil
	}
	var found []*violation
	for _, pattern := range arg.keys {
		for _, name := range in.keys {
			if matches(pattern, name) {
				found = append(found, c.descend(in.vals[name], arg.vals[pattern], name)...)
			}
		}
	}
	return found
}

func (c *checker) propertyNames(arg, in, _ *Value) []*violation {
	if in.kind != object {
		return nil
	}
	var found []*violation
	for _, name := range in.keys {
		found = append(found, c.descend(&Value{kind: text, str: name}, arg)...)
	}
	return found
}

// additional lists the properties that neither properties nor patternProperties name.
func additional(in, schema *Value) []string {
	var extra []string
	for _, name := range in.keys {
		if p := schema.get("properties"); p != nil && p.get(name) != nil {
			continue
		}
		if p := schema.get("patternProperties"); p != nil && slices.ContainsFunc(p.keys, func(k string) bool { return matches(k, name) }) {
			continue
		}
		extra = append(extra, name)
	}
	return extra
}

func (c *checker) additionalProperties(arg, in, schema *Value) []*violation {
	if in.kind != object {
		return nil
	}
	extra := additional(in, schema)
	if arg.kind == object {
		var found []*violation
		for _, name := range extra {
			found = append(found, c.descend(in.vals[name], arg, name)...)
		}
		return found
	}
	if arg.kind != boolean || arg.yes || len(extra) == 0 {
		return nil
	}
	slices.Sort(extra)
	if p := schema.get("patternProperties"); p != nil && len(p.keys) > 0 {
		verb := "do"
		if len(extra) == 1 {
			verb = "does"
		}
		patterns := slices.Sorted(slices.Values(p.keys))
		return one("%s %s not match any of the regexes: %s", reprs(extra), verb, reprs(patterns))
	}
	verb := "were"
	if len(extra) == 1 {
		verb = "was"
	}
	return one("Additional properties are not allowed (%s %s unexpected)", reprs(extra), verb)
}

func reprs(names []string) string {
	quoted := make([]string, 0, len(names))
	for _, n := range names {
		quoted = append(quoted, pyrepr.String(n))
	}
	return strings.Join(quoted, ", ")
}

func (c *checker) items(arg, in, schema *Value) []*violation {
	if in.kind != array {
		return nil
	}
	prefix := 0
	if p := schema.get("prefixItems"); p != nil {
		prefix = len(p.list)
	}
	extra := len(in.list) - prefix
	if extra <= 0 {
		return nil
	}
	if arg.kind == boolean && !arg.yes {
		rest := &Value{kind: array, list: in.list[prefix:]}
		if extra == 1 {
			rest = in.list[prefix]
		}
		noun := "items"
		if prefix == 1 {
			noun = "item"
		}
		return one("Expected at most %d %s but found %d extra: %s", prefix, noun, extra, rest.repr())
	}
	var found []*violation
	for i := prefix; i < len(in.list); i++ {
		found = append(found, c.descend(in.list[i], arg, i)...)
	}
	return found
}

func (c *checker) prefixItems(arg, in, _ *Value) []*violation {
	if in.kind != array {
		return nil
	}
	var found []*violation
	for i := range min(len(arg.list), len(in.list)) {
		found = append(found, c.descend(in.list[i], arg.list[i], i)...)
	}
	return found
}

func (c *checker) contains(arg, in, schema *Value) []*violation {
	if in.kind != array {
		return nil
	}
	least, most, n := 1, len(in.list), 0
	if v := schema.get("minContains"); v != nil {
		least = int(v.num)
	}
	if v := schema.get("maxContains"); v != nil {
		most = int(v.num)
	}
	for _, item := range in.list {
		if len(c.descend(item, arg)) == 0 {
			if n++; n > most {
				return one("Too many items match the given schema (expected at most %d)", most)
			}
		}
	}
	if n >= least {
		return nil
	}
	if n == 0 {
		return one("%s does not contain items matching the given schema", in.repr())
	}
	return one("Too few items match the given schema (expected at least %d but only %d matched)", least, n)
}

func (c *checker) uniqueItems(arg, in, _ *Value) []*violation {
	if in.kind != array || !arg.yes {
		return nil
	}
	for i, v := range in.list {
		if slices.ContainsFunc(in.list[:i], func(w *Value) bool { return equal(v, w) }) {
			return one("%s has non-unique elements", in.repr())
		}
	}
	return nil
}

func (c *checker) types(arg, in, _ *Value) []*violation {
	names := []string{arg.str}
	if arg.kind == array {
		names = nil
		for _, t := range arg.list {
			names = append(names, t.str)
		}
	}
	if slices.ContainsFunc(names, in.is) {
		return nil
	}
	return one("%s is not of type %s", in.repr(), reprs(names))
}

func (c *checker) required(arg, in, _ *Value) []*violation {
	if in.kind != object {
		return nil
	}
	var found []*violation
	for _, name := range arg.list {
		if in.get(name.str) == nil {
			found = append(found, one("%s is a required property", name.repr())...)
		}
	}
	return found
}

func (c *checker) dependentRequired(arg, in, _ *Value) []*violation {
	if in.kind != object {
		return nil
	}
	var found []*violation
	for _, name := range arg.keys {
		if in.get(name) == nil {
			continue
		}
		for _, needed := range arg.vals[name].list {
			if in.get(needed.str) == nil {
				found = append(found, one("%s is a dependency of %s", needed.repr(), pyrepr.String(name))...)
			}
		}
	}
	return found
}

func (c *checker) dependentSchemas(arg, in, _ *Value) []*violation {
	if in.kind != object {
		return nil
	}
	var found []*violation
	for _, name := range arg.keys {
		if in.get(name) != nil {
			found = append(found, c.descend(in, arg.vals[name])...)
		}
	}
	return found
}

func (c *checker) enum(arg, in, _ *Value) []*violation {
	if slices.ContainsFunc(arg.list, func(v *Value) bool { return equal(v, in) }) {
		return nil
	}
	return one("%s is not one of %s", in.repr(), arg.repr())
}

func (c *checker) constant(arg, in, _ *Value) []*violation {
	if equal(arg, in) {
		return nil
	}
	return one("%s was expected", arg.repr())
}

func (c *checker) allOf(arg, in, _ *Value) []*violation {
	var found []*violation
	for _, s := range arg.list {
		found = append(found, c.descend(in, s)...)
	}
	return found
}

func (c *checker) anyOf(arg, in, _ *Value) []*violation {
	var all []*violation
	for _, s := range arg.list {
		found := c.descend(in, s)
		if len(found) == 0 {
			return nil
		}
		all = append(all, found...)
	}
	return []*violation{{message: in.repr() + " is not valid under any of the given schemas", context: all}}
}

func (c *checker) oneOf(arg, in, _ *Value) []*violation {
	var all []*violation
	first := -1
	for i, s := range arg.list {
		found := c.descend(in, s)
		if len(found) == 0 {
			first = i
			break
		}
		all = append(all, found...)
	}
	if first < 0 {
		return []*violation{{message: in.repr() + " is not valid under any of the given schemas", context: all}}
	}
	var also []string
	for _, s := range arg.list[first+1:] {
		if len(c.descend(in, s)) == 0 {
			also = append(also, s.repr())
		}
	}
	if also == nil {
		return nil
	}
	return one("%s is valid under each of %s", in.repr(), strings.Join(append(also, arg.list[first].repr()), ", "))
}

func (c *checker) not(arg, in, _ *Value) []*violation {
	if len(c.descend(in, arg)) > 0 {
		return nil
	}
	return one("%s should not be valid under %s", in.repr(), arg.repr())
}

func (c *checker) conditional(arg, in, schema *Value) []*violation {
	branch := "else"
	if len(c.descend(in, arg)) == 0 {
		branch = "then"
	}
	if s := schema.get(branch); s != nil {
		return c.descend(in, s)
	}
	return nil
}

func (c *checker) pattern(arg, in, _ *Value) []*violation {
	if in.kind != text || matches(arg.str, in.str) {
		return nil
	}
	return one("%s does not match %s", in.repr(), arg.repr())
}

// matches tells whether the pattern occurs in s. A pattern that Go cannot read,
// such as one that looks ahead, is taken to match: refusing what may be right is worse.
func matches(pattern, s string) bool {
	re, err := regexp.Compile(pattern)
	return err != nil || re.MatchString(s)
}

func (c *checker) multipleOf(arg, in, _ *Value) []*violation {
	if !in.isNumber() || arg.num == 0 {
		return nil
	}
	if arg.kind == float {
		q := in.num / arg.num
		if q == math.Trunc(q) {
			return nil
		}
	} else if in.rat().Quo(in.rat(), arg.rat()).IsInt() {
		return nil
	}
	return one("%s is not a multiple of %s", in.repr(), arg.repr())
}

func bound(words string, bad func(cmp int) bool) func(c *checker, arg, in, schema *Value) []*violation {
	return func(_ *checker, arg, in, _ *Value) []*violation {
		if !in.isNumber() || !arg.isNumber() || !bad(in.compare(arg)) {
			return nil
		}
		return one("%s %s %s", in.repr(), words, arg.repr())
	}
}

func (v *Value) size() int {
	if v.kind == text {
		return utf8.RuneCountInString(v.str)
	}
	return len(v.list) + len(v.keys)
}

func atMost(k kind, words string) func(c *checker, arg, in, schema *Value) []*violation {
	return func(_ *checker, arg, in, _ *Value) []*violation {
		if in.kind != k || float64(in.size()) <= arg.num {
			return nil
		}
		if arg.num == 0 {
			return one("%s is expected to be empty", in.repr())
		}
		return one("%s %s", in.repr(), words)
	}
}

func atLeast(k kind, words string) func(c *checker, arg, in, schema *Value) []*violation {
	return func(_ *checker, arg, in, _ *Value) []*violation {
		if in.kind != k || float64(in.size()) >= arg.num {
			return nil
		}
		if arg.num == 1 {
			return one("%s should be non-empty", in.repr())
		}
		return one("%s %s", in.repr(), words)
	}
}
