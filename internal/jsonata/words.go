package jsonata

import (
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// smallNumbers are the words of 0 to 19.
func smallNumbers() []string {
	return strings.Fields("zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen" +
		" fifteen sixteen seventeen eighteen nineteen")
}

// tens are the words of 20, 30 to 90.
func tens() []string { return strings.Fields("twenty thirty forty fifty sixty seventy eighty ninety") }

// powers are the words of 1000 and its powers.
func powers() []string { return strings.Fields("thousand million billion trillion") }

// wordsOf writes a whole number that is not negative in English.
func wordsOf(n float64, ordinal bool) string {
	out := cardinal(n, false)
	if !ordinal {
		return out
	}
	i := strings.LastIndexAny(out, " -") + 1
	return out[:i] + ordinalOf(out[i:])
}

// cardinal writes a number; within a larger one it is joined to what goes
// before.
func cardinal(n float64, within bool) string {
	joined := func(by, text string) string {
		if within {
			return by + text
		}
		return text
	}
	switch {
	case n < 20:
		return joined(" and ", smallNumbers()[int(n)])
	case n < 100:
		out := tens()[int(n)/10-2]
		if rest := math.Mod(n, 10); rest > 0 {
			out += "-" + cardinal(rest, false)
		}
		return joined(" and ", out)
	case n < 1000:
		out := smallNumbers()[int(n)/100] + " hundred"
		if rest := math.Mod(n, 100); rest > 0 {
			out += cardinal(rest, true)
		}
		return joined(", ", out)
	}
	size := min(4, int(math.Log10(n)/3))
	unit := math.Pow(1000, float64(size))
	if n < unit {
		size--
		unit /= 1000
	}
	out := cardinal(math.Floor(n/unit), false) + " " + powers()[size-1]
	if rest := n - math.Floor(n/unit)*unit; rest > 0 {
		out += cardinal(rest, true)
	}
	return joined(", ", out)
}

func ordinalOf(word string) string {
	switch word {
	case "one":
		return "first"
	case "two":
		return "second"
	case "three":
		return "third"
	case "five":
		return "fifth"
	case "eight":
		return "eighth"
	case "nine":
		return "ninth"
	case "twelve":
		return "twelfth"
	}
	if stem, ok := strings.CutSuffix(word, "y"); ok {
		return stem + "ieth"
	}
	return word + "th"
}

// titled begins every word but "and" with a capital.
func titled(s string) string {
	var b strings.Builder
	for len(s) > 0 {
		i := strings.IndexAny(s, " -")
		word, sep := s, ""
		if i >= 0 {
			word, sep = s[:i], s[i:i+1]
		}
		if word != "and" && word != "" {
			r, n := utf8.DecodeRuneInString(word)
			b.WriteRune(unicode.ToUpper(r))
			b.WriteString(word[n:])
		} else {
			b.WriteString(word)
		}
		b.WriteString(sep)
		s = s[len(word)+len(sep):]
	}
	return b.String()
}

// wordValue is the number that a cardinal or ordinal word stands for.
func wordValue(word string) (float64, bool) {
	is := func(w string) bool { return w == word || ordinalOf(w) == word }
	if i := slices.IndexFunc(smallNumbers(), is); i >= 0 {
		return float64(i), true
	}
	if i := slices.IndexFunc(tens(), is); i >= 0 {
		return float64(20 + 10*i), true
	}
	if i := slices.IndexFunc(powers(), is); i >= 0 {
		return math.Pow(1000, float64(i+1)), true
	}
	return 100, is("hundred")
}

// fromWords reads a number in words; what is none is NaN. A word below a
// hundred adds to the current part, a larger one multiplies it.
func fromWords(text string) float64 {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '-' || r == ',' })
	parts := []float64{0}
	for _, word := range words {
		if word == "and" {
			continue
		}
		n, ok := wordValue(word)
		last := len(parts) - 1
		switch {
		case !ok:
			return math.NaN()
		case n >= 100:
			parts[last] *= n
		case parts[last] >= 1000:
			parts = append(parts, n)
		default:
			parts[last] += n
		}
	}
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	return sum
}
