package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/api"
)

// BenchmarkHandle is what the layers around a handler cost.
func BenchmarkHandle(b *testing.B) {
	router := testRouter(nil)
	router.Guard = api.Auth{Secret: "admin:pass"}.Check
	h := api.Observer{Dialect: router.Dialect, Now: func() time.Time { return time.Time{} }}.Wrap(api.CORS(router))
	for _, bb := range []struct{ name, method, target, body, encoding string }{
		{"read by id", http.MethodGet, "/api/flows/00000000-0000-0000-0000-000000000002", "", ""},
		{"create", http.MethodPost, "/api/flows/", `{"name":"benchmark"}`, ""},
		{"large answer", http.MethodGet, "/api/large", "", ""},
		{"large answer, compressed", http.MethodGet, "/api/large", "", "gzip"},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r := httptest.NewRequestWithContext(b.Context(), bb.method, bb.target, strings.NewReader(bb.body))
				r.Header.Set("Authorization", "Bearer admin:pass")
				r.Header.Set("Accept-Encoding", bb.encoding)
				w := httptest.NewRecorder()
				if h.ServeHTTP(w, r); w.Code >= 300 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
