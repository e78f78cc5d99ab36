package schedule

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fixture reads a file that testdata/generate.py wrote. LEAT_SCHEDULE_FIXTURES names another folder, for longer runs
// than the repository keeps.
func fixture[T any](t *testing.T, name string) []T {
	t.Helper()
	dir := os.Getenv("LEAT_SCHEDULE_FIXTURES")
	if dir == "" {
		dir = "testdata"
	}
	raw, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	var cases []T
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestDatesAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	cases := fixture[struct {
		Schedule json.RawMessage
		From     int64
		To       *int64
		Max      int
		Want     []int64
		Error    string
	}](t, "dates.json")
	agreed := 0
	for _, tt := range cases {
		s, err := Load(tt.Schedule)
		if err != nil && tt.Error == "ValidationError" {
			agreed++
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.Schedule, err)
			continue
		}
		from, to := time.UnixMicro(tt.From), time.Time{}
		if tt.To != nil {
			to = time.UnixMicro(*tt.To)
		}
		dates, err := s.Dates(from, to, tt.Max)
		if tt.Error != "" {
			// The reference answers none of the dates it found before it failed.
			if err == nil {
				t.Errorf("%s from %s: got no error, want one for %s", tt.Schedule, from.UTC(), tt.Error)
			} else {
				agreed++
			}
			continue
		}
		if err != nil && !errors.Is(err, ErrNeverDue) {
			t.Errorf("%s from %s: %v", tt.Schedule, from.UTC(), err)
			continue
		}
		var got, want []int64
		for _, d := range dates {
			got = append(got, d.UnixMicro())
		}
		// In a repeated hour the reference may answer instants outside the window; Dates never does.
		for _, w := range tt.Want {
			if w >= tt.From && (tt.To == nil || w <= *tt.To) {
				want = append(want, w)
			}
		}
		if len(want) < len(tt.Want) && len(got) > len(want) {
			got = got[:len(want)]
		}
		if bytes.Contains(tt.Schedule, []byte("rrule")) {
			want, got = before2038(want), before2038(got)
		}
		if diff := cmp.Diff(utc(want), utc(got)); diff != "" {
			t.Errorf("%s from %s (-want +got):\n%s", tt.Schedule, from.UTC(), diff)
			continue
		}
		agreed++
	}
	t.Logf("%d of %d agree", agreed, len(cases))
	if len(cases) < 1000 {
		t.Errorf("only %d cases", len(cases))
	}
}

