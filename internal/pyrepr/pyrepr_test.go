package pyrepr_test

import (
	"math"
	"testing"

	"github.com/leat-dev/leat/internal/pyrepr"
)

func TestString(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "''", "plain": "'plain'", "it's": `"it's"`, `both ' and "`: `'both \' and "'`, "a\nb\r\t\\": `'a\nb\r\t\\'`,
		"\x00\x7f": `'\x00\x7f'`, "ü…": "'ü…'", "\u00a0": `'\xa0'`, "\u200b": `'\u200b'`, "\U000e0001": `'\U000e0001'`,
	} {
		if got := pyrepr.String(in); got != want {
			t.Errorf("String(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestFloat(t *testing.T) {
	t.Parallel()
	for in, want := range map[float64]string{
		0: "0.0", 1: "1.0", -2.5: "-2.5", 1e16: "1e+16", 1e15: "1000000000000000.0", 0.0001: "0.0001", 0.00001: "1e-05",
		math.Inf(1): "inf", math.Inf(-1): "-inf",
	} {
		if got := pyrepr.Float(in); got != want {
			t.Errorf("Float(%v) = %s, want %s", in, got, want)
		}
	}
	if got := pyrepr.Float(math.NaN()); got != "nan" {
		t.Errorf("Float(NaN) = %s", got)
	}
}
