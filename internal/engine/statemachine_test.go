package engine

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

const prefix = "arn:aws:states:us-east-1:000000000000:"

func TestARNsOfMachinesAreTakenApart(t *testing.T) {
	t.Parallel()
	tests := []struct{ arn, base, qualifier, label, refusal string }{
		{arn: prefix + "stateMachine:m", base: prefix + "stateMachine:m"},
		{arn: prefix + "stateMachine:m:12", base: prefix + "stateMachine:m", qualifier: "12"},
		{arn: prefix + "stateMachine:m:prod", base: prefix + "stateMachine:m", qualifier: "prod"},
		{arn: prefix + "stateMachine:m/label", base: prefix + "stateMachine:m", label: "label"},
		{arn: "m", refusal: "Invalid Arn: 'Invalid ARN prefix: m'"},
		{arn: "", refusal: "Invalid Arn: 'Invalid ARN prefix: '"},
		{arn: "arn:aws:sqs:us-east-1:000000000000:stateMachine:m", refusal: "Invalid Arn: 'Invalid ARN prefix: arn:aws:sqs:us-east-1:000000000000:stateMachine:m'"},
		{arn: prefix + "execution:m:e", refusal: "Invalid Arn: 'Resource type not valid in this context: execution'"},
		{arn: prefix + "stateMachine", refusal: "Invalid Arn: 'Resource name is missing: " + prefix + "stateMachine'"},
		{arn: prefix + "stateMachine:m:", refusal: "Invalid Arn: 'Resource name is missing: " + prefix + "stateMachine:m:'"},
	}
	for _, tt := range tests {
		base, qualifier, label, err := splitMachineARN(tt.arn)
		refusal := ""
		if err != nil {
			refusal = err.Error()
		}
		if diff := cmp.Diff([]string{tt.base, tt.qualifier, tt.label, tt.refusal}, []string{base, qualifier, label, refusal}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", tt.arn, diff)
		}
	}
}

func TestNamesOfMachines(t *testing.T) {
	t.Parallel()
	for name, ok := range map[string]bool{
		"a": true, "a-b_c.d": true, "a(b)!@'=+": true, "ä": true, strings.Repeat("x", 80): true,
		"": false, strings.Repeat("x", 81): false, "a b": false, "a\tb": false, "a<b": false, "a#": false, "a\\b": false, "a\u007f": false, "a\uffff": false,
	} {
		if err := CheckName(name); (err == nil) != ok {
			t.Errorf("name %q: %v", name, err)
		}
	}
}

func TestRoutesOfAliases(t *testing.T) {
	t.Parallel()
	v := func(n string, weight int) core.AliasRoute {
		return core.AliasRoute{VersionARN: prefix + "stateMachine:" + n, Weight: weight}
	}
	for _, tt := range []struct {
		routes []core.AliasRoute
		want   string
	}{
		{[]core.AliasRoute{v("m:1", 100)}, ""},
		{[]core.AliasRoute{v("m:1", 0), v("m:2", 100)}, ""},
		{[]core.AliasRoute{v("m:1", 99)}, "Sum of routing configuration weights must equal 100. Received: [99]"},
		{[]core.AliasRoute{v("m:1", 50), v("other:1", 50)}, "Routing configuration must contain state machine version ARNs of one state machine. " +
			"Received: [" + prefix + "stateMachine:m:1, " + prefix + "stateMachine:other:1]"},
	} {
		_, err := checkRouting(tt.routes)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%v: %q, want %q", tt.routes, got, tt.want)
		}
	}
}

func TestTagsAreMergedByKey(t *testing.T) {
	t.Parallel()
	got := mergeTags([]core.Tag{{Key: "a", Value: "1"}, {Key: "b"}}, []core.Tag{{Key: "c"}, {Key: "a", Value: "2"}, {Key: "c", Value: "3"}})
	if diff := cmp.Diff([]core.Tag{{Key: "a", Value: "2"}, {Key: "b"}, {Key: "c", Value: "3"}}, got); diff != "" {
		t.Errorf("tags (-want +got)\n%s", diff)
	}
}
