package ecslocal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/launch"
)

func FuzzPattern(f *testing.F) {
	for _, seed := range []string{`{"a":["b",{"prefix":"x"},{"numeric":[">",1]}]}`, `{"$or":[{"a":[1]},{"b":[{"exists":false}]}]}`, `{"a":{"b":[{"wildcard":"*x*"}]}}`} {
		f.Add(seed, `{"a":"b"}`)
	}
	f.Fuzz(func(_ *testing.T, rule, event string) {
		var value any
		if p, err := parsePattern(rule); err == nil && json.Unmarshal([]byte(event), &value) == nil {
			p.matches(value)
		}
	})
}

func FuzzTexts(f *testing.F) {
	f.Add(`a "b c" -d ?e`)
	f.Add("ENTRYPOINT [\"a\"]\nCMD b \\\n c")
	f.Add("app=.:python 'x'")
	f.Fuzz(func(_ *testing.T, text string) {
		if match, err := parseFilter(text); err == nil {
			match(text)
		}
		_, _, _ = parseDockerfile(text)
		_, _ = ParseImageMap(text)
		_, _ = units(text)
		x := &inputTransformer{Paths: map[string]string{"a": "$.a"}, Template: text}
		x.apply(map[string]any{"a": "b"})
		w := &lineWriter{emit: func(string) {}}
		_, _ = w.Write([]byte(text))
		w.flush()
	})
}

// nothing runs nothing: what is fuzzed must not.
type nothing struct{}

func (nothing) Start(context.Context, launch.Job) (string, error) {
	return "", errors.New("nothing is started")
}
func (nothing) Adopt(context.Context, string, string) error { return launch.ErrNotFound }
func (nothing) Wait(context.Context, string) (launch.Exit, error) {
	return launch.Exit{}, launch.ErrNotFound
}
func (nothing) Kill(context.Context, string, time.Duration) error { return launch.ErrNotFound }

// FuzzRequest sends bodies to all actions: none may be an internal error.
func FuzzRequest(f *testing.F) {
	s, err := New(Config{Launcher: nothing{}, Images: ProcessImages{}, URL: "http://127.0.0.1:1", StageTime: time.Microsecond, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(context.WithoutCancel(f.Context())); err != nil {
			f.Error(err)
		}
	})
	targets := map[string]string{"ecs": "AmazonEC2ContainerServiceV20141113", "logs": "Logs_20140328", "sqs": "AmazonSQS", "events": "AWSEvents"}
	for _, body := range []string{
		`{}`, `null`, `{"cluster":"","tasks":[""],"services":["a"],"taskDefinition":"a:1","maxResults":1,"count":-1}`,
		`{"family":"a","containerDefinitions":[{"name":"a","image":"b","memory":1,"command":["x"],"dependsOn":[{}]}]}`,
		`{"family":"a","containerDefinitions":[null]}`, `{"clusterName":"default","serviceName":"a","taskDefinition":"a","desiredCount":1,"overrides":{"containerOverrides":[{"name":"a"}]}}`,
		`{"logGroupName":"g","logStreamName":"s","logEvents":[{"timestamp":1,"message":"m"}],"nextToken":"f/1","limit":1}`,
		`{"QueueName":"q","QueueUrl":"q","MessageBody":"b","Entries":[{"Id":"1","MessageBody":"x","ReceiptHandle":"a#b"}],"ReceiptHandle":"#"}`,
		`{"Name":"r","Rule":"r","EventPattern":"{\"a\":[1]}","Targets":[null,{"Id":"a","Arn":"arn:aws:sqs:a:000000000000:q"}],"Entries":[{"Source":"a","DetailType":"b","Detail":"{\"a\":1}"}]}`,
		`{"resourceArn":"arn:aws:ecs:us-east-1:000000000000:cluster/default","tags":[{"key":"a"}],"tagKeys":["a"]}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for service, prefix := range targets {
			for name := range s.actions[service].actions {
				if name == "ReceiveMessage" && bytes.Contains(bytes.ToLower(body), []byte("wait")) {
					continue // it would wait
				}
				r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", bytes.NewReader(body))
				r.Header.Set("X-Amz-Target", prefix+"."+name)
				r.Header.Set("Authorization", "Credential=000000000000/20261122/us-east-1/"+service+"/aws4_request")
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if w.Code >= 500 {
					t.Errorf("%s: %d %s", name, w.Code, w.Body)
				}
			}
		}
		for _, version := range []string{"2016-11-15", "2011-06-15", "2012-11-05"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("Version="+version+"&"+string(body)))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Authorization", "Credential=000000000000/20261122/us-east-1/ec2/aws4_request")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%s: %d %s", version, w.Code, w.Body)
			}
		}
	})
}
