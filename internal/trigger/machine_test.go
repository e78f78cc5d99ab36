package trigger_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/trigger"
)

// story is a file of testdata: automations by name, then what happens, a line
// each, with what fires because of it.
//
//	automation NAME JSON of the trigger
//	at SECONDS               the time, from the beginning
//	event NAME RESOURCE [key=value ...] [related=ROLE:ID[:key=value]] [occurred=SECONDS] [id=N] [follows=N] [received=SECONDS]
//	due                      time passes for those that wait
//	restart                  the machine is made again from what it stored
//	disable NAME, enable NAME, forget NAME
//	-> NAME [labels] [event=NAME] [state=Resolved] [firings=N]
type story struct {
	t           *testing.T
	machine     *trigger.Machine
	automations map[string]*core.Automation
	now         time.Time
	stored      store
	fired       []string
	ids         int
}

// store is what a machine has stored, as rows would have it.
type store struct {
	buckets   map[string]*trigger.Bucket
	children  map[string]*trigger.ChildFiring
	followers map[core.ID]*trigger.Follower
}

var beginning = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func numbered(n int) core.ID { return core.NumberedID(beginning, int64(n)) }

func TestTriggersFireAsTheStoriesTell(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range strings.Split(string(text), "\n== ")[1:] {
			name, body, _ := strings.Cut(part, "\n")
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+name, func(t *testing.T) {
				t.Parallel()
				run(t, body, false)
			})
			t.Run(strings.TrimSuffix(filepath.Base(file), ".txt")+"/"+name+", restarted at each line", func(t *testing.T) {
				t.Parallel()
				run(t, body, true)
			})
		}
	}
}

func newID(at time.Time) core.ID { return core.NewID(at) }

func run(t *testing.T, body string, restarts bool) {
	s := &story{t: t, machine: trigger.New(newID), automations: map[string]*core.Automation{}, now: beginning}
	s.stored = store{map[string]*trigger.Bucket{}, map[string]*trigger.ChildFiring{}, map[core.ID]*trigger.Follower{}}
	var want []string
	number := 0
	settle := func(line int) {
		s.store()
		if diff := cmp.Diff(want, s.fired); diff != "" {
			t.Fatalf("before line %d (-want +got)\n%s", line, diff)
		}
	}
	lines := bufio.NewScanner(strings.NewReader(body))
	for lines.Scan() {
		number++
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "-> "); ok {
			want = append(want, rest)
			continue
		}
		settle(number)
		want, s.fired = nil, nil
		if restarts {
			s.restart()
		}
		s.do(line)
	}
	settle(number + 1)
}

func (s *story) do(line string) {
	words := strings.Fields(line)
	switch words[0] {
	case "automation":
		spec := strings.TrimSpace(strings.TrimPrefix(line, "automation "+words[1]))
		s.automation(words[1], spec)
	case "at":
		s.now = beginning.Add(seconds(s.t, words[1]))
	case "due":
		s.machine.Due(s.now)
	case "restart":
		s.restart()
	case "disable", "enable":
		a := *s.automations[words[1]]
		a.Enabled = words[0] == "enable"
		s.automations[words[1]] = &a
		s.put(&a)
	case "forget":
		s.machine.Forget(s.automations[words[1]].ID)
		delete(s.automations, words[1])
	case "event":
		s.machine.Event(s.event(words[1:]), s.now)
	default:
		s.t.Fatalf("what is %q?", line)
	}
}

func seconds(t *testing.T, s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(f * float64(time.Second))
}

// automation stores one whose trigger, and those within it, get ids and the
// reference's defaults.
func (s *story) automation(name, spec string) {
	var tree map[string]any
	if err := json.Unmarshal([]byte(spec), &tree); err != nil {
		s.t.Fatalf("%s: %s", spec, err)
	}
	a := &core.Automation{ID: numbered(1000 + len(s.automations)), Name: name, Enabled: true, Actions: json.RawMessage(`[{"type":"do-nothing"}]`)}
	if _, ok := tree["resolves"]; ok {
		a.ActionsOnResolve = json.RawMessage(`[{"type":"do-nothing"}]`)
	}
	s.complete(tree)
	raw, err := json.Marshal(tree)
	if err != nil {
		s.t.Fatal(err)
	}
	a.Trigger = raw
	s.automations[name] = a
	s.put(a)
}

func (s *story) complete(tree map[string]any) {
	s.ids++
	tree["id"] = numbered(2000 + s.ids).String()
	if list, ok := tree["triggers"].([]any); ok {
		for _, child := range list {
			s.complete(child.(map[string]any))
		}
		return
	}
	tree["type"] = "event"
	for key, value := range map[string]any{"posture": "Reactive", "threshold": 1, "within": 0} {
		if _, ok := tree[key]; !ok {
			tree[key] = value
		}
	}
}

func (s *story) put(a *core.Automation) {
	compiled, err := trigger.Compile(a)
	if err != nil {
		s.t.Fatal(err)
	}
	s.machine.Put(compiled, s.now)
}

