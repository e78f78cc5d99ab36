package prefect3

import (
	"context"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/wire"
)

func (a *API) tagLimitRoutes(r *api.Router) {
	r.Handle("POST", "/concurrency_limits/", api.Handle(http.StatusCreated, a.createTagLimit))
	r.Handle("POST", "/concurrency_limits/filter", api.Handle(http.StatusOK, a.filterTagLimits))
	r.Handle("POST", "/concurrency_limits/increment", api.Handle(http.StatusOK, a.incrementTagSlots))
	r.Handle("POST", "/concurrency_limits/decrement", api.Handle(http.StatusOK, a.decrementTagSlots))
	r.Handle("GET", "/concurrency_limits/{id:uuid}", api.Handle(http.StatusOK, a.readTagLimit))
	r.Handle("DELETE", "/concurrency_limits/{id:uuid}", api.Handle(http.StatusOK, a.deleteTagLimit))
	r.Handle("GET", "/concurrency_limits/tag/{tag}", api.Handle(http.StatusOK, a.readTagLimitByTag))
	r.Handle("DELETE", "/concurrency_limits/tag/{tag}", api.Handle(http.StatusOK, a.deleteTagLimitByTag))
	r.Handle("POST", "/concurrency_limits/tag/{tag}/reset", api.Handle(http.StatusOK, a.resetTagLimit))
}

func tagLimitOf(l *engine.TagLimit) client.TagLimit {
	return client.TagLimit{
		ID: l.ID, Created: wire.FromTime(l.Created), Updated: wire.FromTime(l.Updated), Tag: l.Tag(), ConcurrencyLimit: l.Limit,
		ActiveSlots: client.NotNil(l.Holders),
	}
}

func (a *API) createTagLimit(ctx context.Context, in bodyIn[client.TagLimitCreate]) (api.Reply[client.TagLimit], error) {
	l, created, err := a.Engine.PutTagLimit(ctx, a.workspace(ctx), in.Body.Tag, in.Body.ConcurrencyLimit)
	return made(l, created, err, tagLimitOf)
}

func (a *API) filterTagLimits(ctx context.Context, in bodyIn[page]) ([]client.TagLimit, error) {
	n, err := limit(in.Body.Limit)
	if err != nil || n == 0 {
		return nil, err
	}
	found, err := a.Engine.TagLimits(ctx, a.workspace(ctx), n, in.Body.Offset)
	return mapped(found, tagLimitOf), err
}

func (a *API) readTagLimit(ctx context.Context, in byID) (client.TagLimit, error) {
	l, err := a.Engine.TagLimit(ctx, a.workspace(ctx), engine.LimitRef{ID: in.ID})
	return shown(l, err, tagLimitOf)
}

type byTag struct {
	Tag string `path:"tag"`
}

func (a *API) readTagLimitByTag(ctx context.Context, in byTag) (client.TagLimit, error) {
	l, err := a.Engine.TagLimit(ctx, a.workspace(ctx), engine.TagLimitRef(in.Tag))
	return shown(l, err, tagLimitOf)
}

func (a *API) deleteTagLimit(ctx context.Context, in byID) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteTagLimit(ctx, a.workspace(ctx), engine.LimitRef{ID: in.ID})
}

func (a *API) deleteTagLimitByTag(ctx context.Context, in byTag) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteTagLimit(ctx, a.workspace(ctx), engine.TagLimitRef(in.Tag))
}

type resetTagLimitIn struct {
	Tag  string               `path:"tag"`
	Body client.TagLimitReset `body:""`
}

func (a *API) resetTagLimit(ctx context.Context, in resetTagLimitIn) (struct{}, error) {
	return struct{}{}, a.Engine.ResetTagLimit(ctx, a.workspace(ctx), in.Tag, in.Body.SlotOverride)
}

// incrementTagSlots names the limits by their tags; decrementTagSlots names them
// by the limits' own names, as the reference does.
func (a *API) incrementTagSlots(ctx context.Context, in bodyIn[client.TagSlots]) ([]client.MinimalConcurrencyLimit, error) {
	limits, err := a.Engine.AcquireTagSlots(ctx, a.workspace(ctx), in.Body.Names, in.Body.TaskRunID)
	return mapped(limits, func(l *core.ConcurrencyLimit) client.MinimalConcurrencyLimit {
		out := client.MinimalConcurrencyLimitOf(l)
		out.Name = (&engine.TagLimit{ConcurrencyLimit: l}).Tag()
		return out
	}), err
}

func (a *API) decrementTagSlots(ctx context.Context, in bodyIn[client.TagSlots]) ([]client.MinimalConcurrencyLimit, error) {
	limits, err := a.Engine.ReleaseTagSlots(ctx, a.workspace(ctx), in.Body.Names, in.Body.TaskRunID)
	return mapped(limits, client.MinimalConcurrencyLimitOf), err
}
