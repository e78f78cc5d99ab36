package prefect3_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/api/prefect3"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/store/storetest"
)

// The files in testdata are exchanges with the reference, one story each:
//
//	-- POST /variables/ --
//	{"name": "v1", "value": 1}
//	-- 201 --
//	{"id": "<id-1>", "created": "<time>", "name": "v1", "value": 1}
//
// A section with a method is a request with its body, the one after it the
// answer: its status and JSON body, nothing when there is none, or text after
// "text: ". Ids are numbered by their first appearance: the first answer with
// <id-1> says which id that is, and all others must agree. Times and the like
// are not compared: <time>, <any>, and what an object with the key "..." does
// not name.

// exchange is one request and its answer.
type exchange struct {
	method, path, body string
	status             int
	answer             string
}

func TestExchangesAreAsWithTheReference(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no exchanges", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(newHandler(t))
			defer server.Close()
			play(t, server, parseExchanges(t, string(text)))
		})
	}
}

func newHandler(t *testing.T) http.Handler {
	t.Helper()
	s := storetest.Open(t)
	sealer, err := engine.NewSealer(bytes.Repeat([]byte{7}, engine.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return prefect3.New(prefect3.Config{
		Engine: engine.New(engine.Config{Store: s, Now: time.Now, Sealer: sealer}), Now: time.Now,
	})
}

var section = regexp.MustCompile(`(?m)^-- (?:(GET|POST|PUT|PATCH|DELETE) (\S+)|(\d+)) --$`)

func parseExchanges(t *testing.T, text string) []exchange {
	t.Helper()
	var out []exchange
	at := section.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		body := strings.TrimSpace(text[m[1]:end])
		if m[2] >= 0 {
			out = append(out, exchange{method: text[m[2]:m[3]], path: text[m[4]:m[5]], body: body})
			continue
		}
		status, err := strconv.Atoi(text[m[6]:m[7]])
		if err != nil || len(out) == 0 {
			t.Fatalf("an answer without a request: %s", text[m[0]:m[1]])
		}
		out[len(out)-1].status, out[len(out)-1].answer = status, body
	}
	return out
}

var idMark = regexp.MustCompile(`<id-\d+>`)

func play(t *testing.T, server *httptest.Server, story []exchange) {
	t.Helper()
	ids := map[string]string{}
	fill := func(s string) string {
		return idMark.ReplaceAllStringFunc(s, func(mark string) string {
			if id, ok := ids[mark]; ok {
				return id
			}
			return mark
		})
	}
	for i, x := range story {
		name := fmt.Sprintf("%d: %s %s %s", i+1, x.method, x.path, x.body)
		req, err := http.NewRequestWithContext(t.Context(), x.method, server.URL+"/api"+fill(x.path), strings.NewReader(fill(x.body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := server.Client().Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		if cerr := res.Body.Close(); err != nil || cerr != nil {
			t.Fatal(err, cerr)
		}
		if res.StatusCode != x.status {
			t.Fatalf("%s\nstatus %d, want %d; body %s", name, res.StatusCode, x.status, got)
		}
		if text, ok := strings.CutPrefix(x.answer, "text: "); ok || x.answer == "" {
			if string(got) != text {
				t.Errorf("%s\nbody %q, want %q", name, got, text)
			}
			continue
		}
		var have, want any
		if err := json.Unmarshal(got, &have); err != nil {
			t.Fatalf("%s\nbody %s: %v", name, got, err)
		}
		if err := json.Unmarshal([]byte(x.answer), &want); err != nil {
			t.Fatalf("%s\nexpected body: %v", name, err)
		}
		if diff := cmp.Diff(resolve(want, have, ids), have); diff != "" {
			t.Errorf("%s\n(-want +got)\n%s", name, diff)
		}
	}
}

// resolve replaces the marks of want by what have holds at their places.
func resolve(want, have any, ids map[string]string) any {
	switch w := want.(type) {
	case string:
		h, _ := have.(string)
		if _, err := time.Parse(time.RFC3339Nano, h); w == "<any>" || w == "<time>" && err == nil {
			return have
		}
		return idMark.ReplaceAllStringFunc(w, func(mark string) string {
			if ids[mark] == "" && len(h) >= 36 && w == mark {
				ids[mark] = h
			}
			if id := ids[mark]; id != "" {
				return id
			}
			return mark
		})
	case []any:
		h, _ := have.([]any)
		out := make([]any, len(w))
		for i := range w {
			var other any
			if i < len(h) {
				other = h[i]
			}
			out[i] = resolve(w[i], other, ids)
		}
		return out
	case map[string]any:
		h, _ := have.(map[string]any)
		out := make(map[string]any, len(w))
		for k, v := range w {
			out[k] = resolve(v, h[k], ids)
		}
		if _, partial := w["..."]; partial {
			delete(out, "...")
			for k, v := range h {
				if _, named := w[k]; !named {
					out[k] = v
				}
			}
		}
		return out
	}
	return want
}
