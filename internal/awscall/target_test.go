package awscall

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/leat-dev/leat/internal/value"
)

// roundTrip answers requests without a network.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// sentTo tells where a call goes, with what credential scope.
func sentTo(t *testing.T, cfg aws.Config, r Request) (string, string) {
	t.Helper()
	var at, scope string
	c, err := New(Config{
		Now: clock, Load: func(context.Context) (aws.Config, error) { return cfg, nil },
		HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			at = r.URL.String()
			_, scope, _ = strings.Cut(r.Header.Get("Authorization"), "Credential=")
			scope, _, _ = strings.Cut(scope, ",")
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}}, nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Call(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	return at, scope
}

func TestServicesAreFoundAtAWSByTheirRules(t *testing.T) {
	t.Parallel()
	object := value.Of("Bucket", "bucket", "Key", "a b/c")
	tests := []struct {
		name, region string
		request      Request
		url, scope   string
	}{
		{"a regional service", "eu-west-1", Request{Service: "sqs", Operation: "listQueues"}, "https://sqs.eu-west-1.amazonaws.com/", "eu-west-1/sqs"},
		{"a global service", "eu-west-1", Request{Service: "iam", Operation: "listUsers"}, "https://iam.amazonaws.com/", "us-east-1/iam"},
		{"another partition", "cn-north-1", Request{Service: "dynamodb", Operation: "listTables"}, "https://dynamodb.cn-north-1.amazonaws.com.cn/", "cn-north-1/dynamodb"},
		{"the region of the request", "eu-west-1", Request{Service: "ecs", Operation: "listClusters", Region: "us-east-2"}, "https://ecs.us-east-2.amazonaws.com/", "us-east-2/ecs"},
		{"a bucket stands in the host", "eu-west-1", Request{Service: "s3", Operation: "getObject", Params: object}, "https://bucket.s3.eu-west-1.amazonaws.com/a%20b/c", "eu-west-1/s3"},
		{"a bucket with dots stays in the path", "eu-west-1", Request{Service: "s3", Operation: "listObjectsV2", Params: value.Of("Bucket", "a.b")}, "https://s3.eu-west-1.amazonaws.com/a.b?list-type=2", "eu-west-1/s3"},
		{"a prefix of the host", "eu-west-1", Request{Service: "sfn", Operation: "startSyncExecution", Params: value.Of("stateMachineArn", "a")}, "https://sync-states.eu-west-1.amazonaws.com/", "eu-west-1/states"},
		{"a signing name that is not the prefix", "eu-west-1", Request{Service: "cloudwatchlogs", Operation: "describeLogGroups"}, "https://logs.eu-west-1.amazonaws.com/", "eu-west-1/logs"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at, scope := sentTo(t, aws.Config{Region: tt.region, Credentials: keys("AKIAIOSFODNN7EXAMPLE")}, tt.request)
			if want := "AKIAIOSFODNN7EXAMPLE/20260301/" + tt.scope + "/aws4_request"; at != tt.url || scope != want {
				t.Errorf("sent to %s as %s, want %s as %s", at, scope, tt.url, want)
			}
		})
	}
}

func TestConfiguredEndpointsComeFirst(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "config")
	text := "[profile p]\nregion = eu-west-3\nservices = s\naws_access_key_id = 000000000001\naws_secret_access_key = x\nendpoint_url = http://all:1\n[services s]\nsqs =\n  endpoint_url = http://queue:2/base\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithSharedConfigFiles([]string{path}), config.WithSharedCredentialsFiles(nil), config.WithSharedConfigProfile("p"))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name       string
		request    Request
		url, scope string
	}{
		{"one of the service", Request{Service: "sqs", Operation: "listQueues"}, "http://queue:2/base/", "000000000001/20260301/eu-west-3/sqs"},
		{"one of all services", Request{Service: "sns", Operation: "listTopics"}, "http://all:1/", "000000000001/20260301/eu-west-3/sns"},
		{"paths keep the bucket", Request{Service: "s3", Operation: "getObject", Params: value.Of("Bucket", "bucket", "Key", "k")}, "http://all:1/bucket/k", "000000000001/20260301/eu-west-3/s3"},
		{"an emulator learns the account from the key", Request{Service: "sns", Operation: "listTopics", AccountID: "000000000009"}, "http://all:1/", "000000000009/20260301/eu-west-3/sns"},
		{"and that of a role", Request{Service: "sns", Operation: "listTopics", AccountID: "000000000009", RoleARN: "arn:aws:iam::000000000007:role/r"}, "http://all:1/", "000000000007/20260301/eu-west-3/sns"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			at, scope := sentTo(t, cfg, tt.request)
			if want := tt.scope + "/aws4_request"; at != tt.url || scope != want {
				t.Errorf("sent to %s as %s, want %s as %s", at, scope, tt.url, want)
			}
		})
	}
}

func TestARoleIsAssumedOnceWhileItLasts(t *testing.T) {
	t.Parallel()
	var assumed atomic.Int32
	c, err := New(Config{
		Now: clock, Load: func(context.Context) (aws.Config, error) {
			return aws.Config{Region: "eu-west-1", Credentials: keys("AKIAIOSFODNN7EXAMPLE")}, nil
		},
		HTTP: &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			body := `{"TableNames":[]}`
			if strings.HasPrefix(r.URL.Host, "sts.") {
				assumed.Add(1)
				body = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2026-03-01T13:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
			} else if !strings.Contains(r.Header.Get("Authorization"), "Credential=ASIAROLE/") || r.Header.Get("X-Amz-Security-Token") != "token" {
				t.Errorf("signed as %s", r.Header.Get("Authorization"))
			}
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{}}, nil
		})},
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, _, err := c.Call(t.Context(), Request{Service: "dynamodb", Operation: "listTables", RoleARN: "arn:aws:iam::123456789012:role/r"}); err != nil {
			t.Fatal(err)
		}
	}
	if n := assumed.Load(); n != 1 {
		t.Errorf("assumed %d times", n)
	}
}

func TestAConfiguredAddressIsNotAWSsOwn(t *testing.T) {
	t.Parallel()
	base := "http://all:1"
	for _, tt := range []struct {
		name string
		cfg  aws.Config
		want bool
	}{
		{"an address of all services", aws.Config{Region: "eu-west-1", BaseEndpoint: &base}, true},
		{"none", aws.Config{Region: "eu-west-1"}, false},
	} {
		c, err := New(Config{Now: clock, Load: func(context.Context) (aws.Config, error) { return tt.cfg, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Custom(t.Context(), "eventbridge", "putEvents"); err != nil || got != tt.want {
			t.Errorf("%s: %v %v, want %v", tt.name, got, err, tt.want)
		}
	}
}
