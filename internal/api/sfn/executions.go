package sfn

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
	"github.com/leat-dev/leat/internal/engine"
)

type startInput struct {
	ARN          string  `json:"stateMachineArn"`
	Name         *string `json:"name"`
	Input        *string `json:"input"`
	TraceHeader  *string `json:"traceHeader"`
	IncludedData string  `json:"includedData"`
}

// execution checks the name and the input of an execution to be started.
func (in startInput) execution() (engine.NewExecution, error) {
	out := engine.NewExecution{ARN: in.ARN, Input: "{}", TraceHeader: in.TraceHeader}
	if err := engine.CheckUnlabelled(in.ARN); err != nil {
		return out, err
	}
	if in.Name != nil {
		out.Name = *in.Name
		if err := engine.CheckName(out.Name); err != nil {
			return out, err
		}
	}
	if in.Input != nil {
		out.Input = *in.Input
		if err := checkPayload("InvalidExecutionInput", "Invalid State Machine Execution Input", "Invalid execution input.", out.Input); err != nil {
			return out, err
		}
	}
	return out, nil
}

// checkPayload refuses what is no JSON with the service's words.
func checkPayload(name, head, empty, text string) error {
	why := empty
	if strings.TrimSpace(text) != "" {
		why = asl.JSONError([]byte(text))
	}
	if why == "" {
		return nil
	}
	return refuse(name, fmt.Sprintf("%s: '%s'", head, why))
}

type startOutput struct {
	ARN     string `json:"executionArn"`
	Started epoch  `json:"startDate"`
}

func (a *API) startExecution(ctx context.Context, c *call, in startInput) (startOutput, error) {
	next, err := in.execution()
	if err != nil {
		return startOutput{}, err
	}
	x, err := a.cfg.Engine.StartExecution(ctx, c.Workspace, next)
	if err != nil {
		return startOutput{}, err
	}
	return startOutput{x.ARN, epoch(x.Started)}, nil
}

type executionRef struct {
	ARN          string `json:"executionArn"`
	IncludedData string `json:"includedData"`
}

// execution finds a standard execution.
func (a *API) execution(ctx context.Context, c *call, arn string) (*engine.ExecutionDetails, error) {
	if err := engine.CheckARN(arn, "execution"); err != nil {
		return nil, err
	}
	return a.cfg.Engine.DescribeExecution(ctx, c.Workspace, arn)
}

type describeExecutionOutput struct {
	ARN           string    `json:"executionArn"`
	MachineARN    string    `json:"stateMachineArn"`
	Name          string    `json:"name"`
	Status        string    `json:"status"`
	Started       epoch     `json:"startDate"`
	Stopped       *epoch    `json:"stopDate,omitempty"`
	Input         *string   `json:"input,omitempty"`
	InputDetails  *included `json:"inputDetails,omitempty"`
	Output        *string   `json:"output,omitempty"`
	OutputDetails *included `json:"outputDetails,omitempty"`
	TraceHeader   *string   `json:"traceHeader,omitempty"`
	MapRunARN     string    `json:"mapRunArn,omitempty"`
	Error         *string   `json:"error,omitempty"`
	Cause         *string   `json:"cause,omitempty"`
	VersionARN    *string   `json:"stateMachineVersionArn,omitempty"`
	AliasARN      *string   `json:"stateMachineAliasArn,omitempty"`
	RedriveCount  int       `json:"redriveCount"`
	Redriven      *epoch    `json:"redriveDate,omitempty"`
	RedriveStatus string    `json:"redriveStatus"`
	RedriveReason string    `json:"redriveStatusReason,omitempty"`
}

