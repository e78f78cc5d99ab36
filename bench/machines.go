package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// machine is a state machine that a row runs, and what its executions get.
type machine struct{ name, definition, input string }

func passMachine() machine {
	return machine{"pass", `{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}`, `{"x":1}`}
}

// chainMachine is a row of Pass states.
func chainMachine(states int) machine {
	var b strings.Builder
	b.WriteString(`{"StartAt":"S0","States":{`)
	for i := range states - 1 {
		fmt.Fprintf(&b, `"S%d":{"Type":"Pass","Next":"S%d"},`, i, i+1)
	}
	fmt.Fprintf(&b, `"S%d":{"Type":"Pass","End":true}}}`, states-1)
	return machine{fmt.Sprintf("chain-%d", states), b.String(), `{"x":1}`}
}

// loopMachine counts to a number by a Choice and a Pass; its history has four
// events of each round and eight besides.
func loopMachine(rounds int) machine {
	return machine{fmt.Sprintf("loop-%d", rounds), fmt.Sprintf(`{"StartAt":"Begin","States":{`+
		`"Begin":{"Type":"Pass","Parameters":{"n":0},"Next":"Enough"},`+
		`"Enough":{"Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThanEquals":%d,"Next":"Done"}],"Default":"Count"},`+
		`"Count":{"Type":"Pass","Parameters":{"n.$":"States.MathAdd($.n, 1)"},"Next":"Enough"},`+
		`"Done":{"Type":"Succeed"}}}`, rounds), `{}`}
}

// mapMachine runs a Pass state for each item of its input.
func mapMachine(items int) machine {
	const definition = `{"StartAt":"Each","States":{"Each":{"Type":"Map","ItemsPath":"$.items","End":true,"ItemProcessor":{` +
		`"ProcessorConfig":{"Mode":"INLINE"},"StartAt":"One","States":{"One":{"Type":"Pass","End":true}}}}}}`
	list := make([]string, items)
	for i := range list {
		list[i] = fmt.Sprint(i)
	}
	return machine{fmt.Sprintf("map-%d", items), definition, `{"items":[` + strings.Join(list, ",") + `]}`}
}

// threeMachine goes through a Pass, a Choice and a Succeed state.
func threeMachine() machine {
	const definition = `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},` +
		`"B":{"Type":"Choice","Choices":[{"Variable":"$.x","NumericEquals":1,"Next":"C"}],"Default":"C"},"C":{"Type":"Succeed"}}}`
	return machine{"three", definition, `{"x":1}`}
}

// waitMachine waits for longer than anybody measures.
func waitMachine() machine {
	return machine{"wait", `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":86400,"Next":"B"},"B":{"Type":"Succeed"}}}`, `{"x":1}`}
}

// starter starts executions of a state machine. Each gets a name, as moto takes
// no second one without.
type starter struct {
	body []byte // without its end
	ids  *ids
}

// starter makes the state machine, unless the server has it.
func (s *server) starter(ctx context.Context, m machine) (*starter, error) {
	arn := s.fixtures.machines[m.name]
	if arn == "" {
		body, err := json.Marshal(map[string]string{
			"name": m.name, "definition": m.definition, "roleArn": "arn:aws:iam::000000000000:role/bench", "type": "STANDARD",
		})
		if err != nil {
			return nil, err
		}
		c := newConn(s.addr)
		defer c.close()
		answer, err := c.aws(ctx, "CreateStateMachine", body)
		if err != nil {
			return nil, err
		}
		if arn = field(answer, "stateMachineArn"); arn == "" {
			return nil, fmt.Errorf("an answer without ARN: %.200s", answer)
		}
		if s.fixtures.machines == nil {
			s.fixtures.machines = map[string]string{}
		}
		s.fixtures.machines[m.name] = arn
	}
	body, err := json.Marshal(map[string]string{"stateMachineArn": arn, "input": m.input})
	return &starter{body: bytes.TrimSuffix(body, []byte("}")), ids: newIDs()}, err
}

// start starts an execution and returns the body that names it in other calls.
func (s *starter) start(ctx context.Context, c *conn) ([]byte, error) {
	answer, err := c.aws(ctx, "StartExecution", append(bytes.Clone(s.body), `,"name":"`+s.ids.next()+`"}`...))
	if err != nil {
		return nil, err
	}
	arn := field(answer, "executionArn")
	if arn == "" {
		return nil, fmt.Errorf("an answer without ARN: %.200s", answer)
	}
	return []byte(`{"executionArn":"` + arn + `"}`), nil
}

// awsHeaders are what boto3 sends: operation and date, twice. The signature is
// none, as nobody verifies it without authentication; the emulators take
// account, region and service from the line.
const awsHeaders = "Accept-Encoding: identity\r\nX-Amz-Target: AWSStepFunctions.%s\r\nContent-Type: application/x-amz-json-1.0\r\n" +
	"User-Agent: Boto3/1.42.72 md/Botocore#1.42.72 ua/2.1 os/linux lang/python#3.11.7\r\nX-Amz-Date: %s\r\n" +
	"Authorization: AWS4-HMAC-SHA256 Credential=test/%.8s/us-east-1/states/aws4_request, " +
	"SignedHeaders=content-type;host;x-amz-date;x-amz-target, " +
	"Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n"

// aws calls an operation of Step Functions and returns the answer's body, which
// is valid until the next call.
func (c *conn) aws(ctx context.Context, operation string, body []byte) ([]byte, error) {
	now := time.Now().UTC().Format("20060102T150405Z")
	answer, err := c.ask(ctx, http.MethodPost, "/", fmt.Sprintf(awsHeaders, operation, now, now), body, http.StatusOK)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	return answer, nil
}
