package prefect3

import (
	"net/http"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// maxLimit is the most rows that one answer lists, and the default.
const maxLimit = 200

// page is the part of a body that says which rows of a list are wanted.
type page struct {
	Limit  *int `json:"limit"`
	Offset int  `json:"offset" wire:"ge=0,nullable"`
}

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
func query(f filters, sort string, p page) (core.Query, error) {
	n, err := limit(p.Limit)
	return core.Query{Where: f.where(), Sort: sort, Limit: n, Offset: p.Offset}, err
}

// pages is an answer of the paginate endpoints.
type pages[T any] struct {
	Results []T `json:"results"`
	Count   int `json:"count"`
	Limit   int `json:"limit"`
	Pages   int `json:"pages"`
	Page    int `json:"page"`
}

// numbered is the part of a body that says which page is wanted.
type numbered struct {
	Page  int  `json:"page" wire:"ge=1,default=1"`
	Limit *int `json:"limit"`
}

// offset turns the page's number into a page of rows.
func (n numbered) offset() (page, int, error) {
	size, err := limit(n.Limit)
	return page{Limit: &size, Offset: (n.Page - 1) * size}, size, err
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

// mapped converts a list.
func mapped[A, B any](list []A, fn func(A) B) []B {
	out := make([]B, len(list))
	for i, v := range list {
		out[i] = fn(v)
	}
	return out
}
