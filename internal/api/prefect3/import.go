package prefect3

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

// importRoutes are leat's own: the Prefect API makes the ids of most things
// itself, so that it cannot take what another server has recorded.
func (a *API) importRoutes(r *api.Router) {
	r.Handle("POST", "/leat/import", api.Handle(http.StatusOK, a.importRows))
	r.Handle("POST", "/leat/import/known", api.Handle(http.StatusOK, a.importKnown))
}

// maxImport is the most rows of a batch.
const maxImport = 10_000

func (a *API) importRows(ctx context.Context, in bodyIn[client.ImportBatch]) (out client.ImportResult, err error) {
	b := in.Body
	if len(b.Rows) > maxImport {
		return out, core.Errorf(core.Invalid, "A batch has at most %d rows.", maxImport)
	}
	var refused []engine.ImportRemark
	var res engine.ImportResult
	switch b.Kind {
	case "logs":
		lines, bad := decodeRows(b.Rows, func(l *client.Log) (*core.Log, error) { return l.Core(), nil })
		refused = bad
		res, err = a.Engine.ImportLogs(ctx, a.workspace(ctx), lines)
	case "events":
		events, bad := decodeRows(b.Rows, func(e *client.Event) (*core.Event, error) { return e.Core(), nil })
		refused = bad
		res, err = a.Engine.ImportEvents(ctx, a.workspace(ctx), events)
	default:
		read, ok := importKinds(a.Now(), b.Paused)[b.Kind]
		if !ok {
			return out, core.Errorf(core.Invalid, "There is no kind of rows %q.", b.Kind)
		}
		rows, bad := read(b.Rows)
		refused = bad
		res, err = a.Engine.Import(ctx, a.workspace(ctx), rows)
	}
	if err != nil {
		return out, err
	}
	return client.ImportResult{
		Created: res.Created, Updated: res.Updated, Unchanged: res.Unchanged, Mapped: res.Mapped,
		Refused: mapped(append(refused, res.Refused...), remarkOf), Notes: mapped(res.Notes, remarkOf),
	}, nil
}

func remarkOf(r engine.ImportRemark) client.ImportRemark {
	return client.ImportRemark{ID: r.ID, Text: r.Text}
}

// decodeRows reads rows; those that cannot be read are told.
func decodeRows[W, T any](rows []json.RawMessage, convert func(*W) (T, error)) (out []T, refused []engine.ImportRemark) {
	for _, raw := range rows {
		var w W
		err := json.Unmarshal(raw, &w)
		if err == nil {
			var v T
			if v, err = convert(&w); err == nil {
				out = append(out, v)
				continue
			}
		}
		var named struct {
			ID core.ID `json:"id"`
		}
		if json.Unmarshal(raw, &named) != nil {
			named.ID = core.ID{}
		}
		text := strings.TrimPrefix(err.Error(), "json: ")
		refused = append(refused, engine.ImportRemark{ID: named.ID, Text: "the row cannot be read: " + text})
	}
	return out, refused
}

// rowReader reads the rows of a kind.
type rowReader func([]json.RawMessage) ([]engine.ImportRow, []engine.ImportRemark)

// readsRows makes a rowReader of a conversion that cannot fail.
func readsRows[W any](convert func(*W) engine.ImportRow) rowReader {
	return func(rows []json.RawMessage) ([]engine.ImportRow, []engine.ImportRemark) {
		return decodeRows(rows, func(w *W) (engine.ImportRow, error) { return convert(w), nil })
	}
}

// checksRows makes a rowReader of one that can.
func checksRows[W any](convert func(*W) (engine.ImportRow, error)) rowReader {
	return func(rows []json.RawMessage) ([]engine.ImportRow, []engine.ImportRemark) {
		return decodeRows(rows, convert)
	}
}

