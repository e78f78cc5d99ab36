package notify

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// maxCustomTimeout bounds how long a custom webhook lets itself wait.
const maxCustomTimeout = time.Minute

// sendCustom sends through a custom webhook, whose URL, parameters, body,
// headers and cookies hold placeholders for the message and for secrets.
func (s *Sender) sendCustom(ctx context.Context, f *fields, m *message) error {
	guard := s.guardOf(f)
	seconds := min(max(f.number("timeout", 0), 0), maxCustomTimeout.Seconds())
	c, err := custom(f, m)
	if err != nil {
		return err
	}
	in := *s
	if seconds > 0 && s.Timeout <= 0 {
		in.Timeout = time.Duration(seconds * float64(time.Second))
	}
	answer, err := in.exchange(ctx, guard, c)
	if err != nil {
		return err
	}
	if !c.accepts(answer) {
		return refused(c, answer)
	}
	return nil
}

// custom makes the request of a custom webhook.
func custom(f *fields, m *message) (*call, error) {
	form, body := f.get("form_data"), f.get("json_data")
	if form != nil && body != nil {
		f.fail("both `Form Data` and `JSON Data` provided")
	}
	values := f.object("secrets").Clone()
	values.Set("subject", m.subject)
	values.Set("body", m.body)
	values.Set("name", f.needed("name"))
	filled := map[string]any{}
	for _, name := range []string{"url", "params", "form_data", "json_data", "headers", "cookies"} {
		v, err := fill(f.get(name), values)
		if err != nil {
			f.fail("%s: %s", name, err)
		}
		filled[name] = v
	}
	g := &fields{data: value.NewObject(len(filled))}
	for name, v := range filled {
		g.data.Set(name, v)
	}
	c := &call{method: f.choice("method", http.MethodPost, http.MethodGet, http.MethodPut, http.MethodPatch, http.MethodDelete), url: g.address("url")}
	header, err := headersOf("headers", g.object("headers"), appName)
	if err := errors.Join(f.err, g.err, err); err != nil {
		return nil, err
	}
	c.header = header
	if err := errors.Join(c.query(g), c.cookies(g), c.fillBody(g)); err != nil {
		return nil, err
	}
	return c, g.err
}

// query gives a call its parameters, which stand instead of those of the URL.
func (c *call) query(f *fields) error {
	if f.get("params") == nil {
		return nil
	}
	pairs, err := encoded(f.object("params"))
	if err != nil {
		return invalid("params: %s", err)
	}
	u, err := url.Parse(c.url)
	if err != nil {
		return invalid("url: not a URL of HTTP")
	}
	u.RawQuery = pairs
	c.url = u.String()
	return nil
}

func (c *call) cookies(f *fields) error {
	var pairs []string
	for name, v := range f.object("cookies").All() {
		text, ok := v.(string)
		if !ok || !isToken(name) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == ';' || r >= 0x7f }) {
			return invalid("cookies: %q cannot be a cookie", name)
		}
		pairs = append(pairs, name+"="+text)
	}
	if pairs != nil {
		c.header.Set("Cookie", strings.Join(pairs, "; "))
	}
	return nil
}

// fillBody gives a call its body: a form, JSON, or a text as it is.
func (c *call) fillBody(f *fields) error {
	kind := ""
	switch form := f.get("form_data").(type) {
	case nil:
		if v := f.get("json_data"); v != nil {
			kind, c.body = "application/json", value.Append(nil, f.object("json_data"))
		}
	case string:
		c.body = []byte(form)
	default:
		pairs, err := encoded(f.object("form_data"))
		if err != nil {
			return invalid("form_data: %s", err)
		}
		kind, c.body = "application/x-www-form-urlencoded", []byte(pairs)
	}
	if kind != "" && c.header.Get("Content-Type") == "" {
		c.header.Set("Content-Type", kind)
	}
	return nil
}

// encoded is an object as a query or a form, in its order.
func encoded(o *value.Object) (string, error) {
	var pairs []string
	for name, v := range o.All() {
		var text string
		switch x := v.(type) {
		case string:
			text = x
		case nil, bool:
			text = printed(x)
		default:
			if _, ok := value.Number(x); !ok {
				return "", errors.New("a value is neither a text nor a number")
			}
			text = value.String(x)
		}
		pairs = append(pairs, url.QueryEscape(name)+"="+url.QueryEscape(text))
	}
	return strings.Join(pairs, "&"), nil
}
