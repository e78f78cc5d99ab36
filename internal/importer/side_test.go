package importer_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/api/prefect3"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/importer"
	"github.com/leat-dev/leat/internal/store/storetest"
)

type object = map[string]any

// side is a server: leat's API on a real database, behind something that may
// spoil answers.
type side struct {
	t      *testing.T
	url    string
	secret string
	// spoil answers a request in the server's place when it returns true; nil spoils none.
	spoil atomic.Pointer[func(http.ResponseWriter, *http.Request) bool]
}

func newSide(t *testing.T, secret string) *side {
	t.Helper()
	sealer, err := engine.NewSealer(bytes.Repeat([]byte{7}, engine.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	eng := engine.New(engine.Config{Store: storetest.Open(t), Now: time.Now, Sealer: sealer})
	if err := eng.InstallBlockTypes(t.Context(), core.DefaultWorkspace); err != nil {
		t.Fatal(err)
	}
	handler := prefect3.New(prefect3.Config{Engine: eng, Now: time.Now, Auth: api.Auth{Secret: secret}})
	s := &side{t: t, secret: secret}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoil := s.spoil.Load(); spoil != nil && (*spoil)(w, r) {
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL + "/api"
	return s
}

// spoilWith sets what spoils answers.
func (s *side) spoilWith(fn func(http.ResponseWriter, *http.Request) bool) { s.spoil.Store(&fn) }

// source names the side to an import, which does not wait for it when it is gone.
func (s *side) source() importer.Source {
	return importer.Source{URL: s.url, AuthString: s.secret, Patience: time.Millisecond}
}

// call sends a request that must succeed.
func (s *side) call(method, path string, body, out any) {
	s.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, bytes.NewReader(text))
	if err != nil {
		s.t.Fatal(err)
	}
	if user, password, ok := strings.Cut(s.secret, ":"); ok {
		req.SetBasicAuth(user, password)
	}
	client := &http.Client{Timeout: 30 * time.Second}
	res, err := client.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		s.t.Fatalf("%s %s: %d %s %v", method, path, res.StatusCode, answer, err)
	}
	if out != nil {
		if err := json.Unmarshal(answer, out); err != nil {
			s.t.Fatal(err)
		}
	}
}

// make posts something and returns its id.
func (s *side) make(path string, body any) string {
	s.t.Helper()
	var out struct {
		ID string `json:"id"`
	}
	s.call("POST", path, body, &out)
	return out.ID
}

// rows lists what a filter finds.
func (s *side) rows(path string, body object) []object {
	s.t.Helper()
	var out []object
	s.call("POST", path, body, &out)
	return out
}

// ended makes a flow run that has ended, with lines.
func (s *side) ended(flow, name string, lines int) string {
	s.t.Helper()
	id := s.make("/flow_runs/", object{"flow_id": flow, "name": name, "state": object{"type": "PENDING"}})
	for _, kind := range []string{"RUNNING", "COMPLETED"} {
		s.call("POST", "/flow_runs/"+id+"/set_state", object{"state": object{"type": kind}, "force": true}, nil)
	}
	var logs []object
	at := time.Now().UTC().Format(time.RFC3339)
	for i := range lines {
		// Half of the lines are equal to the one before, in everything.
		logs = append(logs, object{"name": "l", "level": 20, "message": fmt.Sprint("line ", i/2), "timestamp": at, "flow_run_id": id})
	}
	if lines > 0 {
		s.call("POST", "/logs/", logs, nil)
	}
	return id
}

// options are those of the tests.
func options() importer.Options { return importer.Options{Now: time.Now, Version: "test"} }

// count returns a kind's counts in a report.
func count(t *testing.T, r *importer.Report, k importer.Kind) importer.KindReport {
	t.Helper()
	if r == nil {
		t.Fatal("there is no report")
	}
	for _, c := range r.Kinds {
		if c.Kind == k {
			return c
		}
	}
	return importer.KindReport{Kind: k}
}

// remarks joins what a report says of a kind.
func remarks(r *importer.Report, k importer.Kind) string {
	var out []string
	for _, m := range r.Remarks {
		if m.Kind == k {
			out = append(out, m.ID+" "+m.Text)
		}
	}
	return strings.Join(out, "\n")
}