// importKinds lists the kinds of rows besides lines and events.
func importKinds(now time.Time, paused bool) map[string]rowReader {
	return map[string]rowReader{
		"flows":          readsRows(func(w *client.Flow) engine.ImportRow { return engine.ImportFlow{Flow: w.Core()} }),
		"variables":      readsRows(func(w *client.Variable) engine.ImportRow { return engine.ImportVariable{Variable: w.Core()} }),
		"saved_searches": readsRows(func(w *client.SavedSearch) engine.ImportRow { return engine.ImportSavedSearch{SavedSearch: w.Core()} }),
		"concurrency_limits": readsRows(func(w *client.ConcurrencyLimit) engine.ImportRow {
			return engine.ImportConcurrencyLimit{ConcurrencyLimit: w.Core()}
		}),
		"work_pools":    readsRows(func(w *client.WorkPool) engine.ImportRow { return engine.ImportWorkPool{WorkPool: w.Core()} }),
		"work_queues":   readsRows(func(w *client.WorkQueue) engine.ImportRow { return engine.ImportWorkQueue{WorkQueue: w.Core()} }),
		"block_types":   readsRows(func(w *client.BlockType) engine.ImportRow { return engine.ImportBlockType{BlockType: w.Core()} }),
		"block_schemas": readsRows(func(w *client.BlockSchema) engine.ImportRow { return engine.ImportBlockSchema{BlockSchema: w.Core()} }),
		"block_documents": readsRows(func(w *client.BlockDocument) engine.ImportRow {
			return engine.ImportBlockDocument{BlockDocument: w.Core(), Data: w.Data}
		}),
		"result_storage": readsRows(func(w *client.ResultStorageUpdate) engine.ImportRow {
			return engine.ImportResultStorage{Document: w.BlockID}
		}),
		"deployments": checksRows(func(w *client.Deployment) (engine.ImportRow, error) {
			d, err := w.Core(now)
			if err == nil && paused {
				d.Paused = true
			}
			return engine.ImportDeployment{Deployment: d}, err
		}),
		"automations": checksRows(func(w *client.Automation) (engine.ImportRow, error) {
			v, err := w.Core()
			return engine.ImportAutomation{Automation: v}, err
		}),
		"flow_runs": readsRows(func(w *client.RecordedFlowRun) engine.ImportRow {
			run, states := w.Core()
			inputs := mapped(w.Inputs, func(i client.FlowRunInput) *core.FlowRunInput { return i.Core() })
			return engine.ImportFlowRun{FlowRun: run, States: states, Inputs: inputs}
		}),
		"task_runs": readsRows(func(w *client.RecordedTaskRun) engine.ImportRow {
			run, states := w.Core()
			return engine.ImportTaskRun{TaskRun: run, States: states}
		}),
		"artifacts": readsRows(func(w *client.Artifact) engine.ImportRow { return engine.ImportArtifact{Artifact: w.Core()} }),
		"artifact_collections": readsRows(func(w *client.ArtifactCollection) engine.ImportRow {
			return engine.ImportArtifactCollection{ArtifactCollection: w.Core()}
		}),
		"marks": readsRows(func(w *client.ImportMark) engine.ImportRow {
			return engine.ImportMark{Source: w.Source, Began: w.Began.Time}
		}),
	}
}

func (a *API) importKnown(ctx context.Context, in bodyIn[client.ImportKnown]) (out client.ImportAnswer, err error) {
	if len(in.Body.FlowRuns) > maxImport {
		return out, core.Errorf(core.Invalid, "A batch has at most %d rows.", maxImport)
	}
	runs := make(map[core.ID]time.Time, len(in.Body.FlowRuns))
	for _, r := range in.Body.FlowRuns {
		runs[r.ID] = r.Updated.Time
	}
	known, last, err := a.Engine.ImportKnown(ctx, a.workspace(ctx), in.Body.Source, runs)
	if err != nil {
		return out, err
	}
	slices.SortFunc(known, func(x, y core.ID) int { return strings.Compare(x.String(), y.String()) })
	return client.ImportAnswer{Last: wire.FromTimePtr(last), FlowRuns: client.NotNil(known)}, nil
}
