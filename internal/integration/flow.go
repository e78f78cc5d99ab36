package integration

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// FlowRun is the run of a deployment that arn:leat:states:::flow:run asks for.
type FlowRun struct {
	// DeploymentID names the deployment if it is not empty, else Flow and
	// Deployment do.
	DeploymentID, Flow, Deployment string
	// Name is the run's; empty makes one.
	Name string
	// Parameters and JobVariables are JSON objects or nil.
	Parameters, JobVariables json.RawMessage
	Tags                     []string
	// IdempotencyKey makes a second run with the same key be the first one; empty
	// leaves the choice to whoever makes the run.
	IdempotencyKey string
}

// ReadFlowRun reads the parameters of arn:leat:states:::flow:run:
//
//	Deployment      "flow/deployment", or DeploymentId
//	Parameters      an object, optional like all that follow
//	Name            the run's name
//	Tags            a list of strings
//	JobVariables    an object
//	IdempotencyKey  a string
func ReadFlowRun(params any) (FlowRun, *TaskError) {
	o, ok := params.(*value.Object)
	if !ok {
		return FlowRun{}, badParameters(params, "The Parameters must be a JSON object")
	}
	var f FlowRun
	var reasons []string
	var deployment string
	for name, v := range o.All() {
		wrong := ""
		switch name {
		case "Deployment":
			deployment, wrong = flowText(v)
		case "DeploymentId":
			f.DeploymentID, wrong = flowText(v)
		case "Name":
			f.Name, wrong = flowText(v)
		case "IdempotencyKey":
			f.IdempotencyKey, wrong = flowText(v)
		case "Parameters":
			f.Parameters, wrong = flowObject(v)
		case "JobVariables":
			f.JobVariables, wrong = flowObject(v)
		case "Tags":
			f.Tags, wrong = flowTags(v)
		default:
			reasons = append(reasons, unsupported(name))
		}
		if wrong != "" {
			reasons = append(reasons, fmt.Sprintf("The value for the field '%s' must be %s", name, wrong))
		}
	}
	_, named := o.Get("Deployment")
	_, numbered := o.Get("DeploymentId")
	switch f.Flow, f.Deployment, ok = strings.Cut(deployment, "/"); {
	case !named && !numbered:
		reasons = append(reasons, required("Deployment"))
	case named && numbered:
		reasons = append(reasons, "The fields 'Deployment' and 'DeploymentId' exclude each other")
	case deployment != "" && (!ok || f.Flow == "" || f.Deployment == ""):
		reasons = append(reasons, "The value for the field 'Deployment' must be the name of a flow, a slash and the name of a deployment")
	}
	if len(reasons) > 0 {
		return FlowRun{}, badParameters(params, reasons...)
	}
	return f, nil
}

// flowText takes a text that is not empty; otherwise it says what should stand there.
func flowText(v any) (text, wrong string) {
	if text, _ = v.(string); text == "" {
		return "", "a string that is not empty"
	}
	return text, ""
}

func flowObject(v any) (object json.RawMessage, wrong string) {
	o, ok := v.(*value.Object)
	if !ok {
		return nil, "an object"
	}
	return value.Append(nil, o), ""
}

func flowTags(v any) (tags []string, wrong string) {
	list, ok := v.([]any)
	for _, item := range list {
		text, isText := item.(string)
		ok = ok && isText
		tags = append(tags, text)
	}
	if !ok {
		return nil, "a list of strings"
	}
	return tags, ""
}
