package awscall

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/value"
)

func clock() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// keys are credentials of an emulator.
func keys(id string) aws.CredentialsProvider {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: id, SecretAccessKey: "secret"}, nil
	})
}

// callerOf makes a Caller whose services are all at a handler.
func callerOf(t *testing.T, h http.HandlerFunc) *Caller {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(Config{
		Now: clock, HTTP: server.Client(), Backoff: func(int) time.Duration { return 0 },
		Load: func(context.Context) (aws.Config, error) {
			return aws.Config{Region: "eu-west-1", Credentials: keys("test"), BaseEndpoint: aws.String(server.URL)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustParse(t *testing.T, text string) *value.Object {
	t.Helper()
	v, err := value.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return object(v)
}

func TestAnswersOfEachProtocolAreRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, service, operation, params string
		header                           map[string]string
		body, want                       string
	}{
		{
			"JSON: times are shown in ISO 8601 and nulls left out", "dynamodb", "describeTable", `{"TableName":"t"}`, nil,
			`{"Table":{"TableName":"t","CreationDateTime":1.5e9,"ItemCount":3,"BillingModeSummary":null,"Unknown":1}}`,
			`{"Table":{"TableName":"t","CreationDateTime":"2017-07-14T02:40:00Z","ItemCount":3}}`,
		},
		{
			"JSON: a blob is shown as text", "kms", "decrypt", `{"ciphertextBlob":"x"}`, nil,
			`{"KeyId":"k","Plaintext":"aGVsbG8="}`, `{"KeyId":"k","Plaintext":"hello"}`,
		},
		{
			"query: the result lies in a wrapper", "sns", "listTopics", `{}`, nil,
			`<ListTopicsResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><ListTopicsResult><Topics><member><TopicArn>a</TopicArn></member><member><TopicArn>b</TopicArn></member></Topics></ListTopicsResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></ListTopicsResponse>`,
			`{"Topics":[{"TopicArn":"a"},{"TopicArn":"b"}]}`,
		},
		{
			"EC2: lists are of items", "ec2", "describeVpcs", `{}`, nil,
			`<DescribeVpcsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId><vpcSet><item><vpcId>vpc-1</vpcId><isDefault>true</isDefault></item></vpcSet></DescribeVpcsResponse>`,
			`{"Vpcs":[{"IsDefault":true,"VpcId":"vpc-1"}]}`,
		},
		{
			"REST-JSON: headers and a payload", "lambda", "invoke", `{"FunctionName":"f"}`,
			map[string]string{"X-Amz-Executed-Version": "$LATEST"},
			`{"a":1}`,
			`{"StatusCode":200,"ExecutedVersion":"$LATEST","Payload":"{\"a\":1}"}`,
		},
		{
			"REST-XML: metadata is a map even when there is none", "s3", "getObject", `{"Bucket":"b","Key":"k"}`,
			map[string]string{"ETag": `"e"`, "Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"},
			"text",
			`{"Body":"text","LastModified":"2015-10-21T07:28:00Z","ContentLength":4,"ETag":"\"e\"","ContentType":"text/plain; charset=utf-8","Metadata":{}}`,
		},
		{
			"REST-XML: flattened lists", "s3", "listObjectsV2", `{"Bucket":"b"}`, nil,
			`<?xml version="1.0"?><ListBucketResult><Contents><Key>a</Key><Size>3</Size></Contents><Contents><Key>b</Key><Size>4</Size></Contents><IsTruncated>false</IsTruncated></ListBucketResult>`,
			`{"IsTruncated":false,"Contents":[{"Key":"a","Size":3},{"Key":"b","Size":4}]}`,
		},
		{
			"REST-XML: a document that is the member", "s3", "getBucketLocation", `{"Bucket":"b"}`, nil,
			`<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/">eu-west-1</LocationConstraint>`,
			`{"LocationConstraint":"eu-west-1"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := callerOf(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				_, _ = io.WriteString(w, tt.body)
			})
			got, meta, err := c.Call(t.Context(), Request{Service: tt.service, Operation: tt.operation, Params: mustParse(t, tt.params)})
			if err != nil {
				t.Fatal(err)
			}
			if !value.Equal(got, mustParse(t, tt.want)) {
				t.Errorf("got %s, want %s", value.String(got), tt.want)
			}
			if meta.Status != http.StatusOK || meta.Attempts != 1 {
				t.Errorf("meta %+v", meta)
			}
		})
	}
}

func TestErrorsOfEachProtocolAreRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, service, operation, params string
		status                           int
		header                           map[string]string
		body                             string
		want                             Error
	}{
		{
			"JSON: the type stands in the body", "dynamodb", "getItem", `{"TableName":"t","Key":{}}`, 400,
			map[string]string{"x-amzn-RequestId": "r1"},
			`{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}`,
			Error{Service: "DynamoDB", Code: "ResourceNotFoundException", Shape: "ResourceNotFoundException", Message: "Requested resource not found", Status: 400, RequestID: "r1", Client: true, Attempts: 1},
		},
		{
			"JSON: an error that the model does not know", "dynamodb", "getItem", `{}`, 400, nil,
			`{"__type":"com.amazon.coral.validate#ValidationException","message":"m"}`,
			Error{Service: "DynamoDB", Code: "ValidationException", Message: "m", Status: 400, Client: true, Attempts: 1},
		},
		{
			"JSON after query: the old code is told in a header", "sqs", "sendMessage", `{"QueueUrl":"q","MessageBody":"m"}`, 400,
			map[string]string{"x-amzn-query-error": "AWS.SimpleQueueService.NonExistentQueue;Sender"},
			`{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`,
			Error{Service: "SQS", Code: "AWS.SimpleQueueService.NonExistentQueue", Shape: "QueueDoesNotExist", Message: "The specified queue does not exist.", Status: 400, Client: true, Attempts: 1},
		},
		{
			"query", "sns", "publish", `{"TopicArn":"a","Message":"m"}`, 404, nil,
			`<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>NotFound</Code><Message>Topic does not exist</Message></Error><RequestId>r2</RequestId></ErrorResponse>`,
			Error{Service: "SNS", Code: "NotFound", Shape: "NotFoundException", Message: "Topic does not exist", Status: 404, RequestID: "r2", Client: true, Attempts: 1},
		},
		{
			"EC2", "ec2", "describeVpcs", `{}`, 400, nil,
			`<Response><Errors><Error><Code>InvalidVpcID.NotFound</Code><Message>no</Message></Error></Errors><RequestID>r3</RequestID></Response>`,
			Error{Service: "EC2", Code: "InvalidVpcID.NotFound", Message: "no", Status: 400, RequestID: "r3", Client: true, Attempts: 1},
		},
		{
			"REST-JSON: the type stands in a header", "lambda", "invoke", `{"FunctionName":"f"}`, 404,
			map[string]string{"x-amzn-ErrorType": "ResourceNotFoundException:http://x/"},
			`{"Type":"User","Message":"Function not found"}`,
			Error{Service: "Lambda", Code: "ResourceNotFoundException", Shape: "ResourceNotFoundException", Message: "Function not found", Status: 404, Client: true, Attempts: 1},
		},
		{
			"REST-XML", "s3", "getObject", `{"Bucket":"b","Key":"k"}`, 404,
			map[string]string{"x-amz-request-id": "r4", "x-amz-id-2": "ext"},
			`<?xml version="1.0"?><Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message><Key>k</Key></Error>`,
			Error{Service: "S3", Code: "NoSuchKey", Shape: "NoSuchKey", Message: "The specified key does not exist.", Status: 404, RequestID: "r4", ExtendedID: "ext", Client: true, Attempts: 1},
		},
		{
			"an answer without a body", "s3", "headObject", `{"Bucket":"b","Key":"k"}`, 404, nil, "",
			Error{Service: "S3", Code: "NotFound", Shape: "", Status: 404, Client: true, Attempts: 1},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := callerOf(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header().Set(k, v)
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			_, _, err := c.Call(t.Context(), Request{Service: tt.service, Operation: tt.operation, Params: mustParse(t, tt.params)})
			var got *Error
			if !errors.As(err, &got) {
				t.Fatalf("got %v", err)
			}
			got.Fields = nil
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFailuresOfServersAreTriedAgain(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	c := callerOf(t, func(w http.ResponseWriter, _ *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 2:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ThrottlingException","message":"slow"}`)
		default:
			_, _ = io.WriteString(w, `{"SecretList":[]}`)
		}
	})
	_, meta, err := c.Call(t.Context(), Request{Service: "secretsmanager", Operation: "listSecrets"})
	if err != nil || meta.Attempts != 3 {
		t.Errorf("%v after %d attempts", err, meta.Attempts)
	}
}

func TestParametersThatAnOperationDoesNotHaveAreRefused(t *testing.T) {
	t.Parallel()
	c := callerOf(t, func(http.ResponseWriter, *http.Request) { t.Error("the call was made") })
	for _, params := range []string{`{"TableName":"t","Foo":1}`, `{"TableName":{}}`, `{"Limit":"many"}`, `{"Key":[]}`} {
		_, _, err := c.Call(t.Context(), Request{Service: "dynamodb", Operation: "query", Params: mustParse(t, params)})
		if _, ok := errors.AsType[*ParameterError](err); !ok {
			t.Errorf("%s: %v", params, err)
		}
	}
}

func TestAHandlerAnswersInThisProcess(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Authorization"), "Credential=123456789012/20260301/us-east-2/states/aws4_request") {
			t.Errorf("signed as %s", r.Header.Get("Authorization"))
		}
		if got := r.Header.Get("X-Amz-Target"); got != "AWSStepFunctions.SendTaskSuccess" {
			t.Errorf("target %s", got)
		}
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"InvalidToken","message":"Invalid Token: 'Invalid token'"}`)
	})
	c, err := New(Config{Now: clock, Handlers: map[string]http.Handler{"sfn": h}})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = c.Call(t.Context(), Request{
		Service: "sfn", Operation: "sendTaskSuccess", Region: "us-east-2", AccountID: "123456789012",
		Params: value.Of("TaskToken", "t", "Output", "{}"),
	})
	var got *Error
	if !errors.As(err, &got) || got.Shape != "InvalidToken" {
		t.Errorf("got %v", err)
	}
}

func TestNamesAreThoseOfTheSDKForJava(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]string{
		"SFN": "Sfn sfn", "DynamoDB": "DynamoDb dynamodb", "CloudWatch Logs": "CloudWatchLogs cloudwatchlogs",
		"Elastic Load Balancing v2": "ElasticLoadBalancingV2 elasticloadbalancingv2", "S3": "S3 s3", "EC2": "Ec2 ec2",
		"Secrets Manager": "SecretsManager secretsmanager", "Lex Runtime Service": "LexRuntime lexruntime", "ACM PCA": "AcmPca acmpca",
		"EventBridge": "EventBridge eventbridge", "SageMaker": "SageMaker sagemaker",
	} {
		if got := Prefix(id) + " " + ServiceName(id); got != want {
			t.Errorf("%s is %s, want %s", id, got, want)
		}
	}
	for shape, want := range map[string]string{
		"NoSuchKey": "NoSuchKeyException", "InvalidToken": "InvalidTokenException", "KMSAccessDeniedException": "KmsAccessDeniedException",
		"DBInstanceNotFoundFault": "DbInstanceNotFoundException", "ResourceNotFoundException": "ResourceNotFoundException",
	} {
		if got := ExceptionName(shape); got != want {
			t.Errorf("%s is %s, want %s", shape, got, want)
		}
	}
	for member, want := range map[string]string{
		"MD5OfMessageBody": "Md5OfMessageBody", "ARN": "Arn", "BOOL": "Bool", "NULL": "Nul", "SS": "Ss", "S": "S", "": "",
		"ETag": "ETag", "ChecksumCRC32": "ChecksumCRC32", "SSEKMSKeyId": "SsekmsKeyId", "DBInstances": "DbInstances",
		"executionArn": "ExecutionArn", "x": "X",
	} {
		if got := MemberName(member); got != want {
			t.Errorf("%s is %s, want %s", member, got, want)
		}
	}
}

func TestEveryModelCanBeRead(t *testing.T) {
	t.Parallel()
	c := &catalog{}
	if err := c.open(); err != nil {
		t.Fatal(err)
	}
	operations := 0
	for name := range c.byName {
		s, err := c.service(name)
		if err != nil {
			t.Fatal(err)
		}
		if s.protocol == "" || s.endpointPrefix == "" {
			t.Errorf("%s has protocol %q and prefix %q", name, s.protocol, s.endpointPrefix)
		}
		operations += len(s.operations)
	}
	if len(c.byName) < 400 || operations < 15000 {
		t.Errorf("%d services with %d operations", len(c.byName), operations)
	}
}
