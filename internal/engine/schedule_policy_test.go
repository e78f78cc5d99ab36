package engine

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
)

// live reads runs as "running-60 waiting-5 waiting+5": a state and the time that
// they were due, in seconds before (-) or after now.
func live(t *testing.T, text string, now time.Time) []core.ScheduleRun {
	t.Helper()
	states := map[string]core.ScheduleRun{
		"waiting": {Type: core.Scheduled}, "retrying": {Type: core.Scheduled, Started: true}, "pending": {Type: core.Pending},
		"running": {Type: core.Running, Started: true}, "paused": {Type: core.Paused, Started: true}, "cancelling": {Type: core.Cancelling, Started: true},
	}
	var runs []core.ScheduleRun
	for i, word := range strings.Fields(text) {
		at := strings.IndexAny(word, "+-")
		var seconds int
		if _, err := fmt.Sscan(word[at:], &seconds); err != nil {
			t.Fatal(err)
		}
		r, ok := states[word[:at]]
		if !ok {
			t.Fatalf("no state is named %q", word[:at])
		}
		r.ID, r.Due = core.NewID(now.Add(time.Duration(i)*time.Second)), now.Add(time.Duration(seconds)*time.Second)
		runs = append(runs, r)
	}
	return runs
}

func TestRuleSchedule(t *testing.T) {
	t.Parallel()
	minute, one, two := time.Minute, 1, 2
	window := core.SchedulePolicy{CatchupWindow: &minute}
	skip, buffer, other := core.SchedulePolicy{Overlap: core.OverlapSkip}, core.SchedulePolicy{Overlap: core.OverlapBufferOne}, core.SchedulePolicy{Overlap: core.OverlapCancelOther}
	atMost := func(n int) core.SchedulePolicy { return core.SchedulePolicy{MaxWaiting: &n} }
	verdicts := map[Verdict]string{Leave: "leave", Start: "start", Hold: "hold", Skip: "skip", CancelRun: "cancel"}
	for _, tt := range []struct {
		name   string
		policy core.SchedulePolicy
		live   string
		want   string
	}{
		{"without a policy all may start, however late", core.SchedulePolicy{}, "running-9999 waiting-999 waiting-1 waiting+5", "leave start start start"},
		{"allow is no policy", core.SchedulePolicy{Overlap: core.OverlapAllow}, "running-9 waiting-1 waiting+5", "leave start start"},

		{"a run may start until its catch-up window ends", window, "waiting-60", "start"},
		{"and not after", window, "waiting-61", "skip"},
		{"after an outage only those within the window start", window, "waiting-180 waiting-120 waiting-59 waiting-1", "skip skip start start"},
		{"the window does not end a run that was taken", window, "pending-100 running-200 paused-300 retrying-400", "leave leave leave leave"},
		{"nor one that is not due", window, "waiting+600", "start"},

		{"skip: the next run is skipped while the former runs", skip, "running-60 waiting-0", "leave skip"},
		{"while it is pending", skip, "pending-60 waiting-0", "leave skip"},
		{"while it is paused", skip, "paused-60 waiting-0", "leave skip"},
		{"while it is being cancelled", skip, "cancelling-60 waiting-0", "leave skip"},
		{"while it waits for its retry", skip, "retrying-60 waiting-0", "leave skip"},
		{"while it is due and nobody took it", skip, "waiting-60 waiting-0", "start skip"},
		{"skip: a run that is not due yet is held while the former runs", skip, "running-60 waiting+5", "leave hold"},
		{"skip: the first of those ahead may be taken early, the second not", skip, "waiting+2 waiting+4", "start hold"},
		{"skip: a run that is alone starts", skip, "waiting-1", "start"},

		{"buffer_one: one waits for the former to end, others are skipped", buffer, "running-90 waiting-60 waiting-30 waiting-0", "leave hold skip skip"},
		{"buffer_one: one waits behind one that nobody took yet", buffer, "waiting-60 waiting-30 waiting-0", "start hold skip"},
		{"buffer_one: the one that waited starts when the former has ended", buffer, "waiting-60", "start"},
		{"buffer_one: one that is not due is no second one that waits", buffer, "running-60 waiting-30 waiting+5", "leave hold hold"},

		{"cancel_other: the former makes way and the next waits for its end", other, "running-60 waiting-0", "cancel hold"},
		{"a former that is being cancelled already is left to it", other, "cancelling-60 waiting-0", "leave hold"},
		{"one that is pending, paused or to be retried makes way as well", other, "pending-90 paused-60 retrying-30 waiting-0", "cancel cancel cancel hold"},
		{"cancel_other: of those that wait only the last starts", other, "waiting-60 waiting-30 waiting-0", "skip skip start"},
		{"cancel_other: nothing happens before the next is due", other, "running-60 waiting+5", "leave hold"},
		{"cancel_other: a later one that was started early is no other", other, "waiting-60 running-0", "hold leave"},

		{"of too many that wait the newest stay", atMost(two), "waiting-90 waiting-60 waiting-30 waiting-0", "skip skip start start"},
		{"those that run or are not due do not count", atMost(one), "running-90 waiting-60 waiting+30", "leave start start"},
		{
			"the window goes before the overlap",
			core.SchedulePolicy{CatchupWindow: &minute, Overlap: core.OverlapSkip},
			"waiting-90 waiting-30 waiting-0", "skip start skip",
		},
		{
			"and the overlap before the number",
			core.SchedulePolicy{MaxWaiting: &one, Overlap: core.OverlapBufferOne},
			"waiting-90 waiting-30 waiting-0", "skip start skip",
		},
		{"the order in which runs were read does not matter", skip, "waiting-0 waiting-60", "start skip"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
			var got []string
			for _, r := range RuleSchedule(tt.policy, now, live(t, tt.live, now)) {
				got = append(got, verdicts[r.Verdict])
				if (r.Reason == "") != (r.Verdict == Start || r.Verdict == Leave) {
					t.Errorf("verdict %s with reason %q", verdicts[r.Verdict], r.Reason)
				}
			}
			if diff := cmp.Diff(strings.Fields(tt.want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
