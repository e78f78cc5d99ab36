package ecslocal_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/ecslocal"
	"github.com/leat-dev/leat/internal/launch/process"
)

// world is an endpoint that a test calls as an SDK does.
type world struct {
	t       *testing.T
	server  *ecslocal.Server
	url     string
	account string
	region  string
	out     *logWriter
}

// logWriter hands lines to the test's log and keeps them.
type logWriter struct {
	t     *testing.T
	lines chan string
}

func (w *logWriter) Write(p []byte) (int, error) {
	_, _ = w.t.Output().Write(p)
	for line := range strings.Lines(string(p)) {
		select {
		case w.lines <- strings.TrimSuffix(line, "\n"):
		default: // nobody reads
		}
	}
	return len(p), nil
}

// start starts an endpoint that runs tasks as processes.
func start(t *testing.T, change func(c *ecslocal.Config)) *world {
	t.Helper()
	w := &world{t: t, account: "000000000000", region: "us-east-1", out: &logWriter{t, make(chan string, 10_000)}}
	var handler http.Handler
	hs := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { handler.ServeHTTP(rw, r) }))
	t.Cleanup(hs.Close)
	cfg := ecslocal.Config{
		Launcher: &process.Launcher{}, Images: ecslocal.ProcessImages{}, URL: hs.URL, BaseEnv: []string{"PATH=" + os.Getenv("PATH")},
		StageTime: 10 * time.Millisecond, StopTimeout: 20 * time.Second, Output: w.out, Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: time.Now,
	}
	if change != nil {
		change(&cfg)
	}
	s, err := ecslocal.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	w.server, w.url, handler = s, hs.URL, s
	return w
}

type object = map[string]any

// failed is an error as the wire tells it.
type failed struct {
	Status  int
	Type    string `json:"__type"`
	Message string `json:"message"`
	Query   string // of the header
}

func (f *failed) Error() string { return fmt.Sprintf("%d %s: %s", f.Status, f.Type, f.Message) }

func (w *world) authorization(service string) string {
	return "AWS4-HMAC-SHA256 Credential=" + w.account + "/20261122/" + w.region + "/" + service + "/aws4_request, SignedHeaders=host, Signature=0"
}

// call calls an action of a JSON service; in may be a string of JSON.
func (w *world) call(service, action string, in any) (object, *failed) {
	w.t.Helper()
	prefix := map[string]string{
		"ecs": "AmazonEC2ContainerServiceV20141113", "logs": "Logs_20140328", "sqs": "AmazonSQS", "events": "AWSEvents", "states": "AWSStepFunctions",
	}[service]
	body, ok := in.(string)
	if !ok {
		text, err := json.Marshal(in)
		if err != nil {
			w.t.Fatal(err)
		}
		body = string(text)
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/", strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", prefix+"."+action)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Header.Set("Authorization", w.authorization(service))
	resp, text := w.send(req)
	if resp.StatusCode != http.StatusOK {
		f := &failed{Status: resp.StatusCode, Query: resp.Header.Get("X-Amzn-Query-Error")}
		if err := json.Unmarshal(text, f); err != nil {
			w.t.Fatalf("%s: %d %s", action, resp.StatusCode, text)
		}
		return nil, f
	}
	out := object{}
	if len(text) > 0 {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&out); err != nil {
			w.t.Fatalf("%s answers %s: %v", action, text, err)
		}
	}
	return out, nil
}

// answer is a response whose body was read.
type answer struct {
	StatusCode int
	Header     http.Header
}

func (w *world) send(req *http.Request) (answer, []byte) {
	w.t.Helper()
	resp, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer{resp.StatusCode, resp.Header}, text
}

// must is call for what has to succeed.
func (w *world) must(service, action string, in any) object {
	w.t.Helper()
	out, f := w.call(service, action, in)
	if f != nil {
		w.t.Fatalf("%s: %v", action, f)
	}
	return out
}

// get follows a path of keys and indexes into an answer.
func get(t *testing.T, v any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch s := step.(type) {
		case string:
			o, _ := v.(object)
			v = o[s]
		case int:
			list, _ := v.([]any)
			if s >= len(list) {
				t.Fatalf("no element %d of %v in %v", s, path, list)
			}
			v = list[s]
		}
	}
	return v
}

