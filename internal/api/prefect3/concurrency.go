package prefect3

import (
	"context"
	"net/http"
	"time"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

func (a *API) concurrencyRoutes(r *api.Router) {
	r.Handle("POST", "/v2/concurrency_limits/", api.Handle(http.StatusCreated, a.createConcurrencyLimit))
	r.Handle("POST", "/v2/concurrency_limits/filter", api.Handle(http.StatusOK, a.filterConcurrencyLimits))
	r.Handle("POST", "/v2/concurrency_limits/increment", api.Handle(http.StatusOK, a.incrementSlots))
	r.Handle("POST", "/v2/concurrency_limits/increment-with-lease", api.Handle(http.StatusOK, a.incrementSlotsWithLease))
	r.Handle("POST", "/v2/concurrency_limits/decrement", api.Handle(http.StatusOK, a.decrementSlots))
	r.Handle("POST", "/v2/concurrency_limits/decrement-with-lease", api.Handle(http.StatusNoContent, a.releaseLease))
	r.Handle("POST", "/v2/concurrency_limits/leases/{lease_id}/renew", api.Handle(http.StatusNoContent, a.renewLease))
	r.Handle("GET", "/v2/concurrency_limits/{id_or_name}", api.Handle(http.StatusOK, a.readConcurrencyLimit))
	r.Handle("PATCH", "/v2/concurrency_limits/{id_or_name}", api.Handle(http.StatusNoContent, a.updateConcurrencyLimit))
	r.Handle("DELETE", "/v2/concurrency_limits/{id_or_name}", api.Handle(http.StatusNoContent, a.deleteConcurrencyLimit))
}

func (a *API) createConcurrencyLimit(ctx context.Context, in bodyIn[client.ConcurrencyLimitCreate]) (out client.ConcurrencyLimit, err error) {
	b := in.Body
	l, err := a.Engine.CreateConcurrencyLimit(ctx, a.workspace(ctx), engine.NewConcurrencyLimit{
		Name: b.Name, Limit: b.Limit, Active: b.Active, ActiveSlots: b.ActiveSlots, DeniedSlots: b.DeniedSlots,
		SlotDecayPerSecond: float64(b.SlotDecayPerSecond),
	})
	if err != nil {
		return out, err
	}
	return client.ConcurrencyLimitOf(l, l.Updated), nil
}

func (a *API) filterConcurrencyLimits(ctx context.Context, in bodyIn[page]) ([]client.GlobalConcurrencyLimit, error) {
	n, err := limit(in.Body.Limit)
	if err != nil || n == 0 {
		return nil, err
	}
	found, err := a.Engine.ConcurrencyLimits(ctx, a.workspace(ctx), core.LimitSelect{Limit: n, Offset: in.Body.Offset})
	return mapped(found, func(l *core.ConcurrencyLimit) client.GlobalConcurrencyLimit {
		return client.GlobalConcurrencyLimitOf(l, l.Updated)
	}), err
}

type byIDOrName struct {
	IDOrName string `path:"id_or_name"`
}

func (a *API) readConcurrencyLimit(ctx context.Context, in byIDOrName) (out client.GlobalConcurrencyLimit, err error) {
	l, err := a.Engine.ConcurrencyLimit(ctx, a.workspace(ctx), engine.ParseLimitRef(in.IDOrName))
	if err != nil {
		return out, err
	}
	return client.GlobalConcurrencyLimitOf(l, l.Updated), nil
}

type updateConcurrencyLimitIn struct {
	IDOrName string                        `path:"id_or_name"`
	Body     client.ConcurrencyLimitUpdate `body:""`
}

func (a *API) updateConcurrencyLimit(ctx context.Context, in updateConcurrencyLimitIn) (struct{}, error) {
	b := in.Body
	return struct{}{}, a.Engine.UpdateConcurrencyLimit(ctx, a.workspace(ctx), engine.ParseLimitRef(in.IDOrName), engine.ConcurrencyLimitChange{
		Name: b.Name.Ptr(), Limit: b.Limit.Ptr(), Active: b.Active.Ptr(), ActiveSlots: b.ActiveSlots.Ptr(), DeniedSlots: b.DeniedSlots.Ptr(),
		SlotDecayPerSecond: (*float64)(b.SlotDecayPerSecond.Ptr()), Nulls: b.Nulls(),
	})
}

func (a *API) deleteConcurrencyLimit(ctx context.Context, in byIDOrName) (struct{}, error) {
	return struct{}{}, a.Engine.DeleteConcurrencyLimit(ctx, a.workspace(ctx), engine.ParseLimitRef(in.IDOrName))
}

func (a *API) incrementSlots(ctx context.Context, in bodyIn[client.SlotsIncrement]) ([]client.MinimalConcurrencyLimit, error) {
	got, err := a.Engine.AcquireConcurrencySlots(ctx, a.workspace(ctx), engine.AcquireSlots{
		Names: in.Body.Names, Slots: in.Body.Slots, RateLimit: in.Body.Mode == client.ModeRateLimit,
	})
	return mapped(got.Limits, client.MinimalConcurrencyLimitOf), err
}

func (a *API) incrementSlotsWithLease(ctx context.Context, in bodyIn[client.SlotsIncrementWithLease]) (out client.LeaseAcquired, err error) {
	req := engine.AcquireSlots{
		Names: in.Body.Names, Slots: in.Body.Slots, RateLimit: in.Body.Mode == client.ModeRateLimit, Lease: seconds(in.Body.LeaseDuration),
	}
	if h := in.Body.Holder; h != nil {
		req.Holder = &core.LeaseHolder{Type: string(h.Type), ID: h.ID}
	}
	got, err := a.Engine.AcquireConcurrencySlots(ctx, a.workspace(ctx), req)
	if err != nil {
		return out, err
	}
	return client.LeaseAcquired{LeaseID: *got.LeaseID, Limits: mapped(got.Limits, client.MinimalConcurrencyLimitOf)}, nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func (a *API) decrementSlots(ctx context.Context, in bodyIn[client.SlotsDecrement]) ([]client.MinimalConcurrencyLimit, error) {
	var held time.Duration
	if s := in.Body.OccupancySeconds; s != nil {
		held = seconds(*s)
	}
	limits, err := a.Engine.ReleaseConcurrencySlots(ctx, a.workspace(ctx), in.Body.Names, in.Body.Slots, held)
	return mapped(limits, client.MinimalConcurrencyLimitOf), err
}

func (a *API) releaseLease(ctx context.Context, in bodyIn[client.LeaseRelease]) (struct{}, error) {
	return struct{}{}, a.Engine.ReleaseConcurrencyLease(ctx, a.workspace(ctx), in.Body.LeaseID)
}

type renewLeaseIn struct {
	LeaseID core.ID             `path:"lease_id"`
	Body    client.LeaseRenewal `body:""`
}

func (a *API) renewLease(ctx context.Context, in renewLeaseIn) (struct{}, error) {
	err := a.Engine.RenewConcurrencyLease(ctx, a.workspace(ctx), in.LeaseID, seconds(in.Body.LeaseDuration))
	if core.CodeOf(err) == core.NotFound {
		err = refusal(http.StatusGone, err.Error())
	}
	return struct{}{}, err
}
