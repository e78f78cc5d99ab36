package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// Options say what is copied, and how.
type Options struct {
	// Only restricts the copy to these kinds; empty means all.
	Only []Kind
	// NoHistory leaves out runs and all that belongs to them.
	NoHistory bool
	// Since leaves out runs that were due, and events that occurred, before; zero means all.
	Since time.Time
	// NoTaskStates copies the last state alone of each task run: the others cost a
	// request for each of them.
	NoTaskStates bool
	// IncludeActive copies runs that have not ended, too.
	IncludeActive bool
	// Paused stores deployments that are new to leat as paused.
	Paused bool
	// DryRun reads and counts, and writes nothing.
	DryRun bool
	// Workers is how many requests may be under way at once; 0 means 4.
	Workers int
	// Now is the clock; Progress is told in a few words what goes on, nil for nobody.
	Now      func() time.Time
	Progress func(string)
	// Version is leat's version, for the User-Agent.
	Version string
}

// wants reports whether a kind is to be copied.
func (o Options) wants(k Kind) bool {
	if o.NoHistory && slices.Contains(historyKinds(), k) {
		return false
	}
	return len(o.Only) == 0 || slices.Contains(o.Only, k)
}

// Import copies what a live server knows into a leat server. The report is there
// also when the copy broke off; another import goes on from there.
func Import(ctx context.Context, from, to Source, o Options) (*Report, error) {
	source, err := newAPI(from, o.Version)
	if err != nil {
		return nil, err
	}
	target, err := newAPI(to, o.Version)
	if err != nil {
		return nil, err
	}
	if source.c.URL() == target.c.URL() {
		return nil, fmt.Errorf("source and target are the same server, %s", source.c.URL())
	}
	if err := source.check(ctx); err != nil {
		return nil, err
	}
	leat := newLeatSink(target, o.Paused)
	var into sink = leat
	if o.DryRun {
		into = drySink{leat}
	}
	if _, err := leat.known(ctx, source.c.URL(), nil); err != nil {
		return nil, err
	}
	return fromServer(ctx, source, into, target.c.URL(), o)
}

// fromServer copies from a live server.
func fromServer(ctx context.Context, source *api, into sink, target string, o Options) (*Report, error) {
	if o.Workers <= 0 {
		o.Workers = 4
	}
	r := newReport(source.c.URL(), target, o.Now, o.Progress)
	c := &copying{api: source, into: into, report: r, o: o}
	err := c.all(ctx)
	r.end(err == nil)
	return r, err
}

// copying is a copy under way.
type copying struct {
	api    *api
	into   sink
	report *Report
	o      Options
}

func (c *copying) all(ctx context.Context) error {
	for _, k := range settingKinds() {
		if !c.o.wants(k) {
			continue
		}
		c.o.tell(k)
		if err := c.setting(ctx, k); err != nil {
			return fmt.Errorf("%s: %w", k.words(), err)
		}
	}
	if err := c.history(ctx); err != nil {
		return err
	}
	return c.into.finish(ctx, c.report.Source, c.report.Began)
}

// tell tells that a kind begins.
func (o Options) tell(k Kind) {
	if o.Progress != nil {
		o.Progress(k.words())
	}
}

// put sends rows.
func (c *copying) put(ctx context.Context, k Kind, rows []json.RawMessage) error {
	if len(rows) == 0 {
		return nil
	}
	res, err := c.into.put(ctx, k, rows)
	if err == nil {
		c.report.result(k, res)
	}
	return err
}

// pass counts rows and sends them.
func (c *copying) pass(ctx context.Context, k Kind) func([]json.RawMessage) error {
	return func(rows []json.RawMessage) error {
		c.report.read(k, len(rows))
		return c.put(ctx, k, rows)
	}
}

// setting copies a kind of what users have set up.
func (c *copying) setting(ctx context.Context, k Kind) error {
	switch k {
	case BlockDocuments:
		return c.blockDocuments(ctx)
	case ConcurrencyLimits:
		return c.limits(ctx)
	case ResultStorage:
		return c.resultStorage(ctx)
	default: // lists whose rows pass as they are
	}
	path := map[Kind]string{
		Flows: "/flows/filter", WorkPools: "/work_pools/filter", WorkQueues: "/work_queues/filter", BlockTypes: "/block_types/filter",
		BlockSchemas: "/block_schemas/filter", Variables: "/variables/filter", Deployments: "/deployments/filter",
		Automations: "/automations/filter", SavedSearches: "/saved_searches/filter",
	}[k]
	body := object{}
	if k == Flows || k == Variables || k == Deployments {
		body["sort"] = "NAME_ASC"
	}
	return c.api.list(ctx, path, body, c.pass(ctx, k))
}

// limits copies limits, those of tags and deployments among them.
func (c *copying) limits(ctx context.Context) error {
	return c.api.list(ctx, "/v2/concurrency_limits/filter", object{}, func(rows []json.RawMessage) error {
		for _, raw := range rows {
			var l struct {
				ID     core.ID `json:"id"`
				Name   string  `json:"name"`
				Active int     `json:"active_slots"`
			}
			if err := json.Unmarshal(raw, &l); err != nil {
				return err
			}
			if l.Active > 0 {
				c.report.remark(ConcurrencyLimits, l.ID,
					fmt.Sprintf("%d slots of %s are taken at the source; leases are not copied, so all are free", l.Active, l.Name))
			}
		}
		return c.pass(ctx, ConcurrencyLimits)(rows)
	})
}

func (c *copying) resultStorage(ctx context.Context) error {
	var out client.ResultStorage
	err := c.api.do(ctx, "GET", "/admin/storage", nil, &out)
	if client.IsNotFound(err) || err == nil && out.BlockID == nil {
		return nil // older servers and Prefect Cloud have no such setting
	}
	if err != nil {
		return err
	}
	row, err := wire.Marshal(client.ResultStorageUpdate{BlockID: *out.BlockID})
	if err != nil {
		return err
	}
	return c.pass(ctx, ResultStorage)([]json.RawMessage{row})
}
