package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

const (
	// defaultTimeout bounds a request whose sender sets none.
	defaultTimeout = 10 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 64 << 10
	// maxRedirects is how many redirects a notification follows.
	maxRedirects = 10
)

// call is a request to a service.
type call struct {
	method string
	url    string
	header http.Header
	body   []byte
	// ok tells which answers mean success; nil takes every 2xx.
	ok func(*Answer) bool
	// redirects lets the call follow them.
	redirects bool
	// insecure takes any certificate.
	insecure bool
}

// post is a call with a JSON body; header are names and values in turn.
func post(target string, body *value.Object, header ...string) *call {
	c := &call{method: http.MethodPost, url: target, header: http.Header{}, body: value.Append(nil, body)}
	c.header.Set("User-Agent", appName)
	c.header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		c.header.Set(header[i], header[i+1])
	}
	return c
}

// statuses accepts answers with one of the statuses.
func statuses(codes ...int) func(*Answer) bool {
	return func(a *Answer) bool { return slices.Contains(codes, a.Status) }
}

func (c *call) accepts(a *Answer) bool {
	if c.ok != nil {
		return c.ok(a)
	}
	return a.Status >= 200 && a.Status < 300
}

// host names the other side in errors; the rest of its address may be secret.
func (c *call) host() string {
	u, err := url.Parse(c.url)
	if err != nil || u.Host == "" {
		return "the webhook"
	}
	return u.Host
}

// Answer is what a service or a webhook answered.
type Answer struct {
	// Status is the status of HTTP, such as 404.
	Status int
	// Reason is the text beside it, such as "Not Found".
	Reason string
	// Header are the headers.
	Header http.Header
	// Body is the beginning of the body, as valid UTF-8.
	Body string
}

// status is the status for people.
func (a *Answer) status() string {
	if a.Reason == "" {
		return strconv.Itoa(a.Status)
	}
	return strconv.Itoa(a.Status) + " " + a.Reason
}

// exchange makes a call behind a guard. Its error names the host at most.
func (s *Sender) exchange(ctx context.Context, guard *Guard, c *call) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, c.method, c.url, bytes.NewReader(c.body))
	if err != nil {
		return nil, invalid("the request to the webhook cannot be made: its method or URL is wrong")
	}
	for name, values := range c.header {
		if http.CanonicalHeaderKey(name) == "Host" && len(values) > 0 {
			req.Host = values[0]
		}
		req.Header[name] = values
	}
	if len(c.body) == 0 {
		req.Body = http.NoBody
	}
	client := s.client(guard, c)
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.host(), bare(err))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if closing := resp.Body.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("%s: read the answer: %w", c.host(), bare(err))
	}
	reason := http.StatusText(resp.StatusCode)
	if _, given, found := cutStatus(resp.Status); found {
		reason = given
	}
	return &Answer{Status: resp.StatusCode, Reason: reason, Header: resp.Header, Body: valid(string(body))}, nil
}

// cutStatus divides a status line such as "404 Not Found".
func cutStatus(line string) (code, reason string, found bool) {
	if len(line) < 5 {
		return line, "", false
	}
	return line[:3], line[4:], true
}

func (s *Sender) timeout() time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	return defaultTimeout
}

// client is a client for one call. Connections are not kept: calls are few, and
// what a webhook named once may be another host the next time.
func (s *Sender) client(guard *Guard, c *call) *http.Client {
	client := &http.Client{CheckRedirect: c.redirect}
	if s.Client != nil {
		client.Transport = s.Client.Transport
		return client
	}
	dialer := &net.Dialer{Control: guard.control}
	client.Transport = &http.Transport{
		DialContext: dialer.DialContext, DisableKeepAlives: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: maxAnswer,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: c.insecure}, // the block's own wish, by its field verify
	}
	return client
}

// redirect decides about following to the next address. The last one, which may
// be secret, is not told there.
func (c *call) redirect(next *http.Request, before []*http.Request) error {
	next.Header.Del("Referer")
	if !c.redirects {
		return http.ErrUseLastResponse
	}
	if len(before) > maxRedirects {
		return errors.New("too many redirects")
	}
	return nil
}

// bare is what went wrong, without the URL that net/http puts before it.
func bare(err error) error {
	if refused, ok := errors.AsType[*denied](err); ok {
		return refused
	}
	var timeout interface{ Timeout() bool }
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return errors.New("no answer in time")
	}
	if about, ok := errors.AsType[*url.Error](err); ok {
		err = about.Err
	}
	var op *net.OpError
	var name *net.DNSError
	switch {
	case errors.As(err, &name):
		return errors.New("the name cannot be resolved")
	case errors.As(err, &op):
		return fmt.Errorf("%s: %w", op.Op, op.Err)
	case errors.Is(err, context.Canceled):
		return context.Canceled
	default:
		return err
	}
}