func (a *API) describeExecution(ctx context.Context, c *call, in executionRef) (describeExecutionOutput, error) {
	kinds := []string{"execution"}
	if strings.Contains(in.ARN, "/") {
		kinds = append(kinds, "express") // AWS describes express executions that a map run has started
	}
	if err := engine.CheckARN(in.ARN, kinds...); err != nil {
		return describeExecutionOutput{}, err
	}
	d, err := a.cfg.Engine.DescribeExecution(ctx, c.Workspace, in.ARN)
	if err != nil {
		return describeExecutionOutput{}, err
	}
	out := describeExecutionOutput{
		ARN: d.ARN, MachineARN: d.MachineARN, Name: d.Name, Status: d.Status, Started: epoch(d.Started), Stopped: epochPtr(d.Stopped),
		TraceHeader: d.TraceHeader, VersionARN: d.VersionARN, AliasARN: d.AliasARN, RedriveCount: d.Redrives, Redriven: epochPtr(d.Redriven),
	}
	if d.MapRun != nil {
		out.MapRunARN = d.MapRun.ARN
	}
	if in.IncludedData == metadataOnly {
		out.InputDetails = &included{}
		if d.Output != nil {
			out.OutputDetails = &included{}
		}
	} else {
		out.Input, out.InputDetails, out.Output, out.Error, out.Cause = &d.Input, &included{true}, d.Output, d.Error, d.Cause
		if d.Output != nil {
			out.OutputDetails = &included{true}
		}
	}
	out.RedriveStatus = "REDRIVABLE"
	if ok, why := d.Redrivable(a.cfg.Now()); !ok {
		out.RedriveStatus, out.RedriveReason = "NOT_REDRIVABLE", why
	} else if d.MapRunID != nil {
		out.RedriveStatus = "REDRIVABLE_BY_MAP_RUN"
	}
	return out, nil
}

type describeForExecutionOutput struct {
	ARN       string `json:"stateMachineArn"`
	Name      string `json:"name"`
	Updated   epoch  `json:"updateDate"`
	MapRunARN string `json:"mapRunArn,omitempty"`
	definition
}

func (a *API) describeForExecution(ctx context.Context, c *call, in executionRef) (describeForExecutionOutput, error) {
	d, err := a.execution(ctx, c, in.ARN)
	if err != nil {
		return describeForExecutionOutput{}, err
	}
	_, label, _ := strings.Cut(d.MachineARN, "/")
	out := describeForExecutionOutput{
		ARN: d.MachineARN, Name: machineName(d.MachineARN), Updated: epoch(d.Revision.Created), definition: a.definitionOf(d.Revision, label, in.IncludedData),
	}
	if d.MapRun != nil {
		out.MapRunARN = d.MapRun.ARN
	}
	return out, nil
}

// machineName is the name in the ARN of a machine.
func machineName(arn string) string {
	a, _ := core.ParseARN(arn)
	name, _, _ := strings.Cut(strings.TrimPrefix(a.Resource, "stateMachine:"), "/")
	return name
}

type stopInput struct {
	ARN   string `json:"executionArn"`
	Error string `json:"error"`
	Cause string `json:"cause"`
}

type stopOutput struct {
	Stopped epoch `json:"stopDate"`
}

func (a *API) stopExecution(ctx context.Context, c *call, in stopInput) (stopOutput, error) {
	if err := engine.CheckARN(in.ARN, "execution"); err != nil {
		return stopOutput{}, err
	}
	at, err := a.cfg.Engine.StopExecution(ctx, c.Workspace, in.ARN, asl.Failure{Error: in.Error, Cause: in.Cause})
	return stopOutput{epoch(at)}, err
}

type redriveInput struct {
	ARN   string `json:"executionArn"`
	Token string `json:"clientToken"`
}

type redriveOutput struct {
	Redriven epoch `json:"redriveDate"`
}

func (a *API) redriveExecution(ctx context.Context, c *call, in redriveInput) (redriveOutput, error) {
	if err := engine.CheckARN(in.ARN, "execution"); err != nil {
		return redriveOutput{}, err
	}
	at, err := a.cfg.Engine.RedriveExecution(ctx, c.Workspace, in.ARN, in.Token)
	return redriveOutput{epoch(at)}, err
}

type listExecutionsInput struct {
	paged
	MachineARN *string `json:"stateMachineArn"`
	MapRunARN  *string `json:"mapRunArn"`
	Status     string  `json:"statusFilter"`
	Redrive    string  `json:"redriveFilter"`
}

type executionItem struct {
	ARN          string  `json:"executionArn"`
	MachineARN   string  `json:"stateMachineArn"`
	Name         string  `json:"name"`
	Status       string  `json:"status"`
	Started      epoch   `json:"startDate"`
	Stopped      *epoch  `json:"stopDate,omitempty"`
	MapRunARN    *string `json:"mapRunArn,omitempty"`
	VersionARN   *string `json:"stateMachineVersionArn,omitempty"`
	AliasARN     *string `json:"stateMachineAliasArn,omitempty"`
	RedriveCount int     `json:"redriveCount"`
	Redriven     *epoch  `json:"redriveDate,omitempty"`
}

type listExecutionsOutput struct {
	Executions []executionItem `json:"executions"`
	NextToken  *string         `json:"nextToken,omitempty"`
}

