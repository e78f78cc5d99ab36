package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// apiVersion is the version of the API that we speak. Prefect REST: X-PREFECT-API-VERSION.
const apiVersion = "0.8.4"

// LifeHeader is the header by which a worker says which of its lives it is: each
// client of a worker is another one. Servers that are not ours pass it over.
const LifeHeader = "X-Leat-Worker-Life"

// Config says where a server is and who asks.
type Config struct {
	// URL is the address of the API, like http://127.0.0.1:4200/api.
	URL string
	// Key is an API key, sent as a Bearer token; "" for none.
	Key string
	// AuthString is "user:password" for Basic authentication; "" for none. Key wins.
	AuthString string
	// Version is leat's version, for the User-Agent.
	Version string
	// WorkerName is the name that a worker gives with its requests; "" for others.
	WorkerName string
	// Timeout is how long one attempt may take; 0 means 30 seconds.
	Timeout time.Duration
	// Backoff is the first wait before a request is tried again, doubled each
	// time; 0 means half a second. A server's Retry-After wins.
	Backoff time.Duration
	// Attempts is how often a request is tried that the server is too busy for; 0 means 6.
	Attempts int
}

// Client speaks to a server over HTTP. It may be used by many goroutines at once.
type Client struct {
	base    *url.URL
	header  http.Header
	token   string
	http    *http.Client
	backoff time.Duration
	tries   int
}

// New returns a client for the server that cfg names; it sends nothing yet. An
// address that is none is an error.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cfg.URL, "/"))
	if err != nil || (base.Scheme != "http" && base.Scheme != "https") || base.Host == "" {
		return nil, fmt.Errorf("%q is not the address of an API: it should look like http://127.0.0.1:4200/api", cfg.URL)
	}
	c := &Client{base: base, header: http.Header{}, backoff: cfg.Backoff, tries: cfg.Attempts}
	c.header.Set("User-Agent", "leat/"+cfg.Version)
	c.header.Set("X-Prefect-Api-Version", apiVersion)
	if cfg.WorkerName != "" {
		c.header.Set("X-Prefect-Worker-Name", cfg.WorkerName)
		c.header.Set(LifeHeader, rand.Text())
	}
	switch {
	case cfg.Key != "":
		c.token = cfg.Key
		c.header.Set("Authorization", "Bearer "+cfg.Key)
	case cfg.AuthString != "":
		c.token = cfg.AuthString
		c.header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(cfg.AuthString)))
	}
	if c.backoff == 0 {
		c.backoff = 500 * time.Millisecond
	}
	if c.tries == 0 {
		c.tries = 6
	}
	timeout := cfg.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 16, IdleConnTimeout: 90 * time.Second,
		ResponseHeaderTimeout: timeout, TLSHandshakeTimeout: 10 * time.Second,
	}
	c.http = &http.Client{Transport: transport, Timeout: timeout}
	return c, nil
}

// URL returns the address of the API.
func (c *Client) URL() string { return c.base.String() }

// Close gives up the idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Error is an answer that says no.
type Error struct {
	// Status is the HTTP status.
	Status int
	// Method and Path are what was asked for.
	Method, Path string
	// Detail is the server's reason in words, "" when it gave none.
	Detail string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s %s: the server answers %d %s", e.Method, e.Path, e.Status, http.StatusText(e.Status))
	}
	return e.Detail
}

// Unreachable says that no server answers at an address.
type Unreachable struct {
	// URL is the address of the API.
	URL string
	// Err is what happened.
	Err error
}

// Error implements error.
func (e *Unreachable) Error() string { return fmt.Sprintf("no server answers at %s: %v", e.URL, e.Err) }

// Unwrap returns what happened.
func (e *Unreachable) Unwrap() error { return e.Err }

// IsNotFound reports whether the server answered that there is no such thing.
func IsNotFound(err error) bool { return IsStatus(err, http.StatusNotFound) }

// IsStatus reports whether the server answered with that HTTP status.
func IsStatus(err error, status int) bool {
	var e *Error
	return errors.As(err, &e) && e.Status == status
}

// Do sends a request and decodes the answer's body into out. The path lies under
// the API's address and is already escaped; in and out may be nil. What the
// server is too busy for (408, 429, 502, 503) is tried again.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode %s %s: %w", method, path, err)
		}
	}
	wait := c.backoff
	for try := 1; ; try++ {
		err := c.once(ctx, method, path, body, out)
		var busy *busyError
		if !errors.As(err, &busy) {
			return err
		}
		if try == c.tries {
			return busy.err
		}
		pause := wait
		if busy.after > 0 {
			pause = busy.after
		}
		wait = min(2*wait, 30*time.Second)
		if err := sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// busyError is an answer after which it makes sense to ask again.
type busyError struct {
	err   *Error
	after time.Duration
}

func (e *busyError) Error() string { return e.err.Error() }

func (c *Client) once(ctx context.Context, method, path string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	maps.Copy(req.Header, c.header)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		return &Unreachable{URL: c.URL(), Err: err}
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return &Unreachable{URL: c.URL(), Err: err}
	}
	if res.StatusCode >= 300 {
		return failure(res, method, path, answer)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode the answer to %s %s: %w", method, path, err)
	}
	return nil
}

// failure makes an error of an answer that says no.
func failure(res *http.Response, method, path string, body []byte) error {
	e := &Error{Status: res.StatusCode, Method: method, Path: path, Detail: detail(body)}
	switch res.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		e.Detail = "the server wants to know who asks: set PREFECT_API_KEY or PREFECT_API_AUTH_STRING"
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable:
		seconds, _ := strconv.ParseFloat(res.Header.Get("Retry-After"), 64)
		return &busyError{e, time.Duration(seconds * float64(time.Second))}
	}
	return e
}

// detail finds the words in an error's body: FastAPI's detail, or the fields that
// a validation refuses.
func detail(body []byte) string {
	var answer struct {
		Detail    any    `json:"detail"`
		Message   string `json:"exception_message"`
		Exception any    `json:"exception_detail"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	if text, ok := answer.Detail.(string); ok {
		return text
	}
	var parts []string
	fields, _ := answer.Exception.([]any)
	for _, field := range fields {
		f, _ := field.(map[string]any)
		loc, _ := f["loc"].([]any)
		var at []string
		for _, step := range loc {
			at = append(at, fmt.Sprint(step))
		}
		parts = append(parts, fmt.Sprintf("%s: %v", strings.Join(at, "."), f["msg"]))
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ")
	}
	return answer.Message
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// get asks for one thing.
func get[T any](ctx context.Context, c *Client, path string) (T, error) {
	var out T
	err := c.Do(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// post sends one thing and returns another.
func post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	var out T
	err := c.Do(ctx, http.MethodPost, path, in, &out)
	return out, err
}
