package asl

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// maxRange is how many items ArrayRange may make.
const maxRange = 1000

var errNoArray = errors.New("an array is expected")

func listOf(v any) ([]any, error) {
	l, ok := v.([]any)
	if !ok {
		return nil, errNoArray
	}
	return l, nil
}

// wholeOf is a number rounded to the nearest whole one, as the service does.
func wholeOf(v any) (int64, error) {
	if n, ok := value.Integer(v); ok {
		return n, nil
	}
	f, ok := value.Number(v)
	if !ok || math.Abs(f) >= 1<<62 {
		return 0, fmt.Errorf("an integer is expected but was: %s", value.String(v))
	}
	return int64(math.Floor(f + 0.5)), nil
}

func arrayPartition(_ *scope, a []any) (any, error) {
	list, err := listOf(a[0])
	if err != nil {
		return nil, err
	}
	size, err := wholeOf(a[1])
	if err != nil {
		return nil, err
	}
	if size <= 0 {
		return nil, errors.New("the chunk size must be a non-zero, positive integer")
	}
	out := []any{}
	for chunk := range slices.Chunk(list, int(min(size, int64(len(list)+1)))) {
		out = append(out, slices.Clone(chunk))
	}
	return out, nil
}

func arrayContains(_ *scope, a []any) (any, error) {
	if _, err := listOf(a[0]); err != nil {
		return nil, err
	}
	return within(a[1], a[0]), nil
}

func arrayRange(_ *scope, a []any) (any, error) {
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = wholeOf(a[i]); err != nil {
			return nil, err
		}
		n[i] = min(max(n[i], math.MinInt64/4), math.MaxInt64/4)
	}
	first, last, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, errors.New("the step must not be 0")
	}
	out := []any{}
	if (last-first)/step >= maxRange {
		return nil, errors.New("an array can't contain more than 1000 items")
	}
	for v := first; step > 0 && v <= last || step < 0 && v >= last; v += step {
		out = append(out, v)
	}
	return out, nil
}

func arrayGetItem(_ *scope, a []any) (any, error) {
	list, err := listOf(a[0])
	if err != nil {
		return nil, err
	}
	k, ok := value.Integer(a[1])
	if !ok {
		return nil, errors.New("the index must be an integer")
	}
	if k < 0 || k >= int64(len(list)) {
		return nil, fmt.Errorf("the index %d is out of bounds for an array of length %d", k, len(list))
	}
	return list[k], nil
}

func arrayLength(_ *scope, a []any) (any, error) {
	list, err := listOf(a[0])
	return int64(len(list)), err
}

func arrayUnique(_ *scope, a []any) (any, error) {
	list, err := listOf(a[0])
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, len(list))
	seen := map[string]bool{}
	for _, e := range list {
		key := uniqueKey(e)
		if !seen[key] {
			seen[key] = true
			out = append(out, e)
		}
	}
	return out, nil
}

// uniqueKey is a text that equal values share: their text with numbers in one
// form and keys in order.
func uniqueKey(v any) string {
	switch v := v.(type) {
	case []any:
		var out strings.Builder
		out.WriteString("[")
		for _, e := range v {
			out.WriteString(uniqueKey(e) + ",")
		}
		return out.String()
	case *value.Object:
		keys := v.Keys()
		slices.Sort(keys)
		var out strings.Builder
		out.WriteString("{")
		for _, k := range keys {
			e, _ := v.Get(k)
			out.WriteString(value.String(k) + uniqueKey(e) + ",")
		}
		return out.String()
	}
	if f, ok := value.Number(v); ok {
		return value.String(f)
	}
	return value.String(v)
}
