package asl

import "github.com/leat-dev/leat/internal/value"

// ItemInput is what one execution of a map run gets.
type ItemInput struct {
	Input any
	// Items is how many items it stands for.
	Items int
}

// Inputs groups items to what the executions of the map run get.
func (r *MapRun) Inputs(items []any) []ItemInput {
	if !r.Batch {
		out := make([]ItemInput, len(items))
		for i, item := range items {
			out[i] = ItemInput{Input: item, Items: 1}
		}
		return out
	}
	var out []ItemInput
	var batch []any
	size := int64(0)
	flush := func() {
		if len(batch) == 0 {
			return
		}
		o := value.NewObject(2)
		if r.BatchInput != nil {
			o.Set("BatchInput", r.BatchInput)
		}
		o.Set("Items", batch)
		out = append(out, ItemInput{Input: o, Items: len(batch)})
		batch, size = nil, 0
	}
	for _, item := range items {
		n := int64(len(value.String(item)))
		if r.BatchItems > 0 && int64(len(batch)) >= r.BatchItems || r.BatchBytes > 0 && size+n > r.BatchBytes {
			flush()
		}
		batch = append(batch, item)
		size += n + 1
	}
	flush()
	return out
}

// Tolerates reports whether a map run goes on when so many of its items failed:
// count and percentage are what may fail, below zero when not given, and without
// either none may.
func Tolerates(count int64, percentage float64, failed, total int) bool {
	if failed == 0 {
		return true
	}
	if count < 0 && percentage < 0 {
		return false
	}
	return (count < 0 || int64(failed) <= count) && (percentage < 0 || float64(failed)*100 <= percentage*float64(total))
}

// ToleranceExceeded is the failure of a map run of which more failed than may.
func ToleranceExceeded() Failure {
	return Failure{Error: "States.ExceedToleratedFailureThreshold", Cause: "The specified tolerated failure threshold was exceeded"}
}
