package importer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// artifacts copies artifacts, those of no run too.
func (c *copying) artifacts(ctx context.Context) error {
	body := object{"sort": "ID_DESC"}
	if !c.o.Since.IsZero() {
		body["flow_runs"] = object{"expected_start_time": between(&c.o.Since)}
		c.report.remark(Artifacts, core.ID{}, "artifacts of no run are left out, for only those of the runs since then are asked for")
	}
	return c.api.list(ctx, "/artifacts/filter", body, c.pass(ctx, Artifacts))
}

func (c *copying) collections(ctx context.Context) error {
	return c.api.list(ctx, "/artifacts/latest/filter", object{"sort": "KEY_ASC"}, func(rows []json.RawMessage) error {
		if c.o.Since.IsZero() {
			return c.pass(ctx, ArtifactCollections)(rows)
		}
		// A collection whose artifact was left out is refused, as it should be.
		c.report.read(ArtifactCollections, len(rows))
		res, err := c.into.put(ctx, ArtifactCollections, rows)
		if err != nil {
			return err
		}
		for range res.Refused {
			c.report.skip(ArtifactCollections, core.ID{}, "")
		}
		res.Refused = nil
		c.report.result(ArtifactCollections, res)
		return nil
	})
}

// eventPage is how many events the API gives at once.
const eventPage = 50

// page is a page of events.
type page struct {
	Events []json.RawMessage `json:"events"`
	Next   *string           `json:"next_page"`
}

// events copies the events that the source still has, up to the begin of the copy.
func (c *copying) events(ctx context.Context) error {
	since := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	answer, err := c.into.known(ctx, c.report.Source, nil)
	if err != nil {
		return err
	}
	if answer.Last != nil {
		since = answer.Last.Add(-settled)
	}
	if c.o.Since.After(since) {
		since = c.o.Since
	}
	var waiting []json.RawMessage
	var oldest *time.Time
	seen := map[core.ID]bool{}
	for {
		rows, last, now, err := c.eventsSince(ctx, since, seen)
		if err != nil {
			return err
		}
		if oldest == nil && len(rows) > 0 {
			var e client.Event
			if err := json.Unmarshal(rows[0], &e); err != nil {
				return err
			}
			oldest = e.Occurred.Ptr()
		}
		c.report.read(Events, len(rows))
		waiting = append(waiting, rows...)
		if len(waiting) >= maxRows || now == nil {
			if err := c.put(ctx, Events, waiting); err != nil {
				return err
			}
			waiting = nil
		}
		if now == nil {
			break
		}
		seen, since = now, last
	}
	if answer.Last == nil && oldest != nil {
		c.report.remark(Events, core.ID{}, fmt.Sprintf("servers keep events for a while only; the oldest that the source has is of %s", oldest.UTC().Format(time.RFC3339)))
	}
	return nil
}

// eventsSince reads events from a time on, those seen left out: a page, or as
// many as have the time of the page's last one. It returns the time of the last,
// and the ids of the events that have it; nil when there are no more.
func (c *copying) eventsSince(ctx context.Context, since time.Time, seen map[core.ID]bool) (fresh []json.RawMessage, last time.Time, at map[core.ID]bool, err error) {
	body := object{"limit": eventPage, "filter": object{
		"occurred": object{"since": wire.FromTime(since), "until": wire.FromTime(c.report.Began)}, "order": "ASC",
	}}
	var p page
	if err := c.api.do(ctx, http.MethodPost, "/events/filter", body, &p); err != nil {
		return nil, since, nil, err
	}
	last = since
	for {
		at = map[core.ID]bool{}
		for _, raw := range p.Events {
			var e client.Event
			if err := json.Unmarshal(raw, &e); err != nil {
				return nil, since, nil, err
			}
			if !seen[e.ID] {
				fresh = append(fresh, raw)
			}
			if e.Occurred.After(last) {
				last, at = e.Occurred.Time, map[core.ID]bool{}
			}
			at[e.ID] = true
			seen[e.ID] = true
		}
		if p.Next == nil || *p.Next == "" {
			return fresh, last, nil, nil
		}
		if last.After(since) {
			return fresh, last, at, nil
		}
		link, err := url.Parse(*p.Next)
		if err != nil {
			return nil, since, nil, err
		}
		p = page{}
		if err := c.api.do(ctx, http.MethodGet, "/events/filter/next?"+link.RawQuery, nil, &p); err != nil {
			return nil, since, nil, err
		}
	}
}
