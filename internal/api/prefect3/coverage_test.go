package prefect3_test

import (
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/api/prefect3"
	"github.com/leat-dev/leat/internal/engine"
)

var update = flag.Bool("update", false, "write golden files anew")

// notYet lists the upstream routes that answer 404 until they are built.
const notYet = "../../../testdata/notyet.txt"

// TestEveryUpstreamRouteIsServedOrListedAsNotYet compares the routes with
// those of the reference (testdata/upstream_routes.txt, from its OpenAPI
// document and, for websockets, its traffic).
func TestEveryUpstreamRouteIsServedOrListedAsNotYet(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/upstream_routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	upstream := strings.Fields(strings.ReplaceAll(string(text), " ", "\x00"))
	served := map[string]bool{}
	for _, route := range prefect3.New(prefect3.Config{Engine: engine.New(engine.Config{})}).Routes() {
		served[shape(route)] = true
	}
	var missing []string
	for _, route := range upstream {
		route = strings.ReplaceAll(route, "\x00", " ")
		key := shape(strings.Replace(route, "WS ", "GET ", 1))
		if !served[key] {
			missing = append(missing, route)
		}
		delete(served, key)
	}
	slices.Sort(missing)
	got := strings.Join(missing, "\n") + "\n"
	if *update {
		if err := os.WriteFile(notYet, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(notYet)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("testdata/notyet.txt is not what is missing; run the test with -update\ngot:\n%s", got)
	}
	own := []string{
		"GET /api/flow_runs/{}/why", "POST /api/admin/database/clear", "GET /api/openapi.json",
		"POST /api/leat/import", "POST /api/leat/import/known",
		// Prefect Cloud's:
		"POST /api/webhooks/", "POST /api/webhooks/filter", "GET /api/webhooks/{}", "PUT /api/webhooks/{}", "PATCH /api/webhooks/{}",
		"POST /api/webhooks/{}/rotate", "DELETE /api/webhooks/{}",
	}
	for route := range served {
		if !slices.Contains(own, route) {
			t.Errorf("%s is served, is not upstream's and not in the list of our own", route)
		}
	}
	t.Logf("%d of %d upstream routes are served", len(upstream)-len(missing), len(upstream))
}

// shape is a route without the names of its parameters.
func shape(route string) string { return regexp.MustCompile(`\{[^}]*\}`).ReplaceAllString(route, "{}") }
