package drive

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// parseAWS reads the configuration of mocks of AWS Step Functions Local:
// https://docs.aws.amazon.com/step-functions/latest/dg/sfn-local-mock-cfg-file.html
func parseAWS(top *value.Object, machine string, input any) (*File, error) {
	s := shape{top, ""}
	if err := s.only("StateMachines", "MockedResponses"); err != nil {
		return nil, err
	}
	machines, _, err := s.object("StateMachines")
	if err != nil {
		return nil, err
	}
	if machine == "" && machines.o.Len() == 1 {
		machine, _ = machines.o.At(0)
	}
	m, ok, err := machines.object(machine)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("it has no machine %q but %s: name one", machine, strings.Join(machines.o.Keys(), ", "))
	}
	if err := m.only("TestCases"); err != nil {
		return nil, err
	}
	responses, _, err := s.object("MockedResponses")
	if err != nil {
		return nil, err
	}
	mocks := map[string]*Mock{}
	if responses.o != nil {
		for name, v := range responses.o.All() {
			if mocks[name], err = parseResponses(v, responses.at+"/"+name); err != nil {
				return nil, err
			}
		}
	}
	cases, _, err := m.object("TestCases")
	if err != nil || cases.o == nil {
		return &File{}, err
	}
	f := &File{}
	for name, v := range cases.o.All() {
		in, err := asShape(v, cases.at+"/"+name)
		if err != nil {
			return nil, err
		}
		c := &Case{Name: name, Input: input, Status: asl.Succeeded, Mocks: map[string]*Mock{}}
		for state := range in.o.All() {
			response, err := in.text(state)
			if err != nil {
				return nil, err
			}
			if c.Mocks[state] = mocks[response]; c.Mocks[state] == nil {
				return nil, fmt.Errorf("%s/%s: there is no mocked response %q", in.at, state, response)
			}
		}
		f.Cases = append(f.Cases, c)
	}
	return f, nil
}

// parseResponses reads {"0": {"Return": ...}, "1-2": {"Throw": {...}}}.
func parseResponses(v any, at string) (*Mock, error) {
	s, err := asShape(v, at)
	if err != nil {
		return nil, err
	}
	numbered := map[int]Response{}
	for key := range s.o.All() {
		first, last, err := callNumbers(key)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", at, err)
		}
		one, _, err := s.object(key)
		if err != nil {
			return nil, err
		}
		r, err := one.response()
		if err != nil {
			return nil, err
		}
		for i := first; i <= last; i++ {
			if _, twice := numbered[i]; twice {
				return nil, fmt.Errorf("%s: the call %d is answered twice", at, i)
			}
			numbered[i] = r
		}
	}
	m := &Mock{}
	for i := range len(numbered) {
		r, ok := numbered[i]
		if !ok {
			return nil, fmt.Errorf("%s: the call %d is not answered, while later ones are", at, i)
		}
		m.Responses = append(m.Responses, r)
	}
	return m, nil
}

// callNumbers reads 3 or 1-2.
func callNumbers(key string) (first, last int, err error) {
	from, to, isRange := strings.Cut(key, "-")
	if !isRange {
		to = from
	}
	first, err1 := strconv.Atoi(from)
	last, err2 := strconv.Atoi(to)
	if err1 != nil || err2 != nil || first < 0 || last < first || last >= maxResponses {
		return 0, 0, fmt.Errorf("%q is neither the number of a call nor a range of numbers such as 1-2", key)
	}
	return first, last, nil
}

func (s shape) response() (Response, error) {
	keys := s.o.Keys()
	if len(keys) != 1 || !slices.Contains([]string{"Return", "Throw"}, keys[0]) {
		return Response{}, fmt.Errorf("%s: expected one of Return and Throw", s.at)
	}
	if keys[0] == "Return" {
		v, _ := s.o.Get("Return")
		return Response{Return: v}, nil
	}
	throw, _, err := s.object("Throw")
	if err != nil {
		return Response{}, err
	}
	failure, err := throw.failure("Error", "Cause")
	return Response{Throw: failure}, err
}
