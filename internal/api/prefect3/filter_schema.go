package prefect3

import (
	"encoding/json"
	"slices"

	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/wire"
)

// filterSchema describes an object whose keys are the fields of a filter.
func filterSchema(fields []core.Field, grouped bool) *wire.Schema {
	properties := map[string]*wire.Schema{}
	for _, f := range fields {
		if slices.Contains(f.Ops, core.OpQuery) {
			most := maxQuery
			properties[f.Name] = wire.OrNull(wire.Closed(map[string]*wire.Schema{"query": {Type: "string", MaxLength: &most}}, "query"))
			continue
		}
		if f.Fields != nil {
			properties[f.Name] = wire.OrNull(filterSchema(f.Fields, f.Grouped))
			continue
		}
		ops := map[string]*wire.Schema{}
		for _, op := range f.Ops {
			ops[string(op)] = wire.OrNull(operandSchema(f.Kind, op))
		}
		if f.Grouped {
			ops["operator"] = operatorSchema()
		}
		properties[f.Name] = wire.OrNull(wire.Closed(ops))
	}
	if grouped {
		properties["operator"] = operatorSchema()
	}
	return wire.Closed(properties)
}

func operatorSchema() *wire.Schema {
	s := wire.OneOf(operator("").Enum()...)
	s.Default = json.RawMessage(`"and_"`)
	return s
}

// operandSchema describes what decodeValue reads.
func operandSchema(kind core.Kind, op core.Op) *wire.Schema {
	switch op {
	case core.OpIsNull, core.OpEq, core.OpExists:
		return &wire.Schema{Type: "boolean"}
	case core.OpLike, core.OpQuery:
		return &wire.Schema{Type: "string"}
	case core.OpBefore, core.OpAfter:
		return &wire.Schema{Type: "string", Format: "date-time"}
	case core.OpGe, core.OpLe:
		return &wire.Schema{Type: "integer"}
	case core.OpCreatorID:
		kind = core.KindID
	case core.OpAny, core.OpNotAny, core.OpAll, core.OpStartsWith, core.OpCreatorType:
	}
	item := &wire.Schema{Type: "string"}
	switch kind {
	case core.KindID:
		item.Format = "uuid"
	case core.KindStateType:
		names := make([]string, 0, len(core.StateTypes()))
		for _, t := range core.StateTypes() {
			names = append(names, string(t))
		}
		item = wire.OneOf(names...)
	case core.KindWorkerStatus:
		item = wire.OneOf(workerStatus("").Enum()...)
	case core.KindString, core.KindTime, core.KindInt, core.KindBool, core.KindTags:
	}
	return &wire.Schema{Type: "array", Items: item}
}
