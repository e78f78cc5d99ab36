package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/awscall"
	"github.com/leat-dev/leat/internal/value"
)

// Storage says which call of S3 a distributed Map's ItemReader or ResultWriter
// means; false for a resource that is none of theirs.
func Storage(arn string) (action string, ok bool) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != "states" {
		return "", false
	}
	switch action := strings.TrimPrefix(parts[5], "s3:"); action {
	case "getObject", "listObjectsV2", "putObject":
		return action, action != parts[5]
	}
	return "", false
}

// storageService is S3 as a Map calls it.
func storageService() service { return service{call: "s3", prefix: "S3"} }

// GetObject reads an object that a Map's items are in, by the parameters of its
// ItemReader.
func (r *Runner) GetObject(ctx context.Context, t Task) ([]byte, *TaskError) {
	params, ok := t.Parameters.(*value.Object)
	if !ok {
		return nil, badParameters(t.Parameters, "The Parameters must be a JSON object")
	}
	op, _ := r.cfg.Caller.Lookup("s3", "getObject")
	body, _, err := r.cfg.Caller.Body(ctx, t.request("s3", "getObject", params))
	if err != nil {
		return nil, fault(storageService(), op, params, err)
	}
	return body, nil
}

// ListObjects lists objects, by the parameters of an ItemReader, up to limit of
// them; 0 is all. Each is shown as an item of a Map.
func (r *Runner) ListObjects(ctx context.Context, t Task, limit int) ([]any, *TaskError) {
	params, ok := t.Parameters.(*value.Object)
	if !ok {
		return nil, badParameters(t.Parameters, "The Parameters must be a JSON object")
	}
	op, _ := r.cfg.Caller.Lookup("s3", "listObjectsV2")
	params = params.Clone()
	items := []any{}
	for {
		out, _, err := r.cfg.Caller.Call(ctx, t.request("s3", "listObjectsV2", params))
		if err != nil {
			return nil, fault(storageService(), op, params, err)
		}
		contents, _ := pick(out, "Contents").([]any)
		for _, v := range contents {
			if o, ok := v.(*value.Object); ok {
				items = append(items, asItem(o))
			}
			if limit > 0 && len(items) >= limit {
				return items, nil
			}
		}
		next := member(out, "NextContinuationToken")
		if next == "" {
			return items, nil
		}
		params.Set("ContinuationToken", next)
	}
}

// asItem is an object of a listing as a Map shows it.
func asItem(o *value.Object) *value.Object {
	item := value.NewObject(5)
	for _, m := range []struct{ from, to string }{
		{"ETag", "Etag"}, {"Key", "Key"}, {"LastModified", "LastModified"}, {"Size", "Size"}, {"StorageClass", "StorageClass"},
	} {
		v, ok := o.Get(m.from)
		if !ok {
			continue
		}
		if s, isText := v.(string); isText && m.from == "LastModified" {
			if at, err := time.Parse(time.RFC3339Nano, s); err == nil {
				v = json.Number(fmt.Sprint(at.Unix()))
			}
		}
		item.Set(m.to, v)
	}
	return item
}

// PutObject writes an object of a Map's results to the bucket that its
// ResultWriter names.
func (r *Runner) PutObject(ctx context.Context, t Task, bucket, key, body string) *TaskError {
	params := value.Of("Bucket", bucket, "Key", key, "Body", body, "ContentType", "application/json")
	op, _ := r.cfg.Caller.Lookup("s3", "putObject")
	if _, _, err := r.cfg.Caller.Call(ctx, t.request("s3", "putObject", params)); err != nil {
		return fault(storageService(), op, value.Of("Bucket", bucket, "Key", key), err)
	}
	return nil
}

// UnknownParameters lists those parameters of a state that its resource does not
// take, for checks before anything runs. Names that end in .$ are compared
// without that end.
func (r *Runner) UnknownParameters(res Resource, params *value.Object) []string {
	op := r.operation(res)
	if op == nil || op.Input == nil {
		return nil
	}
	var unknown []string
	for key := range params.All() {
		if _, ok := op.Input.Member(strings.TrimSuffix(key, ".$")); !ok {
			unknown = append(unknown, key)
		}
	}
	return unknown
}

// operation finds the operation of a resource; nil if it has none of its own
// name and parameters.
func (r *Runner) operation(res Resource) *awscall.Operation {
	name, action := res.Service, res.Action
	switch res.Kind {
	case SDK:
	case Optimized:
		s, ok := serviceOf(res.Service)
		if !ok || s.call == "" || res.Service == "elasticmapreduce" {
			return nil
		}
		name = s.call
		if name == "bedrock" && action == "invokeModel" {
			name = "bedrockruntime"
		}
	case Lambda, Activity, Flow:
		return nil
	}
	op, ok := r.cfg.Caller.Lookup(name, action)
	if !ok {
		return nil
	}
	return op
}
