package prefect3

import (
	"context"
	"errors"
	"net/http"

	"github.com/leat-dev/leat/internal/api"
	"github.com/leat-dev/leat/internal/jinja"
)

func (a *API) templateRoutes(r *api.Router) {
	r.Handle("POST", "/templates/validate", api.Handle(http.StatusNoContent, a.validateTemplate))
	r.Handle("POST", "/automations/templates/validate", api.Handle(http.StatusNoContent, a.validateTemplate))
}

// templateProblem says where a text is no template, or one that is refused.
type templateProblem struct {
	Line    int    `json:"line"`
	Message string `json:"message"`
	Source  string `json:"source"`
}

// validateTemplate tells whether users' templates are well-formed. Prefect REST:
// POST /templates/validate.
func (*API) validateTemplate(_ context.Context, in bodyIn[*string]) (api.Response, error) {
	source := ""
	if in.Body != nil {
		source = *in.Body
	}
	_, err := jinja.Parse(source)
	problem := templateProblem{Source: source}
	var malformed *jinja.SyntaxError
	var refused *jinja.SecurityError
	switch {
	case err == nil:
		return api.Response{}, nil
	case errors.As(err, &malformed):
		problem.Line, problem.Message = malformed.Line, malformed.Message
	case errors.As(err, &refused):
		problem.Message = refused.Message
	default:
		return api.Response{}, err
	}
	return api.Response{Status: http.StatusUnprocessableEntity, Body: map[string]templateProblem{"error": problem}}, nil
}
