package awscall

import (
	"bytes"
	"context"
	"crypto/md5" // #nosec G501 -- what S3 calls Content-MD5
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// MaxAnswer bounds the body of an answer, in bytes.
const MaxAnswer = 128 << 20

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// send signs and sends until there is an answer that trying again would not
// better, or no attempt is left.
func (c *Caller) send(ctx context.Context, op *Operation, w *wireRequest, t *target) (*answer, Meta, error) {
	var meta Meta
	for attempt := 1; ; attempt++ {
		a, at, err := c.once(ctx, op, w, t)
		meta = Meta{Attempts: attempt, URL: at}
		if err == nil {
			meta.Status, meta.Header, meta.RequestID = a.status, a.header, requestID(a.header)
			err = failure(op, a, attempt)
		}
		if err == nil {
			return a, meta, nil
		}
		if ctx.Err() != nil || attempt >= c.cfg.Attempts || !retryable(err) {
			return nil, meta, err
		}
		if !pause(ctx, c.cfg.Backoff(attempt)) {
			return nil, meta, err
		}
	}
}

// failure reads the error of an answer, nil if it is none. S3 answers some
// calls with success before it knows, and puts the error into the body.
func failure(op *Operation, a *answer, attempt int) error {
	late := op.Service.ID == "S3" && op.Output != nil && op.Output.payload == "" && bytes.HasPrefix(afterProlog(a.body), []byte("<Error>"))
	if a.status < http.StatusMultipleChoices && !late {
		return nil
	}
	e := decodeError(op, a)
	if late {
		e.Status, e.Client = http.StatusInternalServerError, false
	}
	e.Attempts = attempt
	return e
}

func afterProlog(body []byte) []byte {
	if i := bytes.Index(body, []byte("?>")); bytes.HasPrefix(body, []byte("<?xml")) && i >= 0 {
		body = body[i+2:]
	}
	return bytes.TrimSpace(body)
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff is that of the SDKs' standard mode: up to 2^attempt seconds, at most 20.
func backoff(attempt int) time.Duration {
	limit := math.Min(20, math.Pow(2, float64(attempt-1)))
	return time.Duration(rand.Float64() * limit * float64(time.Second))
}

// connectionError is a failure to exchange anything with a service.
type connectionError struct{ err error }

func (e *connectionError) Error() string { return e.err.Error() }
func (e *connectionError) Unwrap() error { return e.err }

// retryable tells what standard mode tries again.
func retryable(err error) bool {
	if _, ok := errors.AsType[*connectionError](err); ok {
		return true
	}
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Status {
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return true
	}
	switch e.Code {
	case "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException", "TooManyRequestsException",
		"ProvisionedThroughputExceededException", "TransactionInProgressException", "RequestLimitExceeded",
		"BandwidthLimitExceeded", "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
		"EC2ThrottledException", "RequestTimeout", "RequestTimeoutException":
		return true
	}
	return false
}

// once makes one attempt.
func (c *Caller) once(ctx context.Context, op *Operation, w *wireRequest, t *target) (*answer, string, error) {
	req, err := c.signed(ctx, op, w, t)
	if err != nil {
		return nil, "", err
	}
	at := req.URL.String()
	if t.handler != nil {
		a, err := serve(t.handler, req)
		return a, at, err
	}
	resp, err := c.cfg.HTTP.Do(req)
	if err != nil {
		return nil, at, &connectionError{fmt.Errorf("call %s: %w", op.Service.ID, err)}
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, at, &connectionError{fmt.Errorf("read the answer of %s: %w", op.Service.ID, err)}
	}
	if len(body) > MaxAnswer {
		return nil, at, fmt.Errorf("the answer of %s is larger than %d bytes", op.Service.ID, MaxAnswer)
	}
	return &answer{resp.StatusCode, resp.Header, body}, at, nil
}

// signed makes the request of an attempt.
func (c *Caller) signed(ctx context.Context, op *Operation, w *wireRequest, t *target) (*http.Request, error) {
	u := *t.base
	escaped := strings.TrimSuffix(u.EscapedPath(), "/") + w.path
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, fmt.Errorf("make the path of a call to %s: %w", op.Service.ID, err)
	}
	u.Path, u.RawPath = plain, escaped
	u.RawQuery = strings.ReplaceAll(w.query.Encode(), "+", "%20")
	req, err := http.NewRequestWithContext(ctx, w.method, u.String(), bytes.NewReader(w.body))
	if err != nil {
		return nil, fmt.Errorf("make a call to %s: %w", op.Service.ID, err)
	}
	req.URL = &u
	req.Header = w.header.Clone()
	if len(w.body) == 0 {
		req.Body = http.NoBody
		req.Header.Del("Content-Type")
	}
	req.Header.Set("User-Agent", "leat")
	if op.unsigned {
		return req, nil
	}
	sum := sha256.Sum256(w.body)
	payload := hex.EncodeToString(sum[:])
	if op.unsignedPayload && u.Scheme == "https" {
		payload = "UNSIGNED-PAYLOAD"
	}
	isS3 := op.Service.signingName == "s3"
	if isS3 || op.unsignedPayload {
		req.Header.Set("X-Amz-Content-Sha256", payload)
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = isS3 })
	if err := signer.SignHTTP(ctx, t.credentials, req, payload, t.signingName, t.region, c.cfg.Now()); err != nil {
		return nil, fmt.Errorf("sign a call to %s: %w", op.Service.ID, err)
	}
	return req, nil
}

