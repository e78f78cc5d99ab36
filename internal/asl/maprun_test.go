package asl_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/value"
)

func TestItemsAreGrouped(t *testing.T) {
	t.Parallel()
	items := []any{"aaaa", "b", "cc"}
	tests := map[string]struct {
		run  asl.MapRun
		want []string
	}{
		"one each without a batcher":          {asl.MapRun{}, []string{`1 "aaaa"`, `1 "b"`, `1 "cc"`}},
		"by their number":                     {asl.MapRun{Batch: true, BatchItems: 2}, []string{`2 {"Items":["aaaa","b"]}`, `1 {"Items":["cc"]}`}},
		"by their size, one at least in each": {asl.MapRun{Batch: true, BatchBytes: 5}, []string{`1 {"Items":["aaaa"]}`, `1 {"Items":["b"]}`, `1 {"Items":["cc"]}`}},
		"by their size as far as they fit":    {asl.MapRun{Batch: true, BatchBytes: 10}, []string{`2 {"Items":["aaaa","b"]}`, `1 {"Items":["cc"]}`}},
		"with what is common to all in front": {asl.MapRun{Batch: true, BatchItems: 9, BatchInput: int64(1)}, []string{`3 {"BatchInput":1,"Items":["aaaa","b","cc"]}`}},
	}
	for name, tt := range tests {
		var got []string
		for _, in := range tt.run.Inputs(items) {
			got = append(got, value.String(int64(in.Items))+" "+value.String(in.Input))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestHowManyMayFail(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name          string
		count         int64
		percentage    float64
		failed, total int
		want          bool
	}{
		{"none failed", -1, -1, 0, 3, true},
		{"one failed and nothing was said", -1, -1, 1, 3, false},
		{"as many as may", 2, -1, 2, 3, true},
		{"one more", 2, -1, 3, 3, false},
		{"a third of a third", -1, 34, 1, 3, true},
		{"more than the share", -1, 33, 1, 3, false},
		{"the count allows what the share does not", 5, 10, 2, 10, false},
		{"the share allows what the count does not", 1, 50, 2, 10, false},
	}
	for _, tt := range tests {
		if got := asl.Tolerates(tt.count, tt.percentage, tt.failed, tt.total); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
