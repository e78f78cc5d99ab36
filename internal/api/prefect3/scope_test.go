package prefect3_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

const account, workspace = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"

// TestTerraformMayNameAccountAndWorkspace replays the calls that Terraform's
// provider makes, below the path that it uses when it was given both.
func TestTerraformMayNameAccountAndWorkspace(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/terraform.txtar")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(newHandler(t))
	defer server.Close()
	story := parseExchanges(t, string(text))
	for i := range story {
		story[i].path = "/accounts/" + account + "/workspaces/" + workspace + story[i].path
	}
	play(t, server, story)
}

func TestPathsMayNameAccountAndWorkspace(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(newHandler(t))
	defer server.Close()
	const scope = "/api/accounts/" + account + "/workspaces/" + workspace
	for _, tt := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"a resource is made", "POST", scope + "/variables/", `{"name": "v", "value": 1}`, 201, `"name":"v"`},
		{"it is there without the scope", "GET", "/api/variables/name/v", "", 200, `"name":"v"`},
		{"and within it", "POST", scope + "/variables/filter", `{}`, 200, `"name":"v"`},
		{"a missing slash is redirected", "POST", scope + "/variables", `{"name": "w", "value": 1}`, 201, `"name":"w"`},
		{"an unknown route is unknown", "GET", scope + "/nope", "", 404, "Not Found"},
		{"a wrong method is refused", "PUT", scope + "/variables/filter", "", 405, "Method Not Allowed"},
		{"an account that is no id is an unknown route", "POST", "/api/accounts/a/workspaces/" + workspace + "/variables/filter", `{}`, 404, "Not Found"},
		{"a workspace that is no id is an unknown route", "POST", "/api/accounts/" + account + "/workspaces/w/variables/filter", `{}`, 404, "Not Found"},
		{"an account alone is an unknown route", "GET", "/api/accounts/" + account, "", 404, "Not Found"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), tt.method, server.URL+tt.path, strings.NewReader(tt.body))
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
		if res.StatusCode != tt.status || !strings.Contains(string(got), tt.want) {
			t.Errorf("%s: %s %s: %d %s, want %d and %s", tt.name, tt.method, tt.path, res.StatusCode, got, tt.status, tt.want)
		}
	}
}
