package prefect3

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

const (
	// searchRetention is how far back a search looks that does not say since when.
	searchRetention = 180 * 24 * time.Hour
	// searchChunk is how many events are read at once.
	searchChunk = 1000
	// searchLimit is how many events one search looks at.
	searchLimit = 200_000
)

// eventPage is an answer of POST /events/filter.
type eventPage struct {
	Events   []client.Event `json:"events"`
	Total    int            `json:"total"`
	NextPage *string        `json:"next_page"`
}

type filterEventsIn struct {
	Body struct {
		_      struct{}        `wire:"embed"`
		Filter eventFilterText `json:"filter"`
		Limit  int             `json:"limit" wire:"ge=0,le=50,default=50"`
	} `body:""`
	Request *http.Request
}

// eventSearch is a search and where its next page begins; it is what page
// tokens hold.
type eventSearch struct {
	Filter json.RawMessage `json:"filter"`
	// Until keeps later events off the later pages.
	Until time.Time `json:"until"`
	Limit int       `json:"limit"`
	// Skip counts the matching events of the pages before.
	Skip int `json:"skip"`
}

// eventFilterText is a filter of events as it came; what is wrong in it is told
// with the rest of its body.
type eventFilterText json.RawMessage

// DecodeWire implements wire's interface for types that decode themselves.
func (t *eventFilterText) DecodeWire(raw json.RawMessage) []wire.FieldError {
	_, errs := decoded[eventFilter](raw)
	*t = eventFilterText(raw)
	return errs
}

// WireSchema implements wire's interface for types that describe themselves.
func (*eventFilterText) WireSchema(of func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.OrNull(of(reflect.TypeFor[eventFilter]()))
}

// filterEvents searches stored events. Prefect REST: POST /events/filter.
func (a *API) filterEvents(ctx context.Context, in filterEventsIn) (eventPage, error) {
	return a.searchEvents(ctx, in.Request, eventSearch{Filter: json.RawMessage(in.Body.Filter), Until: a.Now(), Limit: in.Body.Limit})
}

type nextEventsIn struct {
	Token   string `query:"page-token" wire:"required"`
	Request *http.Request
}

// nextEvents answers with a later page of a search. Prefect REST: GET /events/filter/next.
func (a *API) nextEvents(ctx context.Context, in nextEventsIn) (eventPage, error) {
	var s eventSearch
	text, err := base64.URLEncoding.DecodeString(in.Token)
	if err != nil || json.Unmarshal(text, &s) != nil || s.Limit < 0 || s.Limit > 50 || s.Skip < 0 {
		return eventPage{}, refusal(http.StatusForbidden, "Forbidden")
	}
	return a.searchEvents(ctx, in.Request, s)
}

func (a *API) searchEvents(ctx context.Context, r *http.Request, s eventSearch) (eventPage, error) {
	var f eventFilter
	if len(s.Filter) > 0 {
		if err := wire.Decode(s.Filter, &f); err != nil {
			return eventPage{}, refusal(http.StatusForbidden, "Forbidden") // a token that we did not make
		}
	}
	filter := f.core()
	span := core.EventRange{Since: s.Until.Add(-searchRetention), Until: s.Until, Ascending: f.Order == "ASC", Limit: searchChunk}
	if filter.Since != nil {
		span.Since = *filter.Since
	}
	// Events that senders date ahead are found by a search that names their time.
	if filter.Until != nil {
		span.Until = *filter.Until
	}
	filter.Since, filter.Until = nil, nil
	if filter.Resource != nil {
		span.ResourceIDs = filter.Resource.IDs
	}
	if len(filter.Prefixes) == 0 {
		span.Names = filter.Names
	}
	out := eventPage{Events: []client.Event{}}
	err := a.view(ctx, func(tx core.Tx) error {
		for ; span.Offset < searchLimit; span.Offset += searchChunk {
			events, err := tx.FindEvents(span)
			if err != nil {
				return err
			}
			for _, e := range events {
				if !filter.Matches(e) {
					continue
				}
				if out.Total >= s.Skip && len(out.Events) < s.Limit {
					out.Events = append(out.Events, client.EventOf(e))
				}
				out.Total++
			}
			if len(events) < searchChunk {
				return nil
			}
		}
		return nil
	})
	if seen := s.Skip + len(out.Events); err == nil && seen < out.Total {
		s.Skip = seen
		out.NextPage = nextPage(r, s)
	}
	return out, err
}

// nextPage is the address of a search's next page, as the client reached this one.
func nextPage(r *http.Request, s eventSearch) *string {
	token, err := json.Marshal(s)
	if err != nil {
		return nil // times and JSON that was read always marshal
	}
	scheme := "http"
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		scheme = "https"
	}
	u := url.URL{
		Scheme: scheme, Host: r.Host, Path: "/api/events/filter/next",
		RawQuery: url.Values{"page-token": {base64.URLEncoding.EncodeToString(token)}}.Encode(),
	}
	text := u.String()
	return &text
}
