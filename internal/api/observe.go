package api

import (
	"encoding/hex"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// Observer logs requests and answers for handlers that panic.
type Observer struct {
	// Dialect words the answer to a panic and logs it.
	Dialect *Dialect
	// Log is told of each request: at level debug when it succeeds, at info with
	// 4xx, at warn with 5xx. Nil for nobody.
	Log *slog.Logger
	Now func() time.Time
}

// Wrap returns next under observation.
func (o Observer) Wrap(next http.Handler) http.Handler {
	log := o.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := o.Now()
		rec := &recorder{ResponseWriter: w, id: newRequestID()}
		o.serve(next, rec, r)
		level := slog.LevelDebug
		switch {
		case rec.status >= 500:
			level = slog.LevelWarn
		case rec.status >= 400:
			level = slog.LevelInfo
		}
		if !log.Enabled(r.Context(), level) {
			return
		}
		log.Log(r.Context(), level, "request",
			"method", r.Method, "path", shownPath(r), "route", rec.pattern, "status", rec.status,
			"bytes", rec.bytes, "duration", o.Now().Sub(start), "request_id", rec.id)
	})
}

// serve calls next and answers if it panics.
func (o Observer) serve(next http.Handler, rec *recorder, r *http.Request) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(v)
		}
		p := &Panic{Value: v, Stack: debug.Stack()}
		if rec.status == 0 {
			o.Dialect.Fail(rec, r, p)
			return
		}
		// The answer has begun and cannot be taken back: the client sees it end early.
		o.Dialect.logger().ErrorContext(r.Context(), "request failed", "method", r.Method, "path", shownPath(r),
			"error", p.Error(), "request_id", rec.id, "stack", string(p.Stack))
		panic(http.ErrAbortHandler)
	}()
	next.ServeHTTP(rec, r)
}

// shownPath is a request's path for the log. Whoever knows that of a webhook may use it.
func shownPath(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/hooks/") {
		return "/hooks/***"
	}
	return r.URL.Path
}

// recorder remembers what was answered.
type recorder struct {
	http.ResponseWriter
	id      string
	pattern string
	status  int
	bytes   int64
}

// WriteHeader implements http.ResponseWriter.
func (rec *recorder) WriteHeader(status int) {
	if rec.status == 0 {
		rec.status = status
	}
	rec.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (rec *recorder) Write(p []byte) (int, error) {
	if rec.status == 0 {
		rec.status = http.StatusOK
	}
	n, err := rec.ResponseWriter.Write(p)
	rec.bytes += int64(n)
	return n, err
}

// Unwrap gives http.ResponseController, and so websockets, the connection.
func (rec *recorder) Unwrap() http.ResponseWriter { return rec.ResponseWriter }

// recorderOf finds the recorder beneath a writer, or nil.
func recorderOf(w http.ResponseWriter) *recorder {
	for {
		if rec, ok := w.(*recorder); ok {
			return rec
		}
		inner, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = inner.Unwrap()
	}
}

// newRequestID names a request in the log; it is no secret.
func newRequestID() string {
	var b [8]byte
	v := rand.Uint64()
	for i := range b {
		b[i] = byte(v >> (8 * i))
	}
	return hex.EncodeToString(b[:])
}
