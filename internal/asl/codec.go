package asl

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/value"
)

// An execution is kept in pieces, each a JSON text under a key: "root", "f7" for
// the frame 7, "i7" for the items of the Map that it is in.

func pieceOf(frame int64) string { return "f" + strconv.FormatInt(frame, 10) }
func itemsOf(frame int64) string { return "i" + strconv.FormatInt(frame, 10) }

func (x *Execution) dirty(key string) { x.changed[key] = true }

func (x *Execution) touch(f *frame) {
	x.dirty(pieceOf(f.ID))
	if x.byKey != nil && f.Visit != nil && f.Visit.Key != 0 {
		x.byKey[f.Visit.Key] = f.ID
	}
}

// Changed reports whether any piece changed since Changes was called last.
func (x *Execution) Changed() bool { return len(x.changed) > 0 }

// Changes returns the pieces that changed since it was called last; nil stands
// for one that is gone.
func (x *Execution) Changes() map[string][]byte {
	out := make(map[string][]byte, len(x.changed))
	for key := range x.changed {
		out[key] = x.piece(key)
	}
	clear(x.changed)
	return out
}

// Pieces returns all pieces.
func (x *Execution) Pieces() map[string][]byte {
	out := map[string][]byte{"root": x.piece("root")}
	for id := range x.frames {
		out[pieceOf(id)] = x.piece(pieceOf(id))
	}
	for id := range x.items {
		out[itemsOf(id)] = x.piece(itemsOf(id))
	}
	return out
}

func (x *Execution) piece(key string) []byte {
	if key == "root" {
		b, _ := json.Marshal(x.root) // plain numbers always marshal
		return b
	}
	id, _ := strconv.ParseInt(key[1:], 10, 64)
	if key[0] == 'i' {
		if items, ok := x.items[id]; ok {
			return value.Append(nil, items)
		}
		return nil
	}
	if f := x.frames[id]; f != nil {
		return value.Append(nil, f.encode())
	}
	return nil
}

// Load returns the execution that the pieces are of.
func Load(m *Machine, info Info, pieces map[string][]byte) (*Execution, error) {
	x := New(m, info)
	for key, text := range pieces {
		if key == "root" {
			if err := json.Unmarshal(text, &x.root); err != nil {
				return nil, fmt.Errorf("load an execution: %w", err)
			}
			continue
		}
		id, err := strconv.ParseInt(strings.TrimLeft(key, "fi"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("load an execution: no piece is called %q", key)
		}
		v, err := value.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("load an execution: piece %s: %w", key, err)
		}
		switch o := v.(type) {
		case []any:
			x.items[id] = o
		case *value.Object:
			if x.frames[id], err = m.decode(id, o); err != nil {
				return nil, err
			}
		}
	}
	return x, nil
}

func (f *frame) encode() *value.Object {
	o := value.Of("parent", f.Parent, "slot", int64(f.Slot), "pointer", f.Pointer)
	if f.State != nil {
		o.Set("state", f.State.Name)
		o.Set("input", f.Input)
	}
	if f.Variables != nil {
		o.Set("variables", f.Variables)
	}
	if f.Done {
		o.Set("output", f.Output)
	}
	if v := f.Visit; v != nil {
		attempts := make([]any, len(v.Attempts))
		for i, n := range v.Attempts {
			attempts[i] = n
		}
		e := value.Of("entered", v.Entered, "before", v.Before, "time", v.Time.UnixMilli(), "attempts", attempts, "retries", int64(v.Retries),
			"waits", string(v.Waits), "key", v.Key, "token", v.Token, "submitted", v.Submitted,
			"size", int64(v.Size), "next", int64(v.Next), "running", int64(v.Running), "concurrency", int64(v.Concurrency))
		if v.Run != "" {
			e.Set("run", v.Run)
			e.Set("run_redrives", int64(v.RunRedrives))
		}
		if v.Failed {
			e.Set("failed", true)
		}
		if v.Early != nil {
			e.Set("early", value.Of("kind", string(v.Early.Kind), "key", v.Early.Key, "output", v.Early.Output,
				"error", v.Early.Failure.Error, "cause", v.Early.Failure.Cause))
		}
		o.Set("visit", e)
	}
	return o
}

// members reads an object's members of known types.
type members struct{ *value.Object }

func (m members) int(key string) int64 {
	v, _ := m.Get(key)
	n, _ := value.Integer(v)
	return n
}

func (m members) text(key string) string {
	v, _ := m.Get(key)
	s, _ := v.(string)
	return s
}

func (m members) object(key string) (members, bool) {
	v, _ := m.Get(key)
	o, ok := v.(*value.Object)
	return members{o}, ok
}

func (m *Machine) decode(id int64, o *value.Object) (*frame, error) {
	in := members{o}
	f := &frame{ID: id, Parent: in.int("parent"), Slot: int(in.int("slot")), Pointer: in.int("pointer")}
	if name := in.text("state"); name != "" {
		s, ok := m.State(name)
		if !ok {
			return nil, fmt.Errorf("load an execution: its definition has no state %q", name)
		}
		f.State = s
		f.Input, _ = o.Get("input")
	}
	if vars, ok := in.object("variables"); ok {
		f.Variables = vars.Object
	}
	f.Output, f.Done = o.Get("output")
	e, ok := in.object("visit")
	if !ok {
		return f, nil
	}
	submitted, _ := e.Get("submitted")
	failed, _ := e.Get("failed")
	f.Visit = &visit{
		Entered: e.int("entered"), Before: e.int("before"), Time: time.UnixMilli(e.int("time")).UTC(), Retries: int(e.int("retries")),
		Waits: waits(e.text("waits")), Key: e.int("key"), Token: e.text("token"), Submitted: submitted == true,
		Size: int(e.int("size")), Next: int(e.int("next")), Running: int(e.int("running")), Concurrency: int(e.int("concurrency")),
		Run: e.text("run"), RunRedrives: int(e.int("run_redrives")), Failed: failed == true,
	}
	attempts, _ := e.Get("attempts")
	list, _ := attempts.([]any)
	for _, n := range list {
		k, _ := value.Integer(n)
		f.Visit.Attempts = append(f.Visit.Attempts, k)
	}
	f.Visit.Attempts = slices.Grow(f.Visit.Attempts, 0)
	if early, ok := e.object("early"); ok {
		out, _ := early.Get("output")
		f.Visit.Early = &Input{
			Kind: InputKind(early.text("kind")), Key: early.int("key"), Output: out, ByToken: true,
			Failure: Failure{Error: early.text("error"), Cause: early.text("cause"), Nulls: true},
		}
	}
	return f, nil
}
