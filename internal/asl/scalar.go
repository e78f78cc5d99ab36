package asl

import (
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// eval gives the field's value, whatever its type.
func (s *scalar) eval(sc *scope) (any, *Failure) {
	switch {
	case s.path != nil:
		return s.path.eval(sc)
	case s.tmpl != nil:
		return s.tmpl.eval(sc, s.Field)
	}
	return s.Literal, nil
}

// query is the JSONata expression that the field is, or nil.
func (s *scalar) query() *query {
	if s.tmpl == nil {
		return nil
	}
	return s.tmpl.root.query
}

// seconds gives a duration: at least 1 for timeouts and heartbeats, else 0.
func (s *scalar) seconds(sc *scope) (int64, *Failure) {
	least := int64(0)
	if strings.HasPrefix(s.Field, "Timeout") || strings.HasPrefix(s.Field, "Heartbeat") {
		least = 1
	}
	return s.integer(sc, least)
}

// count gives a number of things, which is not negative.
func (s *scalar) count(sc *scope) (int64, *Failure) { return s.integer(sc, 0) }

// float gives a percentage.
func (s *scalar) float(sc *scope) (float64, *Failure) { return s.number(sc, 0, 100) }

// integer gives a whole number that is at least least.
func (s *scalar) integer(sc *scope, least int64) (int64, *Failure) {
	v, failure := s.lookup(sc)
	if failure != nil {
		return 0, failure
	}
	n, ok := value.Integer(v)
	if !ok && s.path != nil && s.Field == "MaxItemsPath" {
		n, ok = integerText(v)
	}
	if !ok {
		return 0, s.wrongType(v, "integer")
	}
	if n < least {
		return 0, s.tooSmall(v)
	}
	return n, nil
}

// number gives a number from least to most.
func (s *scalar) number(sc *scope, least, most float64) (float64, *Failure) {
	v, failure := s.lookup(sc)
	if failure != nil {
		return 0, failure
	}
	f, ok := value.Number(v)
	if !ok {
		return 0, s.wrongType(v, "float")
	}
	if f < least || f > most {
		return 0, s.failure("%s must be between %s and %s.", strings.TrimSuffix(s.Field, "Path"), value.String(least), value.String(most))
	}
	return f, nil
}

// text gives a string.
func (s *scalar) text(sc *scope) (string, *Failure) {
	v, failure := s.textual(sc)
	if failure != nil {
		return "", failure
	}
	t, ok := v.(string)
	if !ok {
		return "", s.wrongType(v, "string")
	}
	return t, nil
}

func (s *scalar) textual(sc *scope) (any, *Failure) {
	if s.path != nil {
		return s.path.evalNamed(sc, s.Field)
	}
	return s.eval(sc)
}

// time gives a moment.
func (s *scalar) time(sc *scope) (time.Time, *Failure) {
	v, failure := s.lookup(sc)
	if failure != nil {
		return time.Time{}, failure
	}
	t, isText := v.(string)
	if !isText && s.query() != nil {
		return time.Time{}, s.query().unexpected(s.Field, "string", v)
	}
	at, ok := parseTimestamp(t)
	switch {
	case isText && ok:
		return at, nil
	case s.path != nil:
		return at, s.failure("The %s parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s",
			s.Field, s.path.Text, rawText(v))
	}
	return at, s.failure("The %s field cannot be parsed as an ISO-8601 extended offset date-time format string: %s", s.Field, rawText(v))
}

// lookup is eval with the words that Wait has for a path that finds nothing.
func (s *scalar) lookup(sc *scope) (any, *Failure) {
	v, failure := s.eval(sc)
	if failure != nil && s.path != nil && s.ofWait() {
		return nil, runtimeFailure("The %s parameter does not reference an input value: %s", s.Field, s.path.Text)
	}
	return v, failure
}

func (s *scalar) ofWait() bool { return s.Field == "SecondsPath" || s.Field == "TimestampPath" }

func (s *scalar) wrongType(v any, want string) *Failure {
	switch {
	case s.query() != nil:
		if want == "float" {
			want = "number"
		}
		return s.query().unexpected(s.Field, want, v)
	case s.path == nil:
		return s.failure("The %s field cannot be parsed as a %s value: %s", s.Field, want, rawText(v))
	case strings.Contains(s.Field, "Seconds"):
		return s.failure("The %s parameter cannot be parsed as a long value: %s == %s", s.Field, s.path.Text, rawText(v))
	case want == "string":
		return s.failure("The %s field refers to value \"%s\" which is not a valid string: %s", s.Field, rawText(v), s.path.Text)
	}
	return s.failure("The %s field refers to value \"%s\" which is not a valid %s: %s", s.Field, rawText(v), want, s.path.Text)
}

func (s *scalar) tooSmall(v any) *Failure {
	switch {
	case s.path != nil && strings.Contains(s.Field, "Seconds"):
		return s.failure("The %s parameter references a negative value: %s == %s", s.Field, s.path.Text, rawText(v))
	case strings.HasPrefix(s.Field, "MaxConcurrency"):
		return s.failure("Expected non-negative integer for MaxConcurrency, got '%s' instead.", rawText(v))
	case strings.HasPrefix(s.Field, "MaxItems"):
		return &Failure{Error: errItemReader, Cause: "field MaxItems must be positive"}
	case strings.HasPrefix(s.Field, "Tolerated"):
		return s.failure("%s cannot be negative.", strings.TrimSuffix(s.Field, "Path"))
	}
	return s.failure("The %s field must not be less than it may be: %s", s.Field, rawText(v))
}

// failure is one of the kind that the field's language has.
func (s *scalar) failure(format string, args ...any) *Failure {
	f := runtimeFailure(format, args...)
	if s.query() != nil {
		f.Error, f.Location = errQueryEvaluation, s.Field
	}
	return f
}

// rawText is a string as it is and any other value as JSON.
func rawText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return value.String(v)
}

func integerText(v any) (int64, bool) {
	t, ok := v.(string)
	if !ok {
		return 0, false
	}

	n, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64)
	return n, err == nil
}

// parseTimestamp reads the profile of ISO 8601 that the States Language has:
// seconds and an offset are there, T and Z are capitals.
func parseTimestamp(s string) (time.Time, bool) {
	if len(s) < 20 || s[10] != 'T' || strings.ContainsAny(s, "tz,") {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t, err == nil
}
