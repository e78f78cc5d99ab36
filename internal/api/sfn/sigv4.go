package sfn

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// signature is an Authorization header of AWS's signature version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
type signature struct {
	id, date, region, service string
	headers                   []string
	value                     string
}

const (
	algorithm = "AWS4-HMAC-SHA256"
	// skew is how far a client's clock may be off.
	skew    = 5 * time.Minute
	isoTime = "20060102T150405Z"
)

// parseSignature reads the header; its error is the service's answer where a
// signature is asked for.
func parseSignature(r *http.Request) (*signature, error) {
	text := r.Header.Get("Authorization")
	if text == "" {
		return nil, refuse("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	rest, ok := strings.CutPrefix(text, algorithm)
	if !ok {
		return nil, refuse("IncompleteSignatureException", "Unsupported AWS 'algorithm': '"+strings.SplitN(text, " ", 2)[0]+"'")
	}
	fields := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		fields[key] = value
	}
	var lacks strings.Builder
	for _, key := range []string{"Credential", "Signature", "SignedHeaders"} {
		if fields[key] == "" {
			lacks.WriteString("Authorization header requires '" + key + "' parameter. ")
		}
	}
	scope := strings.Split(fields["Credential"], "/")
	if lacks.Len() == 0 && len(scope) < 5 {
		return nil, refuse("IncompleteSignatureException", "Credential must have at least 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"+fields["Credential"]+"'")
	}
	if lacks.Len() > 0 {
		return nil, refuse("IncompleteSignatureException", strings.TrimSpace(lacks.String()))
	}
	n := len(scope)
	return &signature{
		id: strings.Join(scope[:n-4], "/"), date: scope[n-4], region: scope[n-3], service: scope[n-2],
		headers: strings.Split(fields["SignedHeaders"], ";"), value: fields["Signature"],
	}, nil
}

// verify compares the signature with that of the key pair "id:secret".
func (s *signature) verify(r *http.Request, body []byte, pair string, now time.Time) error {
	id, secret, _ := strings.Cut(pair, ":")
	if !hmac.Equal([]byte(id), []byte(s.id)) {
		return refuse("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	stamp := r.Header.Get("X-Amz-Date")
	at, err := time.Parse(isoTime, stamp)
	if err != nil {
		return refuse("IncompleteSignatureException", "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if err := s.checkTime(stamp, at, now.UTC()); err != nil {
		return err
	}
	if s.service != "states" {
		return refuse("InvalidSignatureException", "Credential should be scoped to correct service: 'states'.")
	}
	if !slices.Contains(s.headers, "host") {
		return refuse("InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	scope := strings.Join([]string{s.date, s.region, s.service, "aws4_request"}, "/")
	sum := sha256.Sum256([]byte(s.canonical(r, body)))
	text := strings.Join([]string{algorithm, stamp, scope, hex.EncodeToString(sum[:])}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range []string{s.date, s.region, s.service, "aws4_request", text} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	if !hmac.Equal([]byte(hex.EncodeToString(key)), []byte(s.value)) {
		return refuse("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func (s *signature) checkTime(stamp string, at, now time.Time) error {
	iso := func(t time.Time) string { return t.Format(isoTime) }
	switch {
	case s.date != stamp[:8]:
		return refuse("InvalidSignatureException", fmt.Sprintf(
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", s.date, stamp[:8], stamp))
	case at.Before(now.Add(-skew)):
		return refuse("InvalidSignatureException", fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)", stamp, iso(now.Add(-skew)), iso(now)))
	case at.After(now.Add(skew)):
		return refuse("InvalidSignatureException", fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)", stamp, iso(now.Add(skew)), iso(now)))
	}
	return nil
}

// canonical is the request as it is signed.
func (s *signature) canonical(r *http.Request, body []byte) string {
	var b strings.Builder
	path := r.URL.EscapedPath()
	if path == "" {
		path = "/"
	}
	// Encode sorts by key; AWS writes a blank as %20.
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	b.WriteString(r.Method + "\n" + path + "\n" + query + "\n")
	for _, name := range s.headers {
		values := r.Header.Values(name)
		switch name {
		case "host":
			values = []string{r.Host}
		case "content-length":
			values = []string{fmt.Sprint(r.ContentLength)}
		}
		for i, v := range values {
			values[i] = strings.Join(strings.Fields(v), " ")
		}
		b.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	sum := sha256.Sum256(body)
	b.WriteString("\n" + strings.Join(s.headers, ";") + "\n" + hex.EncodeToString(sum[:]))
	return b.String()
}