func (a *API) listExecutions(ctx context.Context, c *call, in listExecutionsInput) (out listExecutionsOutput, err error) {
	question := []any{in.MachineARN, in.MapRunARN, in.Status, in.Redrive}
	cursor, err := c.cursor(in.NextToken, question...)
	if err != nil {
		return out, err
	}
	q := core.ExecutionQuery{Status: in.Status, Limit: in.size() + 1}
	if q.Before, err = position(cursor); err != nil {
		return out, err
	}
	if in.Redrive != "" {
		q.Redriven = new(in.Redrive == "REDRIVEN")
	}
	all, err := a.cfg.Engine.ListExecutions(ctx, c.Place, in.MachineARN, in.MapRunARN, q)
	if err != nil {
		return out, err
	}
	all, out.NextToken = page(c, in.paged, all, func(x *core.Execution) string { return cursorOf(x.Started, x.RunID) }, question...)
	out.Executions = make([]executionItem, len(all))
	for i, x := range all {
		out.Executions[i] = executionItem{
			ARN: x.ARN, MachineARN: x.MachineARN, Name: x.Name, Status: x.Status, Started: epoch(x.Started), Stopped: epochPtr(x.Stopped),
			MapRunARN: in.MapRunARN, VersionARN: x.VersionARN, AliasARN: x.AliasARN, RedriveCount: x.Redrives, Redriven: epochPtr(x.Redriven),
		}
	}
	return out, nil
}

// cursorOf and position write and read a place in a list that is ordered by time.
func cursorOf(at time.Time, id core.ID) string {
	return strconv.FormatInt(at.UnixMicro(), 36) + " " + id.String()
}

func position(cursor string) (*core.ExecutionPosition, error) {
	if cursor == "" {
		return nil, nil
	}
	at, id, _ := strings.Cut(cursor, " ")
	micros, err := strconv.ParseInt(at, 36, 64)
	if err != nil {
		return nil, invalidToken()
	}
	p := &core.ExecutionPosition{Started: time.UnixMicro(micros).UTC()}
	if p.RunID, err = core.ParseID(id); err != nil {
		return nil, invalidToken()
	}
	return p, nil
}

type billing struct {
	Milliseconds int64 `json:"billedDurationInMilliseconds"`
	Memory       int   `json:"billedMemoryUsedInMB"`
}

type startSyncOutput struct {
	ARN           string   `json:"executionArn"`
	MachineARN    string   `json:"stateMachineArn"`
	Name          string   `json:"name"`
	Started       epoch    `json:"startDate"`
	Stopped       *epoch   `json:"stopDate,omitempty"`
	Status        string   `json:"status"`
	Error         *string  `json:"error,omitempty"`
	Cause         *string  `json:"cause,omitempty"`
	Input         *string  `json:"input,omitempty"`
	InputDetails  included `json:"inputDetails"`
	Output        *string  `json:"output,omitempty"`
	OutputDetails included `json:"outputDetails"`
	TraceHeader   *string  `json:"traceHeader,omitempty"`
	Billing       billing  `json:"billingDetails"`
}

// billingStep is what the service rounds durations up to; memory comes in steps of 64 MB.
const billingStep = 100

func (a *API) startSync(ctx context.Context, c *call, in startInput) (startSyncOutput, error) {
	next, err := in.execution()
	if err == nil {
		err = a.cfg.Engine.CheckExpress(ctx, c.Place, in.ARN)
	}
	if err != nil {
		return startSyncOutput{}, err
	}
	x, err := a.cfg.Engine.RunExecution(ctx, c.Workspace, next)
	if err != nil {
		return startSyncOutput{}, err
	}
	data := in.IncludedData != metadataOnly
	out := startSyncOutput{
		ARN: x.ARN, MachineARN: x.MachineARN, Name: x.Name, Started: epoch(x.Started), Stopped: epochPtr(x.Stopped), Status: x.Status,
		InputDetails: included{data}, OutputDetails: included{data}, TraceHeader: x.TraceHeader, Billing: billing{billingStep, 64},
	}
	if x.Stopped != nil {
		steps := (x.Stopped.Sub(x.Started).Milliseconds() + billingStep - 1) / billingStep
		out.Billing.Milliseconds = max(steps, 1) * billingStep
	}
	if data {
		out.Error, out.Cause, out.Input, out.Output = x.Error, x.Cause, &x.Input, x.Output
	}
	return out, nil
}
