package value_test

import (
	"testing"

	"github.com/leat-dev/leat/internal/value"
)

func TestTextsComeBack(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`null`, `true`, `[]`, `{}`, `{"b":1,"a":[1.0,-2e3,12345678901234567890]}`, `"a\"\\\n\u0001é\u2028"`, `[[[{"":{}}]]]`,
	} {
		v, err := value.Parse([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		again, err := value.Parse(value.Append(nil, v))
		if err != nil || !value.Equal(v, again) {
			t.Errorf("%s became %s (%v)", text, value.String(v), err)
		}
	}
}

func TestMalformedTexts(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `{`, `{"a"}`, `[1,]`, `01`, `1 2`, `"a`, "\"\n\"", `nul`, `{"a":1,}`, `-`} {
		if v, err := value.Parse([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, value.String(v))
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":[1,"\u00e9",null]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := value.Parse(data)
		if err != nil {
			return
		}
		text := value.Append(nil, v)
		again, err := value.Parse(text)
		if err != nil || !value.Equal(v, again) {
			t.Errorf("%q became %q: %v", data, text, err)
		}
	})
}
