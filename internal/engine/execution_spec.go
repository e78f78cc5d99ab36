package engine

import (
	"encoding/json"
	"fmt"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/value"
)

// encodeSpec is an action's work as it is stored.
func encodeSpec(a *asl.Action) json.RawMessage {
	switch a.Kind {
	case asl.ActionTimer:
		return nil
	case asl.ActionMapRun:
		return value.Append(nil, value.Of("state", a.State, "run", encodeMapRun(a.Run), "redrive", a.Redrive, "redrives", int64(a.Redrives)))
	case asl.ActionTask, asl.ActionActivity:
	}
	return value.Append(nil, value.Of("state", a.State, "resource", a.Resource, "parameters", a.Parameters, "role", a.RoleARN,
		"token", a.Token, "timeout", a.Timeout, "heartbeat", a.Heartbeat))
}

// DecodeSpec reads the work of a stored action.
func DecodeSpec(a *core.ExecutionAction) (*asl.Action, error) {
	v, err := value.Parse(a.Spec)
	if err != nil {
		return nil, fmt.Errorf("the work of action %d of %s: %w", a.Key, a.RunID, err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return nil, fmt.Errorf("the work of action %d of %s is no object", a.Key, a.RunID)
	}
	parameters, _ := o.Get("parameters")
	out := &asl.Action{
		Key: a.Key, Kind: asl.ActionKind(a.Kind), State: typed[string](o, "state"), Resource: typed[string](o, "resource"),
		Parameters: parameters, RoleARN: typed[string](o, "role"), Token: typed[string](o, "token"),
		Timeout: whole(o, "timeout"), Heartbeat: whole(o, "heartbeat"),
		Redrive: typed[string](o, "redrive"), Redrives: int(whole(o, "redrives")),
	}
	if run := typed[*value.Object](o, "run"); run != nil {
		out.Run = decodeMapRun(run)
	}
	return out, nil
}

func typed[T any](o *value.Object, key string) T {
	v, _ := o.Get(key)
	t, _ := v.(T)
	return t
}

func whole(o *value.Object, key string) int64 {
	v, _ := o.Get(key)
	n, _ := value.Integer(v)
	return n
}

func encodeMapRun(r *asl.MapRun) *value.Object {
	o := value.Of("max_items", r.MaxItems, "concurrency", r.Concurrency, "count", r.ToleratedCount, "percentage", r.ToleratedPercentage,
		"batch", r.Batch, "batch_input", r.BatchInput, "batch_items", r.BatchItems, "batch_bytes", r.BatchBytes,
		"type", r.ExecutionType, "label", r.Label, "reader", encodeTransfer(r.Reader), "writer", encodeTransfer(r.Writer))
	if r.Reader == nil {
		items := r.Items
		if items == nil {
			items = []any{}
		}
		o.Set("items", items)
	}
	return o
}

func encodeTransfer(t *asl.Transfer) any {
	if t == nil {
		return nil
	}
	o := value.Of("resource", t.Resource, "parameters", t.Parameters)
	if t.Config != nil {
		o.Set("config", t.Config)
	}
	return o
}

func decodeMapRun(o *value.Object) *asl.MapRun {
	batchInput, _ := o.Get("batch_input")
	percentage, _ := o.Get("percentage")
	share, _ := value.Number(percentage)
	return &asl.MapRun{
		Items: typed[[]any](o, "items"), Reader: decodeTransfer(o, "reader"), Writer: decodeTransfer(o, "writer"),
		MaxItems: whole(o, "max_items"), Concurrency: whole(o, "concurrency"), ToleratedCount: whole(o, "count"), ToleratedPercentage: share,
		Batch: typed[bool](o, "batch"), BatchInput: batchInput, BatchItems: whole(o, "batch_items"), BatchBytes: whole(o, "batch_bytes"),
		ExecutionType: typed[string](o, "type"), Label: typed[string](o, "label"),
	}
}

func decodeTransfer(o *value.Object, key string) *asl.Transfer {
	t := typed[*value.Object](o, key)
	if t == nil {
		return nil
	}
	parameters, _ := t.Get("parameters")
	return &asl.Transfer{Resource: typed[string](t, "resource"), Parameters: parameters, Config: typed[*value.Object](t, "config")}
}
