package ecslocal

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// maxBody is more than any of the imitated services takes in one request.
const maxBody = 8 << 20

// apiError is an error as AWS tells it.
type apiError struct {
	Code    string
	Message string
	Status  int    // 0 means 400
	Query   string // the code in the query protocol, where a service has moved to JSON and kept it
}

// Error implements error.
func (e *apiError) Error() string { return e.Code + ": " + e.Message }

func errorf(code, format string, args ...any) error {
	return &apiError{Code: code, Message: fmt.Sprintf(format, args...)}
}

// dialect is how one service is spoken.
type dialect struct {
	name    string // as in a credential scope
	content string // type of JSON answers
	xmlns   string // of answers in the query protocol
	actions map[string]action
}

// action answers one call.
type action struct {
	run func(c *call) (any, error)
	// waits is true for actions that take and release the lock themselves.
	waits bool
	// reads is true for actions that change nothing.
	reads bool
}

// call is one request as an action sees it.
type call struct {
	*site
	ctx    context.Context
	server *Server
	id     string
	now    time.Time
	body   []byte     // JSON
	form   url.Values // of the query protocol
	host   string     // what the client calls us, for URLs that it gets
}

// does makes an action that runs under the lock and changes something.
func does[In any](f func(c *call, in *In) (any, error)) action {
	return action{run: decoded(f)}
}

// looks makes an action that runs under the lock and changes nothing.
func looks[In any](f func(c *call, in *In) (any, error)) action {
	return action{run: decoded(f), reads: true}
}

// waits makes an action that locks by itself.
func waits[In any](f func(c *call, in *In) (any, error)) action {
	return action{run: decoded(f), waits: true}
}

func decoded[In any](f func(c *call, in *In) (any, error)) func(c *call) (any, error) {
	return func(c *call) (any, error) {
		in := new(In)
		if len(bytes.TrimSpace(c.body)) > 0 {
			if err := json.Unmarshal(c.body, in); err != nil {
				return nil, serialization(err)
			}
		}
		return f(c, in)
	}
}

// serialization is what AWS says of a body that does not have the types it should.
func serialization(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return errorf("SerializationException", "%s can not be converted to %s for %s", wrong.Value, wrong.Type, wrong.Field)
	}
	return errorf("SerializationException", "The request body is not a JSON object: %v", err)
}

// target is what a request asks for.
type target struct {
	service, action string
	query           bool
	form            url.Values
	body            []byte
}

// serveAWS answers a call to one of the services.
func (s *Server) serveAWS(w http.ResponseWriter, r *http.Request) {
	id := newUUID()
	w.Header().Set("X-Amzn-Requestid", id)
	t, err := readTarget(w, r)
	if err != nil {
		writeJSONError(w, "", asAPIError(err))
		return
	}
	key, scope, signed := s.credentials(r)
	d := s.actions[t.service]
	fail := func(err error) {
		known := asAPIError(err)
		if known.Status >= http.StatusInternalServerError && r.Context().Err() == nil {
			s.cfg.Log.Error("a call failed", "service", t.service, "action", t.action, "error", err)
		}
		if t.query || scope == "s3" {
			writeQueryError(w, d, id, known)
			return
		}
		writeJSONError(w, d.content, known)
	}
	if !signed {
		fail(&apiError{Code: "MissingAuthenticationTokenException", Message: "Missing Authentication Token"})
		return
	}
	a, ok := d.actions[t.action]
	if !ok {
		fail(unknown(t, scope))
		return
	}
	if err := s.throttled(t.service, t.action); err != nil {
		fail(err)
		return
	}
	out, err := s.perform(r, key, a, t, id)
	switch {
	case err != nil:
		fail(err)
	case t.query:
		writeQuery(w, d, t.action, id, out)
	default:
		writeJSON(w, d.content, out)
	}
}

