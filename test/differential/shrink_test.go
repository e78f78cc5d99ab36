package differential

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// finding is the first difference in a sequence.
type finding struct {
	sequence  sequence
	call      call
	ref, leat answer
	diffs     []difference
}

var index = regexp.MustCompile(`\[\d+\]`)

// signature is equal for findings that are likely to have one cause.
func (f *finding) signature() string {
	d := f.diffs[0]
	text := f.call.op.name() + " " + index.ReplaceAllString(d.where, "[]")
	if d.where == "status" {
		text += " " + strconv.Itoa(f.ref.status) + "/" + strconv.Itoa(f.leat.status)
		if f.ref.status >= 400 && f.ref.status < 500 {
			text += " " + kindOfError(f.ref)
		} else if f.leat.status >= 400 {
			text += " " + kindOfError(f.leat)
		}
	}
	return text
}

func kindOfError(a answer) string {
	o, _ := a.value.(map[string]any)
	details, _ := o["exception_detail"].([]any)
	if len(details) == 0 {
		return token.ReplaceAllString(clip(a.body), "")
	}
	first, _ := details[0].(map[string]any)
	return string(encode(first["type"])) + string(encode(first["loc"]))
}

// shrink looks for a shorter sequence with the same finding: first of only the
// calls that the last one names, then without each call and each key of a body.
func shrink(f *finding, budget int, again func(sequence) []*finding) *finding {
	try := func(calls []call) bool {
		if budget <= 0 {
			return false
		}
		budget--
		s := f.sequence
		s.calls = calls
		found := again(s)
		i := slices.IndexFunc(found, func(g *finding) bool { return g.signature() == f.signature() && g.call.number == f.call.number })
		if i >= 0 {
			f = found[i]
		}
		return i >= 0
	}
	end := slices.IndexFunc(f.sequence.calls, func(c call) bool { return c.number == f.call.number })
	calls := f.sequence.calls[:end+1]
	needed := map[int]bool{f.call.number: true}
	var few []call
	for _, c := range slices.Backward(calls) {
		if needed[c.number] {
			few = append(few, c)
			for _, m := range mark.FindAllStringSubmatch(c.path+c.query+string(encode(c.body)), -1) {
				if n, err := strconv.Atoi(m[1]); err == nil {
					needed[n] = true
				}
			}
		}
	}
	slices.Reverse(few)
	if !try(few) {
		try(calls)
	}
	for size := max(1, len(f.sequence.calls)/2); size >= 1; size /= 2 {
		for i := len(f.sequence.calls) - 1 - size; i >= 0; i -= size {
			if i+size < len(f.sequence.calls) {
				try(slices.Delete(slices.Clone(f.sequence.calls), i, i+size))
			}
		}
	}
	for i := len(f.sequence.calls) - 1; i >= 0 && i < len(f.sequence.calls); i-- {
		for changed := true; changed; {
			changed = false
			for _, body := range smaller(f.sequence.calls[i].body) {
				shorter := slices.Clone(f.sequence.calls)
				shorter[i].body = body
				if try(shorter) {
					changed = true
					break
				}
			}
		}
	}
	return f
}

// smaller lists copies of a body that lack one part.
func smaller(body any) []any {
	var out []any
	switch b := body.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(b)) {
			less := maps.Clone(b)
			delete(less, k)
			out = append(out, less)
		}
		for _, k := range slices.Sorted(maps.Keys(b)) {
			for _, part := range smaller(b[k]) {
				less := maps.Clone(b)
				less[k] = part
				out = append(out, less)
			}
		}
	case []any:
		for i := range b {
			out = append(out, slices.Delete(slices.Clone(b), i, i+1))
		}
		for i := range b {
			for _, part := range smaller(b[i]) {
				less := slices.Clone(b)
				less[i] = part
				out = append(out, less)
			}
		}
	}
	return out
}

// report shows a finding so that it can be sent again by hand.
func (f *finding) report() string {
	var b strings.Builder
	b.WriteString("theme " + f.sequence.theme + ", seed " + strconv.FormatUint(f.sequence.seed, 10) + "\n")
	for _, c := range f.sequence.calls {
		b.WriteString("  " + c.String() + "\n")
		if c.number == f.call.number {
			break
		}
	}
	for i, d := range f.diffs {
		if i == 6 {
			b.WriteString("  … and " + strconv.Itoa(len(f.diffs)-i) + " more\n")
			break
		}
		b.WriteString("    " + d.String() + "\n")
	}
	return b.String()
}
