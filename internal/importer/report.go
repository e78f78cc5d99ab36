package importer

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
)

// maxRemarks is how many remarks a report keeps of each kind.
const maxRemarks = 1000

// Report says what a copy did.
type Report struct {
	Source string    `json:"source"`
	Target string    `json:"target"`
	Began  time.Time `json:"began"`
	Ended  time.Time `json:"ended"`
	// Complete is false for a copy that broke off.
	Complete bool         `json:"complete"`
	Kinds    []KindReport `json:"kinds"`
	Remarks  []Remark     `json:"remarks"`

	mu    sync.Mutex
	kinds map[Kind]*KindReport
	tell  func(string)
	now   func() time.Time
	told  time.Time
}

// KindReport counts the rows of a kind.
type KindReport struct {
	Kind Kind `json:"kind"`
	// Read rows are Created, Updated, Unchanged, Skipped on purpose or Refused by the target.
	Read      int `json:"read"`
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`
	Refused   int `json:"refused"`
	remarks   int
}

// Remark says what could not be copied as it is, and why.
type Remark struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id,omitempty"`
	Text string `json:"text"`
}

// newReport begins a report; tell is told of the progress about once a second.
func newReport(source, target string, now func() time.Time, tell func(string)) *Report {
	if tell == nil {
		tell = func(string) {}
	}
	return &Report{Source: source, Target: target, Began: now(), kinds: map[Kind]*KindReport{}, tell: tell, now: now, Remarks: []Remark{}}
}

// of returns a kind's counts; the lock is held.
func (r *Report) of(k Kind) *KindReport {
	if r.kinds[k] == nil {
		r.kinds[k] = &KindReport{Kind: k}
	}
	return r.kinds[k]
}

// read counts rows that were read.
func (r *Report) read(k Kind, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(k).Read += n
	if now := r.now(); now.Sub(r.told) >= time.Second {
		r.told = now
		r.tell(fmt.Sprintf("%s: %d read", k.words(), r.of(k).Read))
	}
}

// unchanged counts rows that were not sent since the target has them.
func (r *Report) unchanged(k Kind, n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.of(k).Unchanged += n
}

// skip counts a row that was left out, with the reason.
func (r *Report) skip(k Kind, id core.ID, text string) {
	r.mu.Lock()
	r.of(k).Skipped++
	r.mu.Unlock()
	if text != "" {
		r.remark(k, id, text)
	}
}

// remark notes something of a row; a zero id is about the kind.
func (r *Report) remark(k Kind, id core.ID, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := r.of(k)
	if counts.remarks++; counts.remarks > maxRemarks {
		return
	}
	shown := ""
	if !id.IsZero() {
		shown = id.String()
	}
	r.Remarks = append(r.Remarks, Remark{k, shown, text})
}

// result counts what the target did with rows.
func (r *Report) result(k Kind, res client.ImportResult) {
	r.mu.Lock()
	counts := r.of(k)
	counts.Created += res.Created
	counts.Updated += res.Updated
	counts.Unchanged += res.Unchanged
	counts.Refused += len(res.Refused)
	r.mu.Unlock()
	for _, refused := range res.Refused {
		r.remark(k, refused.ID, "refused: "+refused.Text)
	}
	for _, note := range res.Notes {
		r.remark(k, note.ID, note.Text)
	}
}

// end closes the report.
func (r *Report) end(complete bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Ended, r.Complete = r.now(), complete
	for _, k := range Kinds() {
		c := r.kinds[k]
		if c == nil {
			continue
		}
		r.Kinds = append(r.Kinds, *c)
		if more := c.remarks - maxRemarks; more > 0 {
			r.Remarks = append(r.Remarks, Remark{Kind: k, Text: fmt.Sprintf("and %d more", more)})
		}
	}
	slices.SortStableFunc(r.Remarks, func(a, b Remark) int {
		return slices.Index(Kinds(), a.Kind) - slices.Index(Kinds(), b.Kind)
	})
}

// shownRemarks is how many remarks of each kind people are shown.
const shownRemarks = 10

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	if _, err := fmt.Fprintf(w, "%-20s %9s %9s %9s %9s %9s %9s\n", "KIND", "READ", "CREATED", "UPDATED", "UNCHANGED", "SKIPPED", "REFUSED"); err != nil {
		return err
	}
	for _, k := range r.Kinds {
		if _, err := fmt.Fprintf(w, "%-20s %9d %9d %9d %9d %9d %9d\n", k.Kind.words(), k.Read, k.Created, k.Updated, k.Unchanged, k.Skipped, k.Refused); err != nil {
			return err
		}
	}
	shown := map[Kind]int{}
	for _, m := range r.Remarks {
		if shown[m.Kind]++; shown[m.Kind] > shownRemarks {
			continue
		}
		if _, err := fmt.Fprintf(w, "%s %s: %s\n", m.Kind.words(), m.ID, m.Text); err != nil {
			return err
		}
	}
	for _, k := range Kinds() {
		if more := shown[k] - shownRemarks; more > 0 {
			if _, err := fmt.Fprintf(w, "%s: %d more remarks; --report FILE keeps them\n", k.words(), more); err != nil {
				return err
			}
		}
	}
	return nil
}
