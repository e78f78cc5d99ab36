package sfn

import (
	"context"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/engine"
	"github.com/leat-dev/leat/internal/value"
)

type activityTaskInput struct {
	ARN    string `json:"activityArn"`
	Worker string `json:"workerName"`
}

type activityTaskOutput struct {
	Token *string `json:"taskToken,omitempty"`
	Input *string `json:"input,omitempty"`
}

func (a *API) activityTask(ctx context.Context, c *call, in activityTaskInput) (out activityTaskOutput, err error) {
	if err := engine.CheckARN(in.ARN, "activity"); err != nil {
		return out, err
	}
	token, input, err := a.cfg.Engine.FetchActivityTask(ctx, c.Workspace, in.ARN, in.Worker)
	if err == nil && token != "" {
		text := value.String(input)
		out.Token, out.Input = &token, &text
	}
	return out, err
}

type taskInput struct {
	Token  string `json:"taskToken"`
	Output string `json:"output"`
	Error  string `json:"error"`
	Cause  string `json:"cause"`
}

func (a *API) taskSuccess(ctx context.Context, c *call, in taskInput) (empty, error) {
	if err := checkPayload("InvalidOutput", "Invalid Output", "Invalid output.", in.Output); err != nil {
		return empty{}, err
	}
	output, err := value.Parse([]byte(in.Output))
	if err != nil {
		return empty{}, refuse("InvalidOutput", "Invalid Output: '"+err.Error()+"'")
	}
	return empty{}, a.cfg.Engine.AnswerTask(ctx, c.Workspace, in.Token, asl.Input{Kind: asl.InputSucceeded, Output: output})
}

func (a *API) taskFailure(ctx context.Context, c *call, in taskInput) (empty, error) {
	return empty{}, a.cfg.Engine.AnswerTask(ctx, c.Workspace, in.Token,
		asl.Input{Kind: asl.InputFailed, Failure: asl.Failure{Error: in.Error, Cause: in.Cause, Nulls: true}})
}

func (a *API) taskHeartbeat(ctx context.Context, c *call, in taskInput) (empty, error) {
	return empty{}, a.cfg.Engine.BeatTask(ctx, c.Workspace, in.Token)
}
