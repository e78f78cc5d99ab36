package schedule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"
)

// object is a JSON object with its keys in the order of their first mention.
type object struct {
	raw    json.RawMessage
	keys   []string
	values map[string]json.RawMessage
}

// decode tries the three forms. As each forbids what it does not know, at most one fits.
func decode(raw []byte, now time.Time) (Schedule, error) {
	raw = bytes.TrimSpace(raw)
	if !json.Valid(raw) {
		return nil, fmt.Errorf("schedule is not JSON")
	}
	if raw[0] != '{' {
		failure := &Error{}
		for _, member := range []string{memberInterval, memberCron, memberRRule} {
			failure.Details = append(failure.Details, Detail{
				Type: "model_attributes_type", Loc: []string{member},
				Msg: "Input should be a valid dictionary or object to extract fields from", Input: raw,
			})
		}
		return nil, failure
	}
	o, err := readObject(raw)
	if err != nil {
		return nil, err
	}
	failure := &Error{}
	for _, read := range []func(*form) Schedule{readInterval, readCron, readRRule} {
		f := &form{object: o, now: now}
		s := read(f)
		if len(f.details) == 0 {
			return s, nil
		}
		failure.Details = append(failure.Details, f.details...)
	}
	return nil, failure
}

func readObject(raw json.RawMessage) (object, error) {
	o := object{raw: raw, values: map[string]json.RawMessage{}}
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return o, fmt.Errorf("read schedule: %w", err)
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return o, fmt.Errorf("read schedule: %w", err)
		}
		key, _ := t.(string) // keys of a valid object are strings
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return o, fmt.Errorf("read schedule: %w", err)
		}
		if _, seen := o.values[key]; !seen {
			o.keys = append(o.keys, key)
		}
		o.values[key] = v
	}
	return o, nil
}

// form collects what is wrong with an object as one of the three.
type form struct {
	object
	member  string
	now     time.Time
	details []Detail
}

func (f *form) refuse(field, kind, msg string, ctx map[string]any) {
	f.details = append(f.details, Detail{Type: kind, Loc: []string{f.member, field}, Msg: msg, Input: f.values[field], Ctx: ctx})
}

// require returns the value of a field that must be there.
func (f *form) require(field string) (json.RawMessage, bool) {
	v, ok := f.values[field]
	if !ok {
		f.details = append(f.details, Detail{Type: "missing", Loc: []string{f.member, field}, Msg: "Field required", Input: f.raw})
	}
	return v, ok
}

// text reads a field that must be a string.
func (f *form) text(field string, v json.RawMessage) (string, bool) {
	var s string
	if v[0] != '"' || json.Unmarshal(v, &s) != nil {
		f.refuse(field, "string_type", "Input should be a valid string", nil)
		return "", false
	}
	return s, true
}

// zone reads the optional field "timezone".
func (f *form) zone() *string {
	v, ok := f.values["timezone"]
	if !ok || string(v) == "null" {
		return nil
	}
	s, ok := f.text("timezone", v)
	if !ok {
		return nil
	}
	return &s
}

// forbid refuses all other fields.
func (f *form) forbid(known ...string) {
	for _, k := range f.keys {
		if !slices.Contains(known, k) {
			f.refuse(k, "extra_forbidden", "Extra inputs are not permitted", nil)
		}
	}
}

// checkZone refuses an unknown zone. The reference looks only if nothing else is wrong, and blames the whole value.
func (f *form) checkZone(name *string) {
	if len(f.details) == 0 && name != nil && *name != "" && !knownZone(*name) {
		f.details = append(f.details, valueError([]string{f.member}, f.raw,
			fmt.Sprintf("Invalid timezone: \"%s\" (specify in IANA tzdata format, for example, America/New_York)", *name)))
	}
}

func readInterval(f *form) Schedule {
	f.member = memberInterval
	s := &Interval{Anchor: f.now.UTC().Truncate(time.Microsecond), Timezone: "UTC"}
	if v, ok := f.require("interval"); ok {
		f.length(v, s)
	}
	if v, ok := f.values["anchor_date"]; ok {
		t, err := parseAnchor(v, f.now)
		switch {
		case err != nil && v[0] == '"':
			f.details = append(f.details, valueError([]string{f.member, "anchor_date"}, v, err.Error()))
		case err != nil:
			f.refuse("anchor_date", "value_error", "value is not a valid datetime", nil)
		}
		s.Anchor = t
	}
	if name := f.zone(); name != nil {
		s.Timezone = *name
	}
	f.forbid("interval", "anchor_date", "timezone")
	f.checkZone(&s.Timezone)
	return s
}

// errNoDuration is the fault of a value that is neither a number nor a text.
var errNoDuration = errors.New("no duration")

// length reads the interval.
func (f *form) length(v json.RawMessage, s *Interval) {
	var err error
	s.Seconds, s.Micros, err = duration(v)
	if errors.Is(err, errNoDuration) {
		f.refuse("interval", "time_delta_type", "Input should be a valid timedelta", nil)
		return
	}
	if err != nil {
		f.refuse("interval", "time_delta_parsing", "Input should be a valid timedelta, "+err.Error(),
			map[string]any{"error": err.Error()})
		return
	}
	if s.Seconds < 0 || s.Seconds == 0 && s.Micros == 0 {
		f.details = append(f.details, valueError([]string{f.member, "interval"}, v, "interval must be positive"))
	}
}

