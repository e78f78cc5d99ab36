package integration

import (
	"strings"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

// GivenItems reads the items in data that is given in place of the object that an
// ItemReader would read: CSV or JSON lines when it reads such, else JSON. A JSON
// array is taken for the items themselves whatever the reader reads.
func GivenItems(from *asl.Transfer, data string) (asl.ItemsRead, *TaskError) {
	r := reading{config: from.Config}
	if r.config == nil {
		r.config = value.NewObject(0)
	}
	kind := r.text("InputType")
	if kind != "CSV" && kind != "JSONL" {
		kind = "JSON" // a listing or a manifest has no other form
	}
	v, err := value.Parse([]byte(data))
	list, isList := v.([]any)
	if isList = isList && err == nil; isList && (kind != "JSONL" || !strings.Contains(strings.TrimSpace(data), "\n")) {
		if _, pointed := pick(r.config, "ItemsPointer").(string); !pointed {
			return asl.ItemsRead{Items: list}, nil
		}
	}
	items, err := r.parse(kind, []byte(data))
	if err != nil {
		return asl.ItemsRead{}, readFailure(err)
	}
	read := asl.ItemsRead{Items: items}
	if pointer, pointed := pick(r.config, "ItemsPointer").(string); pointed && kind == "JSON" {
		read.Pointed, read.HasPointed = point(v, pointer)
	}
	return read, nil
}
