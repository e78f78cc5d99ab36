package engine

import (
	"github.com/leat-dev/leat/internal/asl"
	"github.com/leat-dev/leat/internal/core"
)

// ValidateDefinition says what is wrong with a definition. Step Functions:
// ValidateStateMachineDefinition.
func (e *Engine) ValidateDefinition(text string, kind core.MachineType) []asl.Diagnostic {
	_, findings := e.parseDefinition(text, kind)
	return findings
}

func (e *Engine) parseDefinition(text string, kind core.MachineType) (*asl.Machine, []asl.Diagnostic) {
	return asl.Parse([]byte(text), asl.Options{Express: kind == core.ExpressMachine, Resource: e.checkResource})
}

// checkDefinition refuses a definition that cannot be run.
func (e *Engine) checkDefinition(text string, kind core.MachineType) error {
	m, findings := e.parseDefinition(text, kind)
	if m == nil {
		return &core.Error{Code: core.Invalid, Message: asl.DefinitionError(findings), Reason: "InvalidDefinition"}
	}
	return nil
}
