package sfn_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/api/apitest"
	"github.com/leat-dev/leat/internal/api/sfn"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store/storetest"
)

// The files in testdata are exchanges in the service's words, one story each:
//
//	-- CreateActivity --
//	{"name": "a"}
//	-- 200 --
//	{"activityArn": "arn:aws:states:us-east-1:000000000000:activity:a", "creationDate": "<time>"}
//
// A section with an operation is a request, which may name the account and the
// region of its caller (-- CreateActivity 111111111111 eu-west-1 --); the one
// after it is the answer. A definition may be written as an object. <time> is
// any time, <any> anything; <arn-1> and the like are what stood there when they
// appeared first, and are filled into requests.

type exchange struct {
	operation, account, region, body string
	status                           int
	answer                           string
}

func TestExchangesAreAsWithTheService(t *testing.T) {
	t.Parallel()
	apitest.Files(t, os.DirFS("testdata"), func(t *testing.T, story string) {
		server := httptest.NewServer(newAPI(t, sfn.Config{}))
		defer server.Close()
		play(t, server, parseExchanges(t, story))
	})
}

// newAPI is the dialect on a fresh store.
func newAPI(t *testing.T, cfg sfn.Config) *sfn.API {
	t.Helper()
	s := storetest.Open(t)
	cfg.Engine, cfg.Now = engine.New(engine.Config{Store: s, Now: time.Now, MaxMachines: 3}), time.Now
	return sfn.New(cfg)
}

var head = regexp.MustCompile(`^(?:(\d{3})|([A-Z]\w+)(?: (\d+))?(?: ([a-z0-9-]+))?)$`)

