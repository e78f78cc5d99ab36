package asl

import "strings"

// ResourceKind tells the ways in which a Task's work is done apart.
type ResourceKind string

// The kinds of resources.
const (
	// ResourceService is a service integration, arn:aws:states:::SERVICE:ACTION.
	ResourceService ResourceKind = "service"
	// ResourceLambda is a function by its ARN.
	ResourceLambda ResourceKind = "lambda"
	// ResourceActivity is an activity by its ARN.
	ResourceActivity ResourceKind = "activity"
)

// Resource is a Task's Resource, taken apart.
type Resource struct {
	Kind ResourceKind
	// Type and Name are as history shows a service integration: "aws-sdk:sfn" and
	// "sendTaskSuccess", "ecs" and "runTask.sync".
	Type, Name string
	// Pattern is "", "sync", "sync:2" or "waitForTaskToken".
	Pattern string
}

// ParseResource takes a Resource apart; what is no ARN is of no kind.
func ParseResource(arn string) Resource {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" {
		return Resource{}
	}
	switch {
	case parts[2] == "lambda":
		return Resource{Kind: ResourceLambda}
	case parts[2] != "states":
		return Resource{}
	case strings.HasPrefix(parts[5], "activity:"):
		return Resource{Kind: ResourceActivity}
	}
	r := Resource{Kind: ResourceService}
	i := strings.IndexByte(parts[5], ':')
	if strings.HasPrefix(parts[5], "aws-sdk:") {
		i = len("aws-sdk:") + strings.IndexByte(parts[5][len("aws-sdk:"):]+":", ':')
	}
	if i < 0 || i >= len(parts[5]) {
		return Resource{}
	}
	r.Type, r.Name = parts[5][:i], parts[5][i+1:]
	if _, pattern, ok := strings.Cut(r.Name, "."); ok {
		r.Pattern = pattern
	}
	return r
}

// submits reports whether the service's first answer is not the end of the work.
func (r Resource) submits() bool { return r.Pattern != "" }

// ByToken reports whether the outcome comes from outside alone: from a worker of
// an activity, or from whoever was given the task token.
func (r Resource) ByToken() bool {
	return r.Kind == ResourceActivity || r.Pattern == "waitForTaskToken"
}

// region is the region in an ARN.
func region(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[3]
	}
	return ""
}