// duration reads seconds as a number, or a duration as text.
func duration(v json.RawMessage) (seconds, micros int64, err error) {
	switch {
	case v[0] == '"':
		var text string
		if err := json.Unmarshal(v, &text); err != nil {
			return 0, 0, errNoDuration
		}
		return parseDuration(text)
	case string(v) == "true":
		return 1, 0, nil
	case string(v) == "false":
		return 0, 0, nil
	case v[0] == '-' || v[0] >= '0' && v[0] <= '9':
		return secondsOf(string(v))
	}
	return 0, 0, errNoDuration
}

// ParseDuration reads a length of time as the API takes it: seconds as a
// number, or ISO 8601 or a clock as text. It returns seconds, or what is wrong.
func ParseDuration(v json.RawMessage) (float64, *Detail) {
	seconds, micros, err := duration(v)
	switch {
	case errors.Is(err, errNoDuration):
		return 0, &Detail{Type: "time_delta_type", Msg: "Input should be a valid timedelta", Input: v}
	case err != nil:
		return 0, &Detail{
			Type: "time_delta_parsing", Msg: "Input should be a valid timedelta, " + err.Error(), Input: v, Ctx: map[string]any{"error": err.Error()},
		}
	}
	return float64(seconds) + float64(micros)/microsPerSecond, nil
}

func readCron(f *form) Schedule {
	f.member = memberCron
	s := &Cron{DayOr: true}
	if v, ok := f.require("cron"); ok {
		if text, ok := f.text("cron", v); ok {
			s.Expression = text
			if s.plan, ok = parseCron(text); !ok {
				f.details = append(f.details, valueError([]string{f.member, "cron"}, v, invalidCron(text)))
			}
		}
	}
	s.Timezone = f.zone()
	if v, ok := f.values["day_or"]; ok {
		s.DayOr = f.boolean("day_or", v)
	}
	f.forbid("cron", "timezone", "day_or")
	f.checkZone(s.Timezone)
	return s
}

// boolean reads what the reference takes for true or false.
func (f *form) boolean(field string, v json.RawMessage) bool {
	word := strings.ToLower(string(v))
	if word[0] == '"' {
		word, _ = f.text(field, v)
		word = strings.ToLower(word)
		switch word {
		case "true", "t", "yes", "y", "on", "1":
			return true
		case "false", "f", "no", "n", "off", "0":
			return false
		}
		f.refuse(field, "bool_parsing", "Input should be a valid boolean, unable to interpret input", nil)
		return false
	}
	if word == "true" || word == "false" {
		return word == "true"
	}
	n, err := strconv.ParseFloat(word, 64)
	switch {
	case err == nil && (n == 0 || n == 1):
		return n == 1
	case err == nil && n == float64(int64(n)):
		f.refuse(field, "bool_parsing", "Input should be a valid boolean, unable to interpret input", nil)
	default:
		f.refuse(field, "bool_type", "Input should be a valid boolean", nil)
	}
	return false
}

func readRRule(f *form) Schedule {
	f.member = memberRRule
	s := &RRule{}
	if v, ok := f.require("rrule"); ok {
		if text, ok := f.text("rrule", v); ok {
			parsed, err := newRRule(text, nil, f.now)
			if err != nil {
				f.details = append(f.details, valueError([]string{f.member, "rrule"}, v, err.Error()))
			} else {
				s = parsed
			}
		}
	}
	s.Timezone = f.zone()
	if v, given := f.values["timezone"]; !given {
		utc := "UTC"
		s.Timezone = &utc
	} else if s.Timezone != nil && !matchesZonePattern(*s.Timezone) {
		pattern := zonePattern()
		f.details = append(f.details, Detail{
			Type: "string_pattern_mismatch", Loc: []string{f.member, "timezone"},
			Msg: "String should match pattern '" + pattern + "'", Input: v, Ctx: map[string]any{"pattern": pattern},
		})
	}
	f.forbid("rrule", "timezone")
	return s
}

// MarshalJSON implements [Schedule]: {"interval": seconds, "anchor_date": time, "timezone": name}.
func (s *Interval) MarshalJSON() ([]byte, error) {
	seconds := new(big.Float).SetInt64(s.Seconds).Text('f', 0) + ".0"
	if s.Micros != 0 {
		seconds = strconv.FormatFloat(s.totalSeconds(), 'f', -1, 64)
	}
	return json.Marshal(struct {
		Interval json.RawMessage `json:"interval"`
		Anchor   string          `json:"anchor_date"`
		Timezone string          `json:"timezone"`
	}{json.RawMessage(seconds), formatAnchor(s.Anchor), s.Timezone})
}

// MarshalJSON implements [Schedule]: {"cron": expression, "timezone": name or null, "day_or": bool}.
func (s *Cron) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Cron     string  `json:"cron"`
		Timezone *string `json:"timezone"`
		DayOr    bool    `json:"day_or"`
	}{s.Expression, s.Timezone, s.DayOr})
}

// MarshalJSON implements [Schedule]: {"rrule": text, "timezone": name or null}.
func (s *RRule) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		RRule    string  `json:"rrule"`
		Timezone *string `json:"timezone"`
	}{s.Rule, s.Timezone})
}
