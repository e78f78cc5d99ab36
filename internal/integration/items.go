package integration

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// The errors that a distributed Map's ItemReader and ResultWriter give.
const (
	errItemReader   = "States.ItemReaderFailed"
	errResultWriter = "States.ResultWriterFailed"
)

// maxUnpacked bounds what one object may be unpacked to, in bytes.
const maxUnpacked = 512 << 20

// Items reads the items of distributed Map states from S3 and writes their
// results there.
type Items struct{ Runner *Runner }

// reading is one reading of items.
type reading struct {
	items  Items
	task   Task
	config *value.Object
	// most bounds the items.
	most int
}

// Read reads the items that an ItemReader names, at most the given number of
// them; 0 is all, less is an error. The error is States.ItemReaderFailed.
func (i Items) Read(ctx context.Context, t Task, from *asl.Transfer, most int64) ([]any, *TaskError) {
	if most < 0 {
		return nil, unread("field MaxItems must be positive")
	}
	t.Parameters = from.Parameters
	r := reading{items: i, task: t, config: from.Config, most: int(min(most, 1<<31-1))}
	if r.config == nil {
		r.config = value.NewObject(0)
	}
	action, ok := storage(from.Resource)
	if !ok || action == "putObject" {
		return nil, unread(Unrecognized(from.Resource))
	}
	list, err := r.read(ctx, action)
	if err != nil {
		return nil, readFailure(err)
	}
	return r.bounded(list), nil
}

// storage is Storage for either spelling of a resource.
func storage(arn string) (string, bool) {
	return Storage(strings.Replace(arn, ":::aws-sdk:s3:", ":::s3:", 1))
}

// causeError is why items could not be read, in the words that the state shows.
type causeError string

// Error implements error.
func (e causeError) Error() string { return string(e) }

func causef(format string, args ...any) error { return causeError(fmt.Sprintf(format, args...)) }

func unread(cause string) *TaskError { return &TaskError{Error: errItemReader, Cause: cause} }

// readFailure is an error of reading as the state sees it. What S3 refused keeps
// S3's words.
func readFailure(err error) *TaskError {
	var refused *refusedError
	if errors.As(err, &refused) && refused.task.Parameters {
		return refused.task
	}
	return unread(err.Error())
}

// refusedError is a refusal of S3.
type refusedError struct{ task *TaskError }

// Error implements error.
func (e *refusedError) Error() string { return e.task.Cause }

func (r *reading) read(ctx context.Context, action string) ([]any, error) {
	if action == "listObjectsV2" {
		return r.listing(ctx)
	}
	data, err := r.object(ctx, r.task)
	if err != nil {
		return nil, err
	}
	kind, manifest := r.text("InputType"), r.text("ManifestType")
	if kind == "MANIFEST" || manifest != "" {
		if manifest == "ATHENA_DATA" {
			return r.athena(ctx, data)
		}
		return r.inventory(ctx, data)
	}
	return r.parse(kind, data)
}

// listing lists objects: they are the items, or with LOAD_AND_FLATTEN what is in them.
func (r *reading) listing(ctx context.Context) ([]any, error) {
	flatten := r.text("Transformation") == "LOAD_AND_FLATTEN"
	limit := r.most
	if flatten {
		limit = 0
	}
	list, failure := r.items.Runner.ListObjects(ctx, r.task, limit)
	if failure != nil {
		return nil, &refusedError{failure}
	}
	if !flatten {
		return list, nil
	}
	params, _ := r.task.Parameters.(*value.Object) // listed by it
	var all []any
	for _, v := range list {
		o, _ := v.(*value.Object)
		items, err := r.load(ctx, member(params, "Bucket"), member(o, "Key"))
		if err != nil {
			return nil, err
		}
		if all = append(all, items...); r.full(all) {
			break
		}
	}
	return all, nil
}

// load reads the items in an object.
func (r *reading) load(ctx context.Context, bucket, key string) ([]any, error) {
	t := r.task
	t.Parameters = value.Of("Bucket", bucket, "Key", key)
	data, err := r.object(ctx, t)
	if err != nil {
		return nil, err
	}
	return r.parse(r.text("InputType"), data)
}

// object reads an object and unpacks it if it is packed.
func (r *reading) object(ctx context.Context, t Task) ([]byte, error) {
	data, failure := r.items.Runner.GetObject(ctx, t)
	if failure != nil {
		return nil, &refusedError{failure}
	}
	switch {
	case bytes.HasPrefix(data, []byte{0x1F, 0x8B}):
		return unpack(data)
	case bytes.HasPrefix(data, []byte{0x28, 0xB5, 0x2F, 0xFD}):
		return nil, causef("Objects compressed with zstd cannot be read here: use gzip")
	}
	return bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")), nil
}

func unpack(data []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, causef("The object is no valid gzip file: %v", err)
	}
	out, err := io.ReadAll(io.LimitReader(z, maxUnpacked+1))
	switch {
	case err != nil:
		return nil, causef("The object is no valid gzip file: %v", err)
	case len(out) > maxUnpacked:
		return nil, causef("The object is larger than %d bytes when it is unpacked", maxUnpacked)
	}
	return bytes.TrimPrefix(out, []byte("\xEF\xBB\xBF")), nil
}

// parse reads the items in an object's text.
func (r *reading) parse(kind string, data []byte) ([]any, error) {
	switch kind {
	case "CSV":
		return r.csv(data)
	case "JSON", "":
		return r.json(data)
	case "JSONL":
		return r.lines(data)
	case "PARQUET":
		return nil, causef("Items of InputType PARQUET cannot be read here: use CSV, JSON or JSONL")
	}
	return nil, causef("The InputType %s is not known", kind)
}

func (r *reading) text(key string) string { return member(r.config, key) }

func (r *reading) full(list []any) bool { return r.most > 0 && len(list) >= r.most }

func (r *reading) bounded(list []any) []any {
	if r.full(list) {
		list = list[:r.most]
	}
	if list == nil {
		list = []any{}
	}
	return list
}