// before2038 leaves out what the reference's zones for rules do not know: they end with 2037, and no summer follows.
func before2038(micros []int64) []int64 {
	limit := time.Date(2038, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	return slices.DeleteFunc(micros, func(m int64) bool { return m >= limit })
}

func utc(micros []int64) []string {
	var out []string
	for _, m := range micros {
		out = append(out, time.UnixMicro(m).UTC().Format(time.RFC3339Nano))
	}
	return out
}

func TestWireFormIsThatOfTheReference(t *testing.T) {
	t.Parallel()
	for _, tt := range fixture[struct {
		Schedule json.RawMessage
		Now      int64
		Stored   map[string]any
		Refused  []any
	}](t, "wire.json") {
		now := time.UnixMicro(tt.Now).UTC()
		s, err := Parse(tt.Schedule, now)
		if err != nil {
			failure, ok := errors.AsType[*Error](err)
			if !ok {
				t.Errorf("%s: %v is no *Error", tt.Schedule, err)
				continue
			}
			if diff := cmp.Diff(tt.Refused, zonesFolded(t, failure.Details)); diff != "" {
				t.Errorf("%.200s: refusal (-want +got):\n%s", tt.Schedule, diff)
			}
			continue
		}
		if tt.Stored["anchor_date"] == "now" {
			tt.Stored["anchor_date"] = formatAnchor(now)
		}
		got := generic[map[string]any](t, s)
		if diff := cmp.Diff(tt.Stored, got); diff != "" {
			t.Errorf("%.200s: stored form (-want +got):\n%s", tt.Schedule, diff)
			continue
		}
		raw, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Load(raw)
		if err != nil {
			t.Errorf("%s: load of the stored form: %v", raw, err)
			continue
		}
		if diff := cmp.Diff(got, generic[map[string]any](t, again)); diff != "" {
			t.Errorf("%s: stored form after load (-want +got):\n%s", raw, diff)
		}
	}
}

// zonesFolded is generic with the pattern of all zones made short, as the fixture has it.
func zonesFolded(t *testing.T, details []Detail) []any {
	t.Helper()
	for i, d := range details {
		details[i].Msg = strings.ReplaceAll(d.Msg, zonePattern(), "{zones}")
		if d.Ctx["pattern"] == zonePattern() {
			details[i].Ctx = map[string]any{"pattern": "{zones}"}
		}
	}
	return generic[[]any](t, details)
}

// generic turns a value into what its JSON is.
func generic[T any](t *testing.T, v any) T {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out T
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestCronSyntaxIsThatOfTheReference(t *testing.T) {
	t.Parallel()
	for _, tt := range fixture[struct {
		Cron string
		Ok   bool
	}](t, "syntax.json") {
		if _, ok := parseCron(tt.Cron); ok != tt.Ok {
			t.Errorf("%q: accepted %v, want %v", tt.Cron, ok, tt.Ok)
		}
	}
}

func TestRandomCronFieldsAreRefused(t *testing.T) {
	t.Parallel()
	for _, expression := range []string{"r/5 * * * *", "R(0-9) * * * *", "R * * * *", "h * * * *"} {
		if _, err := NewCron(expression, nil, true); err == nil {
			t.Errorf("%q is accepted", expression)
		}
	}
}

func TestDatesKeepTheirPromises(t *testing.T) {
	t.Parallel()
	from := time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, raw string
		from, to  time.Time
		max, want int
		err       error
	}{
		{"one date without max and end", `{"cron":"* * * * *"}`, from, time.Time{}, 0, 1, nil},
		{"all dates up to the end without max", `{"cron":"* * * * *"}`, from, from.Add(time.Hour), 0, 61, nil},
		{"at most a thousand without max", `{"interval":1}`, from, from.Add(24 * time.Hour), 0, 1000, nil},
		{"at most 1,002 whatever max", `{"interval":1}`, from, time.Time{}, 5000, 1002, nil},
		{"both ends belong to the window", `{"interval":60,"anchor_date":"2020-01-01T00:00:00Z"}`, from, from.Add(time.Minute), 9, 2, nil},
		{"30 February never comes", `{"cron":"0 0 30 2 *"}`, from, time.Time{}, 3, 0, ErrNeverDue},
		{"a year list runs out", `{"cron":"0 0 1 1 * 0 2027-2028"}`, from, time.Time{}, 9, 2, ErrNeverDue},
		{"a rule matches nothing", `{"rrule":"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}`, from, time.Time{}, 3, 0, ErrNeverDue},
		{"a rule by the second matches nothing", `{"rrule":"FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30"}`, from, time.Time{}, 3, 0, ErrNeverDue},
		{"a rule by the second and hour matches nothing", `{"rrule":"FREQ=SECONDLY;BYHOUR=9;BYMONTH=2;BYMONTHDAY=30"}`, from, time.Time{}, 3, 0, ErrNeverDue},
		{"a rule by the second is due on few days", `{"rrule":"FREQ=SECONDLY;BYHOUR=23;BYMONTH=2;BYMONTHDAY=29"}`, from, time.Time{}, 3, 3, nil},
		{"a rule picks a position that no second has", `{"rrule":"FREQ=SECONDLY;BYHOUR=9;BYSETPOS=-366"}`, from, time.Time{}, 3, 0, ErrNeverDue},
		{"a rule leads out of the year", `{"rrule":"FREQ=YEARLY;BYEASTER=400"}`, from, time.Time{}, 3, 0, ErrUnusable},
		{"a rule has ended", `{"rrule":"FREQ=DAILY;UNTIL=20250101"}`, from, time.Time{}, 3, 0, ErrNeverDue},
		{"a rule excludes itself", `{"rrule":"RRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY"}`, from, time.Time{}, 3, 0, ErrNeverDue},
		{"a rule does not step", `{"rrule":"FREQ=DAILY;INTERVAL=0"}`, from, time.Time{}, 3, 0, ErrUnusable},
		{"a rule never meets its hours", `{"rrule":"FREQ=MINUTELY;INTERVAL=1440;BYHOUR=3"}`, from, time.Time{}, 3, 0, ErrUnusable},
		{"a zone is not one", `{"rrule":"FREQ=DAILY","timezone":"xxUTCyy"}`, from, time.Time{}, 3, 0, ErrUnusable},
		{"an interval outlasts the calendar", `{"interval":86399999913600}`, from, time.Time{}, 3, 0, ErrUnusable},
		{"a rule by the second from long ago", `{"rrule":"DTSTART:19700101T000000\nFREQ=SECONDLY;INTERVAL=7"}`, from, time.Time{}, 3, 3, nil},
		{"a counted rule by the second from long ago", `{"rrule":"DTSTART:19700101T000000\nFREQ=SECONDLY;COUNT=9000000000"}`, from, time.Time{}, 3, 3, nil},
		{"a short interval from long ago", `{"interval":0.001,"anchor_date":"0001-01-01T00:00:00Z"}`, from, time.Time{}, 3, 3, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := Load([]byte(tt.raw))
			if err != nil {
				t.Fatal(err)
			}
			dates, err := s.Dates(tt.from, tt.to, tt.max)
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if len(dates) != tt.want {
				t.Errorf("%d dates, want %d", len(dates), tt.want)
			}
			checkDates(t, dates, tt.from, tt.to)
		})
	}
}

