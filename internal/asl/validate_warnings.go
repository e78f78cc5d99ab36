package asl

import (
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

// The codes of warnings.
const (
	CodeNoDollar     = "NO_DOLLAR"
	CodeStaticResult = "PASS_RESULT_IS_STATIC"
)

// warn adds a warning where they are asked for.
func (p *parser) warn(code, location, message string) {
	if !p.options.Warnings || len(p.diagnostics) >= maxDiagnostics {
		return
	}
	p.diagnostics = append(p.diagnostics, Diagnostic{Severity: SeverityWarning, Code: code, Message: message, Location: location})
}

// suspicious warns of what a JSONPath state takes as it is although it looks
// like something to evaluate.
func (p *parser) suspicious(s *State, f *fields) {
	if !p.options.Warnings || s.Language != JSONPath {
		return
	}
	for _, name := range []string{"Parameters", "ResultSelector", "ItemSelector", "Assign"} {
		if raw, ok := f.o.Get(name); ok {
			eachField(raw, f.at+"/"+name, 0, func(key string, v any, at string) {
				text, isText := v.(string)
				if isText && !strings.HasSuffix(key, ".$") && looksEvaluated(text) {
					p.warn(CodeNoDollar, at, "No .$ on a field that appears to be a JSONPath or Intrinsic Function")
				}
			})
		}
	}
	if s.Type != Pass {
		return
	}
	eachField(s.Result, f.at+"/Result", 0, func(key string, v any, at string) {
		text, isText := v.(string)
		if isText && (strings.HasSuffix(key, ".$") || looksEvaluated(text)) {
			p.warn(CodeStaticResult, at, "Attempted to use a path in the result of a Pass state")
		}
	})
}

// eachField yields the fields of all objects in a value.
func eachField(v any, at string, depth int, yield func(key string, v any, at string)) {
	if depth > maxTemplateDepth {
		return
	}
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			eachField(e, at+"["+strconv.Itoa(i)+"]", depth+1, yield)
		}
	case *value.Object:
		for k, e := range v.All() {
			below := at + "/" + k
			yield(k, e, below)
			eachField(e, below, depth+1, yield)
		}
	}
}

func looksEvaluated(text string) bool {
	if strings.HasPrefix(text, intrinsicPrefix) {
		_, err := parseIntrinsic(text)
		return err == nil
	}
	if !strings.HasPrefix(text, "$.") && !strings.HasPrefix(text, "$[") && !strings.HasPrefix(text, "$$.") {
		return false
	}
	_, err := parsePath(text)
	return err == nil
}
