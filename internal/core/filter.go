package core

// Entity names what a filter selects.
type Entity string

// The entities that have filters.
const (
	EntityFlow       Entity = "flow"
	EntityFlowRun    Entity = "flow_run"
	EntityTaskRun    Entity = "task_run"
	EntityDeployment Entity = "deployment"
	EntityWorkPool   Entity = "work_pool"
	EntityWorkQueue  Entity = "work_queue"
	EntityWorker     Entity = "worker"
	EntityLog        Entity = "log"
	EntityArtifact   Entity = "artifact"
	// EntityArtifactCollection is the newest artifact of each key.
	EntityArtifactCollection Entity = "artifact_collection"
	EntityVariable           Entity = "variable"
	EntityBlockType          Entity = "block_type"
	EntityBlockSchema        Entity = "block_schema"
	EntityBlockDocument      Entity = "block_document"
	EntityAutomation         Entity = "automation"
)

// Op compares a field with a value.
type Op string

// The comparisons, named as in the Prefect REST filters.
const (
	OpAny        Op = "any_"
	OpNotAny     Op = "not_any_"
	OpAll        Op = "all_"
	OpIsNull     Op = "is_null_"
	OpBefore     Op = "before_"
	OpAfter      Op = "after_"
	OpLike       Op = "like_"
	OpEq         Op = "eq_"
	OpGe         Op = "ge_"
	OpLe         Op = "le_"
	OpStartsWith Op = "startswith_"
	OpExists     Op = "exists_"
	// OpQuery is a text search; the value is what the user typed.
	OpQuery Op = "query"
	// OpCreatorID and OpCreatorType compare what a run's created_by holds.
	OpCreatorID   Op = "id_"
	OpCreatorType Op = "type_"
)

// Kind is the type of a field's values.
type Kind int

// The kinds of fields.
const (
	KindString Kind = iota
	KindID
	KindTime
	KindInt
	KindBool
	KindTags
	KindStateType
	KindWorkerStatus
)

// Field is a field by which an entity can be filtered.
type Field struct {
	Name string
	Kind Kind
	Ops  []Op
	// Grouped tells that the field takes an operator (and, or) of its own.
	Grouped bool
	// NotNull tells that a filter of the field that says neither which values it
	// wants nor whether null asks for a value.
	NotNull bool
	// Unused tells that a filter of the field is read and has no effect.
	Unused bool
	// Fields are set for a field that is itself a group, such as a run's state.
	Fields []Field
}

// Filter selects rows: all of its conditions and groups must hold, or any of them.
type Filter struct {
	Or     bool
	Conds  []Cond
	Groups []Filter
}

// Cond compares one field. Nested fields are written with a dot: "state.type".
type Cond struct {
	Field string
	Op    Op
	// Value is []ID, []string, []StateType for list comparisons, else string,
	// bool, int64 or time.Time, as the field's kind and Op ask for.
	Value any
}

// Empty reports whether f selects everything.
func (f *Filter) Empty() bool {
	return f == nil || len(f.Conds) == 0 && len(f.Groups) == 0
}

// Query selects rows of one entity by filters on it and on what belongs to it.
type Query struct {
	Where map[Entity]*Filter
	// Sort is a name such as START_TIME_DESC; "" is the entity's own default.
	Sort string
	// Limit is the most rows wanted; 0 or less means none are.
	Limit  int
	Offset int
}

// On returns a query for rows of the entity that the conditions hold for, all of them.
func On(e Entity, conds ...Cond) Query {
	return Query{Where: map[Entity]*Filter{e: {Conds: conds}}, Limit: 200}
}

