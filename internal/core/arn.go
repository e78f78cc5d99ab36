package core

import "strings"

// ARN is a parsed Amazon resource name: arn:Partition:Service:Region:Account:Resource.
type ARN struct {
	Partition, Service, Region, Account string
	// Resource is all that is left, with its colons.
	Resource string
}

// ParseARN takes an ARN apart and reports whether the text is one.
func ParseARN(text string) (ARN, bool) {
	parts := strings.SplitN(text, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[1] == "" || parts[5] == "" {
		return ARN{}, false
	}
	return ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}, true
}

// String returns the text.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Place is where, in AWS's terms, a request belongs.
type Place struct {
	// Workspace is the account's.
	Workspace WorkspaceID
	// Account is a number of 12 digits.
	Account string
	// Region is a name such as us-east-1.
	Region string
}

// ARN returns the name of a Step Functions resource in the place, such as
// "stateMachine:name".
func (p Place) ARN(resource string) string {
	return ARN{Partition: p.Partition(), Service: "states", Region: p.Region, Account: p.Account, Resource: resource}.String()
}

// Partition is the part of AWS in which the region lies.
func (p Place) Partition() string {
	switch {
	case strings.HasPrefix(p.Region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(p.Region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
