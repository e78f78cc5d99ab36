package prefect3

import (
	"net/http"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// maxLimit is the most rows that one answer lists, and the default.
const maxLimit = 200

// listing is the body of a list. It is put together by embedding: a page or
// numbered, filters, and an order.
type listing interface {
	selecting
	// order is the name of the order.
	order() string
	// rows says which rows are wanted.
	rows() page
}

// page is the part of a body that says which rows of a list are wanted.
type page struct {
	_      struct{} `wire:"embed"`
	Limit  *int     `json:"limit"`
	Offset int      `json:"offset" wire:"ge=0,nullable"`
}

func (p page) rows() page { return p }

// numbered is the part of a body that says which page is wanted.
type numbered struct {
	_     struct{} `wire:"embed"`
	Page  int      `json:"page" wire:"ge=1,default=1"`
	Limit *int     `json:"limit"`
}

func (n numbered) rows() page {
	size := maxLimit
	if n.Limit != nil {
		size = *n.Limit
	}
	return page{Limit: &size, Offset: (n.Page - 1) * size}
}

func (n numbered) number() int { return n.Page }

// nameSort is the order of most things that have a name.
type nameSort string

// Enum lists the values.
func (nameSort) Enum() []string {
	return []string{"CREATED_DESC", "UPDATED_DESC", "NAME_ASC", "NAME_DESC"}
}

// nameOrder is the part of a body that orders by name unless told otherwise.
type nameOrder struct {
	Sort nameSort `json:"sort" wire:"default=NAME_ASC"`
}

func (o nameOrder) order() string { return string(o.Sort) }

// unordered is the part of a list's body without an order.
type unordered struct{}

func (unordered) order() string { return "" }

// limit checks how many rows are wanted.
func limit(asked *int) (int, error) {
	switch {
	case asked == nil:
		return maxLimit, nil
	case *asked > maxLimit:
		return 0, refusal(http.StatusUnprocessableEntity, "Invalid limit: must be less than or equal to 200.")
	case *asked < 0:
		return 0, refusal(http.StatusUnprocessableEntity, "Invalid limit: must be greater than or equal to 0.")
	}
	return *asked, nil
}

// query makes a query of filters, a sort and a page.
func query(s selecting, sort string, p page) (core.Query, error) {
	n, err := limit(p.Limit)
	return core.Query{Where: s.where(), Sort: sort, Limit: n, Offset: p.Offset}, err
}

// pages is an answer of the paginate endpoints.
type pages[T any] struct {
	Results []T `json:"results"`
	Count   int `json:"count"`
	Limit   int `json:"limit"`
	Pages   int `json:"pages"`
	Page    int `json:"page"`
}

// pagesOf makes an answer.
func pagesOf[T any](results []T, count, size, number int) pages[T] {
	out := pages[T]{Results: results, Count: count, Limit: size, Page: number}
	if out.Results == nil {
		out.Results = []T{}
	}
	if size > 0 {
		out.Pages = (count + size - 1) / size
	}
	return out
}

// optRaw is the JSON of labels, nil when there are none.
func optRaw(l wire.Opt[wire.Labels]) []byte {
	v, ok := l.Get()
	if !ok {
		return nil
	}
	return v
}
