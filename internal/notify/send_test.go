package notify_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/notify"
	"github.com/leat-dev/leat/internal/value"
)

func slackBlock(base string) notify.Block {
	return notify.Block{TypeSlug: "slack-webhook", Data: value.Of("url", base+"/services/T1/B1/very-secret")}
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// wait lasts until the client has gone, which is noticed once its body is read.
func wait(t *testing.T, r *http.Request) {
	t.Helper()
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		t.Error(err)
	}
	<-r.Context().Done()
}

func TestFailuresNameTheHostAndNoSecret(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	tests := []struct{ name, base, want string }{
		{"refuses", serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "invalid_token", http.StatusForbidden) }), "answered 403 Forbidden"},
		{"fails", serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }), "answered 502 Bad Gateway"},
		{"says nothing", serve(t, func(_ http.ResponseWriter, r *http.Request) {
			wait(t, r)
		}), "no answer in time"},
		{"drops the connection", serve(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), "EOF"},
		{"is not there", gone.URL, "refused"},
		{"goes in circles", serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}), "too many redirects"},
		{"has no name", "http://no-such-host.invalid", "cannot be resolved"},
		{"talks something else", "https" + strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) {}), "http"), "HTTP response to HTTPS client"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := notify.Sender{Guard: guardOf(t, "127.0.0.1"), Timeout: 300 * time.Millisecond}
			err := s.Send(t.Context(), slackBlock(tt.base), "subject", "body")
			host := tt.base[strings.Index(tt.base, "//")+2:]
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), host) {
				t.Errorf("the error is %v", err)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret is in %v", err)
			}
		})
	}
}

func TestSendingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		wait(t, r)
	})
	s := notify.Sender{Guard: guardOf(t, "127.0.0.1")}
	if err := s.Send(ctx, slackBlock(base), "", "b"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestTheSecretAddressIsNotToldToWhereARedirectLeads(t *testing.T) {
	t.Parallel()
	referer := make(chan string, 1)
	target := serve(t, func(w http.ResponseWriter, r *http.Request) {
		referer <- r.Referer()
		_, _ = io.WriteString(w, "ok")
	})
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, target, http.StatusTemporaryRedirect)
	})
	s := notify.Sender{Guard: guardOf(t, "127.0.0.1")}
	if err := s.Send(t.Context(), slackBlock(base), "", "b"); err != nil {
		t.Fatal(err)
	}
	if got := <-referer; got != "" {
		t.Errorf("told %q", got)
	}
}

func TestEveryRecipientIsTried(t *testing.T) {
	t.Parallel()
	var channels []string
	w := &answering{func(r *http.Request) int {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return http.StatusInternalServerError
		}
		channels = append(channels, string(body))
		return http.StatusInternalServerError
	}}
	s := notify.Sender{Client: &http.Client{Transport: w}}
	block := notify.Block{TypeSlug: "mattermost-webhook", Data: value.Of("hostname", "h", "token", "sesame", "channels", []any{"a", "b"})}
	err := s.Send(t.Context(), block, "", "hi")
	want := "h:8065 answered 500 Internal Server Error\nh:8065 answered 500 Internal Server Error"
	if err == nil || err.Error() != want || len(channels) != 2 {
		t.Errorf("%v, %v", channels, err)
	}
}

// answering answers requests with a status.
type answering struct {
	status func(*http.Request) int
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: a.status(r), Header: http.Header{}, Body: io.NopCloser(strings.NewReader("no")), Request: r}, nil
}

func TestSlackMustSayOK(t *testing.T) {
	t.Parallel()
	s := notify.Sender{Client: &http.Client{Transport: &answering{func(*http.Request) int { return http.StatusOK }}}}
	if err := s.Send(t.Context(), slackBlock("https://hooks.slack.com/services/T1/B1/abc#"), "", "b"); err != nil {
		t.Error("a service like Slack need not say ok:", err)
	}
	block := notify.Block{TypeSlug: "slack-webhook", Data: value.Of("url", "https://hooks.slack.com/services/T1/B1/abc")}
	if err := s.Send(t.Context(), block, "", "b"); err == nil {
		t.Error("an answer without ok passed for success")
	}
}

func TestBlocksThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, slug, data, want string }{
		{"no URL", "slack-webhook", `{}`, "url: missing"},
		{"a URL of no web", "slack-webhook", `{"url":"file:///etc/passwd"}`, "url: not a URL of HTTP"},
		{"a number for a URL", "ms-teams-webhook", `{"url":7}`, "url: not a text"},
		{"an unknown kind", "slack-webhook", `{"url":"https://example.com","notify_type":"loud"}`, "notify_type: not one of info, success, warning, failure"},
		{"no phone", "twilio-sms", `{"account_sid":"AC1","auth_token":"s","from_phone_number":"call me"}`, "from_phone_number: not the number of a phone"},
		{"a token with signs", "twilio-sms", `{"account_sid":"AC1","auth_token":"sesame!","from_phone_number":"18001234567"}`, "auth_token: holds something else than letters and digits"},
		{"an account with signs", "twilio-sms", `{"account_sid":"AC/../1","auth_token":"s","from_phone_number":"18001234567"}`, "account_sid: not AC and hexadecimal digits"},
		{"no region", "opsgenie-webhook", `{"apikey":"k","region_name":"moon"}`, "region_name: not one of us, eu"},
		{"a list of numbers", "opsgenie-webhook", `{"apikey":"k","tags":[1]}`, "tags: holds something else than texts"},
		{"a host with a path", "mattermost-webhook", `{"hostname":" ","token":"t"}`, "hostname: not the name of a host"},
		{"two bodies", "custom-webhook", `{"name":"n","url":"https://example.com","form_data":{},"json_data":{}}`, "both `Form Data` and `JSON Data` provided"},
		{"an unknown placeholder", "custom-webhook", `{"name":"n","url":"https://example.com","json_data":{"a":["{{ nope }}"]}}`, "json_data: the placeholder {{ nope }} has no value"},
		{"a block's placeholder", "custom-webhook", `{"name":"n","url":"https://example.com/{{ prefect.blocks.a.b }}"}`, "url: the placeholder {{ prefect.blocks.a.b }} has no value"},
		{"the environment", "custom-webhook", `{"name":"n","url":"https://example.com/{{ $HOME }}"}`, "url: the placeholder {{ $HOME }} has no value"},
		{"a method of its own", "custom-webhook", `{"name":"n","url":"https://example.com","method":"TRACE"}`, "method: not one of POST, GET, PUT, PATCH, DELETE"},
		{"a header's name", "custom-webhook", `{"name":"n","url":"https://example.com","headers":{"a b":"c"}}`, `headers: "a b" or its value has a character that headers cannot have`},
		{"a cookie in a cookie", "custom-webhook", `{"name":"n","url":"https://example.com","cookies":{"a":"b; c=d"}}`, `cookies: "a" cannot be a cookie`},
		{"a number in a header", "webhook", `{"url":"https://example.com","headers":{"a":1}}`, `headers: "a" is not a text`},
		{"a mail from nobody", "email-server-credentials", `{"username":"otto"}`, "sender_email: missing, and username is no address of mail"},
		{"an unknown way to mail", "email-server-credentials", `{"username":"a@example.com","smtp_type":"TLS"}`, "smtp_type: not one of SSL, STARTTLS, INSECURE"},
		{"a recipient that is none", "email-server-credentials", `{"username":"a@example.com","to_emails":["b\r\nRCPT TO:<c@example.com>"]}`, "to_emails: not all are addresses of mail"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, block := notify.Sender{}, notify.Block{TypeSlug: tt.slug, Data: object(t, tt.data)}
			var err error
			if tt.slug == "webhook" {
				_, err = s.CallWebhook(t.Context(), block, "")
			} else {
				err = s.Send(t.Context(), block, "subject", "body")
			}
			var bad *notify.Invalid
			if !errors.As(err, &bad) || err.Error() != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

func TestOtherBlocksDoNotNotify(t *testing.T) {
	t.Parallel()
	for _, slug := range []string{"webhook", "json", "secret", ""} {
		var other *notify.Unsupported
		if err := (&notify.Sender{}).Send(t.Context(), notify.Block{TypeSlug: slug}, "s", "b"); !errors.As(err, &other) || notify.Supports(slug) {
			t.Errorf("%s: %v", slug, err)
		}
	}
	var other *notify.Unsupported
	if _, err := (&notify.Sender{}).CallWebhook(t.Context(), notify.Block{TypeSlug: "slack-webhook"}, ""); !errors.As(err, &other) {
		t.Error(err)
	}
}

// TestAMessageCannotAddHeaders puts line breaks where a block places the message.
func TestAMessageCannotAddHeaders(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"headers", "cookies"} {
		w := &witness{}
		s := notify.Sender{Client: &http.Client{Transport: w}}
		block := notify.Block{TypeSlug: "custom-webhook", Data: value.Of("name", "n", "url", "https://example.com", field, value.Of("X-Token", "{{ body }}"))}
		err := s.Send(t.Context(), block, "s", "a\r\nX-Evil: 1")
		if err == nil || len(w.calls) > 0 || strings.Contains(err.Error(), "Evil") {
			t.Errorf("%s: %v, %v", field, w.calls, err)
		}
	}
}

func TestAWebhookIsCalled(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 4)
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		seen <- fmt.Sprintf("%s %s %s %s %s", r.Method, r.RequestURI, r.Header.Get("X-Key"), r.Header.Get("Content-Type"), body)
		w.Header().Set("Location", "/elsewhere")
		w.Header().Set("X-Answer", "42")
		w.WriteHeader(http.StatusFound)
		_, _ = io.WriteString(w, "look elsewhere\xff")
	})
	s := notify.Sender{Guard: guardOf(t, "127.0.0.1")}
	block := notify.Block{TypeSlug: "webhook", Data: value.Of("url", base+"/hook?a=b", "method", "PUT", "headers", value.Of("X-Key", "sesame"))}
	answer, err := s.CallWebhook(t.Context(), block, `{"a": "ü"}`)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`PUT /hook?a=b sesame  {"a": "ü"}`, <-seen); diff != "" {
		t.Error(diff)
	}
	if answer.Status != 302 || answer.Reason != "Found" || answer.Body != "look elsewhere\uFFFD" || answer.Header.Get("X-Answer") != "42" {
		t.Errorf("answered %+v", answer)
	}
	if len(seen) > 0 {
		t.Error("the redirect was followed to", <-seen)
	}
}

