package integration_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// service answers calls of services by what an operation is known by: its
// X-Amz-Target, its Action or its path.
type service map[string]func(body string) (status int, answer string)

func (s service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	key := r.Header.Get("X-Amz-Target")
	if _, name, ok := strings.Cut(key, "."); ok {
		key = name
	}
	if key == "" {
		key = r.URL.Path
	}
	answer, ok := s[key]
	if !ok {
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	w.Header().Set("x-amzn-RequestId", "the-request")
	status, text := answer(string(body))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}

// gives answers with one text.
func gives(text string) func(string) (int, string) {
	return func(string) (int, string) { return http.StatusOK, text }
}

// inTurn answers with each text once, and with the last from then on.
func inTurn(texts ...string) func(string) (int, string) {
	var n atomic.Int32
	return func(string) (int, string) {
		i := min(int(n.Add(1)), len(texts)) - 1
		return http.StatusOK, texts[i]
	}
}

func runner(t *testing.T, s service) *integration.Runner {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	_, r := client(t, server.URL, map[string]http.Handler{"sfn": s})
	return r
}

func TestMachinesStartOthers(t *testing.T) {
	t.Parallel()
	const started = `{"executionArn":"arn:x","startDate":1.5}`
	const child = `{"executionArn":"arn:x","stateMachineArn":"arn:m","name":"n","status":"%s","startDate":1.5,"stopDate":2,"input":"{}","inputDetails":{"included":true}%s}`
	tests := []struct{ name, pattern, last, want, cause string }{
		{"without waiting", "", "", `{"ExecutionArn":"arn:x","StartDate":1500}`, ""},
		{"and wait", ".sync", fmt.Sprintf(child, "SUCCEEDED", `,"output":"{\"a\":1}"`), `{"ExecutionArn":"arn:x","Input":"{}","InputDetails":{"Included":true},"Name":"n","Output":"{\"a\":1}","StartDate":1500,"StateMachineArn":"arn:m","Status":"SUCCEEDED","StopDate":2000}`, ""},
		{"and read the output", ".sync:2", fmt.Sprintf(child, "SUCCEEDED", `,"output":"{\"a\":1}"`), `{"ExecutionArn":"arn:x","Input":{},"InputDetails":{"Included":true},"Name":"n","Output":{"a":1},"StartDate":1500,"StateMachineArn":"arn:m","Status":"SUCCEEDED","StopDate":2000}`, ""},
		{"that fail", ".sync", fmt.Sprintf(child, "FAILED", `,"error":"E","cause":"C"`), "", `{"Cause":"C","Error":"E","ExecutionArn":"arn:x","Input":"{}","InputDetails":{"Included":true},"Name":"n","StartDate":1500,"StateMachineArn":"arn:m","Status":"FAILED","StopDate":2000}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var input atomic.Value
			r := runner(t, service{
				"StartExecution": func(body string) (int, string) {
					input.Store(body)
					return http.StatusOK, started
				},
				"DescribeExecution": inTurn(fmt.Sprintf(child, "RUNNING", ""), tt.last),
			})
			got, failure := result(t, r, task(t, "arn:aws:states:::states:startExecution"+tt.pattern, `{"StateMachineArn":"arn:m","Input":{"b":[1]}}`))
			if !strings.Contains(input.Load().(string), `"input":"{\"b\":[1]}"`) {
				t.Errorf("it was started by %s", input.Load())
			}
			if tt.cause != "" {
				if diff := cmp.Diff(&integration.TaskError{Error: "States.TaskFailed", Cause: tt.cause}, failure); diff != "" {
					t.Error(diff)
				}
				return
			}
			if shown := value.String(without(got, strings.Fields(metadata)...)); failure != nil || shown != tt.want {
				t.Errorf("got %s %+v, want %s", shown, failure, tt.want)
			}
		})
	}
}

func TestAnswersOfTheSDKAreShownWithTheirMetadata(t *testing.T) {
	t.Parallel()
	r := runner(t, service{"StartExecution": gives(`{"executionArn":"arn:x","startDate":1.5}`)})
	got, failure := result(t, r, task(t, "arn:aws:states:::states:startExecution", `{"StateMachineArn":"arn:m"}`))
	want := `{"ExecutionArn":"arn:x","SdkHttpMetadata":{"AllHttpHeaders":{"Content-Length":["40"],"x-amzn-RequestId":["the-request"]},"HttpHeaders":{"Content-Length":"40","x-amzn-RequestId":"the-request"},"HttpStatusCode":200},"SdkResponseMetadata":{"RequestId":"the-request"},"StartDate":1500}`
	if shown := value.String(got); failure != nil || shown != want {
		t.Errorf("got %s %+v, want %s", shown, failure, want)
	}
}

func TestJobsAreFollowed(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, resource, params string
		service                service
		want, cause            string
	}{
		{
			"a batch job", "batch:submitJob", `{"JobName":"j","JobQueue":"q","JobDefinition":"d"}`,
			service{"/v1/submitjob": gives(`{"jobId":"1","jobName":"j"}`), "/v1/describejobs": inTurn(`{"jobs":[{"jobId":"1","status":"RUNNING"}]}`, `{"jobs":[{"jobId":"1","status":"SUCCEEDED"}]}`)},
			`{"JobId":"1","Status":"SUCCEEDED"}`, "",
		},
		{
			"a batch job that fails", "batch:submitJob", `{"JobName":"j","JobQueue":"q","JobDefinition":"d"}`,
			service{"/v1/submitjob": gives(`{"jobId":"1","jobName":"j"}`), "/v1/describejobs": gives(`{"jobs":[{"jobId":"1","status":"FAILED","statusReason":"no"}]}`)},
			"", `{"JobId":"1","Status":"FAILED","StatusReason":"no"}`,
		},
		{
			"a job run of Glue", "glue:startJobRun", `{"JobName":"j"}`,
			service{"StartJobRun": gives(`{"JobRunId":"r"}`), "GetJobRun": func(body string) (int, string) {
				if body != `{"JobName":"j","RunId":"r"}` {
					return http.StatusBadRequest, body
				}
				return http.StatusOK, `{"JobRun":{"Id":"r","JobRunState":"SUCCEEDED"}}`
			}},
			`{"Id":"r","JobRunState":"SUCCEEDED"}`, "",
		},
		{
			"a query of Athena", "athena:startQueryExecution", `{"QueryString":"select 1"}`,
			service{"StartQueryExecution": gives(`{"QueryExecutionId":"i"}`), "GetQueryExecution": gives(`{"QueryExecution":{"QueryExecutionId":"i","Status":{"State":"SUCCEEDED"}}}`)},
			`{"QueryExecution":{"QueryExecutionId":"i","Status":{"State":"SUCCEEDED"}}}`, "",
		},
		{
			"a build", "codebuild:startBuild", `{"ProjectName":"p"}`,
			service{"StartBuild": gives(`{"build":{"id":"p:1"}}`), "BatchGetBuilds": inTurn(`{"builds":[{"id":"p:1","buildStatus":"IN_PROGRESS"}]}`, `{"builds":[{"id":"p:1","buildStatus":"SUCCEEDED"}]}`)},
			`{"BuildStatus":"SUCCEEDED","Id":"p:1"}`, "",
		},
		{
			"a step of EMR", "elasticmapreduce:addStep", `{"ClusterId":"c","Step":{"Name":"s"}}`,
			service{"AddJobFlowSteps": func(body string) (int, string) {
				if body != `{"JobFlowId":"c","Steps":[{"Name":"s"}]}` {
					return http.StatusBadRequest, body
				}
				return http.StatusOK, `{"StepIds":["s-1"]}`
			}, "DescribeStep": gives(`{"Step":{"Id":"s-1","Status":{"State":"COMPLETED"}}}`)},
			`{"Step":{"Id":"s-1","Status":{"State":"COMPLETED"}}}`, "",
		},
		{
			"a training job", "sagemaker:createTrainingJob", `{"TrainingJobName":"t"}`,
			service{"CreateTrainingJob": gives(`{"TrainingJobArn":"arn"}`), "DescribeTrainingJob": gives(`{"TrainingJobName":"t","TrainingJobStatus":"Completed"}`)},
			`{"TrainingJobName":"t","TrainingJobStatus":"Completed"}`, "",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, failure := result(t, runner(t, tt.service), task(t, "arn:aws:states:::"+tt.resource+".sync", tt.params))
			if tt.cause != "" {
				if diff := cmp.Diff(&integration.TaskError{Error: "States.TaskFailed", Cause: tt.cause}, failure); diff != "" {
					t.Error(diff)
				}
				return
			}
			if shown := value.String(without(got, strings.Fields(metadata)...)); failure != nil || shown != tt.want {
				t.Errorf("got %s %+v, want %s", shown, failure, tt.want)
			}
		})
	}
}

func TestAJobIsStoppedWithItsState(t *testing.T) {
	t.Parallel()
	var stopped atomic.Value
	r := runner(t, service{
		"StartJobRun": gives(`{"JobRunId":"r"}`),
		"BatchStopJobRun": func(body string) (int, string) {
			stopped.Store(body)
			return http.StatusBadRequest, `{"__type":"InvalidInputException","message":"it has ended"}`
		},
	})
	out, failure := r.Start(t.Context(), task(t, "arn:aws:states:::glue:startJobRun.sync", `{"JobName":"j"}`))
	if failure != nil {
		t.Fatal(failure)
	}
	if err := r.Stop(t.Context(), *out.Watch, "stopped"); err != nil {
		t.Error(err)
	}
	if got := stopped.Load(); got != `{"JobName":"j","JobRunIds":["r"]}` {
		t.Errorf("stopped by %v", got)
	}
}

func TestADeadContainerFailsTheStateThatWaitsForItsToken(t *testing.T) {
	t.Parallel()
	r := runner(t, service{
		"RunTask":       gives(`{"tasks":[{"taskArn":"arn:aws:ecs:us-east-1:1:task/c/abc","clusterArn":"arn:c"}],"failures":[]}`),
		"DescribeTasks": gives(`{"tasks":[{"taskArn":"arn:aws:ecs:us-east-1:1:task/c/abc","taskDefinitionArn":"arn:d","lastStatus":"STOPPED","containers":[{"name":"main","exitCode":137,"reason":"OutOfMemoryError"}]}]}`),
		"DescribeTaskDefinition": gives(`{"taskDefinition":{"containerDefinitions":[{"name":"main","logConfiguration":{"logDriver":"awslogs",
			"options":{"awslogs-group":"/ecs/d","awslogs-region":"us-east-1","awslogs-stream-prefix":"p"}}}]}}`),
		"GetLogEvents": func(body string) (int, string) {
			if !strings.Contains(body, `"logStreamName":"p/main/abc"`) {
				return http.StatusBadRequest, body
			}
			return http.StatusOK, `{"events":[{"message":"one"},{"message":"two"}]}`
		},
	})
	_, failure := result(t, r, task(t, "arn:aws:states:::ecs:runTask.waitForTaskToken", `{"TaskDefinition":"d"}`))
	if failure == nil || failure.Error != "States.TaskFailed" {
		t.Fatalf("got %+v", failure)
	}
	cause := object(t, failure.Cause)
	lines, _ := cause.Get("LogLines")
	if value.String(lines) != `["one","two"]` || !strings.Contains(failure.Cause, `"ExitCode":137`) {
		t.Errorf("the cause is %s", failure.Cause)
	}
}

func TestATaskThatCannotBePlacedFailsTheState(t *testing.T) {
	t.Parallel()
	r := runner(t, service{"RunTask": gives(`{"tasks":[],"failures":[{"arn":"a","reason":"RESOURCE:MEMORY"}]}`)})
	_, failure := result(t, r, task(t, "arn:aws:states:::ecs:runTask.sync", `{"TaskDefinition":"d"}`))
	if diff := cmp.Diff(&integration.TaskError{Error: "ECS.AmazonECSException", Cause: `{"Failures":[{"Arn":"a","Reason":"RESOURCE:MEMORY"}],"Tasks":[]}`}, failure); diff != "" {
		t.Error(diff)
	}
}

func TestEventsTellWhoSentThem(t *testing.T) {
	t.Parallel()
	var sent atomic.Value
	r := runner(t, service{"PutEvents": func(body string) (int, string) {
		sent.Store(body)
		return http.StatusOK, `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`
	}})
	tk := task(t, "arn:aws:states:::events:putEvents", `{"Entries":[{"Detail":{"a":1},"Resources":["r"]}]}`)
	if _, failure := result(t, r, tk); failure != nil {
		t.Fatal(failure)
	}
	want := `{"Entries":[{"Resources":["r","` + tk.MachineARN + `","` + tk.ExecutionARN + `"],"Detail":"{\"a\":1}"}]}`
	if sent.Load() != want {
		t.Errorf("sent %s, want %s", sent.Load(), want)
	}
}

func TestChangesOfStatusAreEventsOfTheDefaultBus(t *testing.T) {
	t.Parallel()
	var sent atomic.Value
	answer := `{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}`
	r := runner(t, service{"PutEvents": func(body string) (int, string) {
		sent.Store(body)
		return http.StatusOK, answer
	}})
	if !r.TellsStatusChanges(t.Context()) {
		t.Error("nothing is told where the endpoint is a configured one")
	}
	c := integration.StatusChange{ExecutionARN: "arn:aws:states:eu-west-1:123456789012:execution:m:x", At: time.Unix(1700000000, 0), Detail: `{"status":"RUNNING"}`}
	if err := r.TellStatusChange(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	want := `{"Entries":[{"Time":1700000000,"Source":"aws.states","Resources":["` + c.ExecutionARN + `"],"DetailType":"Step Functions Execution Status Change","Detail":"{\"status\":\"RUNNING\"}"}]}`
	if sent.Load() != want {
		t.Errorf("sent %s, want %s", sent.Load(), want)
	}
	answer = `{"FailedEntryCount":1,"Entries":[{"ErrorCode":"NotAuthorizedForSourceException"}]}`
	if err := r.TellStatusChange(t.Context(), c); err == nil || !strings.Contains(err.Error(), "NotAuthorizedForSource") {
		t.Errorf("got %v", err)
	}
}

func TestResultsThatAreTooLargeAreRefused(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("ü", integration.DefaultMaxOutput/2)
	r := runner(t, service{
		"/2015-03-31/functions/f/invocations":                                                gives(`"` + large + `"`),
		"/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:f/invocations": gives(`"` + large + `"`),
	})
	for arn, name := range map[string]string{
		"arn:aws:states:::lambda:invoke": "lambda", "arn:aws:lambda:us-east-1:000000000000:function:f": "arn:aws:lambda:us-east-1:000000000000:function:f",
	} {
		_, failure := result(t, r, task(t, arn, `{"FunctionName":"f"}`))
		want := &integration.TaskError{Error: "States.DataLimitExceeded", Cause: "The state/task '" + name + "' returned a result with a size exceeding the maximum number of bytes service limit."}
		if diff := cmp.Diff(want, failure); diff != "" {
			t.Error(diff)
		}
	}
}

func TestEndpointsAreInvoked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		switch {
		case r.URL.Path == "/token":
			_, _ = io.WriteString(w, `{"access_token":"t-`+base64.StdEncoding.EncodeToString(body)[:4]+`"}`)
		case strings.HasSuffix(r.URL.Path, "/fails"):
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"message":"no"}`)
		default:
			w.Header().Set("Content-Type", "application/json")
			answer, err := json.Marshal(map[string]any{
				"method": r.Method, "url": r.URL.String(), "body": string(body), "type": r.Header.Get("Content-Type"),
				"auth": r.Header.Get("Authorization"), "key": r.Header.Get("X-Key"), "extra": r.Header.Get("X-Extra"),
			})
			if err != nil {
				t.Error(err)
			}
			_, _ = w.Write(answer)
		}
	}))
	t.Cleanup(server.Close)
	secret := map[string]string{
		"basic": `{"username":"u","password":"p"}`, "key": `{"api_key_name":"X-Key","api_key_value":"v"}`,
		"oauth": `{"client_id":"c","client_secret":"s","authorization_endpoint":"` + server.URL + `/token","http_method":"POST","invocation_http_parameters":{"header_parameters":[{"key":"X-Extra","value":"e"}],"query_string_parameters":[{"key":"q","value":"1"}],"body_parameters":[{"key":"b","value":"2"}]}}`,
	}
	kinds := map[string]string{"basic": "BASIC", "key": "API_KEY", "oauth": "OAUTH_CLIENT_CREDENTIALS"}
	r := runner(t, service{
		"DescribeConnection": func(body string) (int, string) {
			name := text(object(t, body), "Name")
			return http.StatusOK, `{"Name":"` + name + `","AuthorizationType":"` + kinds[name] + `","SecretArn":"` + name + `"}`
		},
		"GetSecretValue": func(body string) (int, string) {
			return http.StatusOK, value.String(value.Of("SecretString", secret[text(object(t, body), "SecretId")]))
		},
	})
	connection := func(name string) string {
		return `"Authentication":{"ConnectionArn":"arn:aws:events:us-east-1:000000000000:connection/` + name + `/id"}`
	}
	tests := []struct{ name, resource, params, want, failure, cause string }{
		{"an API", "apigateway", `{"ApiEndpoint":"` + server.URL + `/","Stage":"dev","Path":"/p","Method":"POST","QueryParameters":{"a":["1","2"]},"RequestBody":{"x":1}}`, `{"auth":"","body":"{\"x\":1}","extra":"","key":"","method":"POST","type":"application/json","url":"/dev/p?a=1\u0026a=2"}`, "", ""},
		{"an API as a role", "apigateway", `{"ApiEndpoint":"` + server.URL + `","Method":"GET","AuthType":"IAM_ROLE"}`, `{"auth":"AWS4-HMAC-SHA256 Credential=000000000000/20260301/us-east-1/execute-api/aws4_request*","body":"","extra":"","key":"","method":"GET","type":"","url":"/"}`, "", ""},
		{"an API that fails", "apigateway", `{"ApiEndpoint":"` + server.URL + `","Path":"fails","Method":"GET"}`, "", "ApiGateway.404", `{"message":"no"}`},
		{"a password", "http", `{"ApiEndpoint":"` + server.URL + `/x","Method":"GET",` + connection("basic") + `}`, `{"auth":"Basic dTpw","body":"","extra":"","key":"","method":"GET","type":"","url":"/x"}`, "", ""},
		{"an API key and a form", "http", `{"ApiEndpoint":"` + server.URL + `/x","Method":"POST",` + connection("key") + `,"RequestBody":{"a":[1,2],"b":"x y"},"Transform":{"RequestBodyEncoding":"URL_ENCODED","RequestEncodingOptions":{"ArrayFormat":"BRACKETS"}}}`, `{"auth":"","body":"a%5B%5D=1\u0026a%5B%5D=2\u0026b=x+y","extra":"","key":"v","method":"POST","type":"application/x-www-form-urlencoded","url":"/x"}`, "", ""},
		{"a token and the connection's parameters", "http", `{"ApiEndpoint":"` + server.URL + `/x","Method":"PUT",` + connection("oauth") + `,"RequestBody":{"a":1}}`, `{"auth":"Bearer t-*","body":"{\"a\":1,\"b\":\"2\"}","extra":"e","key":"","method":"PUT","type":"application/json","url":"/x?q=1"}`, "", ""},
		{"an endpoint that fails", "http", `{"ApiEndpoint":"` + server.URL + `/fails","Method":"GET",` + connection("basic") + `}`, "", "States.Http.StatusCode.404", `{"message":"no"}`},
		{"no connection", "http", `{"ApiEndpoint":"` + server.URL + `","Method":"GET"}`, "", "States.Runtime", "*The field \"ConnectionArn\" is required but was missing]"},
		{"a header that is reserved", "apigateway", `{"ApiEndpoint":"` + server.URL + `","Method":"GET","Headers":{"Host":"h"}}`, "", "States.Runtime", "*The header \"Host\" is not allowed]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, failure := result(t, r, task(t, "arn:aws:states:::"+tt.resource+":invoke", tt.params))
			if tt.failure != "" {
				if failure == nil || failure.Error != tt.failure || !like(tt.cause, failure.Cause) {
					t.Errorf("got %s %+v", value.String(got), failure)
				}
				return
			}
			if failure != nil {
				t.Fatalf("%+v", failure)
			}
			body, _ := got.(*value.Object).Get("ResponseBody")
			want := value.String(object(t, strings.ReplaceAll(tt.want, "*", "STAR")))
			if !like(strings.ReplaceAll(want, "STAR", "*"), value.String(body)) {
				t.Errorf("got %s, want %s", value.String(body), want)
			}
		})
	}
}

