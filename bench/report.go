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

// report prints the table as Markdown.
func report(w io.Writer, results []result) {
	var out strings.Builder
	out.WriteString("| work | database | leat | reference | leat to reference | goal | met |\n|---|---|---|---|---|---|---|\n")
	for _, r := range results {
		met := ""
		if r.Met != nil {
			met = map[bool]string{true: "yes", false: "NO"}[*r.Met]
		}
		ours := cell(r.Ours)
		if r.Error != "" {
			ours += " FAILED: " + strings.ReplaceAll(r.Error, "\n", " ")
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %s | %s | %s | %s |\n", r.Work, r.Database, ours, cell(r.Reference), ratio(r.Ours, r.Reference), r.Goal, met)
	}
	_, _ = io.WriteString(w, out.String()) // nobody reads a closed stdout
}

// cell is one server's figures.
func cell(s *sample) string {
	if s == nil {
		return ""
	}
	var parts []string
	if s.Ops > 0 && s.Seconds > 0 {
		cpu := number(s.cpuPer1000()) + " CPU s per 1,000"
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
		return "none: the reference refuses too much"
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
func writeJSON(file string, results []result) error {
	text, err := json.MarshalIndent(map[string]any{
		"measured": time.Now().UTC().Format(time.RFC3339), "go": runtime.Version(), "cpus": runtime.NumCPU(),
		"system": runtime.GOOS + "/" + runtime.GOARCH, "results": results,
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil { //nolint:gosec // the results are public
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644) //nolint:gosec // the results are public
}