func TestAWebhookMayHaveAnyCertificateWhenItSaysSo(t *testing.T) {
	t.Parallel()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	s := notify.Sender{Guard: guardOf(t, "127.0.0.1")}
	block := notify.Block{TypeSlug: "webhook", Data: value.Of("url", srv.URL)}
	if _, err := s.CallWebhook(t.Context(), block, ""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error("a certificate that nobody signed passed:", err)
	}
	block.Data.Set("verify", false)
	if _, err := s.CallWebhook(t.Context(), block, ""); err != nil {
		t.Error(err)
	}
}

func TestAnswersAreReadToABound(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		for range 200 {
			if _, err := io.WriteString(w, strings.Repeat("x", 10000)); err != nil {
				return
			}
		}
	})
	s := notify.Sender{Guard: guardOf(t, "127.0.0.1")}
	answer, err := s.CallWebhook(t.Context(), notify.Block{TypeSlug: "webhook", Data: value.Of("url", base)}, "")
	if err != nil || len(answer.Body) != 64<<10 {
		t.Error(len(answer.Body), err)
	}
}

func TestACustomWebhookSaysHowLongItWaits(t *testing.T) {
	t.Parallel()
	base := serve(t, func(_ http.ResponseWriter, r *http.Request) { wait(t, r) })
	s := notify.Sender{Guard: guardOf(t, "127.0.0.1")}
	block := notify.Block{TypeSlug: "custom-webhook", Data: value.Of("name", "n", "url", base, "timeout", 0.05)}
	if err := s.Send(t.Context(), block, "", "b"); err == nil || !strings.Contains(err.Error(), "in time") {
		t.Error(err)
	}
}

func TestTextThatIsNoUTF8IsMended(t *testing.T) {
	t.Parallel()
	w := &witness{}
	s := notify.Sender{Client: &http.Client{Transport: w}}
	block := notify.Block{TypeSlug: "discord-webhook", Data: value.Of("webhook_id", "1", "webhook_token", "x")}
	if err := s.Send(t.Context(), block, "", "a\xffb"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"tts": false, "wait": true, "content": "a\uFFFDb"}, w.calls[0].JSON); diff != "" {
		t.Error(diff)
	}
}