func parseExchanges(t *testing.T, text string) []exchange {
	t.Helper()
	var out []exchange
	for _, s := range apitest.Sections(text) {
		m := head.FindStringSubmatch(s.Head)
		switch {
		case m == nil:
			t.Fatalf("neither a request nor an answer: %s", s.Head)
		case m[1] == "":
			out = append(out, exchange{operation: m[2], account: m[3], region: m[4], body: s.Text})
		default:
			last := &out[len(out)-1]
			last.answer = s.Text
			var err error
			if last.status, err = strconv.Atoi(m[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

var mark = regexp.MustCompile(`<[a-z]+-\d+>`)

func play(t *testing.T, server *httptest.Server, story []exchange) {
	t.Helper()
	seen := map[string]string{}
	for i, x := range story {
		body := mark.ReplaceAllStringFunc(x.body, func(m string) string { return seen[m] })
		status, got := send(t, server, x, flatten(t, body))
		if status != x.status {
			t.Fatalf("%d: %s %s\nstatus %d, want %d; body %s", i+1, x.operation, body, status, x.status, got)
		}
		if diff := marks(seen).Diff(t, x.answer, got); diff != "" {
			t.Errorf("%d: %s %s (-want +got)\n%s", i+1, x.operation, body, diff)
		}
	}
}

// flatten writes a definition that is an object as the text that it is on the wire.
func flatten(t *testing.T, body string) string {
	t.Helper()
	var fields map[string]json.RawMessage
	if json.Unmarshal([]byte(body), &fields) != nil || len(fields["definition"]) == 0 || fields["definition"][0] != '{' {
		return body
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, fields["definition"]); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(compact.String())
	if err != nil {
		t.Fatal(err)
	}
	fields["definition"] = text
	out, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func send(t *testing.T, server *httptest.Server, x exchange, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if x.operation != "" {
		req.Header.Set("X-Amz-Target", "AWSStepFunctions."+x.operation)
	}
	if x.account != "" {
		region := x.region
		if region == "" {
			region = sfn.DefaultRegion
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+x.account+"/20261122/"+region+"/states/aws4_request, SignedHeaders=host, Signature=00")
	}
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(res.Body)
	if cerr := res.Body.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	if res.Header.Get("Content-Type") != "application/x-amz-json-1.0" || res.Header.Get("x-amzn-RequestId") == "" {
		t.Errorf("headers of %s: %v", x.operation, res.Header)
	}
	return res.StatusCode, got
}

// marks expects what has been seen at the same marks.
func marks(seen map[string]string) apitest.Marks {
	m := apitest.Marks{Text: func(want string, have any) any {
		h, isText := have.(string)
		if n, isNumber := have.(float64); want == "<any>" || want == "<time>" && isNumber && n > 1.7e9 {
			return have
		}
		if mark.FindString(want) == want && want != "" && isText && seen[want] == "" {
			seen[want] = h
		}
		return mark.ReplaceAllStringFunc(want, func(m string) string { return seen[m] })
	}}
	m.Member = func(key string, want, have any) (any, bool) {
		text, isText := have.(string)
		object, isObject := want.(map[string]any)
		if key != "definition" || !isText || !isObject {
			return nil, false
		}
		var parsed any
		if json.Unmarshal([]byte(text), &parsed) != nil {
			return nil, false
		}
		return text, cmp.Equal(m.Resolve(object, parsed), parsed)
	}
	return m
}

func TestOtherRequestsAreAnsweredAsTheServiceDoes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newAPI(t, sfn.Config{BodyLimit: 1000}))
	t.Cleanup(server.Close)
	tests := []struct {
		name, operation, body string
		status                int
		want                  string
	}{
		{"an operation that is not there", "Fly", "{}", 400, `{"__type":"UnknownOperationException","message":"Unknown operation: AWSStepFunctions.Fly"}`},
		{"no operation", "", "{}", 400, `{"__type":"UnknownOperationException","message":"The request has no X-Amz-Target"}`},
		{"no JSON", "ListActivities", "{", 400, `{"__type":"SerializationException","message":"The request's body is not JSON"}`},
		{"JSON and more", "ListActivities", "{} x", 400, `{"__type":"SerializationException","message":"The request's body is not JSON"}`},
		{"no object", "ListActivities", "[]", 400, `{"__type":"SerializationException","message":"Start of structure or map found where not expected."}`},
		{"no UTF-8", "CreateActivity", "{\"name\":\"\xff\"}", 400, `{"__type":"SerializationException","message":"The request's body is not UTF-8"}`},
		{"a number for a text", "CreateActivity", `{"name":1}`, 400, `{"__type":"SerializationException","message":"NUMBER_VALUE can not be converted to a String"}`},
		{"a text for a number", "ListActivities", `{"maxResults":"1"}`, 400, `{"__type":"SerializationException","message":"STRING_VALUE can not be converted to an Integer"}`},
		{"a fraction for an integer", "ListActivities", `{"maxResults":1.5}`, 400, `{"__type":"SerializationException","message":"NUMBER_VALUE can not be converted to an Integer"}`},
		{"no body", "ListActivities", "", 200, `{"activities":[]}`},
		{"a key in another case", "ListActivities", `{"MaxResults":"x","nextToken":null}`, 200, `{"activities":[]}`},
		{"too much", "ListActivities", strings.Repeat(" ", 1001), 413, `{"__type":"RequestEntityTooLargeException","message":"Request size exceeded the limit"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, got := send(t, server, exchange{operation: tt.operation}, tt.body)
			if status != tt.status || string(got) != tt.want {
				t.Errorf("answer %d %s, want %d %s", status, got, tt.status, tt.want)
			}
		})
	}
}

// Accounts are workspaces: what one makes another does not see.
func TestAccountsAreKeptApart(t *testing.T) {
	t.Parallel()
	a := newAPI(t, sfn.Config{Account: "123456789012"})
	server := httptest.NewServer(a)
	defer server.Close()
	for _, account := range []string{"", "111111111111", "AKIDEXAMPLE"} {
		if status, got := send(t, server, exchange{operation: "CreateActivity", account: account}, `{"name":"a"}`); status != 200 {
			t.Fatalf("%d %s", status, got)
		}
	}
	for account, want := range map[string]string{"": "123456789012", "111111111111": "111111111111", "AKIDEXAMPLE": "123456789012"} {
		_, got := send(t, server, exchange{operation: "ListActivities", account: account}, `{}`)
		if arn := "arn:aws:states:us-east-1:" + want + ":activity:a"; strings.Count(string(got), "activityArn") != 1 || !strings.Contains(string(got), arn) {
			t.Errorf("activities of %q: %s, want %s", account, got, arn)
		}
	}
	ws, err := a.Workspace(t.Context(), "111111111111")
	if err != nil || ws == core.DefaultWorkspace {
		t.Errorf("workspace %d, %v", ws, err)
	}
}