// FilterFields lists the fields by which rows of the entity can be filtered.
// The wire dialects decode by it and the store compiles by it.
func FilterFields(e Entity) []Field {
	id := Field{Name: "id", Kind: KindID, Ops: []Op{OpAny, OpNotAny}}
	idAny := Field{Name: "id", Kind: KindID, Ops: []Op{OpAny}}
	name := Field{Name: "name", Ops: []Op{OpAny, OpLike}}
	nameAny := Field{Name: "name", Ops: []Op{OpAny}}
	tags := Field{Name: "tags", Kind: KindTags, Ops: []Op{OpAll, OpAny, OpIsNull}, Grouped: true}
	tagsAll := Field{Name: "tags", Kind: KindTags, Ops: []Op{OpAll, OpIsNull}, Grouped: true}
	moment := func(name string, ops ...Op) Field {
		return Field{Name: name, Kind: KindTime, Ops: append([]Op{OpBefore, OpAfter}, ops...)}
	}
	ref := func(name string, ops ...Op) Field {
		return Field{Name: name, Kind: KindID, Ops: append([]Op{OpAny}, ops...), Grouped: true}
	}
	switch e {
	case EntityFlow:
		return []Field{
			id, {Name: "deployment", Kind: KindBool, Ops: []Op{OpIsNull}, Grouped: true}, name, tagsAll,
		}
	case EntityFlowRun:
		return []Field{
			id, name, tags, ref("deployment_id", OpIsNull),
			{Name: "work_queue_name", Ops: []Op{OpAny, OpIsNull}, Grouped: true},
			{Name: "state", Grouped: true, Fields: []Field{
				{Name: "type", Kind: KindStateType, Ops: []Op{OpAny, OpNotAny}},
				{Name: "name", Ops: []Op{OpAny, OpNotAny}},
			}},
			{Name: "flow_version", Ops: []Op{OpAny}},
			moment("start_time", OpIsNull), moment("end_time", OpIsNull),
			moment("expected_start_time"), moment("next_scheduled_start_time"),
			ref("parent_flow_run_id"), ref("parent_task_run_id", OpIsNull),
			{Name: "idempotency_key", Ops: []Op{OpAny, OpNotAny}},
			{Name: "created_by", Grouped: true, Ops: []Op{OpCreatorID, OpCreatorType, OpIsNull}},
		}
	case EntityTaskRun:
		return []Field{
			idAny, name, tagsAll,
			{Name: "state", Grouped: true, Fields: []Field{
				{Name: "type", Kind: KindStateType, Ops: []Op{OpAny}},
				nameAny,
			}},
			moment("start_time", OpIsNull), moment("end_time", OpIsNull), moment("expected_start_time"),
			{Name: "subflow_runs", Kind: KindBool, Ops: []Op{OpExists}},
			{Name: "flow_run_id", Kind: KindID, Ops: []Op{OpAny, OpIsNull}, Grouped: true, NotNull: true},
		}
	case EntityDeployment:
		return []Field{
			id, name,
			{Name: "flow_or_deployment_name", Ops: []Op{OpLike}},
			{Name: "paused", Kind: KindBool, Ops: []Op{OpEq}},
			tags,
			{Name: "work_queue_name", Ops: []Op{OpAny}},
			{Name: "concurrency_limit", Kind: KindInt, Ops: []Op{OpGe, OpLe, OpIsNull}, Unused: true},
		}
	case EntityWorkPool:
		return []Field{idAny, nameAny, {Name: "type", Ops: []Op{OpAny}}}
	case EntityWorkQueue:
		return []Field{idAny, {Name: "name", Ops: []Op{OpAny, OpStartsWith}}}
	case EntityWorker:
		return []Field{
			moment("last_heartbeat_time"),
			{Name: "status", Kind: KindWorkerStatus, Ops: []Op{OpAny, OpNotAny}},
		}
	case EntityLog:
		return []Field{
			{Name: "level", Kind: KindInt, Ops: []Op{OpGe, OpLe}},
			moment("timestamp"),
			{Name: "flow_run_id", Kind: KindID, Ops: []Op{OpAny}},
			{Name: "task_run_id", Kind: KindID, Ops: []Op{OpAny, OpIsNull}},
			{Name: "text", Ops: []Op{OpQuery}},
		}
	case EntityArtifact:
		return append([]Field{idAny}, artifactFields()...)
	case EntityArtifactCollection:
		return append([]Field{{Name: "latest_id", Kind: KindID, Ops: []Op{OpAny}}}, artifactFields()...)
	case EntityVariable:
		return []Field{idAny, name, tagsAll}
	case EntityAutomation:
		return []Field{idAny, nameAny, {Name: "created", Kind: KindTime, Ops: []Op{OpBefore}}, tags}
	case EntityBlockType:
		return []Field{{Name: "name", Ops: []Op{OpLike}}, {Name: "slug", Ops: []Op{OpAny}}}
	case EntityBlockSchema:
		return []Field{
			{Name: "block_type_id", Kind: KindID, Ops: []Op{OpAny}},
			{Name: "block_capabilities", Kind: KindTags, Ops: []Op{OpAll}},
			idAny,
			{Name: "version", Ops: []Op{OpAny}},
		}
	case EntityBlockDocument:
		return []Field{
			idAny,
			{Name: "is_anonymous", Kind: KindBool, Ops: []Op{OpEq}},
			{Name: "block_type_id", Kind: KindID, Ops: []Op{OpAny}},
			name,
		}
	}
	return nil
}

// artifactFields are the fields that artifacts and their collections share.
func artifactFields() []Field {
	return []Field{
		{Name: "key", Ops: []Op{OpAny, OpLike, OpExists}},
		{Name: "flow_run_id", Kind: KindID, Ops: []Op{OpAny}},
		{Name: "task_run_id", Kind: KindID, Ops: []Op{OpAny}},
		{Name: "type", Ops: []Op{OpAny, OpNotAny}},
	}
}
