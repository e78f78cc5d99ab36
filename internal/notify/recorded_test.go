package notify_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/value"
)

// sent is a request as a service saw it. JSON has its order of keys left out.
type sent struct {
	Method string            `json:"method"`
	URL    string            `json:"url"`
	Header map[string]string `json:"header"`
	JSON   any               `json:"json"`
	Text   string            `json:"text"`
}

// witness is a transport that writes down what is sent and answers as all services do.
type witness struct{ calls []sent }

func (w *witness) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	s := sent{Method: r.Method, URL: r.URL.String(), Header: map[string]string{}}
	for _, name := range []string{"accept", "content-type", "authorization", "user-agent", "cookie", "x-token"} {
		if v := r.Header.Get(name); v != "" {
			s.Header[name] = v
		}
	}
	if json.Unmarshal(body, &s.JSON) != nil {
		s.Text = string(body)
	}
	w.calls = append(w.calls, s)
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("ok")), Request: r}, nil
}

// recording is what the blocks of Prefect 3.8.8 sent for a message.
type recording struct {
	Name, Type, Subject, Body string
	Data                      json.RawMessage
	Calls                     []sent
}

func recordings(t *testing.T) []recording {
	t.Helper()
	data, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []recording
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// object reads a block's fields.
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

// TestSentAsPrefectSends compares requests with those that Prefect's own blocks
// were seen to make. Where they go to several recipients Prefect knows no order.
func TestSentAsPrefectSends(t *testing.T) {
	t.Parallel()
	for _, r := range recordings(t) {
		t.Run(r.Name, func(t *testing.T) {
			t.Parallel()
			w := &witness{}
			s := notify.Sender{
				Client: &http.Client{Transport: w},
				Now:    func() time.Time { return time.UnixMilli(1795374956875) },
			}
			if err := s.Send(t.Context(), notify.Block{TypeSlug: r.Type, Data: object(t, string(r.Data))}, r.Subject, r.Body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(ordered(r.Calls), ordered(w.calls)); diff != "" {
				t.Errorf("Prefect's (-) and ours (+):\n%s", diff)
			}
		})
	}
}

// ordered puts calls into an order of their own, and leaves out headers that say
// no more than silence.
func ordered(calls []sent) []sent {
	for i := range calls {
		maps.DeleteFunc(calls[i].Header, func(name, v string) bool { return name == "accept" && v == "*/*" })
	}
	key := func(s sent) []byte {
		b, err := json.Marshal(s)
		if err != nil {
			return nil
		}
		return b
	}
	slices.SortStableFunc(calls, func(a, b sent) int { return bytes.Compare(key(a), key(b)) })
	return append([]sent{}, calls...)
}

func TestTheNameOfADiscordBotIsSent(t *testing.T) {
	t.Parallel()
	w := &witness{}
	s := notify.Sender{Client: &http.Client{Transport: w}}
	block := notify.Block{TypeSlug: "discord-webhook", Data: value.Of("webhook_id", "1", "webhook_token", "x", "botname", "Otto")}
	if err := s.Send(t.Context(), block, "", "hello"); err != nil {
		t.Fatal(err)
	}
	payload, ok := w.calls[0].JSON.(map[string]any)
	if !ok || payload["username"] != "Otto" {
		t.Errorf("sent %v", w.calls[0].JSON)
	}
}
