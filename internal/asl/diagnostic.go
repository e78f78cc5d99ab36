package asl

import (
	"fmt"
	"strings"
)

// Severity says whether a definition with such a finding is refused.
type Severity string

// The severities of ValidateStateMachineDefinition.
const (
	SeverityError   Severity = "ERROR"
	SeverityWarning Severity = "WARNING"
)

// The codes of diagnostics.
const (
	CodeSchema     = "SCHEMA_VALIDATION_FAILED"
	CodeTarget     = "MISSING_TRANSITION_TARGET"
	CodeDuplicate  = "DUPLICATE_STATE_NAME"
	CodeJSON       = "INVALID_JSON_DESCRIPTION"
	maxDiagnostics = 100
)

// Diagnostic is one finding about a definition, as ValidateStateMachineDefinition gives it.
type Diagnostic struct {
	Severity Severity
	Code     string
	Message  string
	// Location is where in the definition it is: /States/Wait/Seconds; "/" is the whole.
	Location string

	// whole is the text of the error where it differs in form from all others.
	whole string
}

// DefinitionError is the message with which CreateStateMachine and others refuse
// a definition: that of its errors; "" when there is none.
func DefinitionError(ds []Diagnostic) string {
	var parts []string
	for _, d := range ds {
		if d.Severity != SeverityError {
			continue
		}
		if d.whole != "" {
			return d.whole
		}
		parts = append(parts, fmt.Sprintf("%s: %s at %s", d.Code, d.Message, d.Location))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Invalid State Machine Definition: '" + strings.Join(parts, ", ") + "'"
}

// failed tells whether there is an error among diagnostics.
func failed(ds []Diagnostic) bool {
	for _, d := range ds {
		if d.Severity == SeverityError {
			return true
		}
	}
	return false
}
