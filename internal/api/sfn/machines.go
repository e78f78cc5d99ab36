package sfn

import (
	"context"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/value"
)

// logging is what of an execution is logged.
type logging struct {
	Level        string           `json:"level"`
	IncludeData  bool             `json:"includeExecutionData"`
	Destinations []logDestination `json:"destinations,omitempty"`
}

type logDestination struct {
	CloudWatch *logGroup `json:"cloudWatchLogsLogGroup,omitempty"`
}

type logGroup struct {
	ARN string `json:"logGroupArn"`
}

func (l *logging) core() core.MachineLogging {
	out := core.MachineLogging{Level: engine.LogOff}
	if l == nil {
		return out
	}
	if l.Level != "" {
		out.Level = l.Level
	}
	out.IncludeData = l.IncludeData
	for _, d := range l.Destinations {
		group := ""
		if d.CloudWatch != nil {
			group = d.CloudWatch.ARN
		}
		out.Groups = append(out.Groups, group)
	}
	return out
}

func loggingOf(l core.MachineLogging) logging {
	out := logging{Level: l.Level, IncludeData: l.IncludeData}
	for _, g := range l.Groups {
		out.Destinations = append(out.Destinations, logDestination{&logGroup{g}})
	}
	return out
}

// tracing tells whether executions are traced.
type tracing struct {
	Enabled bool `json:"enabled"`
}

type createMachineInput struct {
	Name        string           `json:"name"`
	Definition  string           `json:"definition"`
	RoleARN     string           `json:"roleArn"`
	Type        core.MachineType `json:"type"`
	Logging     *logging         `json:"loggingConfiguration"`
	Tags        []tag            `json:"tags"`
	Tracing     tracing          `json:"tracingConfiguration"`
	Publish     bool             `json:"publish"`
	Description string           `json:"versionDescription"`
	Encryption  *encryption      `json:"encryptionConfiguration"`
}

type createMachineOutput struct {
	ARN        string `json:"stateMachineArn"`
	Created    epoch  `json:"creationDate"`
	VersionARN string `json:"stateMachineVersionArn,omitempty"`
}

func (a *API) createMachine(ctx context.Context, c *call, in createMachineInput) (createMachineOutput, error) {
	if in.Type == "" {
		in.Type = core.StandardMachine
	}
	m, v, err := a.cfg.Engine.CreateStateMachine(ctx, engine.NewMachine{
		Place: c.Place, Name: in.Name, Type: in.Type, Definition: in.Definition, RoleARN: in.RoleARN, Tags: tagsIn(in.Tags),
		Config:  core.MachineConfig{Logging: in.Logging.core(), Tracing: in.Tracing.Enabled, Encryption: in.Encryption.core()},
		Publish: in.Publish, Description: in.Description,
	})
	if err != nil {
		return createMachineOutput{}, err
	}
	out := createMachineOutput{ARN: m.ARN, Created: epoch(m.Created)}
	if v != nil {
		out.VersionARN = v.ARN
	}
	return out, nil
}

type updateMachineInput struct {
	ARN         string      `json:"stateMachineArn"`
	Definition  *string     `json:"definition"`
	RoleARN     *string     `json:"roleArn"`
	Logging     *logging    `json:"loggingConfiguration"`
	Tracing     *tracing    `json:"tracingConfiguration"`
	Publish     bool        `json:"publish"`
	Description string      `json:"versionDescription"`
	Encryption  *encryption `json:"encryptionConfiguration"`
}

type updateMachineOutput struct {
	Updated    epoch  `json:"updateDate"`
	RevisionID string `json:"revisionId,omitempty"`
	VersionARN string `json:"stateMachineVersionArn,omitempty"`
}

func (a *API) updateMachine(ctx context.Context, c *call, in updateMachineInput) (updateMachineOutput, error) {
	change := engine.MachineChange{
		Place: c.Place, ARN: in.ARN, Definition: in.Definition, RoleARN: in.RoleARN, Encryption: in.Encryption.core(),
		Publish: in.Publish, Description: in.Description,
	}
	if in.Logging != nil {
		l := in.Logging.core()
		change.Logging = &l
	}
	if in.Tracing != nil {
		change.Tracing = &in.Tracing.Enabled
	}
	r, v, at, err := a.cfg.Engine.UpdateStateMachine(ctx, change)
	if err != nil {
		return updateMachineOutput{}, err
	}
	out := updateMachineOutput{Updated: epoch(at), RevisionID: revisionID(r)}
	if v != nil {
		out.VersionARN = v.ARN
	}
	return out, nil
}

