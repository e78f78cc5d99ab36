package jinja

import (
	"strconv"
	"strings"
)

// strFormat is str.format: fields in braces with a way to attributes and items,
// a conversion and a specification. Attributes are found as templates find them.
func (st *state) strFormat(text string, args []any, kw *dict, html bool) (string, error) {
	f := &formatRun{st: st, args: args, kw: kw, html: html}
	return f.run(text, 2)
}

type formatRun struct {
	st   *state
	args []any
	kw   *dict
	auto int // -1 once a field had its number
	html bool
}

func (f *formatRun) run(text string, depth int) (string, error) {
	if depth < 0 {
		return "", valueError("Max string recursion exceeded")
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		c := text[i]
		if c != '{' && c != '}' {
			b.WriteByte(c)
			i++
			continue
		}
		if i+1 < len(text) && text[i+1] == c {
			b.WriteByte(c)
			i += 2
			continue
		}
		if c == '}' {
			return "", valueError("Single '}' encountered in format string")
		}
		end := fieldEnd(text, i+1)
		if end < 0 {
			if i+1 >= len(text) {
				return "", valueError("Single '{' encountered in format string")
			}
			return "", valueError("expected '}' before end of string")
		}
		s, err := f.field(text[i+1:end], depth)
		if err != nil {
			return "", err
		}
		if b.Len()+len(s) > maxText {
			return "", errTooLarge
		}
		b.WriteString(s)
		i = end + 1
		if err := f.st.spend(0); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// fieldEnd finds the brace that closes a field.
func fieldEnd(text string, i int) int {
	depth := 1
	for ; i < len(text); i++ {
		switch text[i] {
		case '{':
			depth++
		case '}':
			depth--
			if depth == 0 {
				return i
			}
		}
	}
	return -1
}

func (f *formatRun) field(field string, depth int) (string, error) {
	name, specText, conversion := field, "", ""
	bracket := false
	for i := range len(field) {
		switch field[i] {
		case '[':
			bracket = true
		case ']':
			bracket = false
		}
		if bracket || field[i] != ':' && field[i] != '!' {
			continue
		}
		name = field[:i]
		rest := field[i:]
		if rest[0] == '!' {
			if len(rest) < 2 {
				return "", valueError("end of string while looking for conversion specifier")
			}
			conversion = rest[1:2]
			rest = rest[2:]
			if rest != "" && rest[0] != ':' {
				return "", valueError("expected ':' after conversion specifier")
			}
		}
		specText = strings.TrimPrefix(rest, ":")
		break
	}
	v, err := f.value(name)
	if err != nil {
		return "", err
	}
	if v, err = f.convert(v, conversion); err != nil {
		return "", err
	}
	if specText, err = f.run(specText, depth-1); err != nil {
		return "", err
	}
	s, err := f.st.formatValue(v, specText)
	if err == nil && f.html {
		if _, ok := v.(markup); !ok {
			s = escapeHTML(s)
		}
	}
	return s, err
}

func (f *formatRun) convert(v any, conversion string) (any, error) {
	switch conversion {
	case "":
		return v, nil
	case "s":
		return f.st.str(v)
	case "r", "a":
		w := &writer{limit: maxText}
		err := w.repr(v, 0)
		return w.b.String(), err
	}
	return nil, valueError("Unknown conversion specifier " + conversion)
}

// value finds what a field's name means: an argument, then attributes and items.
func (f *formatRun) value(name string) (any, error) {
	end := strings.IndexAny(name, ".[")
	first, rest := name, ""
	if end >= 0 {
		first, rest = name[:end], name[end:]
	}
	v, err := f.argument(first)
	if err != nil {
		return nil, err
	}
	for rest != "" {
		if rest[0] == '.' {
			rest = rest[1:]
			n := strings.IndexAny(rest, ".[")
			if n < 0 {
				n = len(rest)
			}
			if n == 0 {
				return nil, valueError("Empty attribute in format string")
			}
			if v, err = f.st.attr(v, rest[:n]); err != nil {
				return nil, err
			}
			rest = rest[n:]
			continue
		}
		if rest[0] != '[' {
			return nil, valueError("Only '.' or '[' may follow ']' in format field specifier")
		}
		n := strings.IndexByte(rest, ']')
		if n < 0 {
			return nil, valueError("Missing ']' in format string")
		}
		if n == 1 {
			return nil, valueError("Empty attribute in format string")
		}
		var key any = rest[1:n]
		if i, convErr := strconv.ParseInt(rest[1:n], 10, 64); convErr == nil && i >= 0 {
			key = i
		}
		if v, err = f.st.item(v, key); err != nil {
			return nil, err
		}
		rest = rest[n+1:]
	}
	return v, nil
}

func (f *formatRun) argument(name string) (any, error) {
	i, convErr := strconv.Atoi(name)
	switch {
	case name == "":
		if f.auto < 0 {
			return nil, valueError("cannot switch from manual field specification to automatic field numbering")
		}
		i = f.auto
		f.auto++
	case convErr == nil:
		if f.auto > 0 {
			return nil, valueError("cannot switch from manual field specification to automatic field numbering")
		}
		f.auto = -1
	default:
		if v, ok := f.kw.get(textKey(name)); ok {
			return v, nil
		}
		return nil, &pyError{"KeyError", name}
	}
	if i < 0 || i >= len(f.args) {
		return nil, &pyError{"IndexError", "tuple index out of range"}
	}
	return f.args[i], nil
}