func TestJobsOfKubernetesAreRunInAClusterOfEKS(t *testing.T) {
	t.Parallel()
	var looks, deleted atomic.Int32
	cluster := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer k8s-aws-v1.")
		identity, err := base64.RawURLEncoding.DecodeString(token)
		if !ok || err != nil || !strings.Contains(string(identity), "Action=GetCallerIdentity") || !strings.Contains(string(identity), "x-k8s-aws-id") {
			t.Errorf("asked as %q", identity)
		}
		switch r.Method + " " + r.URL.RequestURI() {
		case "POST /apis/batch/v1/namespaces/n/jobs":
			_, _ = io.WriteString(w, `{"metadata":{"name":"pi"}}`)
		case "GET /apis/batch/v1/namespaces/n/jobs/pi":
			if looks.Add(1) == 1 {
				_, _ = io.WriteString(w, `{"status":{"active":1}}`)
				return
			}
			_, _ = io.WriteString(w, `{"status":{"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]}}`)
		case "GET /api/v1/namespaces/n/pods?labelSelector=job-name%3Dpi":
			_, _ = io.WriteString(w, `{"items":[{"metadata":{"name":"pi-1"},"spec":{"containers":[{"name":"c"}]}}]}`)
		case "GET /api/v1/namespaces/n/pods/pi-1/log?container=c&tailLines=5":
			_, _ = io.WriteString(w, "3.14")
		case "DELETE /apis/batch/v1/namespaces/n/jobs/pi?propagationPolicy=Background":
			deleted.Add(1)
		case "GET /api/v1/nodes":
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, "no")
		default:
			t.Errorf("%s %s", r.Method, r.URL)
		}
	}))
	t.Cleanup(cluster.Close)
	authority := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cluster.Certificate().Raw}))
	where := `"ClusterName":"k","Endpoint":"` + cluster.URL + `","CertificateAuthority":"` + authority + `"`
	r := runner(t, service{})
	run := task(t, "arn:aws:states:::eks:runJob.sync", `{`+where+`,"Namespace":"n","LogOptions":{"RetrieveLogs":true,"LogParameters":{"tailLines":["5"]}},"Job":{"kind":"Job"}}`)
	got, failure := result(t, r, run)
	want := `{"status":{"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]},"logs":{"pods":{"pi-1":{"containers":{"c":{"log":"3.14"}}}}}}`
	if failure != nil || value.String(got) != want {
		t.Errorf("got %s %+v, want %s", value.String(got), failure, want)
	}
	out, failure := r.Start(t.Context(), run)
	if failure != nil {
		t.Fatal(failure)
	}
	if err := r.Stop(t.Context(), *out.Watch, "stopped"); err != nil || deleted.Load() != 1 {
		t.Errorf("%v, deleted %d times", err, deleted.Load())
	}
	_, failure = result(t, r, task(t, "arn:aws:states:::eks:call", `{`+where+`,"Method":"GET","Path":"/api/v1/nodes"}`))
	if diff := cmp.Diff(&integration.TaskError{Error: "EKS.409", Cause: "no"}, failure); diff != "" {
		t.Error(diff)
	}
}