// checkDates checks order and window.
func checkDates(t *testing.T, dates []time.Time, from, to time.Time) {
	t.Helper()
	for i, d := range dates {
		if d.Before(from) || !to.IsZero() && d.After(to) || i > 0 && !d.After(dates[i-1]) {
			t.Fatalf("date %d, %s, is out of order or outside %s to %s", i, d, from, to)
		}
	}
}

func TestErrorTextNamesTheField(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"cron":"bad"}`:   "cron: Value error, Invalid cron string: \"bad\"",
		`{"interval":0}`:   "interval: Value error, interval must be positive",
		`{"something": 1}`: "not an interval, cron or rrule schedule",
	} {
		if _, err := Parse([]byte(raw), time.Unix(0, 0)); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", raw, err, want)
		}
	}
	if _, err := Parse([]byte("{"), time.Unix(0, 0)); err == nil || !strings.Contains(err.Error(), "not JSON") {
		t.Errorf("broken JSON: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"interval":3600}`, `{"interval":"P1DT2H","anchor_date":"2020-01-01T00:00:00+05:30","timezone":"Europe/Berlin"}`,
		`{"cron":"*/5 22-4/2 l * 5#2","timezone":"America/New_York","day_or":false}`, `{"cron":"0 0 1 1 * 0 2027"}`,
		`{"rrule":"DTSTART:20200101T000000\nRRULE:FREQ=WEEKLY;BYDAY=MO,-1FR;WKST=SU\nEXDATE:20200106T000000"}`,
		`{"rrule":"FREQ=MINUTELY;INTERVAL=7;BYHOUR=1;BYSETPOS=-1"}`, `{"cron":"@hourly","x":1}`, `[]`, `null`, `{"interval":-1}`,
	} {
		f.Add([]byte(seed))
	}
	now := time.Date(2026, 11, 1, 4, 59, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Parse(raw, now)
		if err != nil {
			if failure, ok := errors.AsType[*Error](err); ok && len(failure.Details) == 0 {
				t.Fatal("refused without a reason")
			}
			return
		}
		wire, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Load(wire); err != nil {
			t.Fatalf("stored form %s is refused: %v", wire, err)
		}
		dates, _ := s.Dates(now, time.Time{}, 3) // an error is a fair answer
		checkDates(t, dates, now, time.Time{})
	})
}

func BenchmarkDates(b *testing.B) {
	from := time.Date(2026, 11, 1, 4, 59, 0, 0, time.UTC)
	for name, raw := range map[string]string{
		"interval": `{"interval":60,"anchor_date":"2001-01-01T00:00:00Z","timezone":"Europe/Berlin"}`,
		"cron":     `{"cron":"*/5 * * * *","timezone":"Europe/Berlin"}`,
		"yearly":   `{"cron":"0 0 29 2 *","timezone":"Europe/Berlin"}`,
		"never":    `{"cron":"0 0 30 2 *"}`,
		"rrule":    `{"rrule":"DTSTART:20000101T000000\nFREQ=WEEKLY;BYDAY=MO,FR","timezone":"Europe/Berlin"}`,
		"secondly": `{"rrule":"DTSTART:19700101T000000\nFREQ=SECONDLY;INTERVAL=7"}`,
		"nothing":  `{"rrule":"FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}`,
	} {
		b.Run(name, func(b *testing.B) {
			s, err := Load([]byte(raw))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				_, _ = s.Dates(from, time.Time{}, 20) // the error of "never" is beside the point
			}
		})
	}
}
