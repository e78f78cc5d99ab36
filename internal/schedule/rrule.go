package schedule

import (
	"fmt"
	"strings"
	"time"
)

// maxRRuleLength is the longest text of a rule, in characters.
const maxRRuleLength = 6500

// RRule is due at the instants of an iCalendar recurrence (wire form: {"rrule": text, "timezone": name or null}). The
// text is one rule or several lines of RRULE, EXRULE, RDATE, EXDATE and DTSTART.
//
// All its times are read on the wall clock of Timezone: an offset, Z or TZID in the text is accepted and ignored. What
// the clock skips is due as long before the gap as it lies in it (after it, if standard time begins there), what the
// clock repeats is due the first time only.
type RRule struct {
	// Rule is the text.
	Rule string
	// Timezone is the IANA name of the zone. The reference accepts nil but then cannot evaluate the schedule; here it
	// means UTC.
	Timezone *string

	set ruleSet
}

// ruleSet is a parsed text. Its times are wall clocks labelled UTC.
type ruleSet struct {
	start   *dateValue
	rules   []rule
	exrules []rule
	dates   []time.Time
	exdates []time.Time
	several bool // more than a single rule
}

// anchored returns the schedule with a DTSTART in its text. Rules by the minute or second begin at a recent instant
// of the same phase, so that evaluating them is cheap; all others at the beginning of 2020.
func (s *RRule) anchored(now time.Time) (*RRule, error) {
	if strings.Contains(strings.ToUpper(s.Rule), "DTSTART") {
		return s, nil
	}
	for _, r := range append(s.set.rules, s.set.exrules...) {
		if r.until != nil && r.until.aware {
			// The reference cannot join these to an anchor without offset and leaves the text as it is.
			return s, nil
		}
	}
	begin := defaultAnchor()
	if !s.set.several && len(s.set.rules) == 1 {
		r := s.set.rules[0]
		period := int64(r.interval)
		if r.freq == freqMinutely {
			period *= 60
		}
		if r.count == nil && period > 0 && (r.freq == freqMinutely || r.freq == freqSecondly) {
			wall := momentAt(now, s.wallZone()).wall
			if elapsed := wall.Unix() - begin.Unix(); elapsed > 0 {
				begin = time.Unix(begin.Unix()+elapsed/period*period, 0).UTC()
			}
		}
	}
	text := "DTSTART:" + begin.Format("20060102T150405") + "\n" + s.Rule
	set, err := parseRuleSet(text, now)
	if err != nil {
		return nil, rruleError(text, err)
	}
	return &RRule{Rule: text, Timezone: s.Timezone, set: set}, nil
}

// wallZone is the zone for choosing an anchor; where the zone is unknown any will do.
func (s *RRule) wallZone() *time.Location {
	if s.Timezone != nil {
		if loc, err := location(*s.Timezone); err == nil {
			return loc
		}
	}
	return time.UTC
}

// newRRule parses and checks the text of a rule.
func newRRule(text string, timezone *string, now time.Time) (*RRule, error) {
	set, err := parseRuleSet(text, now)
	if err != nil {
		return nil, fmt.Errorf("Invalid RRule string \"%s\": %w", text, err)
	}
	if n := len([]rune(text)); n > maxRRuleLength {
		return nil, fmt.Errorf("Invalid RRule string \"%s...\"\nMax length is %d, got %d",
			string([]rune(text)[:40]), maxRRuleLength, n)
	}
	return &RRule{Rule: text, Timezone: timezone, set: set}, nil
}

func rruleError(text string, err error) *Error {
	msg := fmt.Sprintf("Invalid RRule string \"%s\": %s", text, err)
	return &Error{Details: []Detail{valueError([]string{memberRRule, "rrule"}, quoteJSON(text), msg)}}
}

// Dates implements [Schedule]. Rules that cannot be jumped into (those with COUNT and a filter) are walked from
// their beginning.
func (s *RRule) Dates(from, to time.Time, limit int) ([]time.Time, error) {
	name := ""
	if s.Timezone != nil {
		name = *s.Timezone
	}
	loc, err := location(name)
	if err != nil {
		return nil, err
	}
	w := newWindow(from, to, limit)
	// No wall clock before this shows an instant of the window.
	lowest := w.from.UTC().Add(min(offsetAt(w.from, loc),
		offsetAt(w.from.Add(-24*time.Hour), loc), offsetAt(w.from.Add(24*time.Hour), loc)))
	walk, err := s.set.walk(lowest)
	if err != nil {
		return nil, err
	}
	next := func() (moment, error) {
		for {
			wall, err := walk()
			if err != nil {
				return moment{}, err
			}
			m := resolveRule(wall, loc)
			if !m.at.Before(w.from) {
				return m, nil
			}
		}
	}
	return w.collect(next, func(m moment) bool { return m.at.After(w.to) })
}

// resolveRule is resolve as the reference's library for rules has it: a skipped time moves back if summer time begins
// in the gap, but forward if standard time does (Morocco after Ramadan, Ireland).
func resolveRule(wall time.Time, loc *time.Location) moment {
	before, after := offsetsAround(wall, loc)
	if before < after && !wall.Add(24*time.Hour).In(loc).IsDST() {
		return resolve(wall, loc, second)
	}
	return resolve(wall, loc, first)
}
