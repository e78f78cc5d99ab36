package engine

import (
	"fmt"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// The refusals of state machines and activities. Their reasons and texts are
// those of the Step Functions API, which its clients compare.

func noMachine(arn string) *core.Error {
	return core.Errorf(core.NotFound, "State Machine Does Not Exist: '%s'", arn).Because("StateMachineDoesNotExist")
}

func machineDeleting(arn string) *core.Error {
	return core.Errorf(core.Conflict, "State Machine is deleting: '%s'", arn).Because("StateMachineDeleting")
}

func noActivity(arn string) *core.Error {
	return core.Errorf(core.NotFound, "Activity Does Not Exist: '%s'", arn).Because("ActivityDoesNotExist")
}

func noResource(arn string) *core.Error {
	return core.Errorf(core.NotFound, "Resource not found: '%s'", arn).Because("ResourceNotFound")
}

func noReference() *core.Error {
	return core.Errorf(core.NotFound, "Request references a resource that does not exist.").Because("ResourceNotFound")
}

func tooMany(format string, args ...any) *core.Error {
	return core.Errorf(core.Conflict, format, args...).Because("ServiceQuotaExceededException")
}

func notValid(format string, args ...any) *core.Error {
	return core.Errorf(core.Invalid, format, args...).Because("ValidationException")
}

func inConflict(format string, args ...any) *core.Error {
	return core.Errorf(core.Conflict, format, args...).Because("ConflictException")
}

// or replaces a NotFound error by the refusal.
func or(err error, refusal *core.Error) error {
	if missing(err) {
		return refusal
	}
	return err
}

// javaList writes values as Java writes a list.
func javaList[T any](values []T) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprint(v)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
