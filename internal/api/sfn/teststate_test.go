package sfn_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/api/sfn"
	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store/storetest"
	"github.com/leat-dev/leat/internal/value"
)

// calls answers the calls of tried states: with the call's own words, and as if
// there had been an exchange over HTTP.
type calls struct{}

func (calls) CheckMock(resource string, _ any, mode string) error {
	if mode == "NONE" {
		return nil
	}
	return errors.New("not as " + resource + " answers")
}

func (calls) GivenItems(_ *asl.Transfer, data string) (asl.ItemsRead, *asl.Failure) {
	return asl.ItemsRead{Items: []any{data}, Pointed: data, HasPointed: true}, nil
}

func (calls) Call(_ context.Context, c engine.TrialCall) engine.TrialAnswer {
	if c.Action.Timeout > 0 {
		return engine.TrialAnswer{Failure: &asl.Failure{Error: "States.Timeout"}, Request: value.Of("method", "GET")}
	}
	return engine.TrialAnswer{
		Output:  value.Of("with", c.Action.Parameters, "secrets", c.RevealSecrets, "role", c.Info.RoleARN),
		Request: value.Of("method", "GET"), Response: value.Of("statusCode", "200"),
	}
}

func TestTriedStatesCallServices(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	now := func() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }
	server := httptest.NewServer(sfn.New(sfn.Config{Engine: engine.New(engine.Config{Store: s, Now: now, Trial: calls{}}), Now: now}))
	defer server.Close()
	play(t, server, parseExchanges(t, `
-- TestState --
{"definition": {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Parameters": {"a": 1}, "ResultSelector": {"s.$": "$.secrets", "r.$": "$.role"}, "End": true}, "roleArn": "arn:aws:iam::000000000000:role/r", "inspectionLevel": "TRACE", "revealSecrets": true}
-- 200 --
{"status": "SUCCEEDED", "output": "{\"s\": true, \"r\": \"arn:aws:iam::000000000000:role/r\"}", "inspectionData": {"input": "{}", "afterInputPath": "{}", "afterParameters": "{\"a\": 1}", "result": "{\"with\": {\"a\": 1}, \"secrets\": true, \"role\": \"arn:aws:iam::000000000000:role/r\"}", "afterResultSelector": "{\"s\": true, \"r\": \"arn:aws:iam::000000000000:role/r\"}", "afterResultPath": "{\"s\": true, \"r\": \"arn:aws:iam::000000000000:role/r\"}", "request": {"method": "GET"}, "response": {"statusCode": "200"}}}
-- TestState --
{"definition": {"Type": "Task", "QueryLanguage": "JSONata", "Resource": "arn:aws:states:::http:invoke", "Arguments": {}, "Output": 1, "End": true}, "roleArn": "arn:aws:iam::000000000000:role/r", "inspectionLevel": "DEBUG"}
-- 200 --
{"status": "SUCCEEDED", "output": "1", "inspectionData": {"input": "{}", "afterArguments": "{}", "result": "{\"with\": {}, \"secrets\": false, \"role\": \"arn:aws:iam::000000000000:role/r\"}"}}
-- TestState --
{"definition": {"Type": "Task", "QueryLanguage": "JSONata", "Resource": "arn:aws:states:::http:invoke", "TimeoutSeconds": 1, "Catch": [{"ErrorEquals": ["States.Timeout"], "Next": "N"}], "End": true}, "roleArn": "arn:aws:iam::000000000000:role/r", "inspectionLevel": "TRACE"}
-- 200 --
{"status": "CAUGHT_ERROR", "error": "States.Timeout", "nextState": "N", "output": "{\"Error\": \"States.Timeout\", \"Cause\": \"\"}", "inspectionData": {"input": "{}", "errorDetails": {"catchIndex": 0}, "request": {"method": "GET"}}}
-- TestState --
{"definition": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {}, "End": true}, "mock": {"result": "{}"}}
-- 400 --
{"__type": "ValidationException", "message": "Mock result schema validation error: not as arn:aws:states:::sqs:sendMessage answers"}
-- TestState --
{"definition": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": {}, "End": true}, "mock": {"result": "{}", "fieldValidationMode": "NONE"}}
-- 200 --
{"status": "SUCCEEDED", "output": "{}"}
-- TestState --
{"definition": {"Type": "Map", "QueryLanguage": "JSONata", "ItemReader": {"Resource": "arn:aws:states:::s3:getObject", "ReaderConfig": {"InputType": "JSON"}, "Arguments": {"Bucket": "b", "Key": "k"}}, "ItemBatcher": {"MaxItemsPerBatch": 1}, "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "In", "States": {"In": {"Type": "Pass", "End": true}}}, "End": true}, "mock": {"result": "[1]"}, "stateConfiguration": {"mapItemReaderData": "data"}, "inspectionLevel": "DEBUG"}
-- 200 --
{"status": "SUCCEEDED", "output": "[1]", "inspectionData": {"input": "{}", "maxConcurrency": 0, "afterItemsPointer": "\"data\"", "afterItemBatcher": "[{\"Items\": [\"data\"]}]"}}
`))
}
