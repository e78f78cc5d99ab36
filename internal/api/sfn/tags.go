package sfn

import "context"

type tagInput struct {
	ARN  string `json:"resourceArn"`
	Tags []tag  `json:"tags"`
}

func (a *API) tagResource(ctx context.Context, c *call, in tagInput) (empty, error) {
	return empty{}, a.cfg.Engine.Tag(ctx, c.Place, in.ARN, tagsIn(in.Tags))
}

type untagInput struct {
	ARN  string   `json:"resourceArn"`
	Keys []string `json:"tagKeys"`
}

func (a *API) untagResource(ctx context.Context, c *call, in untagInput) (empty, error) {
	return empty{}, a.cfg.Engine.Untag(ctx, c.Place, in.ARN, in.Keys)
}

type listTagsOutput struct {
	Tags []tag `json:"tags"`
}

func (a *API) listTags(ctx context.Context, c *call, in tagInput) (listTagsOutput, error) {
	tags, err := a.cfg.Engine.Tags(ctx, c.Place, in.ARN)
	if err != nil {
		return listTagsOutput{}, err
	}
	out := listTagsOutput{make([]tag, len(tags))}
	for i, t := range tags {
		out.Tags[i] = tag(t)
	}
	return out, nil
}
