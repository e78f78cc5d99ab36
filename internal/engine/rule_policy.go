package engine

import "github.com/leat-dev/leat/internal/core"

// keepPolicy lets nobody take a run that its schedule's policy skips or holds
// back. Polls do not offer such runs; this is for those who were offered one
// before, and for those who never asked.
func keepPolicy(t *transition) {
	r := t.facts.Schedule
	if r == nil {
		return
	}
	switch r.Verdict {
	case Skip:
		s := t.fresh(core.Cancelled, r.Reason)
		s.Name = core.NameSkipped
		t.replace(s, r.Reason)
	case Hold:
		t.abort(r.Reason)
	case Leave, Start, CancelRun:
	}
}
