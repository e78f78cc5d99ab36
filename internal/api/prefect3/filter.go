package prefect3

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// selection holds the filters of a query by their entities.
type selection = map[core.Entity]*core.Filter

// selecting is a body that has filters.
type selecting interface{ where() selection }

// filter is the filter of an entity, as bodies hold it. It decodes by the
// table of fields that core keeps for its entity.
type filter[E kind] struct{ core.Filter }

// kind says by its type which entity a filter is of.
type kind interface{ entity() core.Entity }

// DecodeWire implements wire's interface for types that decode themselves.
func (f *filter[E]) DecodeWire(raw json.RawMessage) []wire.FieldError {
	var e E
	return decodeFilter(e.entity(), raw, &f.Filter)
}

// WireSchema implements wire's interface for types that describe themselves.
func (*filter[E]) WireSchema(func(reflect.Type) *wire.Schema) *wire.Schema {
	var e E
	return filterSchema(core.FilterFields(e.entity()), grouped(e.entity()))
}

// into adds the filter, if it was given, to those of a query.
func (f *filter[E]) into(s selection) {
	if f != nil {
		var e E
		s[e.entity()] = &f.Filter
	}
}

// where collects the filters that were given.
func where(given ...interface{ into(s selection) }) selection {
	s := selection{}
	for _, f := range given {
		f.into(s)
	}
	return s
}

// The entities that bodies filter.
type (
	ofFlow               struct{}
	ofFlowRun            struct{}
	ofTaskRun            struct{}
	ofDeployment         struct{}
	ofWorkPool           struct{}
	ofWorkQueue          struct{}
	ofWorker             struct{}
	ofLog                struct{}
	ofVariable           struct{}
	ofArtifact           struct{}
	ofArtifactCollection struct{}
	ofAutomation         struct{}
	ofBlockType          struct{}
	ofBlockSchema        struct{}
)

func (ofFlow) entity() core.Entity               { return core.EntityFlow }
func (ofFlowRun) entity() core.Entity            { return core.EntityFlowRun }
func (ofTaskRun) entity() core.Entity            { return core.EntityTaskRun }
func (ofDeployment) entity() core.Entity         { return core.EntityDeployment }
func (ofWorkPool) entity() core.Entity           { return core.EntityWorkPool }
func (ofWorkQueue) entity() core.Entity          { return core.EntityWorkQueue }
func (ofWorker) entity() core.Entity             { return core.EntityWorker }
func (ofLog) entity() core.Entity                { return core.EntityLog }
func (ofVariable) entity() core.Entity           { return core.EntityVariable }
func (ofArtifact) entity() core.Entity           { return core.EntityArtifact }
func (ofArtifactCollection) entity() core.Entity { return core.EntityArtifactCollection }
func (ofAutomation) entity() core.Entity         { return core.EntityAutomation }
func (ofBlockType) entity() core.Entity          { return core.EntityBlockType }
func (ofBlockSchema) entity() core.Entity        { return core.EntityBlockSchema }

// runFilters are the filters that lists of task runs take. wire decodes them as
// part of a body.
type runFilters struct {
	_           struct{}              `wire:"embed"`
	Flows       *filter[ofFlow]       `json:"flows"`
	FlowRuns    *filter[ofFlowRun]    `json:"flow_runs"`
	TaskRuns    *filter[ofTaskRun]    `json:"task_runs"`
	Deployments *filter[ofDeployment] `json:"deployments"`
}

func (f runFilters) where() selection { return where(f.Flows, f.FlowRuns, f.TaskRuns, f.Deployments) }

// flowFilters are the filters that lists of flows take.
type flowFilters struct {
	runFilters
	WorkPools *filter[ofWorkPool] `json:"work_pools"`
}

func (f flowFilters) where() selection {
	return where(f.Flows, f.FlowRuns, f.TaskRuns, f.Deployments, f.WorkPools)
}

// filters are the filters that lists of flow runs and of deployments take.
type filters struct {
	flowFilters
	WorkPoolQueues *filter[ofWorkQueue] `json:"work_pool_queues"`
}

func (f filters) where() selection {
	return where(f.Flows, f.FlowRuns, f.TaskRuns, f.Deployments, f.WorkPools, f.WorkPoolQueues)
}

// operator joins conditions.
type operator string

// Enum lists the values.
func (operator) Enum() []string { return []string{"and_", "or_"} }

// workerStatus is what workers are filtered by.
type workerStatus string

// Enum lists the values.
func (workerStatus) Enum() []string { return []string{"ONLINE", "OFFLINE"} }

// decodeFilter reads an entity's filter and finds what is wrong in it.
func decodeFilter(e core.Entity, raw json.RawMessage, into *core.Filter) []wire.FieldError {
	return decodeGroup(core.FilterFields(e), "", grouped(e), raw, into)
}

// grouped tells whether the fields of an entity's filter can be joined by or.
func grouped(e core.Entity) bool { return e != core.EntityBlockType }

