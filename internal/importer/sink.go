package importer

import (
	"context"
	"encoding/json"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// sink takes rows. It may be used by many goroutines at once.
type sink interface {
	// put stores rows of a kind.
	put(ctx context.Context, k Kind, rows []json.RawMessage) (client.ImportResult, error)
	// known returns which of the runs need not be sent, and when the last copy
	// from the source began that came to its end.
	known(ctx context.Context, source string, runs []client.ImportVersion) (client.ImportAnswer, error)
	// finish ends a copy that came to its end.
	finish(ctx context.Context, source string, began time.Time) error
}

// The most rows and bytes of a request to leat.
const (
	maxRows  = 1000
	maxBytes = 1 << 20
)

// leatSink is a leat server. What it has under other ids is known from its
// answers, and in the rows that follow the ids are exchanged.
type leatSink struct {
	api    *api
	paused bool

	mu     sync.RWMutex
	blocks map[string]string // of block types and schemas, which only blocks name
	others map[string]string
}

func newLeatSink(a *api, paused bool) *leatSink {
	return &leatSink{api: a, paused: paused, blocks: map[string]string{}, others: map[string]string{}}
}

// put implements sink; many or large rows are sent in several requests.
func (s *leatSink) put(ctx context.Context, k Kind, rows []json.RawMessage) (client.ImportResult, error) {
	var all client.ImportResult
	for len(rows) > 0 {
		n, size := 0, 0
		for n < len(rows) && n < maxRows && (n == 0 || size+len(rows[n]) <= maxBytes) {
			size += len(rows[n])
			n++
		}
		batch := make([]json.RawMessage, n)
		for i, raw := range rows[:n] {
			batch[i] = s.exchange(k, raw)
		}
		res, err := s.send(ctx, k, batch)
		if err != nil {
			return all, err
		}
		s.learn(k, res.Mapped)
		all.Created += res.Created
		all.Updated += res.Updated
		all.Unchanged += res.Unchanged
		all.Refused = append(all.Refused, res.Refused...)
		all.Notes = append(all.Notes, res.Notes...)
		rows = rows[n:]
	}
	return all, nil
}

// send stores rows in one request. Where leat fails at a batch, its halves are
// tried, so that one row that cannot be stored keeps no other from it.
func (s *leatSink) send(ctx context.Context, k Kind, rows []json.RawMessage) (res client.ImportResult, err error) {
	err = s.api.do(ctx, http.MethodPost, "/leat/import", client.ImportBatch{Kind: string(k), Rows: rows, Paused: s.paused}, &res)
	if !client.IsStatus(err, http.StatusInternalServerError) {
		return res, notLeat(s.api, err)
	}
	if len(rows) == 1 {
		var h head
		if json.Unmarshal(rows[0], &h) != nil {
			h = head{}
		}
		return client.ImportResult{Refused: []client.ImportRemark{{ID: h.ID, Text: "leat cannot store it; its log says why"}}}, nil
	}
	first, err := s.send(ctx, k, rows[:len(rows)/2])
	if err != nil {
		return first, err
	}
	second, err := s.send(ctx, k, rows[len(rows)/2:])
	second.Created, second.Updated, second.Unchanged = second.Created+first.Created, second.Updated+first.Updated, second.Unchanged+first.Unchanged
	second.Refused, second.Notes = append(first.Refused, second.Refused...), append(first.Notes, second.Notes...)
	s.learn(k, first.Mapped)
	return second, err
}

// notLeat says that the target lacks leat's own route.
func notLeat(a *api, err error) error {
	if client.IsNotFound(err) {
		return &notLeatError{a.c.URL()}
	}
	return err
}

type notLeatError struct{ url string }

// Error implements error.
func (e *notLeatError) Error() string {
	return e.url + " is not the API of a leat server: it has no route for imports; leat export prefect writes to others"
}

func blockKind(k Kind) bool { return k == BlockTypes || k == BlockSchemas || k == BlockDocuments }

// learn keeps what the target has under other ids.
func (s *leatSink) learn(k Kind, mapped map[core.ID]core.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for from, to := range mapped {
		if k == BlockTypes || k == BlockSchemas {
			s.blocks[from.String()] = to.String()
		} else {
			s.others[from.String()] = to.String()
		}
	}
}

// uuidText is what an id looks like within a row.
var uuidText = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// exchange puts the target's ids in the place of the source's, wherever they
// stand in a row but at its own. Lines are text and stay as they are.
func (s *leatSink) exchange(k Kind, raw json.RawMessage) json.RawMessage {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if k == Logs || len(s.others) == 0 && (!blockKind(k) || len(s.blocks) == 0) {
		return raw
	}
	return uuidText.ReplaceAllFunc(raw, func(id []byte) []byte {
		if to, ok := s.others[string(id)]; ok {
			return []byte(to)
		}
		if to, ok := s.blocks[string(id)]; ok && blockKind(k) {
			return []byte(to)
		}
		return id
	})
}

// known implements sink.
func (s *leatSink) known(ctx context.Context, source string, runs []client.ImportVersion) (out client.ImportAnswer, err error) {
	err = s.api.do(ctx, http.MethodPost, "/leat/import/known", client.ImportKnown{Source: source, FlowRuns: client.NotNil(runs)}, &out)
	return out, notLeat(s.api, err)
}

// finish implements sink.
func (s *leatSink) finish(ctx context.Context, source string, began time.Time) error {
	row, err := wire.Marshal(client.ImportMark{Source: source, Began: wire.FromTime(began)})
	if err == nil {
		_, err = s.put(ctx, marks, []json.RawMessage{row})
	}
	return err
}

// drySink stores nothing; all rows count as created.
type drySink struct{ leat *leatSink }

// put implements sink.
func (s drySink) put(_ context.Context, _ Kind, rows []json.RawMessage) (client.ImportResult, error) {
	return client.ImportResult{Created: len(rows)}, nil
}

// known implements sink.
func (s drySink) known(ctx context.Context, source string, runs []client.ImportVersion) (client.ImportAnswer, error) {
	return s.leat.known(ctx, source, runs)
}

// finish implements sink.
func (s drySink) finish(context.Context, string, time.Time) error { return nil }
