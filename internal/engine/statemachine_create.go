package engine

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/core"
)

// The limits of the Step Functions API that no setting lifts.
const (
	maxNameLength = 80
	maxTags       = 50
	maxVersions   = 1000
	maxAliases    = 100
	// DefaultMaxMachines is how many machines or activities a region may have, unless a setting says otherwise.
	DefaultMaxMachines = 10_000
)

// NewMachine is what a state machine is made of.
type NewMachine struct {
	Place      core.Place
	Name       string
	Type       core.MachineType
	Definition string
	RoleARN    string
	Config     core.MachineConfig
	Tags       []core.Tag
	// Publish makes a first version, which Description belongs to.
	Publish     bool
	Description string
}

// CreateStateMachine makes a state machine, and a flow of its name if there is
// none. Making it again gives what is there, whatever its role and tags are.
// Step Functions: CreateStateMachine.
func (e *Engine) CreateStateMachine(ctx context.Context, in NewMachine) (m *core.StateMachine, v *core.StateMachineVersion, err error) {
	if err := e.checkNewMachine(in); err != nil {
		return nil, nil, err
	}
	err = e.store.Update(ctx, in.Place.Workspace, func(tx core.Tx) error {
		m, v, err = e.createMachine(tx, in, e.now())
		return err
	})
	return m, v, err
}

func (e *Engine) checkNewMachine(in NewMachine) error {
	if err := CheckName(in.Name); err != nil {
		return err
	}
	if in.Description != "" && !in.Publish {
		return notValid("Version description can only be set when publish is true")
	}
	if err := checkRole(in.RoleARN); err != nil {
		return err
	}
	if err := checkConfig(in.Config); err != nil {
		return err
	}
	if err := checkTags(in.Tags); err != nil {
		return err
	}
	return e.checkDefinition(in.Definition, in.Type)
}

func (e *Engine) createMachine(tx core.Tx, in NewMachine, now time.Time) (*core.StateMachine, *core.StateMachineVersion, error) {
	arn := in.Place.ARN("stateMachine:" + in.Name)
	old, err := tx.StateMachineByARN(arn)
	if err == nil {
		gone, err := idle(tx, old)
		if err != nil {
			return nil, nil, err
		}
		if !gone {
			v, err := createdBefore(tx, old, in)
			return old, v, err
		}
		if err := removeMachine(tx, old, now); err != nil {
			return nil, nil, err
		}
	} else if !missing(err) {
		return nil, nil, err
	}
	return e.newMachine(tx, in, arn, now)
}

func (e *Engine) newMachine(tx core.Tx, in NewMachine, arn string, now time.Time) (*core.StateMachine, *core.StateMachineVersion, error) {
	if n, err := tx.CountStateMachines(in.Place.Region); err != nil || n >= e.maxMachines {
		return nil, nil, orErr(err, core.Errorf(core.Conflict, "State machine limit exceeded: '%d'", e.maxMachines).Because("StateMachineLimitExceeded"))
	}
	flow, err := flowNamed(tx, in.Name, now)
	if err != nil {
		return nil, nil, err
	}
	m := &core.StateMachine{
		ID: core.NewID(now), Created: now, Updated: now, Name: in.Name, Region: in.Place.Region, ARN: arn, Type: in.Type,
		Status: core.MachineActive, FlowID: flow.ID, Tags: mergeTags(nil, in.Tags),
	}
	r := &core.StateMachineRevision{
		ID: core.NewID(now), MachineID: m.ID, Created: now, Initial: true, Definition: in.Definition, RoleARN: in.RoleARN, Config: in.Config,
	}
	m.RevisionID = r.ID
	var v *core.StateMachineVersion
	if in.Publish {
		v = nextVersion(m, in.Description, now)
	}
	if err := tx.InsertStateMachineRevision(r); err != nil {
		return nil, nil, err
	}
	if err := tx.InsertStateMachine(m); err != nil {
		return nil, nil, err
	}
	if v != nil {
		if err := tx.InsertStateMachineVersion(v); err != nil {
			return nil, nil, err
		}
	}
	return m, v, tellMachine(tx, now, "created", m)
}

// createdBefore decides about a request to make a machine that is there: the
// same machine is no error.
func createdBefore(tx core.Tx, old *core.StateMachine, in NewMachine) (*core.StateMachineVersion, error) {
	if old.Status == core.MachineDeleting {
		return nil, machineDeleting(old.ARN)
	}
	r, err := tx.StateMachineRevision(old.RevisionID)
	if err != nil {
		return nil, err
	}
	if old.Type != in.Type || r.Definition != in.Definition || !reflect.DeepEqual(r.Config, in.Config) {
		return nil, core.Errorf(core.Conflict, "State Machine Already Exists: '%s'", old.ARN).Because("StateMachineAlreadyExists")
	}
	if !in.Publish {
		return nil, nil
	}
	v, err := publishedVersion(tx, old)
	if err == nil && (v == nil || v.Description != in.Description) {
		err = inConflict("Failed to publish the State Machine version because a state machine with the same name and a different version exists: '%s'", old.ARN)
	}
	return v, err
}

