package asl

import (
	"testing"
	"time"
)

func TestALoopWithoutEndStopsAtTheLastEvent(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{5, 10, 11, 12, 13, 1500} {
		m, ds := Parse([]byte(`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"}}}`), Options{})
		if m == nil {
			t.Fatal(DefinitionError(ds))
		}
		x := New(m, Info{Limits: Limits{Events: limit}})
		res := x.Step(time.Unix(0, 0), Input{Kind: InputStart})
		events := res.Events
		for res.More {
			res = x.Step(time.Unix(0, 0))
			events = append(events, res.Events...)
		}
		last := events[len(events)-1]
		if int64(len(events)) != limit || last.ID != limit || last.Type != EventExecutionFailed || x.Events() != limit || x.Status() != Failed {
			t.Errorf("limit %d: %d events, the last is %s %d; %s", limit, len(events), last.Type, last.ID, x.Status())
		}
		for i, e := range events {
			if e.ID != int64(i+1) {
				t.Fatalf("limit %d: event %d has id %d", limit, i+1, e.ID)
			}
		}
	}
}