func TestObjectsAreListedPageByPage(t *testing.T) {
	t.Parallel()
	var pages atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := pages.Add(1)
		if n == 2 && r.URL.Query().Get("continuation-token") != "more" {
			t.Errorf("the second page is asked by %s", r.URL)
		}
		next := ""
		if n == 1 {
			next = "<NextContinuationToken>more</NextContinuationToken>"
		}
		_, _ = fmt.Fprintf(w, `<ListBucketResult><Contents><Key>k%d</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>"e"</ETag><Size>3</Size><StorageClass>STANDARD</StorageClass></Contents>%s</ListBucketResult>`, n, next)
	}))
	t.Cleanup(server.Close)
	_, r := client(t, server.URL, nil)
	items, failure := r.ListObjects(t.Context(), integration.Task{Parameters: object(t, `{"Bucket":"b"}`), Region: "us-east-1"}, 0)
	want := `[{"Etag":"\"e\"","Key":"k1","LastModified":1767225600,"Size":3,"StorageClass":"STANDARD"},{"Etag":"\"e\"","Key":"k2","LastModified":1767225600,"Size":3,"StorageClass":"STANDARD"}]`
	if failure != nil || value.String(items) != want {
		t.Errorf("got %s %+v, want %s", value.String(items), failure, want)
	}
}

