package prefect3_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/api/apitest"
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
	apitest.Files(t, os.DirFS("testdata"), func(t *testing.T, story string) {
		server := httptest.NewServer(newHandler(t))
		defer server.Close()
		play(t, server, parseExchanges(t, story))
	})
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

var request = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE) (\S+)$`)

func parseExchanges(t *testing.T, text string) []exchange {
	t.Helper()
	var out []exchange
	for _, s := range apitest.Sections(text) {
		if m := request.FindStringSubmatch(s.Head); m != nil {
			out = append(out, exchange{method: m[1], path: m[2], body: s.Text})
			continue
		}
		status, err := strconv.Atoi(s.Head)
		if err != nil || len(out) == 0 {
			t.Fatalf("neither a request nor its answer: %s", s.Head)
		}
		out[len(out)-1].status, out[len(out)-1].answer = status, s.Text
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
		if diff := marks(ids).Diff(t, x.answer, got); diff != "" {
			t.Errorf("%s\n(-want +got)\n%s", name, diff)
		}
	}
}

// marks expects the ids that were seen at the same marks.
func marks(ids map[string]string) apitest.Marks {
	return apitest.Marks{Text: func(want string, have any) any {
		h, _ := have.(string)
		if _, err := time.Parse(time.RFC3339Nano, h); want == "<any>" || want == "<time>" && err == nil {
			return have
		}
		return idMark.ReplaceAllStringFunc(want, func(mark string) string {
			if ids[mark] == "" && len(h) >= 36 && want == mark {
				ids[mark] = h
			}
			if id := ids[mark]; id != "" {
				return id
			}
			return mark
		})
	}}
}