// revisionID is "" for the revision with which a machine was made.
func revisionID(r *core.StateMachineRevision) string {
	if r.Initial {
		return ""
	}
	return r.ID.String()
}

type describeMachineInput struct {
	ARN          string `json:"stateMachineArn"`
	IncludedData string `json:"includedData"`
}

// definition is what descriptions of a machine have in common.
type definition struct {
	Definition string        `json:"definition,omitempty"`
	RoleARN    string        `json:"roleArn"`
	Logging    *logging      `json:"loggingConfiguration,omitempty"`
	Tracing    *tracing      `json:"tracingConfiguration,omitempty"`
	Label      string        `json:"label,omitempty"`
	RevisionID string        `json:"revisionId,omitempty"`
	Encryption *encryption   `json:"encryptionConfiguration,omitempty"`
	References *value.Object `json:"variableReferences,omitempty"`
}

func (a *API) definitionOf(r *core.StateMachineRevision, label, includedData string) definition {
	out := definition{RoleARN: r.RoleARN, Label: label, RevisionID: revisionID(r), Encryption: encryptionOf(r.Config.Encryption)}
	if includedData == metadataOnly {
		return out
	}
	l := loggingOf(r.Config.Logging)
	out.Logging, out.Tracing = &l, &tracing{r.Config.Tracing}
	out.Definition = r.Definition
	out.References = a.references(r)
	return out
}

// references lists the variables that states read; nil when none does.
func (a *API) references(r *core.StateMachineRevision) *value.Object {
	m, _ := asl.Parse([]byte(r.Definition), asl.Options{})
	if m == nil {
		return nil // it was checked when it was stored, by a server that knew more
	}
	if refs := m.VariableReferences(); refs.Len() > 0 {
		return refs
	}
	return nil
}

type describeMachineOutput struct {
	ARN         string             `json:"stateMachineArn"`
	Name        string             `json:"name"`
	Status      core.MachineStatus `json:"status"`
	Type        core.MachineType   `json:"type"`
	Created     epoch              `json:"creationDate"`
	Description string             `json:"description,omitempty"`
	definition
}

func (a *API) describeMachine(ctx context.Context, c *call, in describeMachineInput) (describeMachineOutput, error) {
	v, err := a.cfg.Engine.StateMachine(ctx, c.Place, in.ARN)
	if err != nil {
		return describeMachineOutput{}, err
	}
	out := describeMachineOutput{
		ARN: in.ARN, Name: v.Machine.Name, Status: v.Machine.Status, Type: v.Machine.Type, Created: epoch(v.Machine.Created),
		definition: a.definitionOf(v.Revision, v.Label, in.IncludedData),
	}
	if v.Version != nil {
		out.Created, out.Description = epoch(v.Version.Created), v.Version.Description
	}
	return out, nil
}

type machineRef struct {
	ARN string `json:"stateMachineArn"`
}

func (a *API) deleteMachine(ctx context.Context, c *call, in machineRef) (empty, error) {
	return empty{}, a.cfg.Engine.DeleteStateMachine(ctx, c.Place, in.ARN)
}

type machineItem struct {
	ARN     string           `json:"stateMachineArn"`
	Name    string           `json:"name"`
	Type    core.MachineType `json:"type"`
	Created epoch            `json:"creationDate"`
}

type listMachinesOutput struct {
	Machines  []machineItem `json:"stateMachines"`
	NextToken *string       `json:"nextToken,omitempty"`
}

func (a *API) listMachines(ctx context.Context, c *call, in paged) (out listMachinesOutput, err error) {
	after, err := c.cursor(in.NextToken)
	if err != nil {
		return out, err
	}
	all, err := a.cfg.Engine.StateMachines(ctx, c.Place, after, in.size()+1)
	if err != nil {
		return out, err
	}
	all, out.NextToken = page(c, in, all, func(m *core.StateMachine) string { return m.Name })
	out.Machines = make([]machineItem, len(all))
	for i, m := range all {
		out.Machines[i] = machineItem{m.ARN, m.Name, m.Type, epoch(m.Created)}
	}
	return out, nil
}
