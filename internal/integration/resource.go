// Package integration makes the calls that Task states ask for: it reads what a
// Resource ARN means, calls the service, and gives answers and errors the form
// that they have in AWS Step Functions. Jobs that a state waits for are followed
// by a Watch, which outlives the process.
//
// The shapes and texts are those of recordings of the service and of the
// documentation of its integrations.
package integration

import (
	"errors"
	"fmt"
	"strings"
)

// Pattern is how a state waits for what it calls.
type Pattern uint8

// The patterns.
const (
	RequestResponse Pattern = 1 << iota // the answer to the call is the result
	Sync                                // the job's end is the result
	Sync2                               // the same, with the job's output as JSON
	WaitForToken                        // whoever gets the task token gives the result
)

// Kind is what a resource stands for.
type Kind uint8

// The kinds of resources.
const (
	Optimized Kind = iota // arn:aws:states:::SERVICE:ACTION
	SDK                   // arn:aws:states:::aws-sdk:SERVICE:ACTION
	Lambda                // the ARN of a function
	Activity              // the ARN of an activity
	Flow                  // arn:leat:states:::flow:run
)

// Resource is what a Resource ARN says.
type Resource struct {
	ARN     string
	Kind    Kind
	Pattern Pattern
	// Service and Action are lambda and invoke; of an aws-sdk resource sfn and
	// sendTaskSuccess.
	Service, Action string
	// Type and Name stand in events as resourceType and resource: aws-sdk:sfn and
	// sendTaskSuccess, ecs and runTask.sync.
	Type, Name string
	// Region is that of a function or activity, empty for the machine's own.
	Region string
}

// Unrecognized is the text of AWS for a Resource that stands for nothing.
func Unrecognized(arn string) string {
	return fmt.Sprintf("The resource provided %s is not recognized. The value is not a valid resource ARN, or the resource is not available in this region.", arn)
}

// Parse reads the Resource of a Task state. The error's text is AWS's.
func Parse(arn string) (Resource, error) {
	r := Resource{ARN: arn, Pattern: RequestResponse}
	parts := strings.SplitN(arn, ":", 6)
	unknown := errors.New(Unrecognized(arn))
	if len(parts) != 6 || parts[0] != "arn" || parts[5] == "" {
		return r, unknown
	}
	partition, service, rest := parts[1], parts[2], parts[5]
	switch {
	case partition == "leat" && service == "states":
		return parseFlow(r, rest, unknown)
	case !strings.HasPrefix(partition, "aws"):
		return r, unknown
	case service == "lambda" && strings.HasPrefix(rest, "function:"):
		r.Kind, r.Service, r.Action, r.Region = Lambda, "lambda", "invoke", parts[3]
		r.Type, r.Name = "lambda", arn
		return r, nil
	case service == "states" && strings.HasPrefix(rest, "activity:") && len(rest) > len("activity:"):
		r.Kind, r.Service, r.Action, r.Region = Activity, "states", "activity", parts[3]
		r.Type, r.Name = "activity", arn
		return r, nil
	case service != "states":
		return r, unknown
	}
	if sdk, ok := strings.CutPrefix(rest, "aws-sdk:"); ok {
		r.Kind, rest = SDK, sdk
	}
	var name string
	r.Service, name, _ = strings.Cut(rest, ":")
	r.Type, r.Name = r.Service, name
	var ok bool
	if r.Action, r.Pattern, ok = cutPattern(name); !ok {
		return r, unknown
	}
	if r.Kind == SDK {
		r.Type = "aws-sdk:" + r.Service
		if r.Pattern&(Sync|Sync2) != 0 || r.Action == "" || r.Action[0] < 'a' || r.Action[0] > 'z' {
			return r, unknown
		}
		return r, nil
	}
	s, ok := serviceOf(r.Service)
	if !ok {
		return r, unknown
	}
	if a, ok := s.actions[r.Action]; !ok || a.patterns&r.Pattern == 0 {
		return r, unknown
	}
	return r, nil
}

func parseFlow(r Resource, rest string, unknown error) (Resource, error) {
	r.Kind, r.Service, r.Type = Flow, "flow", "flow"
	name, ok := strings.CutPrefix(rest, "flow:")
	if !ok {
		return r, unknown
	}
	r.Name = name
	if r.Action, r.Pattern, ok = cutPattern(name); !ok || r.Action != "run" || r.Pattern == Sync2 || r.Pattern == WaitForToken {
		return r, unknown
	}
	return r, nil
}

// cutPattern splits runTask.sync into action and pattern.
func cutPattern(name string) (string, Pattern, bool) {
	action, suffix, dotted := strings.Cut(name, ".")
	if !dotted {
		return action, RequestResponse, action != ""
	}
	switch suffix {
	case "sync":
		return action, Sync, true
	case "sync:2":
		return action, Sync2, true
	case "waitForTaskToken":
		return action, WaitForToken, true
	}
	return action, 0, false
}
