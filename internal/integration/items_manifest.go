package integration

import (
	"bytes"
	"context"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// inventory reads the manifest of an S3 inventory and the CSV files that it
// lists: each row is an item, by the columns of the manifest's schema.
func (r *reading) inventory(ctx context.Context, data []byte) ([]any, error) {
	v, err := value.Parse(data)
	manifest, ok := v.(*value.Object)
	if err != nil || !ok {
		return nil, causef("The manifest is no JSON object")
	}
	if format := member(manifest, "fileFormat"); format != "CSV" {
		return nil, causef("The inventory's fileFormat %s cannot be read here: use CSV", format)
	}
	var headers []string
	for name := range strings.SplitSeq(member(manifest, "fileSchema"), ",") {
		headers = append(headers, strings.TrimSpace(name))
	}
	bucket := r.bucket(member(manifest, "destinationBucket"))
	files, _ := pick(manifest, "files").([]any)
	items := []any{}
	for _, f := range files {
		file, _ := f.(*value.Object)
		t := r.task
		t.Parameters = value.Of("Bucket", bucket, "Key", member(file, "key"))
		data, err := r.object(ctx, t)
		if err != nil {
			return nil, err
		}
		rows, err := r.rows(data)
		if err != nil {
			return nil, err
		}
		found, err := r.records(rows, headers)
		if err != nil {
			return nil, err
		}
		if items = append(items, found...); r.full(items) {
			break
		}
	}
	return items, nil
}

// bucket is that of an ARN, or where the manifest itself is.
func (r *reading) bucket(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 && parts[5] != "" {
		return parts[5]
	}
	if arn != "" {
		return arn
	}
	params, _ := r.task.Parameters.(*value.Object) // the manifest was read by it
	return member(params, "Bucket")
}

// athena reads the files that a manifest of Athena's UNLOAD lists, an S3 URI in
// each line.
func (r *reading) athena(ctx context.Context, data []byte) ([]any, error) {
	items := []any{}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		uri := strings.Trim(strings.TrimSpace(string(line)), `"`)
		if uri == "" {
			continue
		}
		rest, ok := strings.CutPrefix(uri, "s3://")
		bucket, key, found := strings.Cut(rest, "/")
		if !ok || !found || key == "" {
			return nil, causef("The manifest lists %s, which is no S3 URI of an object", uri)
		}
		more, err := r.load(ctx, bucket, key)
		if err != nil {
			return nil, err
		}
		if items = append(items, more...); r.full(items) {
			break
		}
	}
	return items, nil
}