// flowNamed returns the flow with the name, made if need be.
func flowNamed(tx core.Tx, name string, now time.Time) (*core.Flow, error) {
	flow, err := tx.FlowByName(name)
	if !missing(err) {
		return flow, err
	}
	flow = &core.Flow{ID: core.NewID(now), Created: now, Updated: now, Name: name}
	if err := tx.InsertFlow(flow); err != nil {
		return nil, err
	}
	return flow, tellChange(tx, now, "flow", "created", flow.ID, flow.Name, flowPayload(flow))
}

func tellMachine(tx core.Tx, now time.Time, what string, m *core.StateMachine) error {
	return tellChange(tx, now, "state-machine", what, m.ID, m.Name, struct {
		ARN  string           `json:"arn"`
		Type core.MachineType `json:"type"`
	}{m.ARN, m.Type}, relatedTo("flow", m.FlowID, "flow", m.Name))
}

// CheckName refuses what no state machine, execution or activity is called.
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_CreateStateMachine.html
func CheckName(name string) error {
	bad := func(r rune) bool {
		return r <= ' ' || r >= 0x7f && r <= 0x9f || r >= 0xfffe && r <= 0xffff || strings.ContainsRune("<>{}[]?*\"#%\\^|~`$&,;:/", r)
	}
	if name == "" || len([]rune(name)) > maxNameLength || strings.ContainsFunc(name, bad) {
		return core.Errorf(core.Invalid, "Invalid Name: '%s'", name).Because("InvalidName")
	}
	return nil
}

func checkRole(arn string) error {
	a, ok := core.ParseARN(arn)
	switch {
	case !ok:
		return invalidARN("Invalid ARN prefix: %s", arn)
	case a.Service != "iam" || !strings.HasPrefix(a.Resource, "role/"):
		return invalidARN("Invalid Role Arn: %s", arn)
	}
	return nil
}

// checkConfig refuses what cannot be logged to or sealed with.
func checkConfig(c core.MachineConfig) error {
	if len(c.Logging.Groups) > 1 || c.Logging.Level != LogOff && len(c.Logging.Groups) != 1 {
		return core.Errorf(core.Invalid, "Invalid Logging Configuration: Must specify exactly one Log Destination.").Because("InvalidLoggingConfiguration")
	}
	for _, g := range c.Logging.Groups {
		if a, ok := core.ParseARN(g); !ok || a.Service != "logs" || !strings.HasPrefix(a.Resource, "log-group:") || !strings.HasSuffix(a.Resource, ":*") {
			return core.Errorf(core.Invalid, "Invalid Logging Configuration: The log group ARN is not valid: %s", g).Because("InvalidLoggingConfiguration")
		}
	}
	return checkEncryption(c.Encryption)
}

// LogOff is the level of logging at which nothing is logged.
const LogOff = "OFF"

func checkEncryption(c *core.MachineEncryption) error {
	if c == nil {
		return nil
	}
	text := ""
	switch own := c.Type == "AWS_OWNED_KEY"; {
	case own && c.KeyID != "":
		text = "kmsKeyId must not be specified when the type is AWS_OWNED_KEY"
	case own && c.ReuseSeconds != 0:
		text = "kmsDataKeyReusePeriodSeconds must not be specified when the type is AWS_OWNED_KEY"
	case !own && c.KeyID == "":
		text = "kmsKeyId must be specified when the type is CUSTOMER_MANAGED_KMS_KEY"
	default:
		return nil
	}
	return core.Errorf(core.Invalid, "Invalid Encryption Configuration: %s", text).Because("InvalidEncryptionConfiguration")
}

// nextVersion numbers the machine's current revision.
func nextVersion(m *core.StateMachine, description string, now time.Time) *core.StateMachineVersion {
	m.LastVersion++
	return &core.StateMachineVersion{
		MachineID: m.ID, Number: m.LastVersion, RevisionID: m.RevisionID, Description: description, Created: now,
		ARN: fmt.Sprintf("%s:%d", m.ARN, m.LastVersion),
	}
}

// orErr returns err unless it is nil.
func orErr(err, other error) error {
	if err != nil {
		return err
	}
	return other
}
