package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// Names of the figures of the row of commits.
const (
	oneRow  = "one-row commits by one writer, per s"
	grouped = "rows of many writers, or in groups of 100, per s"
)

// commitFigures maps the benchmarks of commit_test.go to a product and a
// figure: the reference is the bare driver.
func commitFigures(product string) map[string]string {
	if product == leat {
		return map[string]string{"store/one_writer": oneRow, "store/many_writers": grouped}
	}
	return map[string]string{"driver/one_row": oneRow, "driver/groups_of_100": grouped}
}

// commits runs the Go benchmarks of this folder; they use the database drivers,
// which programs outside the store do not.
func commits(ctx context.Context, b *bench, t target) (sample, error) {
	figures, benchtime := commitFigures(t.product), "3s"
	if b.quick {
		benchtime = "300ms"
	}
	pattern := "^BenchmarkCommit$/^store$"
	if t.product == reference {
		pattern = "^BenchmarkCommit$/^driver$"
	}
	out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", pattern, "-benchtime", benchtime, "./bench").CombinedOutput() //nolint:gosec // our own arguments
	if err != nil {
		return sample{}, fmt.Errorf("go test: %w: %s", err, out)
	}
	line := regexp.MustCompile(`(?m)^BenchmarkCommit/(\S+?)(?:-\d+)?\s+\d+\s+([0-9.]+) ns/op`)
	got := sample{Values: map[string]float64{}}
	for _, m := range line.FindAllSubmatch(out, -1) {
		if name, ok := figures[string(m[1])]; ok {
			ns, err := strconv.ParseFloat(string(m[2]), 64)
			if err != nil {
				return sample{}, err
			}
			got.Values[name] = 1e9 / ns
		}
	}
	if len(got.Values) != len(figures) {
		return sample{}, fmt.Errorf("go test printed no figures: %s", out)
	}
	return got, nil
}

func commitGoal(string) goal {
	return goal{"≥ 60 % of the bare driver, both", true, func(ours, theirs *sample) bool {
		return ours.Values[oneRow] >= 0.6*theirs.Values[oneRow] && ours.Values[grouped] >= 0.6*theirs.Values[grouped]
	}}
}
