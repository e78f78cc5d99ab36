package trigger

import "testing"

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"a", "a", true},
		{"a", "b", false},
		{"*", "", true},
		{"*", "anything\nat all", true},
		{"a*c", "abbbc", true},
		{"a*c", "abbb", false},
		{"*.*.*", "a.b.c", true},
		{"*.*.*", "a.b", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"[ab]c", "bc", true},
		{"[!ab]c", "bc", false},
		{"[!ab]c", "cc", true},
		{"[a-c]", "b", true},
		{"[a-c]", "d", false},
		{"[]]", "]", true},
		{"[a", "[a", true},
		{"A", "a", false},
		{"ü*", "übel", true},
	} {
		if got := glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("glob(%q, %q) = %t", tt.pattern, tt.text, got)
		}
	}
}

func TestBegins(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "abc", true},
		{"a", "ba", false},
		{"a.*", "a.", false},
		{"a.*", "a.b", true},
		{"*.b", "a.b", true},
		{"*.b", ".b", false},
		{"*b*", "aabc", true},
		{"a?c", "abc", false},
	} {
		if got := begins(tt.pattern, tt.text); got != tt.want {
			t.Errorf("begins(%q, %q) = %t", tt.pattern, tt.text, got)
		}
	}
}

// FuzzGlob looks for patterns that hang or panic.
func FuzzGlob(f *testing.F) {
	for _, s := range [][2]string{{"a*b?[c-d]", "axxbcd"}, {"[!]a", "]"}, {"****a", "aaab"}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(_ *testing.T, pattern, text string) {
		glob(pattern, text)
		begins(pattern, text)
	})
}
