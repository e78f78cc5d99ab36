package differential

import (
	"context"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// defaultTime is how long the comparison goes on unless
// LEAT_TEST_DIFFERENTIAL_TIME says otherwise.
const defaultTime = 45 * time.Second

// defaultSequences is how many sequences are made at most unless a time is
// asked for: the same ones everywhere, so that a fast machine finds nothing new
// in the middle of a change.
const defaultSequences = 120

// pair is both servers and what was found between them.
type pair struct {
	reference, leat *server
	began, end      time.Time
	calls           int
	found           map[string]*finding
	times           map[string]int
}

func TestLeatAnswersAsTheReferenceDoes(t *testing.T) {
	t.Parallel()
	python := os.Getenv("LEAT_TEST_PYTHON")
	if python == "" {
		t.Skip("LEAT_TEST_PYTHON is not set: set it to a python that has prefect 3.8.8")
	}
	length, seed, most := settings(t)
	p := &pair{leat: startLeat(t), reference: startReference(t, python), began: time.Now().UTC().Truncate(time.Second)}
	p.found, p.times = map[string]*finding{}, map[string]int{}
	text, err := p.reference.send(t.Context(), request{method: "GET", path: "/openapi.json"})
	if err != nil {
		t.Fatal(err)
	}
	d := readDocument(t, text.body)
	sequences := 0
	p.end = time.Now().Add(length)
	for ; time.Now().Before(p.end) && sequences < most; seed++ {
		sequences++
		p.look(t, generate(d, seed))
	}
	for _, s := range slices.Sorted(maps.Keys(p.found)) {
		t.Errorf("%s (%d times)\n%s", s, p.times[s], p.found[s].report())
	}
	t.Logf("%d sequences, %d calls to each server, next seed %d", sequences, p.calls, seed)
}

func settings(t *testing.T) (length time.Duration, seed uint64, most int) {
	t.Helper()
	length, seed, most = defaultTime, 1, defaultSequences
	var err error
	if s := os.Getenv("LEAT_TEST_DIFFERENTIAL_TIME"); s != "" {
		most = math.MaxInt
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := os.Getenv("LEAT_TEST_DIFFERENTIAL_SEED"); s != "" {
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	return length, seed, most
}

// look plays a sequence and keeps what it finds, the first time shrunk.
func (p *pair) look(t *testing.T, s sequence) {
	t.Helper()
	for _, f := range p.play(t, s) {
		p.times[f.signature()]++
		if p.found[f.signature()] != nil {
			continue
		}
		calls := p.calls
		budget := 40
		if time.Now().After(p.end) {
			budget = 0
		}
		p.found[f.signature()] = shrink(f, budget, func(s sequence) []*finding { return p.play(t, s) })
		p.calls = calls
	}
}

// play sends a sequence to both servers, empty at its begin, until they hold
// different things, and returns the calls that they answered differently.
func (p *pair) play(t *testing.T, s sequence) []*finding {
	t.Helper()
	ctx := t.Context()
	ref := &player{server: p.reference, began: p.began, answers: map[int]any{}}
	leat := &player{server: p.leat, began: p.began, answers: map[int]any{}}
	for _, pl := range []*player{ref, leat} {
		if err := pl.server.empty(ctx); err != nil {
			t.Fatalf("%s: %v", pl.server.name, err)
		}
	}
	var found []*finding
	same := ids{map[string]string{}, map[string]string{}}
	for _, c := range s.calls {
		a, b, diffs := p.both(ctx, t, c, ref, leat, same)
		for try := 0; later(c, diffs) && a.status < 300 && try < 8; try++ {
			<-time.After(200 * time.Millisecond)
			a, b, diffs = p.both(ctx, t, c, ref, leat, same)
		}
		if len(diffs) > 0 {
			found = append(found, &finding{sequence: s, call: c, ref: a, leat: b, diffs: diffs})
		}
		if a.status != b.status || len(diffs) > 0 && a.status < 400 && !c.reads() {
			break // from here on they may hold different things
		}
	}
	return found
}

// later tells whether the differences may go by themselves: both servers store
// events after they answer, and the reference notes polls after it answers.
func later(c call, diffs []difference) bool {
	return len(diffs) > 0 && c.op.path == "/events/filter" ||
		c.reads() && slices.ContainsFunc(diffs, func(d difference) bool { return strings.HasSuffix(d.where, ".last_polled") })
}

// reads tells whether a call changes nothing.
func (c call) reads() bool {
	return c.op.method == "GET" || strings.HasSuffix(c.op.path, "filter") || strings.HasSuffix(c.op.path, "count") || strings.HasSuffix(c.op.path, "paginate")
}

// both sends a call to both servers and compares the answers. One that does
// not come has status 599: from the reference that is no opinion, from leat a
// fault.
func (p *pair) both(ctx context.Context, t *testing.T, c call, ref, leat *player, same ids) (a, b answer, diffs []difference) {
	t.Helper()
	p.calls++
	a, err := ref.play(ctx, c)
	if err != nil {
		t.Logf("reference: %s: %v", c, err)
		a = answer{status: 599, header: http.Header{}}
	}
	if b, err = leat.play(ctx, c); err != nil {
		b = answer{status: 599, header: http.Header{}, body: []byte(err.Error())}
	}
	diffs = slices.DeleteFunc(compare(c, a, b, same), func(d difference) bool { return meant(c, a, b, d) })
	return a, b, diffs
}
