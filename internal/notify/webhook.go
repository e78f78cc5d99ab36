package notify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// webhookSlug is the block type of Webhook.
const webhookSlug = "webhook"

// CallWebhook calls the webhook of a block of type "webhook" with a payload, and
// returns what it answered, whatever its status: redirects are not followed.
// Errors: Unsupported, Invalid, and others that name the host.
func (s *Sender) CallWebhook(ctx context.Context, b Block, payload string) (*Answer, error) {
	if b.TypeSlug != webhookSlug {
		return nil, &Unsupported{b.TypeSlug}
	}
	f := &fields{data: b.Data}
	c := &call{
		method: f.choice("method", http.MethodPost, http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete),
		url:    f.address("url"), body: []byte(payload), insecure: !f.flag("verify", true),
	}
	header, err := headersOf("headers", f.object("headers"), "leat")
	guard := s.guardOf(f)
	if err := errors.Join(f.err, err); err != nil {
		return nil, err
	}
	c.header = header
	return s.exchange(ctx, guard, c)
}

// headersOf makes headers of a field; agent is who speaks when they do not say it.
func headersOf(field string, given *value.Object, agent string) (http.Header, error) {
	header := http.Header{"Accept": {"*/*"}, "User-Agent": {agent}}
	for name, v := range given.All() {
		text, ok := v.(string)
		if !ok {
			return nil, invalid("%s: %q is not a text", field, name)
		}
		if !isToken(name) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, invalid("%s: %q or its value has a character that headers cannot have", field, name)
		}
		header.Set(name, text)
	}
	return header, nil
}

// isToken tells whether a text can be the name of a header or a cookie.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()<>@,;:\"/[]?={}`, r)
	})
}

// refused is an answer that does not mean success.
func refused(c *call, a *Answer) error { return fmt.Errorf("%s answered %s", c.host(), a.status()) }