func text(t *testing.T, v any, path ...any) string {
	t.Helper()
	s, ok := get(t, v, path...).(string)
	if !ok {
		t.Fatalf("%v is no text in %v", path, v)
	}
	return s
}

// shell is the definition of a container that runs a script.
func shell(name, script string) object {
	return object{"name": name, "image": "any", "command": []string{"sh", "-c", script}}
}

// define registers a definition for Fargate and returns its ARN.
func (w *world) define(family string, containers ...object) string {
	w.t.Helper()
	return text(w.t, w.must("ecs", "RegisterTaskDefinition", object{
		"family": family, "requiresCompatibilities": []string{"FARGATE"}, "networkMode": "awsvpc", "cpu": "256", "memory": "512",
		"executionRoleArn": "role", "containerDefinitions": containers,
	}), "taskDefinition", "taskDefinitionArn")
}

func network() object {
	return object{"awsvpcConfiguration": object{"subnets": []string{"subnet-1"}}}
}

// run runs a task of a definition and returns its ARN.
func (w *world) run(definition string, more object) string {
	w.t.Helper()
	in := object{"taskDefinition": definition, "launchType": "FARGATE", "networkConfiguration": network()}
	for name, value := range more {
		in[name] = value
		if name == "capacityProviderStrategy" {
			delete(in, "launchType")
		}
	}
	out := w.must("ecs", "RunTask", in)
	if n := len(get(w.t, out, "failures").([]any)); n > 0 {
		w.t.Fatalf("RunTask: %v", out["failures"])
	}
	return text(w.t, out, "tasks", 0, "taskArn")
}

// task describes a task.
func (w *world) task(arn string) object {
	w.t.Helper()
	cluster := strings.Split(arn, "/")[1]
	return get(w.t, w.must("ecs", "DescribeTasks", object{"cluster": cluster, "tasks": []string{arn}, "include": []string{"TAGS"}}), "tasks", 0).(object)
}

// until asks until the condition holds.
func (w *world) until(what string, condition func() bool) {
	w.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			w.t.Fatalf("waiting for %s", what)
		}
	}
}

// await waits until a task has one of the statuses, and returns it.
func (w *world) await(arn string, statuses ...string) object {
	w.t.Helper()
	var t object
	w.until("task "+arn+" to be "+strings.Join(statuses, " or "), func() bool {
		t = w.task(arn)
		return slices.Contains(statuses, t["lastStatus"].(string))
	})
	return t
}

// line waits for a line of output that contains part.
func (w *world) line(part string) string {
	w.t.Helper()
	deadline := time.NewTimer(time.Minute)
	defer deadline.Stop()
	for {
		select {
		case line := <-w.out.lines:
			if strings.Contains(line, part) {
				return line
			}
		case <-deadline.C:
			w.t.Fatalf("waiting for the output %q", part)
		}
	}
}

// eventQueue makes a queue that gets all state changes of tasks.
func (w *world) eventQueue() string {
	w.t.Helper()
	url := text(w.t, w.must("sqs", "CreateQueue", object{"QueueName": "changes"}), "QueueUrl")
	w.must("events", "PutRule", object{"Name": "changes", "EventPattern": `{"source":["aws.ecs"],"detail-type":["ECS Task State Change"]}`})
	w.must("events", "PutTargets", object{"Rule": "changes", "Targets": []object{{"Id": "q", "Arn": "arn:aws:sqs:us-east-1:000000000000:changes"}}})
	return url
}

// nextEvent receives the next event of a queue and deletes it.
func (w *world) nextEvent(url string) object {
	w.t.Helper()
	out := w.must("sqs", "ReceiveMessage", object{"QueueUrl": url, "WaitTimeSeconds": 20})
	body := text(w.t, out, "Messages", 0, "Body")
	w.must("sqs", "DeleteMessage", object{"QueueUrl": url, "ReceiptHandle": get(w.t, out, "Messages", 0, "ReceiptHandle")})
	var event object
	if err := json.Unmarshal([]byte(body), &event); err != nil {
		w.t.Fatal(err)
	}
	return event
}

// alive tells whether a process runs; one that nobody has waited for yet does not.
func alive(pid int) bool {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return syscall.Kill(pid, 0) == nil && !os.IsNotExist(err)
	}
	_, state, _ := strings.Cut(string(data), ") ")
	return !strings.HasPrefix(state, "Z")
}
