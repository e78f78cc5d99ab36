package wire

import (
	"math"
	"strconv"
)

// Seconds is a span of time as the API writes it: a number that always has a
// fraction (0.0), as Python shows a float.
type Seconds float64

// MarshalJSON implements json.Marshaler.
func (s Seconds) MarshalJSON() ([]byte, error) {
	f := float64(s)
	if f == math.Trunc(f) && math.Abs(f) < 1e16 {
		return strconv.AppendFloat(nil, f, 'f', 1, 64), nil
	}
	return strconv.AppendFloat(nil, f, 'g', -1, 64), nil
}
