package sfn

import (
	"context"

	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

type validateInput struct {
	Definition string           `json:"definition"`
	Type       core.MachineType `json:"type"`
	Severity   asl.Severity     `json:"severity"`
	MaxResults int              `json:"maxResults"`
}

type diagnostic struct {
	Severity asl.Severity `json:"severity"`
	Code     string       `json:"code"`
	Message  string       `json:"message"`
	Location string       `json:"location,omitempty"`
}

type validateOutput struct {
	Result      string       `json:"result"`
	Diagnostics []diagnostic `json:"diagnostics"`
	Truncated   bool         `json:"truncated"`
}

// validateDefinition lists findings: errors alone unless warnings are asked for.
func (a *API) validateDefinition(_ context.Context, _ *call, in validateInput) (validateOutput, error) {
	out := validateOutput{Result: "OK", Diagnostics: []diagnostic{}}
	most := in.MaxResults
	if most == 0 {
		most = defaultPage
	}
	for _, d := range a.cfg.Engine.ValidateDefinition(in.Definition, in.Type) {
		if d.Severity == asl.SeverityError {
			out.Result = "FAIL"
		} else if in.Severity != asl.SeverityWarning {
			continue
		}
		if len(out.Diagnostics) == most {
			out.Truncated = true
			break
		}
		out.Diagnostics = append(out.Diagnostics, diagnostic{d.Severity, d.Code, d.Message, d.Location})
	}
	return out, nil
}
