package drive

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// maxResponses bounds the answers of one mock.
const maxResponses = 100_000

// Case is a test case of a machine.
type Case struct {
	Name  string
	Input any
	Mocks map[string]*Mock
	// Status is how the execution is to end.
	Status asl.Status
	// Output is what it is to give; HasOutput tells null from nothing said.
	Output    any
	HasOutput bool
	// Error and Cause are its failure's; "" says nothing of them.
	Error, Cause string
	// Path lists the states to be entered, in order; nil says nothing.
	Path []string
}

// File is a file of mocks and test cases.
type File struct {
	// Mocks are for whatever runs without a case.
	Mocks map[string]*Mock
	Cases []*Case
}

// ParseMocks reads a file of test cases: leat's own or one with which AWS Step
// Functions Local is configured. machine names the one that is meant in a file of
// AWS's; "" takes the only one. input is that of cases that have none.
func ParseMocks(text []byte, machine string, input any) (*File, error) {
	raw, err := value.Parse(text)
	if err != nil {
		return nil, err
	}
	top, ok := raw.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("it is no JSON object")
	}
	if _, aws := top.Get("StateMachines"); aws {
		return parseAWS(top, machine, input)
	}
	return parseOwn(top, input)
}

// shape reads objects of a mock file and says where something is wrong.
type shape struct {
	o  *value.Object
	at string
}

func asShape(v any, at string) (shape, error) {
	o, ok := v.(*value.Object)
	if !ok {
		return shape{}, fmt.Errorf("%s: expected an object", at)
	}
	return shape{o, at}, nil
}

func (s shape) object(key string) (shape, bool, error) {
	v, ok := s.o.Get(key)
	if !ok {
		return shape{}, false, nil
	}
	in, err := asShape(v, s.at+"/"+key)
	return in, true, err
}

func (s shape) text(key string) (string, error) {
	v, ok := s.o.Get(key)
	text, isText := v.(string)
	if ok && !isText {
		return "", fmt.Errorf("%s/%s: expected a text", s.at, key)
	}
	return text, nil
}

// only refuses members that mean nothing.
func (s shape) only(names ...string) error {
	for _, key := range s.o.Keys() {
		if !slices.Contains(names, key) {
			return fmt.Errorf("%s/%s: this means nothing here; known are %s", s.at, key, strings.Join(names, ", "))
		}
	}
	return nil
}

func parseOwn(top *value.Object, input any) (*File, error) {
	s := shape{top, ""}
	if err := s.only("comment", "input", "mocks", "cases"); err != nil {
		return nil, err
	}
	if v, ok := top.Get("input"); ok {
		input = v
	}
	f := &File{}
	var err error
	if f.Mocks, err = parseMocks(s, nil); err != nil {
		return nil, err
	}
	cases, _, err := s.object("cases")
	if err != nil || cases.o == nil {
		return f, err
	}
	for name, v := range cases.o.All() {
		in, err := asShape(v, "/cases/"+name)
		if err != nil {
			return nil, err
		}
		c, err := parseCase(in, name, input, f.Mocks)
		if err != nil {
			return nil, err
		}
		f.Cases = append(f.Cases, c)
	}
	return f, nil
}

func parseCase(s shape, name string, input any, shared map[string]*Mock) (*Case, error) {
	c := &Case{Name: name, Input: input, Status: asl.Succeeded}
	if err := s.only("comment", "input", "mocks", "expect"); err != nil {
		return nil, err
	}
	if v, ok := s.o.Get("input"); ok {
		c.Input = v
	}
	var err error
	if c.Mocks, err = parseMocks(s, shared); err != nil {
		return nil, err
	}
	expect, ok, err := s.object("expect")
	if err != nil || !ok {
		return c, err
	}
	if err := expect.only("status", "output", "error", "cause", "path"); err != nil {
		return nil, err
	}
	c.Output, c.HasOutput = expect.o.Get("output")
	if c.Error, err = expect.text("error"); err != nil {
		return nil, err
	}
	if c.Cause, err = expect.text("cause"); err != nil {
		return nil, err
	}
	if c.Error != "" || c.Cause != "" {
		c.Status = asl.Failed
	}
	status, err := expect.text("status")
	if err != nil {
		return nil, err
	}
	if status != "" {
		c.Status = asl.Status(status)
		if !slices.Contains([]asl.Status{asl.Succeeded, asl.Failed, asl.TimedOut}, c.Status) {
			return nil, fmt.Errorf("%s/status: %q is not SUCCEEDED, FAILED or TIMED_OUT", expect.at, status)
		}
	}
	c.Path, err = expect.texts("path")
	return c, err
}

