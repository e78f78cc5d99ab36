package integration_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/integration"
	"github.com/leat-dev/leat/internal/value"
)

// logServer stands in for CloudWatch Logs.
type logServer struct {
	mu      sync.Mutex
	strict  bool // takes no colons in names, as CloudWatch itself
	streams map[string][]string
	calls   []string
}

func (s *logServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	v, _ := value.Parse(body)
	in, _ := v.(*value.Object)
	operation := strings.TrimPrefix(r.Header.Get("X-Amz-Target"), "Logs_20140328.")
	group, stream := text(in, "logGroupName"), text(in, "logStreamName")
	s.calls = append(s.calls, operation)
	fail := func(code string) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"__type":"`+code+`"}`)
	}
	_, made := s.streams[stream]
	switch {
	case s.strict && strings.Contains(stream, ":"):
		fail("InvalidParameterException")
	case group != "g":
		fail("ResourceNotFoundException")
	case operation == "CreateLogStream" && made:
		fail("ResourceAlreadyExistsException")
	case operation == "CreateLogStream":
		s.streams[stream] = nil
	case !made:
		fail("ResourceNotFoundException")
	default:
		list, _ := in.Get("logEvents")
		events, _ := list.([]any)
		for _, e := range events {
			o, _ := e.(*value.Object)
			s.streams[stream] = append(s.streams[stream], text(o, "message"))
		}
	}
}

func TestEventsGoIntoTheStreamOfTheirMachine(t *testing.T) {
	t.Parallel()
	const machine = "arn:aws:states:us-east-1:000000000000:stateMachine:m"
	tests := []struct {
		name, stream string
		strict       bool
	}{
		{name: "by the machine's ARN", stream: "states/" + machine},
		{name: "by its name where colons are refused", stream: "states/m/2026-03-01-12-00/", strict: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			logs := &logServer{streams: map[string][]string{}, strict: tt.strict}
			srv := httptest.NewServer(logs)
			defer srv.Close()
			_, r := client(t, srv.URL, nil)
			stream, err := r.LogStream("arn:aws:logs:us-east-1:000000000000:log-group:g:*", machine)
			if err != nil {
				t.Fatal(err)
			}
			for _, message := range []string{"1", "2"} {
				if err := stream.Put(t.Context(), []integration.LogLine{{Time: now(), Message: message}}); err != nil {
					t.Fatal(err)
				}
			}
			logs.mu.Lock()
			defer logs.mu.Unlock()
			for name, lines := range logs.streams {
				if !strings.HasPrefix(name, tt.stream) {
					t.Errorf("stream %s", name)
				}
				if diff := cmp.Diff([]string{"1", "2"}, lines); diff != "" {
					t.Errorf("lines (-want +got)\n%s", diff)
				}
			}
			if len(logs.streams) != 1 {
				t.Errorf("streams: %v", logs.streams)
			}
		})
	}
}

func TestAStreamThatWasDeletedIsMadeAgain(t *testing.T) {
	t.Parallel()
	logs := &logServer{streams: map[string][]string{}}
	srv := httptest.NewServer(logs)
	defer srv.Close()
	_, r := client(t, srv.URL, nil)
	stream, err := r.LogStream("arn:aws:logs:us-east-1:000000000000:log-group:g", "arn:m")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := stream.Put(t.Context(), []integration.LogLine{{Time: now(), Message: "x"}}); err != nil {
			t.Fatal(err)
		}
		logs.mu.Lock()
		clear(logs.streams)
		logs.mu.Unlock()
	}
	want := []string{"CreateLogStream", "PutLogEvents", "PutLogEvents", "CreateLogStream", "PutLogEvents"}
	if diff := cmp.Diff(want, logs.calls); diff != "" {
		t.Errorf("calls (-want +got)\n%s", diff)
	}
}

func TestAGroupThatIsNotThereIsRefusedForGood(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(&logServer{streams: map[string][]string{}})
	defer srv.Close()
	_, r := client(t, srv.URL, nil)
	stream, err := r.LogStream("arn:aws:logs:us-east-1:000000000000:log-group:none:*", "arn:m")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Put(t.Context(), []integration.LogLine{{Time: now(), Message: "x"}}); !integration.Refused(err) {
		t.Errorf("error %v is not refused for good", err)
	}
	if _, err := r.LogStream("arn:aws:s3:::bucket", "arn:m"); err == nil {
		t.Error("the ARN of a bucket was taken for a log group's")
	}
}