func (s *story) event(words []string) *core.Event {
	s.ids++
	e := &core.Event{
		ID: numbered(5000 + s.ids), Event: words[0], Occurred: s.now, Received: s.now,
		Resource: core.Labels{{Key: core.ResourceID, Value: words[1]}},
	}
	for _, w := range words[2:] {
		key, value, _ := strings.Cut(w, "=")
		switch key {
		case "id", "follows":
			n, err := strconv.Atoi(value)
			if err != nil {
				s.t.Fatal(err)
			}
			id := numbered(n)
			if key == "id" {
				e.ID = id
			} else {
				e.Follows = &id
			}
		case "occurred":
			e.Occurred = beginning.Add(seconds(s.t, value))
		case "received":
			e.Received = beginning.Add(seconds(s.t, value))
		case "related":
			parts := strings.SplitN(value, ":", 3)
			r := core.Labels{{Key: core.ResourceID, Value: parts[1]}, {Key: core.ResourceRole, Value: parts[0]}}
			if len(parts) == 3 {
				k, v, _ := strings.Cut(parts[2], "=")
				r = append(r, core.Label{Key: k, Value: v})
			}
			e.Related = append(e.Related, r)
		default:
			e.Resource = append(e.Resource, core.Label{Key: key, Value: value})
		}
	}
	return e
}

// store takes what is to be stored as a database would, and notes what fired.
func (s *story) store() {
	c, err := s.machine.Changes()
	if err != nil {
		s.t.Fatal(err)
	}
	for _, b := range c.Drop {
		if s.stored.buckets[b.TriggerID.String()+b.Key] == nil {
			s.t.Fatalf("a bucket is dropped that was never stored: %+v", b)
		}
		delete(s.stored.buckets, b.TriggerID.String()+b.Key)
	}
	for _, b := range c.Put {
		row := trigger.Bucket{AutomationID: b.AutomationID, TriggerID: b.TriggerID, Key: b.Key, Start: b.Start, End: b.End, Count: b.Count, Last: b.Last}
		s.stored.buckets[b.TriggerID.String()+b.Key] = &row
	}
	for _, child := range c.DropChildren {
		delete(s.stored.children, child.ParentID.String()+child.ChildID.String())
	}
	for _, child := range c.PutChildren {
		s.stored.children[child.ParentID.String()+child.ChildID.String()] = &trigger.ChildFiring{
			AutomationID: child.AutomationID, ParentID: child.ParentID, ChildID: child.ChildID, Firing: child.Firing,
		}
	}
	for _, f := range c.DropFollowers {
		delete(s.stored.followers, f.Event.ID)
	}
	for _, f := range c.PutFollowers {
		s.stored.followers[f.Event.ID] = &trigger.Follower{Event: f.Event, Received: f.Received}
	}
	for _, act := range c.Acts {
		s.fired = append(s.fired, describe(s.t, act))
	}
}

// restart makes the machine again from what was stored.
func (s *story) restart() {
	s.store()
	old := s.machine
	s.machine = trigger.New(newID)
	for _, a := range s.automations {
		s.put(a)
	}
	var buckets []*trigger.Bucket
	for _, b := range s.stored.buckets {
		row := *b
		buckets = append(buckets, &row)
	}
	var children []*trigger.ChildFiring
	for _, c := range s.stored.children {
		// As a row would: through JSON.
		raw, err := json.Marshal(c.Firing)
		if err != nil {
			s.t.Fatal(err)
		}
		row := &trigger.ChildFiring{AutomationID: c.AutomationID, ParentID: c.ParentID, ChildID: c.ChildID}
		if err := json.Unmarshal(raw, &row.Firing); err != nil {
			s.t.Fatal(err)
		}
		children = append(children, row)
	}
	var followers []*trigger.Follower
	for _, f := range s.stored.followers {
		row := *f
		followers = append(followers, &row)
	}
	s.machine.Restore(buckets, children, followers)
	// What the former machine had seen, the new one is told by the store.
	for n := range 100 {
		if id := numbered(n); !old.MissingLeader(&core.Event{Follows: &id}) {
			s.machine.Remember(id)
		}
	}
}

func describe(t *testing.T, act *trigger.Act) string {
	f := act.Firing
	out := act.Automation.Name
	for _, l := range f.TriggeringLabels {
		out += fmt.Sprintf(" %s=%s", l.Key, l.Value)
	}
	if f.TriggeringEvent != nil {
		out += " event=" + f.TriggeringEvent.Event
	}
	if f.TriggerStates[0] != "Triggered" {
		out += " state=" + f.TriggerStates[0]
	}
	if n := len(f.TriggeringFirings); n > 0 {
		out += fmt.Sprintf(" firings=%d", n)
	}
	if len(act.Actions) == 0 {
		t.Errorf("%s does nothing", out)
	}
	return out
}
