package prefect3

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/leat-dev/leat/internal/client"
	"github.com/leat-dev/leat/internal/jsonschema"
)

type validateValuesIn struct {
	Body struct {
		_      struct{}        `wire:"embed"`
		Schema json.RawMessage `json:"schema" wire:"required,object"`
		Values json.RawMessage `json:"values" wire:"required,object"`
	} `body:""`
}

// validateValues lists what is wrong with values for a schema, by where they
// are. Prefect REST: POST /ui/schemas/validate.
func (a *API) validateValues(ctx context.Context, in validateValuesIn) (out client.SchemaCheck, err error) {
	found, err := a.Engine.CheckValues(ctx, a.workspace(ctx), in.Body.Values, in.Body.Schema)
	var refused *jsonschema.Error
	var unsound *jsonschema.Unsound
	switch {
	case errors.As(err, &unsound):
		return out, refusal(http.StatusUnprocessableEntity, "Invalid schema: "+unsound.Message)
	case errors.Is(err, jsonschema.ErrCircular):
		return out, refusal(http.StatusUnprocessableEntity, "Invalid schema: Unable to validate schema with circular references.")
	case errors.As(err, &refused):
		return out, refusal(http.StatusUnprocessableEntity, "Invalid schema: "+refused.Error())
	case err != nil:
		return out, err
	}
	out.Errors = []client.SchemaError{}
	for _, p := range found {
		out.Errors = client.AddSchemaError(out.Errors, p.Path, p.Message)
	}
	out.Valid = len(out.Errors) == 0
	return out, nil
}
