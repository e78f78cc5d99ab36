package prefect3

import (
	"context"
	_ "embed"
	"encoding/json"
	"maps"
	"net/http"
	"strings"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/wire"
)

// defaultSettings are the settings of the reference with their defaults, in the
// order in which it shows them.
//
//go:embed settings.json
var defaultSettings []byte

func (a *API) settingsRoutes(r *api.Router) {
	r.Handle("GET", "/admin/settings", api.Handle(http.StatusOK, a.settings))
}

// secretShown stands for a secret's value.
const secretShown = "**********"

// settings shows the reference's settings with this server's values where it
// has them. Prefect REST: GET /admin/settings.
func (a *API) settings(context.Context, struct{}) (json.RawMessage, error) {
	own := map[string]any{}
	maps.Copy(own, a.Settings)
	if a.Auth.Secret != "" {
		own["server.api.auth_string"] = secretShown
	}
	own["server.flow_run_graph.max_nodes"], own["server.flow_run_graph.max_artifacts"] = maxNodes, maxArtifacts
	own["server.api.default_limit"] = maxLimit
	return overlay(defaultSettings, "", own)
}

// overlay replaces the values of a JSON object that are named by their paths,
// and leaves the order as it is.
func overlay(object json.RawMessage, prefix string, values map[string]any) (json.RawMessage, error) {
	out := []byte{'{'}
	var failed error
	fail := func(err error) {
		if failed == nil {
			failed = err
		}
	}
	eachMember(object, func(key string, value json.RawMessage) (none []wire.FieldError) {
		path := prefix + key
		own, given := values[path]
		switch {
		case given:
			text, err := json.Marshal(own)
			fail(err)
			value = text
		case len(value) > 0 && value[0] == '{' && hasPrefix(values, path+"."):
			inner, err := overlay(value, path+".", values)
			fail(err)
			value = inner
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		name, err := json.Marshal(key)
		fail(err)
		out = append(append(append(out, name...), ':'), value...)
		return none
	})
	return append(out, '}'), failed
}

func hasPrefix(values map[string]any, prefix string) bool {
	for path := range values {
		if strings.HasPrefix(path, prefix) {
			return true
		}
	}
	return false
}
