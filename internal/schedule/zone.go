package schedule

import (
	_ "embed"
	"slices"
	"strings"
	"time"
)

// zonesText lists the zones that the reference accepts, one per line in byte order. The order matters: the refusal of
// a rule's zone quotes the list.
//
//go:embed zones.txt
var zonesText string

// zoneNames returns the accepted names, sorted.
func zoneNames() []string { return strings.Fields(zonesText) }

// knownZone tells whether an interval or cron schedule may name the zone.
func knownZone(name string) bool {
	_, ok := slices.BinarySearch(zoneNames(), name)
	return ok
}

// zonePattern is the regular expression that the reference demands of a rule's zone. It is not anchored: any text
// that has a zone's name in it passes.
func zonePattern() string {
	names := slices.DeleteFunc(zoneNames(), func(n string) bool { return n == "localtime" })
	return strings.Join(names, "|")
}

// matchesZonePattern tells whether zonePattern matches somewhere in name.
func matchesZonePattern(name string) bool {
	return slices.ContainsFunc(zoneNames(), func(n string) bool { return n != "localtime" && strings.Contains(name, n) })
}

// location loads the zone; no name is UTC.
func location(name string) (*time.Location, error) {
	if name == "" {
		return time.UTC, nil
	}
	loc, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, unusable("unknown zone %q", name)
	}
	return loc, nil
}

// moment is an instant with what a wall clock in the schedule's zone shows then. The wall clock is a time labelled
// UTC, so that arithmetic on it never meets a transition.
type moment struct {
	wall time.Time
	at   time.Time
}

// momentAt reads the wall clock in loc at t.
func momentAt(t time.Time, loc *time.Location) moment {
	t = t.In(loc)
	_, offset := t.Zone()
	return moment{wall: t.UTC().Add(time.Duration(offset) * time.Second), at: t}
}

// occurrence picks one of the two instants that a wall clock shows twice, and the direction in which a wall clock
// that is never shown is moved.
type occurrence int

const (
	first  occurrence = iota // the earlier instant; a skipped time moves back by the width of the gap
	second                   // the later instant; a skipped time moves forward by the width of the gap
)

// resolve finds the instant at which a wall clock in loc shows wall.
func resolve(wall time.Time, loc *time.Location, o occurrence) moment {
	before, after := offsetsAround(wall, loc)
	switch {
	case before < after && o == second:
		// Skipped: the offset before the transition, read by the clock after it.
		return momentAt(wall.Add(-before), loc)
	case before < after, o == second:
		return momentAt(wall.Add(-after), loc)
	default:
		return momentAt(wall.Add(-before), loc)
	}
}

// offsetsAround returns the offset that applies to wall if it is shown once. For a repeated time it returns the
// offsets of the first and second showing (the former is larger), for a skipped time those before and after the gap
// (the former is smaller).
func offsetsAround(wall time.Time, loc *time.Location) (before, after time.Duration) {
	before, after = offsetAt(wall.Add(-24*time.Hour), loc), offsetAt(wall.Add(24*time.Hour), loc)
	if before == after {
		return before, after
	}
	shownBefore := offsetAt(wall.Add(-before), loc) == before
	shownAfter := offsetAt(wall.Add(-after), loc) == after
	switch {
	case shownBefore && !shownAfter:
		return before, before
	case shownAfter && !shownBefore:
		return after, after
	}
	return before, after
}

func offsetAt(t time.Time, loc *time.Location) time.Duration {
	_, s := t.In(loc).Zone()
	return time.Duration(s) * time.Second
}
