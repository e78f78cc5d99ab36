package sfn

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/value"
)

type historyInput struct {
	paged
	ARN         string `json:"executionArn"`
	Reverse     bool   `json:"reverseOrder"`
	IncludeData *bool  `json:"includeExecutionData"`
}

type historyOutput struct {
	Events    []json.RawMessage `json:"events"`
	NextToken *string           `json:"nextToken,omitempty"`
}

// executionHistory answers with a page of events: they are stored as they are shown.
func (a *API) executionHistory(ctx context.Context, c *call, in historyInput) (out historyOutput, err error) {
	question := []any{in.ARN, in.Reverse}
	cursor, err := c.cursor(in.NextToken, question...)
	if err != nil {
		return out, err
	}
	d, err := a.execution(ctx, c, in.ARN)
	if err != nil {
		return out, err
	}
	n, last := int64(in.size()), d.Events
	from := int64(1)
	if in.Reverse {
		from = last
	}
	if cursor != "" {
		if from, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return out, invalidToken()
		}
	}
	first, until, next := from, min(from+n-1, last), from+n
	if in.Reverse {
		first, until, next = max(from-n+1, 1), from, from-n
	}
	if out.Events, err = a.cfg.Engine.ExecutionEvents(ctx, c.Workspace, d.RunID, first, until); err != nil {
		return out, err
	}
	if in.Reverse {
		slices.Reverse(out.Events)
	}
	if next >= 1 && next <= last {
		out.NextToken = c.token(strconv.FormatInt(next, 10), question...)
	}
	if in.IncludeData != nil && !*in.IncludeData {
		for i, e := range out.Events {
			if out.Events[i], err = withoutData(e); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// withoutData removes from an event what may hold users' data.
func withoutData(event json.RawMessage) (json.RawMessage, error) {
	v, err := value.Parse(event)
	if err != nil {
		return nil, fmt.Errorf("read an event: %w", err)
	}
	o, ok := v.(*value.Object)
	if !ok {
		return event, nil
	}
	for _, key := range o.Keys() {
		details, _ := o.Get(key)
		d, ok := details.(*value.Object)
		if !ok || !strings.HasSuffix(key, "Details") {
			continue
		}
		for _, k := range []string{"input", "inputDetails", "output", "outputDetails", "parameters", "assignedVariables", "assignedVariablesDetails"} {
			d.Delete(k)
		}
	}
	return value.Append(nil, o), nil
}
