package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// Auth checks requests against one secret for all, the Prefect API's auth string
// "user:password".
type Auth struct {
	// Secret; "" lets everybody in.
	Secret string
	// Open lists the paths that GET needs no secret for, such as /api/health.
	Open []string
}

// Allows reports whether the text is the secret. The time it takes does not
// tell how much of it is right.
func (a Auth) Allows(text string) bool {
	if a.Secret == "" {
		return true
	}
	want, got := sha256.Sum256([]byte(a.Secret)), sha256.Sum256([]byte(text))
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

// Check is a Router's Guard: it returns a *StatusError 401 unless the request
// has the secret as Basic credentials or as a Bearer token.
func (a Auth) Check(r *http.Request) error {
	if a.Secret == "" || r.Method == http.MethodGet && slices.Contains(a.Open, r.URL.Path) {
		return nil
	}
	scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	credentials = strings.TrimSpace(credentials)
	switch strings.ToLower(scheme) {
	case "basic":
		if text, err := base64.StdEncoding.DecodeString(credentials); err == nil && a.Allows(string(text)) {
			return nil
		}
	case "bearer":
		if a.Allows(credentials) {
			return nil
		}
	}
	return &StatusError{Status: http.StatusUnauthorized}
}