func TestMocksAreComparedWithTheModel(t *testing.T) {
	t.Parallel()
	r := runner(t, service{})
	for _, tt := range []struct {
		resource, result string
		mode             integration.MockMode
		want             string
	}{
		{"events:putEvents", `{"random":"json"}`, integration.MockStrict, ""},
		{"events:putEvents", `{"Entries":[{"EventId":"1"},{"EventId":["2"]}]}`, integration.MockStrict, "Field 'EventId' must be a string"},
		{"states:startExecution", `{"executionArn":"a","startDate":"b"}`, integration.MockStrict, "Required field 'ExecutionArn' is missing"},
		{"states:startExecution", `{"executionArn":"a","startDate":"b"}`, integration.MockPresent, ""},
		{"states:startExecution", `{"ExecutionArn":"a","StartDate":true}`, integration.MockStrict, "Field 'StartDate' must be a string"},
		{"states:startExecution", `{"ExecutionArn":"a","StartDate":true}`, integration.MockNone, ""},
		{"dynamodb:putItem", `{"ConsumedCapacity":{"CapacityUnits":"1"}}`, integration.MockPresent, "Field 'CapacityUnits' must be a number"},
		{"aws-sdk:kms:encrypt", `{"CiphertextBlob":123}`, integration.MockStrict, "Field 'CiphertextBlob' must be a string"},
		{"aws-sdk:lambda:getFunction", `{"Configuration":{"MemorySize":1}}`, integration.MockStrict, "Field 'MemorySize' is less than the minimum value"},
		{"aws-sdk:lambda:getFunction", `{"Configuration":{"MemorySize":99999999}}`, integration.MockStrict, "Field 'MemorySize' is greater than the maximum value"},
		{"aws-sdk:lambda:getFunction", `{"Configuration":{"State":"Active"}}`, integration.MockStrict, ""},
		{"aws-sdk:lambda:getFunction", `{"Configuration":{"State":"Asleep"}}`, integration.MockPresent, "Field 'State' is not an expected value"},
		{"aws-sdk:lambda:getFunction", `{"Configuration":[]}`, integration.MockStrict, "Field 'Configuration' must be an object"},
		{"aws-sdk:lambda:getFunction", `{"Tags":{"a":1}}`, integration.MockStrict, "Field 'Tags' must be a string"},
		{"states:startExecution", `{"ExecutionArn":1}`, integration.MockStrict, "Required field 'StartDate' is missing"},
		{"events:putEvents", `{"Entries":{}}`, integration.MockStrict, "Field 'Entries' must be an array"},
		{"events:putEvents", `{"FailedEntryCount":"none"}`, integration.MockStrict, "Field 'FailedEntryCount' must be a number"},
		{"aws-sdk:sqs:sendMessage", `{"Md5OfMessageBody":1}`, integration.MockStrict, "Field 'Md5OfMessageBody' must be a string"},
		{"aws-sdk:sqs:sendMessage", `{"MessageId":null}`, integration.MockStrict, ""},
		{"states:startExecution.sync:2", `{"ExecutionArn":"a","StateMachineArn":"m","StartDate":"d","Status":"SUCCEEDED","Output":{"any":1}}`, integration.MockStrict, ""},
		{"states:startExecution.sync", `{"ExecutionArn":"a","StartDate":"d"}`, integration.MockStrict, "Required field 'StateMachineArn' is missing"},
		{"states:startExecution.sync", `{"Status":"DONE"}`, integration.MockPresent, "Field 'Status' is not an expected value"},
		{"ecs:runTask.sync", `{"LastStatus":1}`, integration.MockStrict, "Field 'LastStatus' must be a string"},
		{"batch:submitJob.sync", `{"Status":"SUCCEEDED"}`, integration.MockStrict, "Required field 'JobName' is missing"},
		{"batch:submitJob.sync", `{"Status":"SUCCEEDED"}`, integration.MockPresent, ""},
		{"glue:startJobRun.sync", `{"Attempt":"once"}`, integration.MockStrict, "Field 'Attempt' must be a number"},
		{"athena:startQueryExecution.sync", `{"QueryExecution":{"Query":1}}`, integration.MockStrict, "Field 'Query' must be a string"},
		{"elasticmapreduce:addStep.sync", `{"Step":[]}`, integration.MockStrict, "Field 'Step' must be an object"},
		{"eks:deleteCluster.sync", `{"any":1}`, integration.MockStrict, ""},
		{"http:invoke", `{"ResponseBody":1}`, integration.MockStrict, ""},
		{"lambda:invoke", `{"Payload":{"any":1},"SdkHttpMetadata":{}}`, integration.MockStrict, ""},
		{"sqs:sendMessage.waitForTaskToken", `{"MessageId":1}`, integration.MockStrict, ""},
	} {
		res, err := integration.Parse("arn:aws:states:::" + tt.resource)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := r.CheckMock(res, object(t, tt.result), tt.mode); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.resource, tt.result, got, tt.want)
		}
	}
}

