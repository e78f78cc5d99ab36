package sfn

import (
	"context"
	"strconv"

	"github.com/leat-dev/leat/internal/core"
)

type publishInput struct {
	ARN         string  `json:"stateMachineArn"`
	RevisionID  *string `json:"revisionId"`
	Description string  `json:"description"`
}

type versionOutput struct {
	Created epoch  `json:"creationDate"`
	ARN     string `json:"stateMachineVersionArn"`
}

func (a *API) publishVersion(ctx context.Context, c *call, in publishInput) (versionOutput, error) {
	v, err := a.cfg.Engine.PublishStateMachineVersion(ctx, c.Place, in.ARN, in.RevisionID, in.Description)
	if err != nil {
		return versionOutput{}, err
	}
	return versionOutput{epoch(v.Created), v.ARN}, nil
}

type versionRef struct {
	ARN string `json:"stateMachineVersionArn"`
}

func (a *API) deleteVersion(ctx context.Context, c *call, in versionRef) (empty, error) {
	return empty{}, a.cfg.Engine.DeleteStateMachineVersion(ctx, c.Place, in.ARN)
}

// machinePages asks for what a machine has, by pages.
type machinePages struct {
	paged
	ARN string `json:"stateMachineArn"`
}

type listVersionsOutput struct {
	Versions  []versionOutput `json:"stateMachineVersions"`
	NextToken *string         `json:"nextToken,omitempty"`
}

func (a *API) listVersions(ctx context.Context, c *call, in machinePages) (out listVersionsOutput, err error) {
	cursor, err := c.cursor(in.NextToken, in.ARN)
	if err != nil {
		return out, err
	}
	below := 0
	if cursor != "" {
		if below, err = strconv.Atoi(cursor); err != nil {
			return out, invalidToken()
		}
	}
	all, err := a.cfg.Engine.StateMachineVersions(ctx, c.Place, in.ARN, below, in.size()+1)
	if err != nil {
		return out, err
	}
	all, out.NextToken = page(c, in.paged, all, func(v *core.StateMachineVersion) string { return strconv.Itoa(v.Number) }, in.ARN)
	out.Versions = make([]versionOutput, len(all))
	for i, v := range all {
		out.Versions[i] = versionOutput{epoch(v.Created), v.ARN}
	}
	return out, nil
}
