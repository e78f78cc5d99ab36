package sfn

import (
	"context"

	"github.com/leat-dev/leat/internal/core"
)

type route struct {
	VersionARN string `json:"stateMachineVersionArn"`
	Weight     int    `json:"weight"`
}

// routing is nil when none was given.
func routingIn(routes []route) []core.AliasRoute {
	if routes == nil {
		return nil
	}
	out := make([]core.AliasRoute, len(routes))
	for i, r := range routes {
		out[i] = core.AliasRoute(r)
	}
	return out
}

type createAliasInput struct {
	Description string  `json:"description"`
	Name        string  `json:"name"`
	Routing     []route `json:"routingConfiguration"`
}

type aliasOutput struct {
	Created epoch  `json:"creationDate"`
	ARN     string `json:"stateMachineAliasArn"`
}

func (a *API) createAlias(ctx context.Context, c *call, in createAliasInput) (aliasOutput, error) {
	v, err := a.cfg.Engine.CreateStateMachineAlias(ctx, c.Place, in.Name, in.Description, routingIn(in.Routing))
	if err != nil {
		return aliasOutput{}, err
	}
	return aliasOutput{epoch(v.Created), v.ARN}, nil
}

type updateAliasInput struct {
	ARN         string  `json:"stateMachineAliasArn"`
	Description *string `json:"description"`
	Routing     []route `json:"routingConfiguration"`
}

type updatedOutput struct {
	Updated epoch `json:"updateDate"`
}

func (a *API) updateAlias(ctx context.Context, c *call, in updateAliasInput) (updatedOutput, error) {
	v, err := a.cfg.Engine.UpdateStateMachineAlias(ctx, c.Place, in.ARN, in.Description, routingIn(in.Routing))
	if err != nil {
		return updatedOutput{}, err
	}
	return updatedOutput{epoch(v.Updated)}, nil
}

type aliasRef struct {
	ARN string `json:"stateMachineAliasArn"`
}

type describeAliasOutput struct {
	ARN         string  `json:"stateMachineAliasArn"`
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Routing     []route `json:"routingConfiguration"`
	Created     epoch   `json:"creationDate"`
	Updated     epoch   `json:"updateDate"`
}

func (a *API) describeAlias(ctx context.Context, c *call, in aliasRef) (describeAliasOutput, error) {
	v, err := a.cfg.Engine.StateMachineAlias(ctx, c.Place, in.ARN)
	if err != nil {
		return describeAliasOutput{}, err
	}
	out := describeAliasOutput{v.ARN, v.Name, v.Description, make([]route, len(v.Routing)), epoch(v.Created), epoch(v.Updated)}
	for i, r := range v.Routing {
		out.Routing[i] = route(r)
	}
	return out, nil
}

func (a *API) deleteAlias(ctx context.Context, c *call, in aliasRef) (empty, error) {
	return empty{}, a.cfg.Engine.DeleteStateMachineAlias(ctx, c.Place, in.ARN)
}

type listAliasesOutput struct {
	Aliases   []aliasOutput `json:"stateMachineAliases"`
	NextToken *string       `json:"nextToken,omitempty"`
}

func (a *API) listAliases(ctx context.Context, c *call, in machinePages) (out listAliasesOutput, err error) {
	after, err := c.cursor(in.NextToken, in.ARN)
	if err != nil {
		return out, err
	}
	all, err := a.cfg.Engine.StateMachineAliases(ctx, c.Place, in.ARN, after, in.size()+1)
	if err != nil {
		return out, err
	}
	all, out.NextToken = page(c, in.paged, all, func(v *core.StateMachineAlias) string { return v.Name }, in.ARN)
	out.Aliases = make([]aliasOutput, len(all))
	for i, v := range all {
		out.Aliases[i] = aliasOutput{epoch(v.Created), v.ARN}
	}
	return out, nil
}
