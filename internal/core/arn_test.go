package core_test

import (
	"testing"

	"github.com/leat-dev/leat/internal/core"
)

func TestARNsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"arn:aws:states:us-east-1:000000000000:stateMachine:a:1": true,
		"arn:aws:states:us-east-1:000000000000":                  false,
		"arn:aws:states:us-east-1:000000000000:":                 false,
		"no-arn":                                                 false,
		"":                                                       false,
	} {
		a, ok := core.ParseARN(text)
		if ok != want {
			t.Errorf("%q is an ARN: %t, want %t", text, ok, want)
		}
		if ok && a.String() != text {
			t.Errorf("%q is written as %q", text, a)
		}
	}
	for region, want := range map[string]string{
		"us-east-1": "arn:aws:states:us-east-1:1:x", "cn-north-1": "arn:aws-cn:states:cn-north-1:1:x", "us-gov-west-1": "arn:aws-us-gov:states:us-gov-west-1:1:x",
	} {
		if got := (core.Place{Account: "1", Region: region}).ARN("x"); got != want {
			t.Errorf("an ARN in %s is %s, want %s", region, got, want)
		}
	}
}
