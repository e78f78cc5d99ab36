package jsonata

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"math"

	"github.com/leat-dev/leat/internal/value"
)

// AWSFunctions are the functions that Step Functions adds to JSONata, and the
// removal of $eval, which it refuses:
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
//
// random returns a number in [0, 1), the same one for the same seed; seed is
// nil when there is none. uuid returns a new random (version 4) UUID.
func AWSFunctions(random func(seed *int64) float64, uuid func() string) map[string]*Function {
	return map[string]*Function{
		"eval":      {Undefined: true},
		"partition": {Signature: "<a-n:a<a>>", Call: partition},
		"range":     {Signature: "<n-nn:a<n>>", Call: rangeBy},
		"hash":      {Signature: "<js:s>", Call: hashOf},
		"parse":     {Signature: "<s-:x>", Call: parseJSON},
		"uuid":      {Signature: "<:s>", Call: func([]any) (any, bool, error) { return uuid(), true, nil }},
		"random": {Signature: "<n?:n>", Call: func(args []any) (any, bool, error) {
			seed, ok := toNumber(argument(args, 0))
			if !ok || math.IsNaN(seed) {
				return random(nil), true, nil
			}
			whole := int64(max(math.MinInt32, min(math.MaxUint32, seed)))
			return random(&whole), true, nil
		}},
	}
}

// partition takes an array apart into arrays of a size. As in what a path
// finds, a part of a single item is that item; but an array that needs no
// parting is one part.
func partition(args []any) (any, bool, error) {
	items, ok := elements(args[0])
	if !ok {
		return nil, false, nil
	}
	size := math.Floor(numberOr(args[1], 0))
	switch {
	case size < 1 || math.IsNaN(size):
		return nil, false, userError("The chunk size passed to $partition() must be a positive number")
	case len(items) == 0:
		return nil, false, userError("The array passed to $partition() must not be empty")
	case size >= float64(len(items)):
		return []any{items}, true, nil
	}
	parts := sequence()
	for len(items) > 0 {
		n := int(min(size, float64(len(items))))
		if n == 1 {
			parts.items = append(parts.items, items[0])
		} else {
			parts.items = append(parts.items, items[:n:n])
		}
		items = items[n:]
	}
	return parts, true, nil
}

// rangeBy counts from a first to at most a last number by steps. A single
// number stands for itself.
func rangeBy(args []any) (any, bool, error) {
	first, ok := toNumber(args[0])
	last, okLast := toNumber(args[1])
	by, okBy := toNumber(args[2])
	if !ok || !okLast || !okBy {
		return nil, false, nil
	}
	count := math.Floor((last-first)/by) + 1
	switch {
	case by == 0 || math.IsNaN(count):
		return nil, false, userError("The step passed to $range() must not be zero")
	case count > maxRange:
		return nil, false, failValue("D2014", count)
	case count < 1:
		return []any{}, true, nil
	}
	numbers := sequence()
	for i := range int(count) {
		numbers.items = append(numbers.items, first+float64(i)*by)
	}
	return numbers, true, nil
}

// userError is an error with a text of its own.
func userError(message string) *Error { return fail("D3137").withDetail("message", message) }

func numberOr(v any, missing float64) float64 {
	if f, ok := toNumber(v); ok {
		return f
	}
	return missing
}

func hashOf(args []any) (any, bool, error) {
	if isUndefined(args[0]) {
		return nil, false, nil
	}
	data, ok := args[0].(string)
	if !ok {
		data = value.String(args[0])
	}
	var sum []byte
	switch algorithm, _ := args[1].(string); algorithm {
	case "MD5":
		s := md5.Sum([]byte(data))
		sum = s[:]
	case "SHA-1":
		s := sha1.Sum([]byte(data))
		sum = s[:]
	case "SHA-256":
		s := sha256.Sum256([]byte(data))
		sum = s[:]
	case "SHA-384":
		s := sha512.Sum384([]byte(data))
		sum = s[:]
	case "SHA-512":
		s := sha512.Sum512([]byte(data))
		sum = s[:]
	default:
		return nil, false, userError("Unsupported hash algorithm: " + algorithm)
	}
	return hex.EncodeToString(sum), true, nil
}

func parseJSON(args []any) (any, bool, error) {
	text, ok := args[0].(string)
	if !ok {
		return nil, false, nil
	}
	v, err := value.Parse([]byte(text))
	if err != nil {
		return nil, false, userError("Invalid JSON passed to $parse(): " + err.Error())
	}
	return withoutMinusZero(v), true, nil
}

// withoutMinusZero writes -0 as 0, which is how Step Functions shows it.
func withoutMinusZero(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, ok := toNumber(v); ok && f == 0 {
			return 0.0
		}
	case []any:
		for i, item := range v {
			v[i] = withoutMinusZero(item)
		}
	case *value.Object:
		for k, item := range v.All() {
			v.Set(k, withoutMinusZero(item))
		}
	}
	return v
}
