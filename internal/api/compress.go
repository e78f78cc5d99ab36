package api

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"strings"
	"sync"
)

// compressFrom is the size in bytes from which a body is compressed: below it a
// local client waits longer for the compression than for the bytes.
const compressFrom = 8 << 10

// compressLevel gives nearly the size of the default level in half the time.
const compressLevel = 4

var compressors = sync.Pool{New: func() any { //nolint:gochecknoglobals // a pool of equal values
	w, _ := gzip.NewWriterLevel(nil, compressLevel)
	return w
}}

// compress returns the body as it is to be sent, and notes in the header if it
// is compressed.
func compress(header http.Header, r *http.Request, body []byte) []byte {
	if len(body) < compressFrom || header.Get("Content-Encoding") != "" {
		return body
	}
	header.Add("Vary", "Accept-Encoding")
	if !acceptsGzip(r.Header.Values("Accept-Encoding")) {
		return body
	}
	buf := bytes.NewBuffer(make([]byte, 0, len(body)/4))
	w := compressors.Get().(*gzip.Writer)
	defer compressors.Put(w)
	w.Reset(buf)
	if _, err := w.Write(body); err != nil {
		return body
	}
	if err := w.Close(); err != nil {
		return body
	}
	header.Set("Content-Encoding", "gzip")
	return buf.Bytes()
}

func acceptsGzip(values []string) bool {
	for _, value := range values {
		for part := range strings.SplitSeq(value, ",") {
			name, params, _ := strings.Cut(strings.TrimSpace(part), ";")
			if name = strings.TrimSpace(name); name != "gzip" && name != "*" {
				continue
			}
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.0")
		}
	}
	return false
}
