package sfn

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A request that botocore signed.
const (
	signedSum  = "89a8ce849a344bdb80809f58aaa123920eb5b25eea72e69cdcf3070084d403cd"
	signedBody = `{"name":"a"}`
	signedAuth = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/states/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
)

func signedRequest(t *testing.T) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://states.example:4200/", strings.NewReader(signedBody))
	r.Header.Set("Content-Type", "application/x-amz-json-1.0")
	r.Header.Set("X-Amz-Date", "20150830T123600Z")
	r.Header.Set("X-Amz-Target", "AWSStepFunctions.CreateActivity")
	r.Header.Set("Authorization", signedAuth+signedSum)
	return r
}

func TestSignaturesAreVerified(t *testing.T) {
	t.Parallel()
	at := time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	const pair = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	mismatch := "InvalidSignatureException: The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	tests := []struct {
		name   string
		change func(r *http.Request)
		pair   string
		now    time.Time
		want   string
	}{
		{"a right one", func(*http.Request) {}, pair, at, ""},
		{"a clock that is four minutes off", func(*http.Request) {}, pair, at.Add(4 * time.Minute), ""},
		{"a clock that is late", func(*http.Request) {}, pair, at.Add(6 * time.Minute), "InvalidSignatureException: Signature expired: 20150830T123600Z is now earlier than 20150830T123700Z (20150830T124200Z - 5 min.)"},
		{"a clock that is early", func(*http.Request) {}, pair, at.Add(-6 * time.Minute), "InvalidSignatureException: Signature not yet current: 20150830T123600Z is still later than 20150830T123500Z (20150830T123000Z + 5 min.)"},
		{"a wrong secret", func(*http.Request) {}, "AKIDEXAMPLE:other", at, mismatch},
		{"an unknown id", func(*http.Request) {}, "OTHER:secret", at, "UnrecognizedClientException: The security token included in the request is invalid."},
		{"another operation than was signed", func(r *http.Request) { r.Header.Set("X-Amz-Target", "AWSStepFunctions.DeleteActivity") }, pair, at, mismatch},
		{"no signature", func(r *http.Request) { r.Header.Del("Authorization") }, pair, at, "MissingAuthenticationTokenException: Missing Authentication Token"},
		{"another algorithm", func(r *http.Request) { r.Header.Set("Authorization", "Basic abc") }, pair, at, "IncompleteSignatureException: Unsupported AWS 'algorithm': 'Basic'"},
		{"nothing but the algorithm", func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256") }, pair, at, "IncompleteSignatureException: Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter."},
		{"a short credential", func(r *http.Request) {
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c")
		}, pair, at, "IncompleteSignatureException: Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'"},
		{"another service", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(signedAuth, "/states/", "/sqs/", 1)+signedSum)
		}, pair, at, "InvalidSignatureException: Credential should be scoped to correct service: 'states'."},
		{"another day", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(signedAuth, "20150830", "20150829", 1)+signedSum)
		}, pair, at, "InvalidSignatureException: Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150829' != '20150830', from '20150830T123600Z'."},
		{"no date", func(r *http.Request) { r.Header.Del("X-Amz-Date") }, pair, at, "IncompleteSignatureException: Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := signedRequest(t)
			tt.change(r)
			s, err := parseSignature(r)
			if err == nil {
				err = s.verify(r, []byte(signedBody), tt.pair, tt.now)
			}
			if got := failureText(err); got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

func failureText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
