package cli

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/drive"
)

// aslTestOptions are the flags of leat asl test.
type aslTestOptions struct {
	mock, input, name, junit string
	cases                    []string
	coverage, express        bool
	under                    float64
	seed                     uint64
}

func aslTestCommand(env *Env) *cobra.Command {
	o := &aslTestOptions{}
	cmd := &cobra.Command{
		Use: "test FILE", Short: "Run the test cases of a state machine, in virtual time", Args: args("FILE"),
		Long: `Run the test cases of a state machine against mocks, in virtual time, so that a
Wait of a year takes none. The exit code is 1 when a case fails or the coverage of
states is below --fail-under.

Mock files are leat's own, with inputs and expectations (see docs/asl.md), or those
with which AWS Step Functions Local is configured: there a case passes when the
execution succeeds, and its input is that of --input.`,
		Example: "  leat asl test order.asl.json --mock order.test.json --coverage --fail-under 90\n  leat asl test order.asl.json --mock MockConfigFile.json --case HappyPath --junit report.xml",
		RunE:    func(cmd *cobra.Command, given []string) error { return o.run(cmd.Context(), env, given[0]) },
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&o.mock, "mock", "", "file of mocks and test cases (needed)")
	flags.StringArrayVar(&o.cases, "case", nil, "only the case of this name; may be given several times")
	flags.StringVar(&o.input, "input", "", "input of cases that have none, as JSON or @FILE (default {})")
	flags.BoolVar(&o.coverage, "coverage", false, "show which states and branches no case came to")
	flags.Float64Var(&o.under, "fail-under", 0, "fail when fewer percent of the states were entered")
	flags.StringVar(&o.junit, "junit", "", "file to write a report in the format of JUnit to")
	flags.StringVar(&o.name, "name", "", "name of the machine in a file of the format of AWS (default: the only one)")
	flags.BoolVar(&o.express, "express", false, "run it as a machine of type EXPRESS")
	flags.Uint64Var(&o.seed, "seed", 1, "makes random values, names and task tokens: the same seed, the same ones")
	return cmd
}

func (o *aslTestOptions) run(ctx context.Context, env *Env, file string) error {
	if o.mock == "" {
		return usagef("--mock is missing: it names the file with the test cases")
	}
	m, err := env.readMachine(file, o.express)
	if err != nil {
		return err
	}
	input, err := env.readInput(o.input)
	if err != nil {
		return err
	}
	cases, err := o.readCases(env, input)
	if err != nil {
		return err
	}
	suite := &junitSuite{Name: machineName(file)}
	covered := drive.NewCoverage(m)
	for _, c := range cases {
		began := env.Now()
		x, wrong := c.Run(ctx, drive.Config{
			Machine: m, Name: machineName(file), Express: o.express, Seed: o.seed, Prepare: prepareTask,
		})
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if x != nil {
			covered.Add(x)
		}
		suite.add(c.Name, env.Now().Sub(began), wrong)
		printCase(env, c.Name, x, wrong)
	}
	env.say("%d of %d cases passed", suite.Tests-suite.Failures, suite.Tests)
	report := covered.Report()
	if o.coverage || o.under > 0 {
		printCoverage(env, report)
	}
	if o.junit != "" {
		if err := suite.write(env, o.junit); err != nil {
			return err
		}
	}
	if report.Percent() < o.under {
		return fmt.Errorf("only %.1f %% of the states were entered, %.1f %% are needed", report.Percent(), o.under)
	}
	if suite.Failures > 0 {
		return exitError(exitFailure)
	}
	return nil
}

// readCases reads the cases that are to be run.
func (o *aslTestOptions) readCases(env *Env, input any) ([]*drive.Case, error) {
	f, err := readMocks(env, o.mock, o.name, input)
	if err != nil {
		return nil, err
	}
	if len(f.Cases) == 0 {
		return nil, fmt.Errorf("%s has no test cases", o.mock)
	}
	if len(o.cases) == 0 {
		return f.Cases, nil
	}
	var out []*drive.Case
	var names []string
	for _, c := range f.Cases {
		names = append(names, c.Name)
		if slices.Contains(o.cases, c.Name) {
			out = append(out, c)
		}
	}
	for _, name := range o.cases {
		if !slices.Contains(names, name) {
			return nil, fmt.Errorf("%s has no case %q but %s", o.mock, name, strings.Join(names, ", "))
		}
	}
	return out, nil
}

func printCase(env *Env, name string, x *drive.Execution, wrong []string) {
	if len(wrong) > 0 {
		env.say("FAIL  %s", name)
		for _, w := range wrong {
			env.say("      %s", strings.ReplaceAll(w, "\n", "\n      "))
		}
		return
	}
	passed := ""
	if d := x.Stopped.Sub(x.Started); d > 0 {
		passed = ", " + roughly(d) + " of virtual time"
	}
	how := ""
	if x.Status != asl.Succeeded {
		how = string(x.Status) + " as expected, "
	}
	env.say("ok    %s (%s%d states%s)", name, how, len(x.Path()), passed)
}

func printCoverage(env *Env, r drive.CoverageReport) {
	env.say("coverage: %d of %d states (%.1f %%), %d of %d branches (%.1f %%)",
		r.States-len(r.Unvisited), r.States, r.Percent(), r.Ways-len(r.Untaken), r.Ways, r.WaysPercent())
	for _, name := range r.Unvisited {
		env.say("  never entered: %s", name)
	}
	for _, w := range r.Untaken {
		env.say("  never taken: %s, %s, to %s", w.State, w.Branch, w.Next)
	}
}

// junitSuite is a report as CI systems read it: one testsuite in testsuites.
type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`

	took time.Duration
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitFailure `xml:"failure"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (s *junitSuite) add(name string, took time.Duration, wrong []string) {
	c := junitCase{Class: s.Name, Name: name, Time: fmt.Sprintf("%.3f", took.Seconds())}
	s.Tests++
	s.took += took
	if len(wrong) > 0 {
		s.Failures++
		c.Failure = &junitFailure{Message: wrong[0], Text: strings.Join(wrong, "\n")}
	}
	s.Cases = append(s.Cases, c)
}

func (s *junitSuite) write(env *Env, file string) error {
	s.Time = fmt.Sprintf("%.3f", s.took.Seconds())
	body, err := xml.MarshalIndent(struct {
		XMLName xml.Name    `xml:"testsuites"`
		Suite   *junitSuite `xml:"testsuite"`
	}{Suite: s}, "", "  ")
	if err != nil {
		return err
	}
	return env.writeFile(file, append([]byte(xml.Header), append(body, '\n')...))
}
