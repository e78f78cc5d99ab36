package schedule

import (
	"encoding/json"
	"strings"
)

// Names of the three forms in the paths of errors (Prefect REST: "loc" in the answer 422).
const (
	memberInterval = "function-after[validate_timezone(), IntervalSchedule]"
	memberCron     = "function-after[validate_timezone(), CronSchedule]"
	memberRRule    = "RRuleSchedule"
)

// Error says why a schedule was refused. Like the reference it lists what is wrong with the value as an interval, as
// a cron expression and as a rule, since it cannot know which was meant.
type Error struct {
	Details []Detail
}

// Detail is one entry of the list (Prefect REST: an element of "exception_detail" in the answer 422).
type Detail struct {
	// Type is the machine-readable kind, for instance value_error or missing.
	Type string `json:"type"`
	// Loc is the path below the field that holds the schedule: the form tried, then the field.
	Loc []string `json:"loc"`
	// Msg is the text for people.
	Msg string `json:"msg"`
	// Input is the offending JSON.
	Input json.RawMessage `json:"input"`
	// Ctx holds facts about the refusal; it is omitted when there are none.
	Ctx map[string]any `json:"ctx,omitempty"`
}

// Error implements error. It shows the detail that is most likely to be about what was meant.
func (e *Error) Error() string {
	for _, d := range e.Details {
		if d.Type != "missing" && d.Type != "extra_forbidden" {
			return strings.Join(append(d.Loc[min(1, len(d.Loc)):], d.Msg), ": ")
		}
	}
	return "not an interval, cron or rrule schedule"
}

// valueError is the detail of a refusal that the reference words itself.
func valueError(loc []string, input json.RawMessage, msg string) Detail {
	return Detail{
		Type: "value_error", Loc: loc, Msg: "Value error, " + msg, Input: input,
		Ctx: map[string]any{"error": map[string]any{}},
	}
}

// quoteJSON returns the JSON string for s.
func quoteJSON(s string) json.RawMessage {
	b, err := json.Marshal(s)
	if err != nil { // no string fails to marshal
		return json.RawMessage(`""`)
	}
	return b
}
