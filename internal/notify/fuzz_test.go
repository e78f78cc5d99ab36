package notify_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/value"
)

// FuzzBlock sends through blocks of any fields: that fails, or makes requests
// that can be sent.
func FuzzBlock(f *testing.F) {
	slugs := []string{
		"custom-webhook", "slack-webhook", "ms-teams-webhook", "mattermost-webhook", "discord-webhook", "pager-duty-webhook", "opsgenie-webhook",
		"twilio-sms", "sendgrid-email",
	}
	for i, data := range []string{
		`{"name": "n", "url": "https://example.com/{{ k }}?a=b", "json_data": {"a": ["{{ body }}", {"b": "x{{subject}}"}]}, "secrets": {"k": "sesame"}}`,
		`{"url": "https://hooks.slack.com/services/T1/B1/sesame"}`,
		`{"url": "https://example.com/workflows/w/triggers/manual/paths/invoke?sig=sesame"}`,
		`{"hostname": "h", "token": "sesame", "channels": ["a", "#b"], "port": 1e3}`,
		`{"webhook_id": "1", "webhook_token": "sesame"}`, `{"integration_key": "sesame", "api_key": "sesame", "custom_details": {}}`,
		`{"apikey": "sesame", "target_user": ["u"], "batch": true, "priority": 9}`,
		`{"account_sid": "AC1", "auth_token": "sesame", "from_phone_number": "12345", "to_phone_numbers": ["+1 800 555 0000"]}`,
		`{"api_key": "sesame", "sender_email": "a", "to_emails": ["b"]}`,
	} {
		f.Add(uint8(i), data, "subject", "body")
	}
	f.Fuzz(func(t *testing.T, which uint8, data, subject, body string) {
		v, err := value.Parse([]byte(data))
		if err != nil {
			return
		}
		o, ok := v.(*value.Object)
		if !ok {
			return
		}
		w := &strict{t}
		s := notify.Sender{Client: &http.Client{Transport: w}}
		if err := s.Send(t.Context(), notify.Block{TypeSlug: slugs[int(which)%len(slugs)], Data: o}, subject, body); err != nil && err.Error() == "" {
			t.Error("an error says nothing")
		}
	})
}

// strict fails for requests that should not have been made.
type strict struct{ t *testing.T }

func (s *strict) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "http" && r.URL.Scheme != "https" || r.URL.Host == "" {
		s.t.Errorf("a request goes to %s", r.URL)
	}
	for name, values := range r.Header {
		if strings.ContainsAny(name+strings.Join(values, ""), "\r\n\x00") {
			s.t.Errorf("a header is %q: %q", name, values)
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: r}, nil
}
