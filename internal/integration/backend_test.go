package integration_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

const account = "000000000000"

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// emulator is one process that stands in for AWS in the tests of this package.
type emulator struct {
	url   string
	stop  func()
	start sync.Once
	err   error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	os.Exit(code)
}

var shared emulator

// backend starts the fixture services once and returns their address.
func backend(t *testing.T) string {
	t.Helper()
	python := os.Getenv("LEAT_TEST_AWS_PYTHON")
	script, err := filepath.Abs("../../../shared/sfn-conformance/fixtures/backend.py")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(script); err != nil || python == "" {
		t.Skip("LEAT_TEST_AWS_PYTHON names no Python with moto, or the fixture services are absent")
	}
	shared.start.Do(func() { shared.err = shared.launch(python, script) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.url
}

func (e *emulator) launch(python, script string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // only to find a free port
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	var log bytes.Buffer
	cmd := exec.Command(python, script, "--port", fmt.Sprint(port)) //nolint:noctx // it outlives the test that needs it first
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		return err
	}
	e.stop = func() {
		_ = cmd.Process.Kill() // its functions end with it, as their input does
		_ = cmd.Wait()
	}
	e.url = fmt.Sprintf("http://127.0.0.1:%d", port)
	for range 600 {
		resp, err := http.Get(e.url + "/_fixture/health") //nolint:noctx // the loop is bounded
		if err == nil {
			return resp.Body.Close()
		}
		<-time.After(100 * time.Millisecond)
	}
	return fmt.Errorf("the fixture services do not answer: %s", log.String())
}

// client makes a caller and a runner for an address.
func client(t *testing.T, url string, handlers map[string]http.Handler) (*awscall.Caller, *integration.Runner) {
	t.Helper()
	c, err := awscall.New(awscall.Config{
		Now: now, Handlers: handlers, Backoff: func(int) time.Duration { return time.Millisecond },
		Load: func(context.Context) (aws.Config, error) {
			provider := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: account, SecretAccessKey: "test"}, nil
			})
			return aws.Config{Region: "us-east-1", Credentials: provider, BaseEndpoint: aws.String(url)}, nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := integration.New(integration.Config{Caller: c, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return c, r
}

// object reads a JSON object.
func object(t *testing.T, text string) *value.Object {
	t.Helper()
	v, err := value.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return o
}

// must makes a call that prepares a test.
func must(t *testing.T, c *awscall.Caller, service, operation, params string) *value.Object {
	t.Helper()
	out, _, err := c.Call(t.Context(), awscall.Request{Service: service, Operation: operation, AccountID: account, Params: object(t, params)})
	if err != nil {
		t.Fatalf("%s.%s: %v", service, operation, err)
	}
	return out
}

func text(o *value.Object, key string) string {
	v, _ := o.Get(key)
	s, _ := v.(string)
	return s
}

// task makes a task of a resource and parameters.
func task(t *testing.T, arn, params string) integration.Task {
	t.Helper()
	res, err := integration.Parse(arn)
	if err != nil {
		t.Fatal(err)
	}
	p, err := value.Parse([]byte(params))
	if err != nil {
		t.Fatal(err)
	}
	return integration.Task{
		Resource: res, Parameters: integration.Defaults(res, p), Account: account, Region: "us-east-1", ExecutionName: "e",
		ExecutionARN: "arn:aws:states:us-east-1:000000000000:execution:m:e", MachineARN: "arn:aws:states:us-east-1:000000000000:stateMachine:m",
	}
}

// result runs a task to its end and shows its result or its error.
func result(t *testing.T, r *integration.Runner, tk integration.Task) (any, *integration.TaskError) {
	t.Helper()
	out, err := r.Start(t.Context(), tk)
	if err != nil || out.Watch == nil {
		return out.Output, err
	}
	w := *out.Watch
	deadline := time.After(30 * time.Second)
	for {
		stored, e := json.Marshal(w)
		if e != nil {
			t.Fatal(e)
		}
		w = integration.Watch{}
		if e := json.Unmarshal(stored, &w); e != nil {
			t.Fatal(e)
		}
		p := r.Poll(t.Context(), []integration.Watch{w})[0]
		if p.Done || p.Over {
			return p.Output, p.Error
		}
		w = p.Watch
		select {
		case <-time.After(min(p.After, 100*time.Millisecond)):
		case <-deadline:
			t.Fatal("the job does not end")
		}
	}
}

// without drops what differs from call to call.
func without(v any, keys ...string) any {
	o, ok := v.(*value.Object)
	if !ok {
		return v
	}
	o = o.Clone()
	for _, k := range keys {
		o.Delete(k)
	}
	return o
}

const metadata = "SdkHttpMetadata SdkResponseMetadata"

func TestFunctionsAreInvoked(t *testing.T) {
	t.Parallel()
	c, r := client(t, backend(t), nil)
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	f, err := z.Create("handler.py")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("def handler(event, context):\n    if event == 'fail':\n        raise ValueError('no')\n    return event\n")); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	// A blob is given as a text of its bytes, which a zip is not in JSON.
	params := object(t, `{"FunctionName":"echo","Runtime":"python3.12","Handler":"handler.handler","Role":"r","Timeout":20}`)
	params.Set("Code", value.Of("ZipFile", code.String()))
	fn, _, err := c.Call(t.Context(), awscall.Request{Service: "lambda", Operation: "createFunction", AccountID: account, Params: params})
	if err != nil {
		t.Fatal(err)
	}
	arn := text(fn, "FunctionArn")
	for _, payload := range []string{`{"a":[1,2.0]}`, `"text"`, `[]`, `0.0`, `true`, `null`} {
		got, err := result(t, r, task(t, "arn:aws:states:::lambda:invoke", `{"FunctionName":"echo","Payload":`+payload+`}`))
		if err != nil {
			t.Fatal(err)
		}
		shownPayload := payload
		if payload == "null" {
			shownPayload = "{}" // a function without a payload gets an empty one
		}
		want := `{"ExecutedVersion":"$LATEST","Payload":` + shownPayload + `,"StatusCode":200}`
		if shown := value.String(without(got, strings.Fields(metadata)...)); shown != want {
			t.Errorf("got %s, want %s", shown, want)
		}
		bare, err := result(t, r, task(t, arn, payload))
		if err != nil || value.String(bare) != payload {
			t.Errorf("the function itself gave %s (%v), want %s", value.String(bare), err, payload)
		}
	}
	for _, resource := range []struct{ arn, params string }{{"arn:aws:states:::lambda:invoke", `{"FunctionName":"echo","Payload":"fail"}`}, {arn, `"fail"`}} {
		_, failure := result(t, r, task(t, resource.arn, resource.params))
		if failure == nil || failure.Error != "ValueError" || text(object(t, failure.Cause), "errorMessage") != "no" {
			t.Errorf("got %+v", failure)
		}
	}
	_, failure := result(t, r, task(t, "arn:aws:states:::lambda:invoke", `{"FunctionName":"nope","Payload":null}`))
	if failure == nil || failure.Error != "Lambda.ResourceNotFoundException" || !strings.HasPrefix(failure.Cause,
		"Function not found: arn:aws:lambda:us-east-1:000000000000:function:nope:$LATEST (Service: AWSLambda; Status Code: 404; Error Code: ResourceNotFoundException; Request ID: ") || !strings.HasSuffix(failure.Cause, "; Proxy: null)") {
		t.Errorf("got %+v", failure)
	}
}

func TestACallWithARoleIsMadeInTheRolesAccount(t *testing.T) {
	t.Parallel()
	c, r := client(t, backend(t), nil)
	const other = "000000000002"
	for _, id := range []string{account, other} {
		_, _, err := c.Call(t.Context(), awscall.Request{Service: "dynamodb", Operation: "createTable", AccountID: id, Params: object(t,
			`{"TableName":"in-`+id+`","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`)})
		if err != nil {
			t.Fatal(err)
		}
	}
	tk := task(t, "arn:aws:states:::dynamodb:putItem", `{"TableName":"in-`+other+`","Item":{"id":{"S":"1"}}}`)
	if _, failure := result(t, r, tk); failure == nil || failure.Error != "DynamoDB.ResourceNotFoundException" {
		t.Errorf("without the role: %+v", failure)
	}
	tk.RoleARN = "arn:aws:iam::" + other + ":role/r"
	if _, failure := result(t, r, tk); failure != nil {
		t.Errorf("with the role: %+v", failure)
	}
}

func TestMessagesTablesEventsAndObjects(t *testing.T) {
	t.Parallel()
	c, r := client(t, backend(t), nil)
	queue := text(must(t, c, "sqs", "createQueue", `{"QueueName":"q"}`), "QueueUrl")
	topic := text(must(t, c, "sns", "createTopic", `{"Name":"t"}`), "TopicArn")
	must(t, c, "s3", "createBucket", `{"Bucket":"a-bucket"}`)
	must(t, c, "dynamodb", "createTable", `{"TableName":"t","KeySchema":[{"AttributeName":"id","KeyType":"HASH"}],"AttributeDefinitions":[{"AttributeName":"id","AttributeType":"S"}],"BillingMode":"PAY_PER_REQUEST"}`)
	tests := []struct{ name, arn, params, want, failure, cause string }{
		{"a message that is JSON", "sqs:sendMessage", `{"QueueUrl":"` + queue + `","MessageBody":{"a":1}}`, `{"MD5OfMessageBody":"*","MessageId":"*"}`, "", ""},
		{"a message without a body", "sqs:sendMessage", `{"QueueUrl":"` + queue + `","MessageBody":null}`, "", "SQS.AmazonSQSException", "The request must contain the parameter MessageBody. (Service: AmazonSQS; Status Code: 400; Error Code: MissingParameter; Request ID: *; Proxy: null)"},
		{"a message by the SDK, whose names have one capital per word", "aws-sdk:sqs:sendMessage", `{"QueueUrl":"` + queue + `","MessageBody":"m"}`, `{"Md5OfMessageBody":"6f8f57715090da2632453988d9a1501b","MessageId":"*"}`, "", ""},
		{"an item of all types by the SDK", "aws-sdk:dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"2"},"b":{"Bool":true},"n":{"Nul":true},"s":{"Ss":["x"]}}}`, `{}`, "", ""},
		{"what was stored by the SDK", "aws-sdk:dynamodb:getItem", `{"TableName":"t","Key":{"id":{"S":"2"}}}`, `{"Item":{"id":{"S":"2"},"b":{"Bool":true},"n":{"Nul":true},"s":{"Ss":["x"]}}}`, "", ""},
		{"a queue that does not exist", "aws-sdk:sqs:receiveMessage", `{"QueueUrl":"` + queue + `x"}`, "", "Sqs.QueueDoesNotExistException", "*(Service: Sqs, Status Code: 400, Request ID: *) (SDK Attempt Count: 1)"},
		{"a topic", "sns:publish", `{"TopicArn":"` + topic + `","Message":{"a":1},"MessageAttributes":{"k":{"DataType":"String","StringValue":"v"}}}`, `{"MessageId":"*"}`, "", ""},
		{"a topic that does not exist", "sns:publish", `{"TopicArn":"` + topic + `x","Message":"m"}`, "", "SNS.NotFoundException", "*(Service: AmazonSNS; Status Code: 404; Error Code: NotFound; Request ID: *; Proxy: null)"},
		{"an item", "dynamodb:putItem", `{"TableName":"t","Item":{"id":{"S":"1"},"n":{"N":"2"}}}`, `{}`, "", ""},
		{"no item", "dynamodb:putItem", `{"TableName":"t","Item":null}`, "", "DynamoDB.AmazonDynamoDBException", "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ValidationException; Request ID: *; Proxy: null)"},
		{"no item by the SDK", "aws-sdk:dynamodb:putItem", `{"TableName":"t","Item":null}`, "", "DynamoDb.DynamoDbException", "1 validation error detected: Value null at 'item' failed to satisfy constraint: Member must not be null (Service: DynamoDb, Status Code: 400, Request ID: *) (SDK Attempt Count: 1)"},
		{"no table", "dynamodb:getItem", `{"TableName":"none","Key":{"id":{"S":"1"}}}`, "", "DynamoDB.ResourceNotFoundException", "Requested resource not found (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: *; Proxy: null)"},
		{"no table by the SDK", "aws-sdk:dynamodb:getItem", `{"TableName":"none","Key":{"id":{"S":"1"}}}`, "", "DynamoDb.ResourceNotFoundException", "Requested resource not found (Service: DynamoDb, Status Code: 400, Request ID: *) (SDK Attempt Count: 1)"},
		{"events", "events:putEvents", `{"Entries":[{"Detail":{"a":1},"DetailType":"d","Source":"s"}]}`, `{"Entries":[{"EventId":"*"}],"FailedEntryCount":0}`, "", ""},
		{"an event without a source", "events:putEvents", `{"Entries":[{"Detail":{"a":1},"DetailType":"d"}]}`, "", "EventBridge.FailedEntry", `{"Entries":[{"ErrorCode":"InvalidArgument","ErrorMessage":"Parameter Source is not valid. Reason: Source is a required argument."}],"FailedEntryCount":1}`},
		{"an object is written", "aws-sdk:s3:putObject", `{"Bucket":"a-bucket","Key":"k","Body":{"Dict":"Value"}}`, `{"ChecksumCRC32":"hnEfWw==","ChecksumType":"FULL_OBJECT","ETag":"\"49e31cee5aec8faf3345893addb14346\"","ServerSideEncryption":"AES256"}`, "", ""},
		{"an object that does not exist", "aws-sdk:s3:getObject", `{"Bucket":"a-bucket","Key":"none"}`, "", "S3.NoSuchKeyException", "The specified key does not exist. (Service: S3, Status Code: 404, Request ID: *, Extended Request ID: null) (SDK Attempt Count: 1)"},
		{"secrets", "aws-sdk:secretsmanager:listSecrets", `{}`, `{"SecretList":[]}`, "", ""},
		{"a field that is none", "aws-sdk:s3:getObject", `{"Bucket":"b","Key":"k","Foo":1}`, "", "States.Runtime", `The Parameters '{"Bucket":"b","Key":"k","Foo":1}' could not be used to start the Task: [The field "Foo" is not supported by Step Functions]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, failure := result(t, r, task(t, "arn:aws:states:::"+tt.arn, tt.params))
			if tt.failure != "" {
				if failure == nil || failure.Error != tt.failure || !like(tt.cause, failure.Cause) {
					t.Errorf("got %s %+v, want %s %s", value.String(got), failure, tt.failure, tt.cause)
				}
				return
			}
			if failure != nil {
				t.Fatalf("%+v", failure)
			}
			if shown := value.String(without(got, strings.Fields(metadata)...)); !like(tt.want, shown) {
				t.Errorf("got %s, want %s", shown, tt.want)
			}
		})
	}
	item, failure := result(t, r, task(t, "arn:aws:states:::dynamodb:getItem", `{"TableName":"t","Key":{"id":{"S":"1"}}}`))
	if shown := value.String(without(item, strings.Fields(metadata)...)); failure != nil || shown != `{"Item":{"id":{"S":"1"},"n":{"N":"2"}}}` {
		t.Errorf("got %s %+v", shown, failure)
	}
	stored, failure := result(t, r, task(t, "arn:aws:states:::aws-sdk:s3:getObject", `{"Bucket":"a-bucket","Key":"k"}`))
	if shown := value.String(without(stored, "LastModified")); failure != nil || !like(`{"AcceptRanges":"bytes","Body":"{\"Dict\":\"Value\"}",*"ContentLength":16,"ContentType":"text/plain; charset=UTF-8",*"Metadata":{},"ServerSideEncryption":"AES256"}`, shown) {
		t.Errorf("got %s %+v", shown, failure)
	}
	message := must(t, c, "sqs", "receiveMessage", `{"QueueUrl":"`+queue+`"}`)
	if !strings.Contains(value.String(message), `"Body":"{\"a\":1}"`) {
		t.Errorf("the queue holds %s", value.String(message))
	}
}

// like compares with a text in which * stands for anything.
func like(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	for i, part := range parts {
		at := strings.Index(s, part)
		if at < 0 || i == 0 && at > 0 {
			return false
		}
		s = s[at+len(part):]
	}
	return s == "" || strings.HasSuffix(pattern, "*")
}

func TestContainersAreFollowed(t *testing.T) {
	t.Parallel()
	c, r := client(t, backend(t), nil)
	must(t, c, "ecs", "createCluster", `{"clusterName":"c"}`)
	for family, image := range map[string]string{"works": "default", "absent": "no_such_image"} {
		must(t, c, "ecs", "registerTaskDefinition", `{"family":"`+family+`","containerDefinitions":[{"name":"main","image":"`+image+`"}]}`)
	}
	run := func(arn, family, env string) (any, *integration.TaskError) {
		return result(t, r, task(t, "arn:aws:states:::ecs:runTask"+arn, `{"Cluster":"c","TaskDefinition":"`+family+`","Overrides":{"ContainerOverrides":[{"Name":"main","Environment":[`+env+`]}]}}`))
	}
	got, failure := run(".sync", "works", "")
	done, _ := got.(*value.Object)
	if failure != nil || text(done, "LastStatus") != "STOPPED" || text(done, "StartedBy") != "AWS Step Functions" {
		t.Errorf("got %s %+v", value.String(got), failure)
	}
	if shown := value.String(got); !strings.Contains(shown, `"ExitCode":0,"GpuIds":[],`) || strings.Contains(shown, "SdkHttpMetadata") {
		t.Errorf("the task is shown as %s", shown)
	}
	for _, pattern := range []string{".sync", ".waitForTaskToken"} {
		_, failure = run(pattern, "works", `{"Name":"EXIT_CODE","Value":"3"}`)
		if failure == nil || failure.Error != "States.TaskFailed" || !strings.Contains(failure.Cause, `"ExitCode":3`) {
			t.Errorf("%s: got %+v", pattern, failure)
		}
		_, failure = run(pattern, "absent", "")
		if failure == nil || !strings.Contains(failure.Cause, `"StopCode":"TaskFailedToStart"`) {
			t.Errorf("%s: got %+v", pattern, failure)
		}
	}
	if got, failure = run(".waitForTaskToken", "works", ""); got != nil || failure != nil {
		t.Errorf("a container that ended well without answering gave %s %+v", value.String(got), failure)
	}
	got, failure = run("", "works", "")
	if answer, ok := got.(*value.Object); failure != nil || !ok || !strings.Contains(value.String(answer), `"Failures":[]`) {
		t.Errorf("got %s %+v", value.String(got), failure)
	}
	_, failure = result(t, r, task(t, "arn:aws:states:::ecs:runTask.sync", `{"Cluster":"none","TaskDefinition":"works"}`))
	if failure == nil || failure.Error != "ECS.ClusterNotFoundException" {
		t.Errorf("got %+v", failure)
	}
}

func TestTasksOfAClusterAreLookedAtTogetherAndStopped(t *testing.T) {
	t.Parallel()
	c, r := client(t, backend(t), nil)
	must(t, c, "ecs", "createCluster", `{"clusterName":"many"}`)
	must(t, c, "ecs", "registerTaskDefinition", `{"family":"sleeps","containerDefinitions":[{"name":"main","image":"never-answers"}]}`)
	var watches []integration.Watch
	for range 3 {
		out, err := r.Start(t.Context(), task(t, "arn:aws:states:::ecs:runTask.sync", `{"Cluster":"many","TaskDefinition":"sleeps"}`))
		if err != nil {
			t.Fatal(err)
		}
		watches = append(watches, *out.Watch)
	}
	for _, p := range r.Poll(t.Context(), watches) {
		if p.Done || p.Error != nil || p.After <= 0 {
			t.Errorf("got %+v", p)
		}
	}
	for _, w := range watches {
		if err := r.Stop(t.Context(), w, "the execution was stopped"); err != nil {
			t.Error(err)
		}
	}
	for _, p := range r.Poll(t.Context(), watches) {
		if !p.Done || p.Error == nil || !strings.Contains(p.Error.Cause, "the execution was stopped") {
			t.Errorf("got %+v", p)
		}
	}
	resp, err := http.Get(backend(t) + "/_fixture/ecs-calls") //nolint:noctx // a local server
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	var calls []struct {
		Op      string
		Request struct{ Tasks []string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&calls); err != nil {
		t.Fatal(err)
	}
	together := 0
	for _, call := range calls {
		if call.Op == "DescribeTasks" && len(call.Request.Tasks) == 3 {
			together++
		}
	}
	if together != 2 {
		t.Errorf("three tasks were described together %d times, want 2", together)
	}
}