// decodeGroup reads an object whose keys are fields; prefix stands before their names.
func decodeGroup(fields []core.Field, prefix string, grouped bool, raw json.RawMessage, into *core.Filter) []wire.FieldError {
	return eachMember(raw, func(key string, value json.RawMessage) []wire.FieldError {
		if key == "operator" && grouped {
			return decodeOperator(value, into)
		}
		for _, f := range fields {
			if f.Name != key {
				continue
			}
			if isNull(value) {
				return nil
			}
			var group core.Filter
			var errs []wire.FieldError
			if slices.Contains(f.Ops, core.OpQuery) {
				errs = decodeSearch(f.Name, value, &group)
			} else if f.Fields != nil {
				errs = decodeGroup(f.Fields, prefix+f.Name+".", f.Grouped, value, &group)
			} else {
				errs = decodeOps(f, prefix+f.Name, value, &group)
			}
			if f.NotNull && len(errs) == 0 {
				group = presence(f.Name, value, group)
			}
			if len(errs) == 0 && !f.Unused {
				into.Groups = append(into.Groups, group)
			}
			return errs
		}
		return []wire.FieldError{extra(value)}
	})
}

// presence completes the filter of a field that must have a value unless the
// filter says otherwise; whether it is null counts before which value it has.
func presence(name string, raw json.RawMessage, given core.Filter) core.Filter {
	var keys map[core.Op]json.RawMessage
	if json.Unmarshal(raw, &keys) != nil {
		return given
	}
	null, said := keys[core.OpIsNull]
	none, _ := decoded[bool](null)
	switch any := keys[core.OpAny]; {
	case said && !isNull(null) && none:
		return core.Filter{Conds: []core.Cond{{Field: name, Op: core.OpIsNull, Value: true}}}
	case said && isNull(null) || len(any) > 0 && !isNull(any):
		given.Conds = slices.DeleteFunc(given.Conds, func(c core.Cond) bool { return c.Op == core.OpIsNull })
		return given
	}
	return core.Filter{Conds: []core.Cond{{Field: name, Op: core.OpIsNull, Value: false}}}
}

// maxQuery is the most characters of a text search.
const maxQuery = 200

// decodeSearch reads a text search, which has nothing but its query.
func decodeSearch(name string, raw json.RawMessage, into *core.Filter) []wire.FieldError {
	search, errs := decoded[struct {
		_     struct{} `wire:"forbid"`
		Query string   `json:"query" wire:"required,max=200"`
	}](raw)
	into.Conds = append(into.Conds, core.Cond{Field: name, Op: core.OpQuery, Value: search.Query})
	return errs
}

// decodeOps reads an object whose keys are comparisons of one field.
func decodeOps(f core.Field, name string, raw json.RawMessage, into *core.Filter) []wire.FieldError {
	return eachMember(raw, func(key string, value json.RawMessage) []wire.FieldError {
		if key == "operator" && f.Grouped {
			return decodeOperator(value, into)
		}
		for _, op := range f.Ops {
			if string(op) != key {
				continue
			}
			if isNull(value) {
				return nil
			}
			v, errs := decodeValue(f.Kind, op, value)
			if len(errs) == 0 {
				into.Conds = append(into.Conds, core.Cond{Field: name, Op: op, Value: v})
			}
			return errs
		}
		return []wire.FieldError{extra(value)}
	})
}

func decodeOperator(value json.RawMessage, into *core.Filter) []wire.FieldError {
	op, errs := decoded[operator](value)
	into.Or = op == "or_"
	return errs
}

// decodeValue reads what a field of the kind is compared with.
func decodeValue(kind core.Kind, op core.Op, raw json.RawMessage) (any, []wire.FieldError) {
	switch op {
	case core.OpIsNull, core.OpEq, core.OpExists:
		return erase(decoded[bool](raw))
	case core.OpLike:
		return erase(decoded[string](raw))
	case core.OpBefore, core.OpAfter:
		t, errs := decoded[wire.Time](raw)
		return t.Time, errs
	case core.OpGe, core.OpLe:
		n, errs := decoded[int64](raw)
		return n, errs
	case core.OpCreatorID:
		return erase(decoded[[]core.ID](raw))
	case core.OpAny, core.OpNotAny, core.OpAll, core.OpStartsWith, core.OpCreatorType, core.OpQuery:
	}
	switch kind {
	case core.KindID:
		return erase(decoded[[]core.ID](raw))
	case core.KindStateType:
		return erase(decoded[[]core.StateType](raw))
	case core.KindWorkerStatus:
		list, errs := decoded[[]workerStatus](raw)
		out := make([]string, len(list))
		for i, s := range list {
			out[i] = string(s)
		}
		return out, errs
	case core.KindString, core.KindTime, core.KindInt, core.KindBool, core.KindTags:
	}
	return erase(decoded[[]string](raw))
}

// decoded reads a value and returns what is wrong in it.
func decoded[T any](raw json.RawMessage) (v T, errs []wire.FieldError) {
	return v, wire.FieldErrors(wire.Decode(raw, &v), raw)
}

func erase[T any](v T, errs []wire.FieldError) (any, []wire.FieldError) { return v, errs }

func isNull(raw json.RawMessage) bool { return strings.TrimSpace(string(raw)) == "null" }

func extra(value json.RawMessage) wire.FieldError {
	return wire.FieldError{Type: "extra_forbidden", Msg: "Extra inputs are not permitted", Input: value}
}

// eachMember calls fn for the members of an object in their order and puts the
// key before the places of the errors that it returns.
func eachMember(raw json.RawMessage, fn func(key string, value json.RawMessage) []wire.FieldError) []wire.FieldError {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return []wire.FieldError{{
			Type: "model_attributes_type", Msg: "Input should be a valid dictionary or object to extract fields from", Input: raw,
		}}
	}
	var all []wire.FieldError
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return all
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return all
		}
		name, _ := key.(string)
		for _, e := range fn(name, value) {
			e.Loc = append([]any{name}, e.Loc...)
			all = append(all, e)
		}
	}
	return all
}
