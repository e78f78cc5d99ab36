package importer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// object is a JSON object.
type object = map[string]any

// pageSize is the most rows that the API gives at once.
const pageSize = 200

// api reads and writes a server by its REST API. What the server cannot answer
// for a while is asked for again.
type api struct {
	c *client.Client
	// patience is how long a server that does not answer is waited for.
	patience time.Duration
}

// Source says which server is read or written.
type Source struct {
	// URL is the address of its API, like http://127.0.0.1:4200/api; Prefect
	// Cloud's is https://api.prefect.cloud/api/accounts/ID/workspaces/ID.
	URL string
	// Key is an API key, AuthString "user:password"; "" for none.
	Key, AuthString string
	// Patience is how long it is waited for when it does not answer; 0 means 30 seconds.
	Patience time.Duration
}

// newAPI returns a client of the server.
func newAPI(s Source, version string) (*api, error) {
	c, err := client.New(client.Config{URL: s.URL, Key: s.Key, AuthString: s.AuthString, Version: version, Timeout: 2 * time.Minute})
	if err != nil {
		return nil, err
	}
	if s.Patience == 0 {
		s.Patience = 30 * time.Second
	}
	return &api{c: c, patience: s.Patience}, nil
}

// failures is how often a request is sent that the server fails at.
const failures = 3

// do sends a request; one that no server answers is sent again for a while, one
// that fails at the server a few times.
func (a *api) do(ctx context.Context, method, path string, in, out any) error {
	wait, waited := 250*time.Millisecond, time.Duration(0)
	for try := 1; ; try++ {
		err := a.c.Do(ctx, method, path, in, out)
		_, gone := errors.AsType[*client.Unreachable](err)
		failed := client.IsStatus(err, http.StatusInternalServerError) || client.IsStatus(err, http.StatusGatewayTimeout)
		if (!gone || waited >= a.patience) && (!failed || try >= failures) {
			return a.explain(err)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		}
		waited += wait
		wait = min(2*wait, 5*time.Second)
	}
}

// explain words what a wrong key leads to.
func (a *api) explain(err error) error {
	if client.IsStatus(err, http.StatusUnauthorized) || client.IsStatus(err, http.StatusForbidden) {
		return fmt.Errorf("%s refuses the key or the password, or there was none", a.c.URL())
	}
	return err
}

// check finds out whether a Prefect 3 server answers. Prefect Cloud says no
// version.
func (a *api) check(ctx context.Context) error {
	version := ""
	err := a.do(ctx, http.MethodGet, "/admin/version", nil, &version)
	var gone *client.Unreachable
	switch {
	case errors.As(err, &gone) || err != nil && strings.Contains(err.Error(), "refuses the key"):
		return err
	case err != nil && !client.IsNotFound(err):
		return fmt.Errorf("%s is not the API of a Prefect server: %w", a.c.URL(), err)
	case err == nil && !strings.HasPrefix(version, "3."):
		return fmt.Errorf("%s is a server of version %q; only Prefect 3 can be read", a.c.URL(), version)
	}
	// Whoever has flows to filter is one; a web page that answers everything is not.
	var flows []client.Flow
	if err := a.do(ctx, http.MethodPost, "/flows/filter", object{"limit": 1}, &flows); err != nil {
		if strings.Contains(err.Error(), "refuses the key") {
			return err
		}
		return fmt.Errorf("%s is not the API of a Prefect server (its address ends with /api): %w", a.c.URL(), err)
	}
	return nil
}

// head is what every row has.
type head struct {
	ID      core.ID   `json:"id"`
	Updated wire.Time `json:"updated"`
}

// list reads the rows of a filter by numbered pages, which a sort order without
// ties keeps apart; rows that moved to a later page meanwhile come once.
func (a *api) list(ctx context.Context, path string, body object, each func([]json.RawMessage) error) error {
	seen := map[core.ID]bool{}
	for offset := 0; ; offset += pageSize {
		var rows []json.RawMessage
		body["limit"], body["offset"] = pageSize, offset
		if err := a.do(ctx, http.MethodPost, path, body, &rows); err != nil {
			return err
		}
		page := map[core.ID]bool{}
		var fresh []json.RawMessage
		for _, raw := range rows {
			var h head
			if err := json.Unmarshal(raw, &h); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if !seen[h.ID] {
				fresh = append(fresh, raw)
			}
			page[h.ID] = true
		}
		seen = page // a row moves by few places between two requests
		if len(fresh) > 0 {
			if err := each(fresh); err != nil {
				return err
			}
		}
		if len(rows) < pageSize {
			return nil
		}
	}
}

// series reads rows in the order of a time of theirs: each page begins at the
// time of the last row before, so that late pages cost no more than early ones.
type series struct {
	path string
	// body makes a request for rows from the time on; nil for all.
	body func(after *time.Time) object
	// at returns a row's time, nil for none.
	at func(raw json.RawMessage) (core.ID, *time.Time, error)
}

// read calls each with every page's new rows.
func (a *api) read(ctx context.Context, s series, each func([]json.RawMessage) error) error {
	var after *time.Time
	seen := map[core.ID]bool{}
	for offset := 0; ; {
		body := s.body(after)
		body["limit"], body["offset"] = pageSize, offset
		var rows []json.RawMessage
		if err := a.do(ctx, http.MethodPost, s.path, body, &rows); err != nil {
			return err
		}
		var fresh []json.RawMessage
		page := map[core.ID]bool{}
		last := after
		for _, raw := range rows {
			id, at, err := s.at(raw)
			if err != nil {
				return fmt.Errorf("%s: %w", s.path, err)
			}
			if !seen[id] {
				fresh = append(fresh, raw)
			}
			page[id] = true
			if at != nil && (last == nil || at.After(*last)) {
				last = at
			}
		}
		if len(fresh) > 0 {
			if err := each(fresh); err != nil {
				return err
			}
		}
		if len(rows) < pageSize {
			return nil
		}
		if last == nil || after != nil && last.Equal(*after) {
			offset += pageSize // more rows of one time than a page holds
			for id := range page {
				seen[id] = true
			}
			continue
		}
		after, offset, seen = last, 0, page
	}
}

// between is the filter of a time.
func between(after *time.Time) object {
	if after == nil {
		return nil
	}
	return object{"after_": wire.FromTime(*after)}
}

// merge returns the objects in one; nil ones add nothing.
func merge(objects ...object) object {
	out := object{}
	for _, o := range objects {
		maps.Copy(out, o)
	}
	return out
}

// escape makes a name fit for a path.
func escape(name string) string { return url.PathEscape(name) }
