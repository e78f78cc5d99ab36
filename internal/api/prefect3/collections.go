package prefect3

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
)

// workerTypes holds what `work-pool create --type` needs to know of each type
// of worker: its base job template, with the names, types and defaults by which
// Prefect's own workers read it.
//
//go:embed worker_types.json
var workerTypes []byte

func (a *API) collectionRoutes(r *api.Router) {
	r.Handle("GET", "/collections/views/{view}", api.Handle(http.StatusOK, a.collectionView))
}

type byView struct {
	View string `path:"view"`
}

func (a *API) collectionView(_ context.Context, in byView) (json.RawMessage, error) {
	if in.View != "aggregate-worker-metadata" {
		return nil, refusal(http.StatusNotFound, "View "+in.View+" not found in registry")
	}
	var b bytes.Buffer
	err := json.Compact(&b, workerTypes)
	return b.Bytes(), err
}
