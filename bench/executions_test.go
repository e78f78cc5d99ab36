package main

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPages reads a history of three pages and checks that every event comes.
func TestPages(t *testing.T) {
	t.Parallel()
	s := inProcess(t, filepath.Join(t.TempDir(), "leat.db"))
	const events = 2*pageEvents + 8
	execution, err := s.looped(t.Context(), events, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	got, err := pages(t.Context(), s, execution, load{clients: 1, limit: time.Minute, max: 6})
	if err != nil || got.Ops != 6 || got.Errors != 0 {
		t.Fatalf("%d pages, %d errors, %s, %v", got.Ops, got.Errors, got.Note, err)
	}
	if stored, longest := got.Values[storedEvents], got.Values["events of the longest page"]; stored != events || longest != pageEvents {
		t.Errorf("%v events, the longest page has %v", stored, longest)
	}
}

func TestWaits(t *testing.T) {
	t.Parallel()
	s := inProcess(t, filepath.Join(t.TempDir(), "leat.db"))
	got, err := waits(t.Context(), s, load{clients: 4, limit: time.Minute, max: 40}, time.Millisecond)
	if err != nil || got.Ops != 40 || got.Values[waitingNow] != 40 || got.Values["goroutines"] < 1 {
		t.Errorf("%d executions, %d errors, %s, %v, %v", got.Ops, got.Errors, got.Note, got.Values, err)
	}
}

// TestPatience checks that an execution without end is stopped, so that it takes
// nothing from what is measured next.
func TestPatience(t *testing.T) {
	t.Parallel()
	s := inProcess(t, filepath.Join(t.TempDir(), "leat.db"))
	starter, err := s.starter(t.Context(), waitMachine())
	if err != nil {
		t.Fatal(err)
	}
	c := newConn(s.addr)
	defer c.close()
	execution, err := starter.start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	var p pace
	if _, err := p.await(t.Context(), c, execution, time.Millisecond); !errors.Is(err, errTooSlow) {
		t.Errorf("the error is %v", err)
	}
	if status, err := p.await(t.Context(), c, execution, time.Minute); status != "ABORTED" || err != nil {
		t.Errorf("it is %s, %v", status, err)
	}
}

func TestMachinesAreJSON(t *testing.T) {
	t.Parallel()
	for _, m := range []machine{passMachine(), chainMachine(100), loopMachine(1000), mapMachine(1000), threeMachine(), waitMachine()} {
		if !json.Valid([]byte(m.definition)) || !json.Valid([]byte(m.input)) {
			t.Errorf("%s is not JSON: %s, %s", m.name, m.definition, m.input)
		}
	}
}

func TestFindEmulator(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, python, want string }{
		{"none is named", "", "not measured: name its Python by -moto"},
		{"it is left out", "none", "not measured: name its Python by -moto"},
		{"there is no such program", filepath.Join(t.TempDir(), "python"), "not installed: "},
	} {
		if got := findEmulator(t.Context(), moto, tt.python); !strings.HasPrefix(got.missing, tt.want) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestProductsOfStates checks which products a row of Step Functions is measured
// on, and that what is not installed is told instead.
func TestProductsOfStates(t *testing.T) {
	t.Parallel()
	b := &bench{python: "python", emulators: map[string]emulator{localStack: {missing: "not installed"}, moto: {python: "python"}}}
	r := row{key: "pass", states: true}
	var res result
	if got := strings.Join(b.products(r, &res), " "); got != "leat moto" {
		t.Errorf("it is measured on %s", got)
	}
	if got := res.Emulators[localStack].Note; got != "not installed" {
		t.Errorf("its column says %q", got)
	}
	again := result{Emulators: emulated([]result{{Row: "other"}, {Row: "pass", Emulators: res.Emulators}}, "pass")}
	if got := strings.Join(b.products(r, &again), " "); got != "leat" {
		t.Errorf("on the next database it is measured on %s", got)
	}
}