// TestMocksOfRecordingsAreJudgedAsByAWS reads the recordings beside the
// repository, if they are there.
func TestMocksOfRecordingsAreJudgedAsByAWS(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../../shared/sfn-conformance/test_state.json")
	if err != nil {
		t.Skip("no recordings beside the repository")
	}
	var cases []struct {
		ID    string
		Steps []struct {
			Op     string
			Params struct {
				Definition json.RawMessage
				Mock       struct {
					Result              string
					FieldValidationMode integration.MockMode
				}
			}
		}
		Expected map[string]struct{ Message, Status string }
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	r := runner(t, service{})
	judged := 0
	for _, c := range cases {
		for _, step := range c.Steps {
			var state struct{ Resource string }
			if step.Op != "TestState" || json.Unmarshal(step.Params.Definition, &state) != nil || step.Params.Mock.Result == "" {
				continue
			}
			res, err := integration.Parse(state.Resource)
			mock, parseErr := value.Parse([]byte(step.Params.Mock.Result))
			if err != nil || parseErr != nil {
				continue
			}
			got := ""
			if err := r.CheckMock(res, mock, step.Params.Mock.FieldValidationMode); err != nil {
				got = "Mock result schema validation error: " + err.Error()
			}
			judged++
			for _, e := range c.Expected {
				if strings.HasPrefix(e.Message, "Mock result schema") && e.Message != got || e.Status == "SUCCEEDED" && got != "" {
					t.Errorf("%s: %q, want %q", c.ID, got, e.Message)
				}
			}
		}
	}
	if judged < 10 {
		t.Errorf("only %d mocks were found", judged)
	}
}

func TestCallsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	arrived, done := make(chan struct{}), make(chan struct{})
	r := runner(t, service{"PutEvents": func(string) (int, string) {
		close(arrived)
		<-done
		return http.StatusOK, "{}"
	}})
	t.Cleanup(func() { close(done) }) // before the server waits for its handlers
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, failure := r.Start(ctx, task(t, "arn:aws:states:::events:putEvents", `{"Entries":[]}`))
	if failure == nil || failure.Error != "EventBridge.SdkClientException" {
		t.Errorf("got %+v", failure)
	}
}
