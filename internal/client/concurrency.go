package client

import (
	"encoding/json"
	"reflect"
	"slices"
	"time"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// ConcurrencyLimit is a new limit as the API shows it. Prefect REST: ConcurrencyLimitV2.
type ConcurrencyLimit struct {
	ID                      core.ID    `json:"id"`
	Created                 wire.Time  `json:"created"`
	Updated                 wire.Time  `json:"updated"`
	Active                  bool       `json:"active"`
	Name                    string     `json:"name"`
	Limit                   int        `json:"limit"`
	ActiveSlots             int        `json:"active_slots"`
	DeniedSlots             int        `json:"denied_slots"`
	SlotDecayPerSecond      wire.Float `json:"slot_decay_per_second"`
	AvgSlotOccupancySeconds wire.Float `json:"avg_slot_occupancy_seconds"`
}

// ConcurrencyLimitOf shows a limit at a time.
func ConcurrencyLimitOf(l *core.ConcurrencyLimit, now time.Time) ConcurrencyLimit {
	return ConcurrencyLimit{
		ID: l.ID, Created: wire.FromTime(l.Created), Updated: wire.FromTime(l.Updated), Active: l.Active, Name: l.Name, Limit: l.Limit,
		ActiveSlots: l.ActiveSlots(now), DeniedSlots: l.Denied(now), SlotDecayPerSecond: wire.Float(l.SlotDecayPerSecond),
		AvgSlotOccupancySeconds: wire.Float(l.AvgSlotOccupancySeconds),
	}
}

// GlobalConcurrencyLimit is a limit as the API lists it. Prefect REST:
// GlobalConcurrencyLimitResponse.
type GlobalConcurrencyLimit struct {
	ID                 core.ID    `json:"id"`
	Created            wire.Time  `json:"created"`
	Updated            wire.Time  `json:"updated"`
	Active             bool       `json:"active"`
	Name               string     `json:"name"`
	Limit              int        `json:"limit"`
	ActiveSlots        int        `json:"active_slots"`
	SlotDecayPerSecond wire.Float `json:"slot_decay_per_second"`
}

// GlobalConcurrencyLimitOf shows a limit at a time.
func GlobalConcurrencyLimitOf(l *core.ConcurrencyLimit, now time.Time) GlobalConcurrencyLimit {
	return GlobalConcurrencyLimit{
		ID: l.ID, Created: wire.FromTime(l.Created), Updated: wire.FromTime(l.Updated), Active: l.Active, Name: l.Name, Limit: l.Limit,
		ActiveSlots: l.ActiveSlots(now), SlotDecayPerSecond: wire.Float(l.SlotDecayPerSecond),
	}
}

// MinimalConcurrencyLimit is a limit as the answers about slots name it. Prefect
// REST: MinimalConcurrencyLimitResponse.
type MinimalConcurrencyLimit struct {
	ID    core.ID `json:"id"`
	Name  string  `json:"name"`
	Limit int     `json:"limit"`
}

// MinimalConcurrencyLimitOf names a limit.
func MinimalConcurrencyLimitOf(l *core.ConcurrencyLimit) MinimalConcurrencyLimit {
	return MinimalConcurrencyLimit{ID: l.ID, Name: l.Name, Limit: l.Limit}
}

// ConcurrencyLimitCreate is the body of POST /v2/concurrency_limits/.
type ConcurrencyLimitCreate struct {
	_                  struct{}   `wire:"forbid"`
	Active             bool       `json:"active" wire:"default=true"`
	Name               string     `json:"name" wire:"required,pattern=name"`
	Limit              int        `json:"limit" wire:"required,ge=0"`
	ActiveSlots        int        `json:"active_slots" wire:"ge=0"`
	DeniedSlots        int        `json:"denied_slots" wire:"ge=0"`
	SlotDecayPerSecond wire.Float `json:"slot_decay_per_second" wire:"ge=0"`
}

// ConcurrencyLimitUpdate is the body of PATCH /v2/concurrency_limits/{id_or_name}.
type ConcurrencyLimitUpdate struct {
	_                  struct{}             `wire:"forbid"`
	Active             wire.Opt[bool]       `json:"active,omitzero"`
	Name               wire.Opt[string]     `json:"name,omitzero" wire:"pattern=name"`
	Limit              wire.Opt[int]        `json:"limit,omitzero" wire:"ge=0"`
	ActiveSlots        wire.Opt[int]        `json:"active_slots,omitzero" wire:"ge=0"`
	DeniedSlots        wire.Opt[int]        `json:"denied_slots,omitzero" wire:"ge=0"`
	SlotDecayPerSecond wire.Opt[wire.Float] `json:"slot_decay_per_second,omitzero" wire:"ge=0"`
}

// Nulls reports whether the body gives null to something that must have a value.
func (u ConcurrencyLimitUpdate) Nulls() bool {
	return u.Active.Null || u.Name.Null || u.Limit.Null || u.ActiveSlots.Null || u.DeniedSlots.Null || u.SlotDecayPerSecond.Null
}

// SlotMode says whether slots are held or spent.
type SlotMode string

// The modes.
const (
	ModeConcurrency SlotMode = "concurrency"
	ModeRateLimit   SlotMode = "rate_limit"
)

// HolderType says what holds a lease.
type HolderType string

// LeaseHolder says who holds a lease. Prefect REST: ConcurrencyLeaseHolder.
type LeaseHolder struct {
	_    struct{}   `wire:"forbid"`
	Type HolderType `json:"type" wire:"required"`
	ID   core.ID    `json:"id" wire:"required"`
}

// SlotsIncrement is the body of POST /v2/concurrency_limits/increment.
type SlotsIncrement struct {
	_     struct{} `wire:"embed"`
	Slots int      `json:"slots" wire:"required,gt=0"`
	Names []string `json:"names" wire:"required"`
	Mode  SlotMode `json:"mode" wire:"default=concurrency"`
	// CreateIfMissing is taken from old clients and does nothing, as in the reference.
	CreateIfMissing *bool `json:"create_if_missing,omitempty"`
}

// SlotsIncrementWithLease is the body of POST /v2/concurrency_limits/increment-with-lease.
type SlotsIncrementWithLease struct {
	_     struct{} `wire:"embed"`
	Slots int      `json:"slots" wire:"required,gt=0"`
	Names []string `json:"names" wire:"required"`
	Mode  SlotMode `json:"mode" wire:"default=concurrency"`
	// LeaseDuration is in seconds.
	LeaseDuration float64      `json:"lease_duration" wire:"ge=60,le=86400,default=300"`
	Holder        *LeaseHolder `json:"holder"`
}

// LeaseAcquired is the answer to POST /v2/concurrency_limits/increment-with-lease.
type LeaseAcquired struct {
	LeaseID core.ID                   `json:"lease_id"`
	Limits  []MinimalConcurrencyLimit `json:"limits"`
}

// SlotsDecrement is the body of POST /v2/concurrency_limits/decrement.
type SlotsDecrement struct {
	_     struct{} `wire:"embed"`
	Slots int      `json:"slots" wire:"required,gt=0"`
	Names []string `json:"names" wire:"required"`
	// OccupancySeconds is how long the slots were held.
	OccupancySeconds *float64 `json:"occupancy_seconds" wire:"gt=0"`
	CreateIfMissing  *bool    `json:"create_if_missing,omitempty"`
}

// LeaseRelease is the body of POST /v2/concurrency_limits/decrement-with-lease.
type LeaseRelease struct {
	_       struct{} `wire:"embed"`
	LeaseID core.ID  `json:"lease_id" wire:"required"`
}

// LeaseRenewal is the body of POST /v2/concurrency_limits/leases/{lease_id}/renew.
type LeaseRenewal struct {
	_             struct{} `wire:"embed"`
	LeaseDuration float64  `json:"lease_duration" wire:"ge=60,le=86400,default=300"`
}

// TagLimit is the limit of a tag as the API shows it. Prefect REST: ConcurrencyLimit.
type TagLimit struct {
	ID               core.ID   `json:"id"`
	Created          wire.Time `json:"created"`
	Updated          wire.Time `json:"updated"`
	Tag              string    `json:"tag"`
	ConcurrencyLimit int       `json:"concurrency_limit"`
	// ActiveSlots are the ids of the task runs that hold slots.
	ActiveSlots []core.ID `json:"active_slots"`
}

// TagLimitCreate is the body of POST /concurrency_limits/.
type TagLimitCreate struct {
	_                struct{} `wire:"forbid"`
	Tag              string   `json:"tag" wire:"required"`
	ConcurrencyLimit int      `json:"concurrency_limit" wire:"required"`
}

// TagLimitReset is the body of POST /concurrency_limits/tag/{tag}/reset.
type TagLimitReset struct {
	_            struct{}  `wire:"embed"`
	SlotOverride []core.ID `json:"slot_override" wire:"nullable"`
}

// TagSlots is the body of POST /concurrency_limits/increment and /decrement.
type TagSlots struct {
	_         struct{} `wire:"embed"`
	Names     []string `json:"names" wire:"required"`
	TaskRunID core.ID  `json:"task_run_id" wire:"required"`
}

// DecodeWire implements wire's interface for types that decode themselves.
func (m *SlotMode) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return literal((*string)(m), raw, "'concurrency' or 'rate_limit'", string(ModeConcurrency), string(ModeRateLimit))
}

// WireSchema implements wire's interface for types that describe themselves.
func (*SlotMode) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.OneOf(string(ModeConcurrency), string(ModeRateLimit))
}

// DecodeWire implements wire's interface for types that decode themselves.
func (h *HolderType) DecodeWire(raw json.RawMessage) []wire.FieldError {
	return literal((*string)(h), raw, "'flow_run', 'task_run' or 'deployment'", "flow_run", "task_run", "deployment")
}

// WireSchema implements wire's interface for types that describe themselves.
func (*HolderType) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	return wire.OneOf("flow_run", "task_run", "deployment")
}

// literal reads one of some strings.
func literal(dst *string, raw json.RawMessage, expected string, values ...string) []wire.FieldError {
	var s string
	if err := json.Unmarshal(raw, &s); err == nil && slices.Contains(values, s) {
		*dst = s
		return nil
	}
	return []wire.FieldError{{
		Type: "literal_error", Msg: "Input should be " + expected, Input: raw, Ctx: map[string]any{"expected": expected},
	}}
}
