package engine

import (
	"context"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// BlockTypeChange names what is to change in a block type; what is not set stays.
type BlockTypeChange struct {
	LogoURL, DocumentationURL, Description, CodeExample wire.Opt[string]
}

// CreateBlockType makes a block type; identity and times are set here. A slug
// that is taken gives a Conflict error, a reserved name Forbidden.
func (e *Engine) CreateBlockType(ctx context.Context, ws core.WorkspaceID, b core.BlockType) (*core.BlockType, error) {
	if strings.HasPrefix(strings.ToLower(b.Name), "prefect") {
		return nil, core.Errorf(core.Forbidden, "Block type names beginning with 'Prefect' are reserved.")
	}
	now := e.now()
	b.ID, b.Created, b.Updated, b.Protected = core.NewID(now), now, now, false
	return &b, e.store.Update(ctx, ws, func(tx core.Tx) error {
		if _, err := tx.BlockTypeBySlug(b.Slug); err == nil {
			return core.Errorf(core.Conflict, "Block type with name \"%s\" already exists", b.Name)
		} else if !missing(err) {
			return err
		}
		if err := tx.InsertBlockType(&b); err != nil {
			return err
		}
		return tellBlockType(tx, now, "created", &b)
	})
}

func tellBlockType(tx core.Tx, now time.Time, what string, b *core.BlockType) error {
	return tellChange(tx, now, "block-type", what, b.ID, b.Name, struct {
		Name             string  `json:"name"`
		Slug             string  `json:"slug"`
		LogoURL          *string `json:"logo_url"`
		DocumentationURL *string `json:"documentation_url"`
		Description      *string `json:"description"`
		CodeExample      *string `json:"code_example"`
		Protected        bool    `json:"is_protected"`
	}{b.Name, b.Slug, b.LogoURL, b.DocumentationURL, b.Description, b.CodeExample, b.Protected})
}

// UpdateBlockType changes what a block type says of itself.
func (e *Engine) UpdateBlockType(ctx context.Context, ws core.WorkspaceID, id core.ID, change BlockTypeChange) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		b, err := tx.BlockType(id)
		if err != nil {
			return err
		}
		changed := false
		replace := func(dst **string, value wire.Opt[string]) {
			if value.Set && !equal(*dst, value.Ptr()) {
				*dst, changed = value.Ptr(), true
			}
		}
		replace(&b.LogoURL, change.LogoURL)
		replace(&b.DocumentationURL, change.DocumentationURL)
		replace(&b.Description, change.Description)
		replace(&b.CodeExample, change.CodeExample)
		if !changed {
			return nil
		}
		b.Updated = now
		if err := tx.UpdateBlockType(b); err != nil {
			return err
		}
		return tellBlockType(tx, now, "updated", b)
	})
}

func equal(a, b *string) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// DeleteBlockType removes a block type with its schemas and documents. A
// protected one gives a Forbidden error.
func (e *Engine) DeleteBlockType(ctx context.Context, ws core.WorkspaceID, id core.ID) error {
	now := e.now()
	return e.store.Update(ctx, ws, func(tx core.Tx) error {
		b, err := tx.BlockType(id)
		if err != nil {
			return err
		}
		if b.Protected {
			return core.Errorf(core.Forbidden, "protected block types cannot be deleted.")
		}
		if _, err := tx.DeleteBlockType(id); err != nil {
			return err
		}
		return tellBlockType(tx, now, "deleted", b)
	})
}