// perform runs an action, and returns once what it changed is kept.
func (s *Server) perform(r *http.Request, key siteKey, a action, t target, id string) (any, error) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, &apiError{Code: "ServiceUnavailableException", Message: "The local ECS is shutting down.", Status: http.StatusServiceUnavailable}
	}
	c := &call{site: s.site(key), ctx: r.Context(), server: s, id: id, now: s.cfg.Now(), body: t.body, form: t.form, host: r.Host}
	if a.waits {
		s.mu.Unlock()
		out, err := a.run(c)
		return out, err
	}
	out, err := func() (any, error) {
		defer s.mu.Unlock() // also when the action panics
		out, err := a.run(c)
		if err == nil && out != nil && !t.query {
			// The answer is a copy from here on: others may change what it was made of.
			out, err = json.Marshal(out)
		}
		return out, err
	}()
	if err == nil && !a.reads {
		err = s.store.keep(r.Context())
	}
	return out, err
}

// unknown says that an action is not imitated.
func unknown(t target, scope string) error {
	what := t.action
	if t.service != "" {
		what = t.service + ":" + what
	} else if scope != "" {
		what = scope + " (" + strings.TrimSpace(what) + ")"
	}
	code := "UnknownOperationException"
	if t.query {
		code = "InvalidAction"
	}
	return errorf(code, "The local ECS does not imitate %s. It imitates a part of ecs, ec2, logs, sts, sqs and events; "+
		"for other services set their own endpoint, such as AWS_ENDPOINT_URL_SFN.", what)
}

// readTarget finds out what a request asks for.
func readTarget(w http.ResponseWriter, r *http.Request) (target, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return target{}, &apiError{Code: "RequestEntityTooLargeException", Message: "The request body could not be read: " + err.Error(), Status: http.StatusRequestEntityTooLarge}
	}
	if name := r.Header.Get("X-Amz-Target"); name != "" {
		prefix, action, _ := strings.Cut(name, ".")
		service := targetService(prefix)
		if service == "" {
			action = name
		}
		return target{service: service, action: action, body: body}, nil
	}
	form := r.URL.Query()
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		posted, err := url.ParseQuery(string(body))
		if err != nil {
			return target{}, errorf("MalformedQueryString", "The query string is malformed: %v", err)
		}
		maps.Copy(form, posted)
	}
	action := form.Get("Action")
	if action == "" {
		return target{action: r.Method + " " + r.URL.Path}, nil
	}
	if form.Get("QueueUrl") == "" && r.URL.Path != "/" {
		form.Set("QueueUrl", r.URL.Path)
	}
	return target{service: versionService(form.Get("Version")), action: action, query: true, form: form}, nil
}

func targetService(prefix string) string {
	switch prefix {
	case "AmazonEC2ContainerServiceV20141113":
		return "ecs"
	case "Logs_20140328":
		return "logs"
	case "AmazonSQS":
		return "sqs"
	case "AWSEvents":
		return "events"
	}
	return ""
}

// versionService tells the services of the query protocol apart by the version of
// their API.
func versionService(version string) string {
	switch version {
	case "2016-11-15":
		return "ec2"
	case "2011-06-15":
		return "sts"
	case "2012-11-05":
		return "sqs-query"
	}
	return ""
}

// credentialScope finds KEY/DATE/REGION/SERVICE/aws4_request.
var credentialScope = regexp.MustCompile(`(?:Credential=|^)([^/,\s]+)/\d{8}/([a-z0-9-]{1,32})/([a-z0-9-]{1,64})/aws4_request`)

// accountID is an access key that names the account.
var accountID = regexp.MustCompile(`^\d{12}$`)

// credentials returns the account and region that a request is signed for.
func (s *Server) credentials(r *http.Request) (key siteKey, service string, signed bool) {
	key = siteKey{s.cfg.Account, s.cfg.Region}
	text := r.Header.Get("Authorization")
	if text == "" {
		text = r.URL.Query().Get("X-Amz-Credential")
	}
	m := credentialScope.FindStringSubmatch(text)
	if m == nil {
		return key, "", false
	}
	if accountID.MatchString(m[1]) {
		key.account = m[1]
	}
	if strings.Count(m[2], "-") >= 2 {
		key.region = m[2]
	}
	return key, m[3], true
}

