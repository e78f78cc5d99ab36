package sfn

import (
	"context"
	"strings"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/value"
)

type testStateInput struct {
	Definition    string      `json:"definition"`
	RoleARN       string      `json:"roleArn"`
	Input         *string     `json:"input"`
	Level         string      `json:"inspectionLevel"`
	RevealSecrets bool        `json:"revealSecrets"`
	Variables     *string     `json:"variables"`
	StateName     string      `json:"stateName"`
	Mock          *mock       `json:"mock"`
	Context       *string     `json:"context"`
	Configuration assumptions `json:"stateConfiguration"`
}

type mock struct {
	Result *string `json:"result"`
	Error  *struct {
		Error string `json:"error"`
		Cause string `json:"cause"`
	} `json:"errorOutput"`
	Mode string `json:"fieldValidationMode"`
}

// assumptions is what a test assumes.
type assumptions struct {
	Retries     *int64  `json:"retrierRetryCount"`
	CausedBy    string  `json:"errorCausedByState"`
	FailedItems *int    `json:"mapIterationFailureCount"`
	ReaderData  *string `json:"mapItemReaderData"`
}

type testStateOutput struct {
	Output     *string       `json:"output,omitempty"`
	Error      *string       `json:"error,omitempty"`
	Cause      *string       `json:"cause,omitempty"`
	Inspection *value.Object `json:"inspectionData,omitempty"`
	NextState  string        `json:"nextState,omitempty"`
	Status     string        `json:"status"`
}

func (a *API) testState(ctx context.Context, c *call, in testStateInput) (out testStateOutput, err error) {
	t := engine.StateTest{
		Place: c.Place, Definition: in.Definition, StateName: in.StateName, RoleARN: in.RoleARN, RevealSecrets: in.RevealSecrets,
		Retries: in.Configuration.Retries, FailedItems: in.Configuration.FailedItems,
		ReaderData: in.Configuration.ReaderData, CausedBy: in.Configuration.CausedBy,
	}
	if err := in.fill(&t); err != nil {
		return out, err
	}
	r, err := a.cfg.Engine.TestState(ctx, t)
	if err != nil {
		return out, err
	}
	out.Status, out.NextState = string(r.Status), r.Next
	if r.HasOutput {
		text := spaced(r.Output)
		out.Output = &text
	}
	if f := r.Failure; f != nil {
		if f.Error != "" {
			out.Error = &f.Error
		}
		if f.Cause != "" {
			out.Cause = &f.Cause
		}
	}
	if in.Level == "DEBUG" || in.Level == "TRACE" {
		out.Inspection = inspection(r.Seen, in.Level == "TRACE")
	}
	return out, nil
}

// fill reads the JSON in a request's texts.
func (in testStateInput) fill(t *engine.StateTest) error {
	t.Input = value.NewObject(0)
	if in.Input != nil {
		if err := checkPayload("InvalidExecutionInput", "Invalid State Machine Execution Input", "Invalid execution input.", *in.Input); err != nil {
			return err
		}
		var err error
		if t.Input, err = value.Parse([]byte(*in.Input)); err != nil {
			return refuse("InvalidExecutionInput", "Invalid State Machine Execution Input: '"+err.Error()+"'")
		}
	}
	for _, part := range []struct {
		name string
		text *string
		into **value.Object
	}{{"Variables", in.Variables, &t.Variables}, {"Context object", in.Context, &t.Context}} {
		if part.text == nil {
			continue
		}
		v, err := value.Parse([]byte(*part.text))
		o, ok := v.(*value.Object)
		if err != nil || !ok {
			return refuse("ValidationException", "Invalid "+part.name+" provided: must be a JSON object")
		}
		*part.into = o
	}
	return in.fillMock(t)
}

func (in testStateInput) fillMock(t *engine.StateTest) error {
	if in.Mock == nil {
		return nil
	}
	m := &engine.StateMock{Mode: in.Mock.Mode}
	if in.Mock.Error != nil {
		m.Failure = &asl.Failure{Error: in.Mock.Error.Error, Cause: in.Mock.Error.Cause}
	}
	if in.Mock.Result != nil {
		v, err := value.Parse([]byte(*in.Mock.Result))
		if err != nil {
			return refuse("ValidationException", "Mocked result must be valid JSON")
		}
		m.Result, m.HasResult = v, true
	}
	t.Mock = m
	return nil
}

// inspection writes the values on the way as texts, but for numbers and the
// details of an error. Exchanges over HTTP are shown to a trace alone.
func inspection(seen *value.Object, trace bool) *value.Object {
	out := value.NewObject(seen.Len())
	for key, v := range seen.All() {
		switch key {
		case "maxConcurrency", "toleratedFailureCount", "toleratedFailurePercentage", "errorDetails":
			out.Set(key, v)
		case "request", "response":
			if trace {
				out.Set(key, v)
			}
		default:
			out.Set(key, spaced(v))
		}
	}
	return out
}

// spaced is JSON as TestState writes it: with a blank after each comma and colon.
func spaced(v any) string {
	var b strings.Builder
	writeSpaced(&b, v)
	return b.String()
}

func writeSpaced(b *strings.Builder, v any) {
	switch v := v.(type) {
	case *value.Object:
		b.WriteByte('{')
		for i := range v.Len() {
			if i > 0 {
				b.WriteString(", ")
			}
			key, e := v.At(i)
			b.WriteString(value.String(key) + ": ")
			writeSpaced(b, e)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteString(", ")
			}
			writeSpaced(b, e)
		}
		b.WriteByte(']')
	default:
		b.WriteString(value.String(v))
	}
}