func (s shape) texts(key string) ([]string, error) {
	v, ok := s.o.Get(key)
	if !ok {
		return nil, nil
	}
	list, ok := v.([]any)
	out := make([]string, len(list))
	for i, e := range list {
		if out[i], ok = e.(string); !ok {
			break
		}
	}
	if !ok && (len(list) > 0 || v == nil) {
		return nil, fmt.Errorf("%s/%s: expected a list of texts", s.at, key)
	}
	return out, nil
}

// parseMocks reads "mocks"; those of the whole file stand where a case has none.
func parseMocks(s shape, shared map[string]*Mock) (map[string]*Mock, error) {
	out := map[string]*Mock{}
	maps.Copy(out, shared)
	mocks, ok, err := s.object("mocks")
	if err != nil || !ok {
		return out, err
	}
	for state, v := range mocks.o.All() {
		if out[state], err = parseMock(v, mocks.at+"/"+state); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func parseMock(v any, at string) (*Mock, error) {
	m := &Mock{}
	list, isList := v.([]any)
	if !isList {
		list, m.Always = []any{v}, true
	}
	for i, e := range list {
		where := at
		if isList {
			where = at + "/" + strconv.Itoa(i)
		}
		s, err := asShape(e, where)
		if err != nil {
			return nil, err
		}
		if err := m.add(s); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// add reads one answer: {"return": ...} or {"throw": {"error", "cause"}}, with
// "delay" and "times"; or {"items": [...]}.
func (m *Mock) add(s shape) error {
	if err := s.only("return", "throw", "delay", "times", "items"); err != nil {
		return err
	}
	if v, ok := s.o.Get("items"); ok {
		items, isList := v.([]any)
		if !isList {
			return fmt.Errorf("%s/items: expected a list", s.at)
		}
		m.Items = items
		if s.o.Len() == 1 {
			return nil
		}
	}
	result, returns := s.o.Get("return")
	throw, throws, err := s.object("throw")
	if err != nil {
		return err
	}
	if returns == throws {
		return fmt.Errorf("%s: expected one of return and throw", s.at)
	}
	r := Response{Return: result}
	if throws {
		if r.Throw, err = throw.failure("error", "cause"); err != nil {
			return err
		}
	}
	if r.Delay, err = s.delay(); err != nil {
		return err
	}
	times := int64(1)
	if v, ok := s.o.Get("times"); ok {
		if times, ok = value.Integer(v); !ok || times < 1 || times > maxResponses {
			return fmt.Errorf("%s/times: expected a whole number from 1", s.at)
		}
		m.Always = false
	}
	m.Responses = append(m.Responses, slices.Repeat([]Response{r}, int(times))...)
	return nil
}

func (s shape) failure(name, cause string) (*asl.Failure, error) {
	if err := s.only(name, cause); err != nil {
		return nil, err
	}
	f := &asl.Failure{}
	var err error
	if f.Error, err = s.text(name); err != nil {
		return nil, err
	}
	f.Cause, err = s.text(cause)
	return f, err
}

// delay reads "delay": seconds, or a text such as 1h30m.
func (s shape) delay() (time.Duration, error) {
	v, ok := s.o.Get("delay")
	if !ok {
		return 0, nil
	}
	if n, isNumber := value.Number(v); isNumber && n >= 0 && n < 1e9 {
		return time.Duration(n * float64(time.Second)), nil
	}
	text, _ := v.(string)
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s/delay: expected seconds, or a duration such as 1h30m", s.at)
	}
	return d, nil
}
