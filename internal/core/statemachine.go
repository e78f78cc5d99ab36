package core

import "time"

// MachineType is what kind of executions a state machine has.
type MachineType string

// The types of state machines.
const (
	// StandardMachine: executions are durable, and have a history.
	StandardMachine MachineType = "STANDARD"
	// ExpressMachine: executions are short, and their history is a log.
	ExpressMachine MachineType = "EXPRESS"
)

// MachineStatus says whether a state machine takes executions.
type MachineStatus string

// The statuses of a state machine.
const (
	// MachineActive: executions can be started.
	MachineActive MachineStatus = "ACTIVE"
	// MachineDeleting: it was deleted while executions ran, and is gone when they have ended.
	MachineDeleting MachineStatus = "DELETING"
)

// Tag is a key and a value that users put on a thing.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// StateMachine is a named definition in the Amazon States Language. Its
// executions are the runs of a flow of its name, which stays when it is deleted.
type StateMachine struct {
	ID      ID
	Created time.Time
	Updated time.Time
	Name    string
	// Region is the AWS region in whose name it was made, such as us-east-1.
	Region string
	// ARN is its Amazon resource name, unique in a workspace.
	ARN    string
	Type   MachineType
	Status MachineStatus
	FlowID ID
	// RevisionID is the current revision.
	RevisionID ID
	// LastVersion is the number of the version published last; 0 for none.
	// Numbers of deleted versions are not used again.
	LastVersion int
	// Tags are in the order in which they were added.
	Tags []Tag
}

// StateMachineRevision is what a state machine was at a time. It never changes:
// machines, versions and executions point to it.
type StateMachineRevision struct {
	ID        ID
	MachineID ID
	Created   time.Time
	// Initial tells the revision with which a machine was made, which is shown without its id.
	Initial bool
	// Definition is the text as it was given.
	Definition string
	// RoleARN is the role that the machine would have in AWS.
	RoleARN string
	Config  MachineConfig
}

// MachineConfig is what a revision holds besides its definition.
type MachineConfig struct {
	Logging    MachineLogging     `json:"logging"`
	Tracing    bool               `json:"tracing"`
	Encryption *MachineEncryption `json:"encryption,omitempty"`
}

// MachineLogging says what of an execution's history is logged, and where.
type MachineLogging struct {
	// Level is ALL, ERROR, FATAL or OFF.
	Level string `json:"level"`
	// IncludeData adds inputs and outputs.
	IncludeData bool `json:"include_data"`
	// Groups are ARNs of log groups.
	Groups []string `json:"groups,omitempty"`
}

// MachineEncryption is the key with which AWS would seal an execution's data.
type MachineEncryption struct {
	// Type is AWS_OWNED_KEY or CUSTOMER_MANAGED_KMS_KEY.
	Type  string `json:"type"`
	KeyID string `json:"key_id,omitempty"`
	// ReuseSeconds is how long a data key is used; 0 when not given.
	ReuseSeconds int `json:"reuse_seconds,omitempty"`
}

// StateMachineVersion is a revision with a number.
type StateMachineVersion struct {
	MachineID   ID
	Number      int
	RevisionID  ID
	Description string
	Created     time.Time
	ARN         string
}

// StateMachineAlias is a name for one version of a state machine, or two.
type StateMachineAlias struct {
	MachineID   ID
	Name        string
	Description string
	Routing     []AliasRoute
	Created     time.Time
	Updated     time.Time
	ARN         string
}

// AliasRoute is a version's share of an alias's executions.
type AliasRoute struct {
	VersionARN string `json:"version_arn"`
	// Weight is a percentage; those of an alias sum up to 100.
	Weight int `json:"weight"`
}

// Activity is a queue of tasks that workers outside ask for.
type Activity struct {
	ID      ID
	Created time.Time
	Name    string
	Region  string
	ARN     string
	// Encryption is nil when nothing was said about it.
	Encryption *MachineEncryption
	Tags       []Tag
}

// StateMachineTx reads and writes state machines and their revisions.
type StateMachineTx interface {
	// InsertStateMachine stores a new machine; the ARN must be free.
	InsertStateMachine(m *StateMachine) error
	// StateMachine returns the machine, or a NotFound error.
	StateMachine(id ID) (*StateMachine, error)
	// StateMachineByARN returns the machine, or a NotFound error.
	StateMachineByARN(arn string) (*StateMachine, error)
	// UpdateStateMachine stores the time of change, status, revision, last version
	// and tags of an existing machine.
	UpdateStateMachine(m *StateMachine) error
	// DeleteStateMachine removes the machine with its versions and aliases. The
	// revisions stay, since executions point to them.
	DeleteStateMachine(id ID) error
	// StateMachines lists the machines of a region whose names come after the
	// given one, by name.
	StateMachines(region, after string, limit int) ([]*StateMachine, error)
	// CountStateMachines counts the machines of a region.
	CountStateMachines(region string) (int, error)
	// InsertStateMachineRevision stores a new revision.
	InsertStateMachineRevision(r *StateMachineRevision) error
	// StateMachineRevision returns the revision, or a NotFound error.
	StateMachineRevision(id ID) (*StateMachineRevision, error)
}

// StateMachineVersionTx reads and writes versions and aliases.
type StateMachineVersionTx interface {
	// InsertStateMachineVersion stores a new version; the number must be free.
	InsertStateMachineVersion(v *StateMachineVersion) error
	// StateMachineVersion returns the version with the ARN, or a NotFound error.
	StateMachineVersion(arn string) (*StateMachineVersion, error)
	// StateMachineVersions lists a machine's versions, the newest first: those
	// with numbers below the given one, or all when it is 0.
	StateMachineVersions(machine ID, below, limit int) ([]*StateMachineVersion, error)
	// DeleteStateMachineVersion removes the version with the ARN.
	DeleteStateMachineVersion(arn string) error
	// PutStateMachineAlias stores an alias, new or not.
	PutStateMachineAlias(a *StateMachineAlias) error
	// StateMachineAlias returns the alias with the ARN, or a NotFound error.
	StateMachineAlias(arn string) (*StateMachineAlias, error)
	// StateMachineAliases lists a machine's aliases whose names come after the given one, by name.
	StateMachineAliases(machine ID, after string, limit int) ([]*StateMachineAlias, error)
	// DeleteStateMachineAlias removes the alias with the ARN.
	DeleteStateMachineAlias(arn string) error
}

// ActivityTx reads and writes activities.
type ActivityTx interface {
	// InsertActivity stores a new activity; the ARN must be free.
	InsertActivity(a *Activity) error
	// ActivityByARN returns the activity, or a NotFound error.
	ActivityByARN(arn string) (*Activity, error)
	// UpdateActivity stores the tags of an existing activity.
	UpdateActivity(a *Activity) error
	// DeleteActivity removes the activity with the ARN.
	DeleteActivity(arn string) error
	// Activities lists the activities of a region whose names come after the given one, by name.
	Activities(region, after string, limit int) ([]*Activity, error)
}
