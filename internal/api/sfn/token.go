package sfn

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"
)

// defaultPage is the length of a page where none is asked for, or 0.
const defaultPage = 100

// paged is what requests for pages have in common.
type paged struct {
	MaxResults int     `json:"maxResults"`
	NextToken  *string `json:"nextToken"`
}

func (p paged) size() int {
	if p.MaxResults == 0 {
		return defaultPage
	}
	return p.MaxResults
}

// tokenSum is the length of the part of a token that binds it to its request.
const tokenSum = 16

// token makes the token that continues a list after the cursor. It works for
// the same question only: the operation, the place and what else was asked.
func (c *call) token(cursor string, question ...any) *string {
	t := base64.RawURLEncoding.EncodeToString(slices.Concat(c.bind(cursor, question), []byte(cursor)))
	return &t
}

// cursor returns what a token holds, "" for none.
func (c *call) cursor(token *string, question ...any) (string, error) {
	if token == nil {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*token)
	if err != nil || len(raw) <= tokenSum {
		return "", invalidToken()
	}
	cursor := string(raw[tokenSum:])
	if !slices.Equal(raw[:tokenSum], c.bind(cursor, question)) {
		return "", invalidToken()
	}
	return cursor, nil
}

func (c *call) bind(cursor string, question []any) []byte {
	text, err := json.Marshal([]any{c.operation, c.Account, c.Region, cursor, question})
	if err != nil {
		return nil // strings and numbers always marshal
	}
	sum := sha256.Sum256(text)
	return sum[:tokenSum]
}

// page cuts a list that was read with one element more than a page has, and
// makes the token for the rest.
func page[T any](c *call, p paged, all []T, cursor func(T) string, question ...any) ([]T, *string) {
	n := p.size()
	if len(all) <= n {
		return all, nil
	}
	return all[:n], c.token(cursor(all[n-1]), question...)
}
