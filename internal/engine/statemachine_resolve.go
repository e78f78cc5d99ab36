package engine

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/leat-dev/leat/internal/core"
)

// machineTarget is what an ARN of a state machine stands for.
type machineTarget struct {
	machine  *core.StateMachine
	revision *core.StateMachineRevision
	// version and alias are set when the ARN named one, or an alias led to the version.
	version *core.StateMachineVersion
	alias   *core.StateMachineAlias
	// label is set when the ARN names the executions of a distributed map: the map's label.
	label string
}

// resolveMachine finds what the ARN of a machine, a version, an alias or a map's
// executions (machine/label) stands for. pick chooses one of the weights of an
// alias's versions, which sum up to 100.
func resolveMachine(tx core.Tx, arn string, pick func(weights []int) int) (*machineTarget, error) {
	base, qualifier, label, err := splitMachineARN(arn)
	if err != nil {
		return nil, err
	}
	t := &machineTarget{label: label}
	if t.machine, err = machineByARN(tx, base, arn); err != nil {
		return nil, err
	}
	versionARN := ""
	if isNumber(qualifier) {
		versionARN = arn
	} else if qualifier != "" {
		if t.alias, err = tx.StateMachineAlias(arn); err != nil {
			return nil, or(err, noMachine(arn))
		}
		weights := make([]int, len(t.alias.Routing))
		for i, r := range t.alias.Routing {
			weights[i] = r.Weight
		}
		versionARN = t.alias.Routing[pick(weights)].VersionARN
	}
	revision := t.machine.RevisionID
	if versionARN != "" {
		if t.version, err = tx.StateMachineVersion(versionARN); err != nil {
			return nil, or(err, noMachine(arn))
		}
		revision = t.version.RevisionID
	}
	t.revision, err = tx.StateMachineRevision(revision)
	return t, err
}

// CheckUnlabelled refuses the ARN of the executions of a distributed map, which
// few operations take.
func CheckUnlabelled(arn string) error {
	_, _, label, err := splitMachineARN(arn)
	if err == nil && label != "" {
		err = notValid("This operation does not support labeled ARNs: '%s'", arn)
	}
	return err
}

// splitMachineARN takes apart machine[:qualifier] and machine/label. base is the
// ARN of the machine alone.
func splitMachineARN(arn string) (base, qualifier, label string, err error) {
	parts, err := checkARN(arn, "stateMachine")
	if err != nil {
		return "", "", "", err
	}
	name := parts[0]
	if len(parts) > 1 {
		qualifier = strings.Join(parts[1:], ":")
		return strings.TrimSuffix(arn, ":"+qualifier), qualifier, "", nil
	}
	if _, after, found := strings.Cut(name, "/"); found {
		return strings.TrimSuffix(arn, "/"+after), "", after, nil
	}
	return arn, "", "", nil
}

var states = regexp.MustCompile(`^arn:aws[a-z-]*:states:[a-z0-9-]*:[0-9]*:`)

// CheckARN refuses what is no ARN of a Step Functions resource of one of the
// kinds, such as execution.
func CheckARN(arn string, kinds ...string) error {
	_, err := checkARN(arn, kinds...)
	return err
}

// checkARN returns the parts of the resource's name in an ARN of one of the
// kinds, such as stateMachine, or an InvalidArn error.
func checkARN(text string, kinds ...string) ([]string, error) {
	a, ok := core.ParseARN(text)
	if !ok || !states.MatchString(text) {
		return nil, invalidARN("Invalid ARN prefix: %s", text)
	}
	parts := strings.Split(a.Resource, ":")
	if !slices.Contains(kinds, parts[0]) {
		return nil, invalidARN("Resource type not valid in this context: %s", parts[0])
	}
	if len(parts) < 2 || slices.Contains(parts[1:], "") {
		return nil, invalidARN("Resource name is missing: %s", text)
	}
	return parts[1:], nil
}

func invalidARN(format string, args ...any) *core.Error {
	e := core.Errorf(core.Invalid, format, args...).Because("InvalidArn")
	e.Message = "Invalid Arn: '" + e.Message + "'"
	return e
}

// isNumber tells a version from an alias, whose name is never a number.
func isNumber(qualifier string) bool {
	_, err := strconv.ParseUint(qualifier, 10, 63)
	return err == nil
}
