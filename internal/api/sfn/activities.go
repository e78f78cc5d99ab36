package sfn

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
)

type createActivityInput struct {
	Name       string      `json:"name"`
	Tags       []tag       `json:"tags"`
	Encryption *encryption `json:"encryptionConfiguration"`
}

type activityRef struct {
	ARN string `json:"activityArn"`
}

type createActivityOutput struct {
	ARN     string `json:"activityArn"`
	Created epoch  `json:"creationDate"`
}

func (a *API) createActivity(ctx context.Context, c *call, in createActivityInput) (createActivityOutput, error) {
	act, err := a.cfg.Engine.CreateActivity(ctx, c.Place, in.Name, in.Encryption.core(), tagsIn(in.Tags))
	if err != nil {
		return createActivityOutput{}, err
	}
	return createActivityOutput{act.ARN, epoch(act.Created)}, nil
}

type describeActivityOutput struct {
	ARN        string      `json:"activityArn"`
	Name       string      `json:"name"`
	Created    epoch       `json:"creationDate"`
	Encryption *encryption `json:"encryptionConfiguration"`
}

func (a *API) describeActivity(ctx context.Context, c *call, in activityRef) (describeActivityOutput, error) {
	act, err := a.cfg.Engine.Activity(ctx, c.Place, in.ARN)
	if err != nil {
		return describeActivityOutput{}, err
	}
	e := encryptionOf(act.Encryption)
	if e == nil {
		e = &encryption{Type: "AWS_OWNED_KEY"}
	}
	return describeActivityOutput{act.ARN, act.Name, epoch(act.Created), e}, nil
}

func (a *API) deleteActivity(ctx context.Context, c *call, in activityRef) (empty, error) {
	return empty{}, a.cfg.Engine.DeleteActivity(ctx, c.Place, in.ARN)
}

type activityItem struct {
	ARN     string `json:"activityArn"`
	Name    string `json:"name"`
	Created epoch  `json:"creationDate"`
}

type listActivitiesOutput struct {
	Activities []activityItem `json:"activities"`
	NextToken  *string        `json:"nextToken,omitempty"`
}

func (a *API) listActivities(ctx context.Context, c *call, in paged) (out listActivitiesOutput, err error) {
	after, err := c.cursor(in.NextToken)
	if err != nil {
		return out, err
	}
	all, err := a.cfg.Engine.Activities(ctx, c.Place, after, in.size()+1)
	if err != nil {
		return out, err
	}
	all, out.NextToken = page(c, in, all, func(a *core.Activity) string { return a.Name })
	out.Activities = make([]activityItem, len(all))
	for i, act := range all {
		out.Activities[i] = activityItem{act.ARN, act.Name, epoch(act.Created)}
	}
	return out, nil
}
