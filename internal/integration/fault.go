package integration

import (
	"errors"
	"fmt"
	"strings"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// The error names of the States Language that integrations give.
const (
	errTaskFailed = "States.TaskFailed"
	errRuntime    = "States.Runtime"
	errDataLimit  = "States.DataLimitExceeded"
)

// TaskError is why a task failed, as its state may retry or catch it.
type TaskError struct {
	Error, Cause string
	// Parameters tells that the call could not be made of the parameters. AWS
	// says before such a cause which state was executed, see Describe.
	Parameters bool
}

// Describe gives the cause of an error of parameters the beginning that it has
// in AWS; event is the id of the event by which the state was entered.
func (e *TaskError) Describe(state string, event int64) string {
	if !e.Parameters {
		return e.Cause
	}
	return fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). %s", state, event, e.Cause)
}

// badParameters says that a call cannot be made of parameters.
func badParameters(params any, reasons ...string) *TaskError {
	return &TaskError{
		Error: errRuntime, Parameters: true,
		Cause: fmt.Sprintf("The Parameters '%s' could not be used to start the Task: [%s]", value.String(params), strings.Join(reasons, ", ")),
	}
}

func unsupported(field string) string {
	return fmt.Sprintf("The field \"%s\" is not supported by Step Functions", field)
}

func required(field string) string {
	return fmt.Sprintf("The field \"%s\" is required but was missing", field)
}

// fault gives a failed call the name and cause that Step Functions shows.
func fault(s service, op *awscall.Operation, params any, err error) *TaskError {
	if wrong, ok := errors.AsType[*awscall.ParameterError](err); ok {
		if len(wrong.Unknown) == 0 {
			return badParameters(params, wrong.Text)
		}
		reasons := make([]string, len(wrong.Unknown))
		for i, field := range wrong.Unknown {
			reasons[i] = unsupported(field)
		}
		return badParameters(params, reasons...)
	}
	var refusal *awscall.Error
	if !errors.As(err, &refusal) {
		prefix := s.prefix
		if prefix == "" {
			prefix = awscall.Prefix(op.Service.ID)
		}
		return &TaskError{Error: prefix + ".SdkClientException", Cause: "Unable to execute HTTP request: " + err.Error()}
	}
	if s.sdk != "" {
		return fault1(s, refusal)
	}
	return fault2(s, refusal)
}

// fault1 has the form of version 1 of the SDK for Java.
func fault1(s service, e *awscall.Error) *TaskError {
	name := s.base
	if e.Shape != "" {
		name = e.Shape
		if !strings.HasSuffix(name, "Exception") {
			name += "Exception"
		}
	}
	return &TaskError{
		Error: s.prefix + "." + name,
		Cause: fmt.Sprintf("%s (Service: %s; Status Code: %d; Error Code: %s; Request ID: %s; Proxy: null)",
			messageOf(e), s.sdk, e.Status, e.Code, orNull(e.RequestID)),
	}
}

// fault2 has the form of version 2.
func fault2(s service, e *awscall.Error) *TaskError {
	own := awscall.Prefix(e.Service)
	name := own + "Exception"
	if e.Shape != "" {
		name = awscall.ExceptionName(e.Shape)
	}
	prefix := s.prefix
	if prefix == "" {
		prefix = own
	}
	extended := ""
	if e.ExtendedID != "" || e.Service == "S3" {
		extended = ", Extended Request ID: " + orNull(e.ExtendedID)
	}
	return &TaskError{
		Error: prefix + "." + name,
		Cause: fmt.Sprintf("%s (Service: %s, Status Code: %d, Request ID: %s%s) (SDK Attempt Count: %d)",
			messageOf(e), own, e.Status, orNull(e.RequestID), extended, max(1, e.Attempts)),
	}
}

func messageOf(e *awscall.Error) string { return orNull(e.Message) }

// orNull is how the SDK for Java prints what is not there.
func orNull(s string) string {
	if s == "" {
		return "null"
	}
	return s
}

// absent checks members that a service requires and its framework refuses before
// the service itself sees the call. Only services whose text is known are
// checked here; the others answer for themselves.
func absent(op *awscall.Operation, params *value.Object) *awscall.Error {
	if op.Input == nil || op.Service.ID != "DynamoDB" && op.Service.ID != "SQS" {
		return nil
	}
	given := map[string]bool{}
	for key, v := range params.All() {
		if m, ok := op.Input.Member(key); ok && v != nil {
			given[m.Name] = true
		}
	}
	var missing []string
	for i := range op.Input.Members {
		if m := &op.Input.Members[i]; m.Required && !given[m.Name] {
			missing = append(missing, m.Name)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	e := &awscall.Error{Service: op.Service.ID, Status: 400, Client: true, RequestID: awscall.NewID(), Attempts: 1}
	if op.Service.ID == "SQS" {
		e.Code, e.Message = "MissingParameter", "The request must contain the parameter "+missing[0]+"."
		return e
	}
	texts := make([]string, len(missing))
	for i, name := range missing {
		texts[i] = fmt.Sprintf("Value null at '%s' failed to satisfy constraint: Member must not be null", strings.ToLower(name[:1])+name[1:])
	}
	plural := ""
	if len(missing) > 1 {
		plural = "s"
	}
	e.Code = "ValidationException"
	e.Message = fmt.Sprintf("%d validation error%s detected: %s", len(missing), plural, strings.Join(texts, "; "))
	return e
}
