package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/core"
)

// What most endpoints take.
type (
	// byID takes an id and nothing else.
	byID struct {
		ID core.ID `path:"id"`
	}
	// byName takes a name and nothing else.
	byName struct {
		Name string `path:"name"`
	}
	// bodyIn takes a body and nothing else.
	bodyIn[B any] struct {
		Body B `body:""`
	}
	// idIn takes an id and a body.
	idIn[B any] struct {
		ID   core.ID `path:"id"`
		Body B       `body:""`
	}
	// nameIn takes a name and a body.
	nameIn[B any] struct {
		Name string `path:"name"`
		Body B      `body:""`
	}
)

// keyed is an input that names what it is about.
type keyed[K any] interface{ key() K }

func (in byID) key() core.ID  { return in.ID }
func (in byName) key() string { return in.Name }

// list makes a handler that answers with the rows that a body asks for.
func list[B listing, W any](a *API, find func(core.Tx, core.Query) ([]W, error)) func(context.Context, bodyIn[B]) ([]W, error) {
	return func(ctx context.Context, in bodyIn[B]) ([]W, error) {
		q, err := query(in.Body, in.Body.order(), in.Body.rows())
		if err != nil {
			return nil, err
		}
		return read(ctx, a, func(tx core.Tx) ([]W, error) { return find(tx, q) })
	}
}

// count makes a handler that answers with the number of rows that a body selects.
func count[B selecting](a *API, number func(core.Tx, core.Query) (int, error)) func(context.Context, bodyIn[B]) (int, error) {
	return func(ctx context.Context, in bodyIn[B]) (int, error) {
		return read(ctx, a, func(tx core.Tx) (int, error) { return number(tx, core.Query{Where: in.Body.where()}) })
	}
}

// paginate makes a handler that answers with a numbered page of the rows that
// a body asks for, and with how many there are.
func paginate[B interface {
	listing
	number() int
}, W any](
	a *API, find func(core.Tx, core.Query) ([]W, error), number func(core.Tx, core.Query) (int, error),
) func(context.Context, bodyIn[B]) (pages[W], error) {
	return func(ctx context.Context, in bodyIn[B]) (out pages[W], err error) {
		q, err := query(in.Body, in.Body.order(), in.Body.rows())
		if err != nil {
			return out, err
		}
		return read(ctx, a, func(tx core.Tx) (out pages[W], err error) {
			found, err := find(tx, q)
			if err != nil {
				return out, err
			}
			n, err := number(tx, q)
			return pagesOf(found, n, q.Limit, in.Body.number()), err
		})
	}
}

// get makes a handler that answers with what the input names.
func get[In keyed[K], K, W any](a *API, find func(core.Tx, K) (W, error)) func(context.Context, In) (W, error) {
	return func(ctx context.Context, in In) (W, error) {
		return read(ctx, a, func(tx core.Tx) (W, error) { return find(tx, in.key()) })
	}
}

// do makes a handler that does something to what the input names and answers with nothing.
func do[In keyed[K], K any](a *API, change func(context.Context, core.WorkspaceID, K) error) func(context.Context, In) (struct{}, error) {
	return func(ctx context.Context, in In) (struct{}, error) {
		return struct{}{}, change(ctx, a.workspace(ctx), in.key())
	}
}

// each shows the rows that find returns.
func each[K, R, W any](find func(core.Tx, K) ([]R, error), show func(R) W) func(core.Tx, K) ([]W, error) {
	return func(tx core.Tx, k K) ([]W, error) {
		found, err := find(tx, k)
		return mapped(found, show), err
	}
}

// one shows the row that find returns.
func one[K, R, W any](find func(core.Tx, K) (R, error), show func(R) W) func(core.Tx, K) (W, error) {
	return func(tx core.Tx, k K) (W, error) {
		found, err := find(tx, k)
		return shown(found, err, show)
	}
}

// shown shows what an operation returned, unless it failed.
func shown[R, W any](v R, err error, show func(R) W) (out W, _ error) {
	if err == nil {
		out = show(v)
	}
	return out, err
}

// made shows what an operation made, with 201, or what was there, with 200.
func made[R, W any](v R, created bool, err error, show func(R) W) (api.Reply[W], error) {
	if err != nil {
		return api.Reply[W]{}, err
	}
	status := http.StatusOK
	if created {
		status = http.StatusCreated
	}
	return api.Reply[W]{Status: status, Body: show(v)}, nil
}

// mapped converts a list.
func mapped[A, B any](list []A, fn func(A) B) []B {
	out := make([]B, len(list))
	for i, v := range list {
		out[i] = fn(v)
	}
	return out
}