func asAPIError(err error) *apiError {
	if known, ok := errors.AsType[*apiError](err); ok {
		return known
	}
	return &apiError{Code: "ServerException", Message: "An internal error occurred.", Status: http.StatusInternalServerError}
}

func writeJSON(w http.ResponseWriter, content string, out any) {
	body, ok := out.([]byte)
	if !ok && out != nil {
		var err error
		if body, err = json.Marshal(out); err != nil {
			writeJSONError(w, content, asAPIError(err))
			return
		}
	}
	w.Header().Set("Content-Type", content)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

func writeJSONError(w http.ResponseWriter, content string, e *apiError) {
	if content == "" {
		content = "application/x-amz-json-1.1"
	}
	body, _ := json.Marshal(map[string]string{"__type": e.Code, "message": e.Message})
	w.Header().Set("Content-Type", content)
	w.Header().Set("X-Amzn-Errortype", e.Code)
	if e.Query != "" {
		w.Header().Set("X-Amzn-Query-Error", e.Query+";Sender")
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(statusOf(e))
	_, _ = w.Write(body)
}

func statusOf(e *apiError) int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// writeQuery writes an answer of the query protocol. EC2 puts its members right
// below the response, the others in a result of their own.
func writeQuery(w http.ResponseWriter, d dialect, name, id string, out any) {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<%sResponse xmlns=%q>", name, d.xmlns)
	members, _ := out.([]field)
	if d.name == "ec2" {
		fmt.Fprintf(&b, "<requestId>%s</requestId>", id)
		writeFields(&b, members)
	} else {
		if members != nil {
			fmt.Fprintf(&b, "<%sResult>", name)
			writeFields(&b, members)
			fmt.Fprintf(&b, "</%sResult>", name)
		}
		fmt.Fprintf(&b, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata>", id)
	}
	fmt.Fprintf(&b, "</%sResponse>", name)
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	_, _ = w.Write(b.Bytes())
}

func writeQueryError(w http.ResponseWriter, d dialect, id string, e *apiError) {
	code := e.Code
	if e.Query != "" {
		code = e.Query
	}
	var b bytes.Buffer
	parts := []field{{"Code", code}, {"Message", e.Message}}
	switch d.name {
	case "": // S3 has errors of its own shape
		b.WriteString("<Error>")
		writeFields(&b, parts)
		fmt.Fprintf(&b, "<RequestId>%s</RequestId></Error>", id)
	case "ec2":
		b.WriteString("<Response><Errors><Error>")
		writeFields(&b, parts)
		fmt.Fprintf(&b, "</Error></Errors><RequestID>%s</RequestID></Response>", id)
	default:
		fmt.Fprintf(&b, "<ErrorResponse xmlns=%q><Error><Type>Sender</Type>", d.xmlns)
		writeFields(&b, parts)
		fmt.Fprintf(&b, "</Error><RequestId>%s</RequestId></ErrorResponse>", id)
	}
	w.Header().Set("Content-Type", "text/xml;charset=UTF-8")
	w.WriteHeader(statusOf(e))
	_, _ = w.Write(b.Bytes())
}

// field is an XML element: a text, or fields below it.
type field struct {
	name  string
	value any // string or []field
}

func writeFields(b *bytes.Buffer, fields []field) {
	for _, f := range fields {
		fmt.Fprintf(b, "<%s>", f.name)
		switch v := f.value.(type) {
		case string:
			_ = xml.EscapeText(b, []byte(v))
		case []field:
			writeFields(b, v)
		}
		fmt.Fprintf(b, "</%s>", f.name)
	}
}

// newUUID returns a random UUID.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	x := hex.EncodeToString(b[:])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}

// newHex returns a random id of 32 digits, as tasks have.
func newHex() string { return strings.ReplaceAll(newUUID(), "-", "") }
