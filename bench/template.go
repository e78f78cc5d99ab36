package main

import "strings"

// template is a text with named places.
type template []struct{ text, place string }

// parseTemplate splits a text at places of the form <name>.
func parseTemplate(text string) template {
	var t template
	for text != "" {
		before, rest, _ := strings.Cut(text, "<")
		place, after, _ := strings.Cut(rest, ">")
		t = append(t, struct{ text, place string }{before, place})
		text = after
	}
	return t
}

func (t template) fill(values map[string]string) []byte {
	out := make([]byte, 0, 2048)
	for _, part := range t {
		out = append(out, part.text...)
		out = append(out, values[part.place]...)
	}
	return out
}
