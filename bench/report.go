package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// report prints the tables as Markdown: that of the rows compared with the
// reference, and that of Step Functions.
func report(w io.Writer, results []result, emulators map[string]emulator) {
	var flows, states []result
	for _, r := range results {
		if r.Emulators == nil {
			flows = append(flows, r)
		} else {
			states = append(states, r)
		}
	}
	var out strings.Builder
	if len(flows) > 0 {
		flowTable(&out, flows)
	}
	if len(flows) > 0 && len(states) > 0 {
		out.WriteString("\n")
	}
	if len(states) > 0 {
		stateTable(&out, states, emulators)
	}
	_, _ = io.WriteString(w, out.String()) // nobody reads a closed stdout
}

func flowTable(out *strings.Builder, results []result) {
	const unit = " CPU s per 1,000"
	out.WriteString("| work | database | leat | reference | leat to reference | goal | met |\n|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s | %s |\n",
			r.Work, r.Database, r.ours(unit), cell(r.Reference, unit), ratio(r.Ours, r.Reference), r.Goal, r.met())
	}
}

// stateTable gives the CPU of each execution, as the goals do; CPU seconds per
// 1,000 operations are milliseconds of each.
func stateTable(out *strings.Builder, results []result, installed map[string]emulator) {
	const unit = " ms CPU each"
	out.WriteString("| work | database | leat, durable |")
	for _, product := range emulators() {
		fmt.Fprintf(out, " %s, in memory |", strings.TrimSpace(title(product)+" "+installed[product].version))
	}
	out.WriteString(" leat to them | goal | met |\n|---|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		fmt.Fprintf(out, "| %s | %s | %s |", r.Work, r.Database, r.ours(unit))
		var ratios []string
		for _, product := range emulators() {
			theirs := r.Emulators[product]
			fmt.Fprintf(out, " %s |", cell(theirs, unit))
			if text := ratio(r.Ours, theirs); text != "" {
				ratios = append(ratios, title(product)+": "+text)
			}
		}
		fmt.Fprintf(out, " %s | %s | %s |\n", strings.Join(ratios, ". "), r.Goal, r.met())
	}
}

// ours is leat's cell.
func (r *result) ours(unit string) string {
	text := cell(r.Ours, unit)
	if r.Error != "" {
		text += " FAILED: " + strings.ReplaceAll(r.Error, "\n", " ")
	}
	return text
}

func (r *result) met() string {
	if r.Met == nil {
		return ""
	}
	return map[bool]string{true: "yes", false: "NO"}[*r.Met]
}

// cell is one server's figures; unit is that of CPU seconds per 1,000.
func cell(s *sample, unit string) string {
	if s == nil {
		return ""
	}
	var parts []string
	if s.Ops > 0 && s.Seconds > 0 {
		cpu := number(s.cpuPer1000()) + unit
		if s.DatabaseCPU > 0 {
			cpu += fmt.Sprintf(" (%.0f %% in Postgres)", 100*s.DatabaseCPU/s.CPU)
		}
		parts = append(parts, cpu, number(s.rate())+"/s",
			fmt.Sprintf("p50 %s, p95 %s, p99 %s ms", number(s.P50), number(s.P95), number(s.P99)), fmt.Sprintf("%d errors", s.Errors))
	} else if s.Errors > 0 {
		parts = append(parts, fmt.Sprintf("%d errors, nothing done", s.Errors))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		parts = append(parts, name+": "+number(s.Values[name]))
	}
	if s.Note != "" {
		parts = append(parts, strings.Join(strings.Fields(strings.ReplaceAll(s.Note, "|", "/")), " "))
	}
	return strings.Join(parts, "; ")
}

// ratio compares what both have.
func ratio(ours, theirs *sample) string {
	if ours == nil || theirs == nil {
		return ""
	}
	if !theirs.usable() {
		return "none: too much is refused"
	}
	var parts []string
	if a, b := ours.cpuPer1000(), theirs.cpuPer1000(); a > 0 && b > 0 {
		parts = append(parts, "CPU 1/"+number(b/a))
	}
	if a, b := ours.rate(), theirs.rate(); a > 0 && b > 0 {
		parts = append(parts, "rate "+number(a/b)+"×")
	}
	if len(parts) == 0 {
		for _, name := range slices.Sorted(maps.Keys(ours.Values)) {
			if a, b := ours.Values[name], theirs.Values[name]; b != 0 {
				parts = append(parts, name+": "+number(a/b)+"×")
			}
		}
	}
	return strings.Join(parts, "; ")
}

// number writes three significant digits.
func number(f float64) string {
	switch {
	case f >= 100:
		return fmt.Sprintf("%.0f", f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	case f >= 1:
		return fmt.Sprintf("%.2f", f)
	default:
		return fmt.Sprintf("%.3g", f)
	}
}

// writeJSON keeps the results with what they depend on.
func writeJSON(file string, results []result, installed map[string]emulator) error {
	content := map[string]any{
		"measured": time.Now().UTC().Format(time.RFC3339), "go": runtime.Version(), "cpus": runtime.NumCPU(),
		"system": runtime.GOOS + "/" + runtime.GOARCH, "results": results,
	}
	for product, e := range installed {
		content[product] = e.version
	}
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // the results are public
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // the results are public
}
