package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// bench is one run of this program.
type bench struct {
	leat   string // the binary
	python string // with the reference; "" measures leat alone
	quick  bool
	fill   time.Duration // how long runs and events are stored for the rows of filters and histories
	log    io.Writer
	dir    string
	// emulators are those of Step Functions, by product.
	emulators map[string]emulator

	cluster     int // pid of Postgres
	postgresURL *url.URL
	databases   []string // made, to be dropped
	// running are the servers that rows share, by product and database.
	running map[target]*server
}

// target is what a row is measured on.
type target struct{ product, database string }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	b := &bench{log: stderr, running: map[target]*server{}}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(stderr)
	chosen := flags.String("rows", "", "rows to measure, separated by commas (default all); flows and states are all of a kind: "+strings.Join(rowKeys(), " "))
	database := flags.String("database", "both", "sqlite, postgres or both; Postgres is that of LEAT_TEST_POSTGRES")
	flags.StringVar(&b.python, "reference", os.Getenv("LEAT_TEST_PYTHON"), "Python that has the reference server; \"\" or none measures leat alone")
	pythons := map[string]*string{}
	for _, product := range emulators() {
		pythons[product] = flags.String(product, emulatorPython(product), "Python that has "+title(product)+", beside which the rows of Step Functions run; none leaves it out")
	}
	flags.StringVar(&b.leat, "leat", os.Getenv("LEAT_TEST_BINARY"), "leat's binary")
	flags.BoolVar(&b.quick, "quick", false, "one short round of each row; its figures prove only that the generators work")
	flags.DurationVar(&b.fill, "fill", 90*time.Second, "how long runs are stored for the row filters, and events for the row history; the references store fewer in that time")
	out := flags.String("out", "", "file for the results as JSON (default bench/results/latest.json; with -quick none)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.python == "none" {
		b.python = ""
	}
	if b.leat == "" {
		b.leat = "bin/leat"
	}
	if _, err := os.Stat(b.leat); err != nil {
		return fmt.Errorf("%w: run make build, or name the binary by -leat", err)
	}
	selected, err := selectRows(*chosen)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(selected, func(r row) bool { return r.states }) {
		b.findEmulators(ctx, pythons)
	}
	databases, err := b.selectDatabases(*database)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "leat-bench."); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(b.dir) }()
	results := b.measureAll(ctx, selected, databases)
	report(stdout, results, b.emulators)
	if *out == "" && !b.quick {
		*out = filepath.Join("bench", "results", "latest.json")
	}
	if *out != "" {
		if err := writeJSON(*out, results, b.emulators); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// findEmulators looks for the emulators, and says which of them are not there.
func (b *bench) findEmulators(ctx context.Context, pythons map[string]*string) {
	b.emulators = map[string]emulator{}
	for product, python := range pythons {
		e := findEmulator(ctx, product, *python)
		if e.missing != "" {
			b.note("%s is %s; bench/README.md says how to install it", title(product), e.missing)
		}
		b.emulators[product] = e
	}
}

func (b *bench) selectDatabases(choice string) ([]string, error) {
	var databases []string
	switch choice {
	case "both":
		databases = []string{sqlite, postgres}
	case sqlite, postgres:
		databases = []string{choice}
	default:
		return nil, fmt.Errorf("-database %q is not sqlite, postgres or both", choice)
	}
	if choice != sqlite {
		if err := b.usePostgres(os.Getenv("LEAT_TEST_POSTGRES")); err != nil {
			return nil, err
		}
	}
	return databases, nil
}

// result is one row on one database.
type result struct {
	Row       string  `json:"row"`
	Work      string  `json:"work"`
	Database  string  `json:"database,omitempty"`
	Goal      string  `json:"goal,omitempty"`
	Met       *bool   `json:"met,omitempty"`
	Ours      *sample `json:"ours,omitempty"`
	Reference *sample `json:"reference,omitempty"`
	// Emulators are what a row of Step Functions is compared with, by product.
	Emulators map[string]*sample `json:"emulators,omitempty"`
	Error     string             `json:"error,omitempty"`
}

// measureAll measures the rows one after the other, on each database; a row
// that fails is reported and the others go on.
func (b *bench) measureAll(ctx context.Context, rows []row, databases []string) []result {
	var results []result
	for _, database := range databases {
		for _, r := range rows {
			if ctx.Err() != nil || r.once && database != databases[0] {
				continue
			}
			name := database
			if r.once {
				name = ""
			}
			res := result{Row: r.key, Work: r.work, Database: name}
			if r.states {
				res.Emulators = emulated(results, r.key)
			}
			b.measure(ctx, r, database, &res)
			if g := r.goal(database); g.text != "" {
				res.Goal = g.text
				if res.Ours != nil && g.met != nil && (res.Reference.usable() || !g.relative) {
					met := g.met(res.Ours, res.Reference)
					res.Met = &met
				}
			}
			results = append(results, res)
		}
		b.stopAll(ctx)
	}
	return results
}

// emulated finds what the emulators did in a row on the database before: they
// use none, so they are measured once.
func emulated(results []result, key string) map[string]*sample {
	if i := slices.IndexFunc(results, func(r result) bool { return r.Row == key }); i >= 0 {
		return results[i].Emulators
	}
	return nil
}

// products are what a row is still to be measured on.
func (b *bench) products(r row, res *result) []string {
	switch {
	case !r.states && b.python != "":
		return []string{leat, reference}
	case !r.states || res.Emulators != nil:
		return []string{leat}
	}
	products := []string{leat}
	res.Emulators = map[string]*sample{}
	for _, product := range emulators() {
		if missing := b.emulators[product].missing; missing != "" {
			res.Emulators[product] = &sample{Note: missing}
			continue
		}
		products = append(products, product)
	}
	return products
}

// measure runs the rounds of a row, alternating between the products. Emulators
// have one: they need long for little.
func (b *bench) measure(ctx context.Context, r row, database string, res *result) {
	products, rounds := b.products(r, res), 2
	if b.quick || r.single {
		rounds = 1
	}
	for round := range rounds {
		for _, product := range products {
			if emulates(product) && round > 0 {
				continue
			}
			b.note("%s on %s: %s, round %d of %d", r.key, database, product, round+1, rounds)
			got, err := r.run(ctx, b, target{product, database})
			if err != nil && emulates(product) {
				got.Note = strings.TrimSpace(fmt.Sprintf("failed: %.300s %s", err, got.Note))
			} else if err != nil {
				res.Error = strings.TrimSpace(res.Error + fmt.Sprintf(" %s: %v", product, err))
				continue
			}
			res.take(product, got)
		}
		if res.Error != "" {
			b.note("%s", res.Error)
			return
		}
	}
}

// take adds a round of a product.
func (r *result) take(product string, got sample) {
	switch {
	case emulates(product):
		r.Emulators[product] = &got
	case product == reference:
		if r.Reference == nil {
			r.Reference = &sample{}
		}
		r.Reference.add(got)
	default:
		if r.Ours == nil {
			r.Ours = &sample{}
		}
		r.Ours.add(got)
	}
}

// server returns the running server of the target, which it starts if need be,
// and lets it alone run: the others stand still.
func (b *bench) server(ctx context.Context, t target) (*server, error) {
	for other, s := range b.running {
		if other != t {
			s.pause()
		}
	}
	if s, ok := b.running[t]; ok {
		s.resume()
		time.Sleep(300 * time.Millisecond) // what it missed is done
		return s, nil
	}
	dir, database, err := b.newDatabase(ctx, t)
	if err != nil {
		return nil, err
	}
	s, err := b.start(ctx, t.product, dir, database)
	if err != nil {
		return nil, err
	}
	b.running[t] = s
	return s, nil
}

// newDatabase makes a home and an empty database for a server; emulators have none.
func (b *bench) newDatabase(ctx context.Context, t target) (dir, database string, err error) {
	if dir, err = os.MkdirTemp(b.dir, t.product+"."); err != nil {
		return "", "", err
	}
	switch {
	case emulates(t.product):
	case t.database == postgres:
		database, err = b.createDatabase(ctx, t.product, fmt.Sprintf("bench_%s_%d", t.product, time.Now().UnixNano()))
	case t.product == leat:
		database = filepath.Join(dir, "leat.db")
	default:
		database = "sqlite+aiosqlite:///" + filepath.Join(dir, "prefect.db")
	}
	return dir, database, err
}

func (b *bench) stopAll(ctx context.Context) {
	for t, s := range b.running {
		s.stop()
		delete(b.running, t)
	}
	b.dropDatabases(context.WithoutCancel(ctx))
	b.databases = nil
}

func (b *bench) note(format string, args ...any) {
	_, _ = fmt.Fprintf(b.log, "== "+format+"\n", args...) // a closed stderr changes nothing
}