// capture is an answer of a handler in this process.
type capture struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (c *capture) Header() http.Header { return c.header }

func (c *capture) WriteHeader(status int) {
	if c.status == 0 {
		c.status = status
	}
}

func (c *capture) Write(b []byte) (int, error) {
	c.WriteHeader(http.StatusOK)
	return c.body.Write(b)
}

// serve asks a handler and returns once it has answered or the request's time
// is over, whatever the handler still does.
func serve(h http.Handler, req *http.Request) (*answer, error) {
	done := make(chan *capture, 1)
	go func() {
		c := &capture{header: http.Header{}}
		h.ServeHTTP(c, req)
		c.WriteHeader(http.StatusOK)
		done <- c
	}()
	select {
	case c := <-done:
		if c.header.Get("Content-Length") == "" {
			c.header.Set("Content-Length", fmt.Sprint(c.body.Len()))
		}
		return &answer{c.status, c.header, c.body.Bytes()}, nil
	case <-req.Context().Done():
		return nil, &connectionError{req.Context().Err()}
	}
}

// checksums adds the header by which a service proves that the body arrived
// whole: CRC32 where an algorithm may be chosen, MD5 where one is needed.
func (w *wireRequest) checksums(op *Operation) {
	if op.checksumMember == "" {
		if op.checksumNeeded && w.header.Get("Content-Md5") == "" {
			sum := md5.Sum(w.body) // #nosec G401 -- the protocol's
			w.header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
		}
		return
	}
	for name := range w.header {
		if strings.HasPrefix(name, "X-Amz-Checksum-") && name != "X-Amz-Checksum-Algorithm" && name != "X-Amz-Checksum-Type" || name == "Content-Md5" {
			return
		}
	}
	const chosen = "X-Amz-Sdk-Checksum-Algorithm"
	algorithm := w.header.Get(chosen)
	if algorithm == "" {
		algorithm = "CRC32"
		w.header.Set(chosen, algorithm)
	}
	var h hash.Hash
	switch algorithm {
	case "CRC32":
		h = crc32.NewIEEE()
	case "CRC32C":
		h = crc32.New(crc32.MakeTable(crc32.Castagnoli))
	case "SHA1":
		h = sha1.New() // #nosec G401 -- the protocol's
	case "SHA256":
		h = sha256.New()
	default:
		return
	}
	_, _ = h.Write(w.body) // a hash does not fail
	w.header.Set("X-Amz-Checksum-"+algorithm, base64.StdEncoding.EncodeToString(h.Sum(nil)))
}

func sortedKeys(h http.Header) []string { return slices.Sorted(maps.Keys(h)) }
