package ecslocal

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Sizes of tasks on Fargate, in MiB by CPU units: from, to and step. AWS:
// "Task definition parameters for Fargate", task CPU and memory.
func fargateMemory(cpu int) (from, to, step int, ok bool) {
	const gib = 1024
	switch cpu {
	case 256:
		return 512, 2 * gib, 0, true // 512, 1024 and 2048
	case 512:
		return gib, 4 * gib, gib, true
	case 1024:
		return 2 * gib, 8 * gib, gib, true
	case 2048:
		return 4 * gib, 16 * gib, gib, true
	case 4096:
		return 8 * gib, 30 * gib, gib, true
	case 8192:
		return 16 * gib, 60 * gib, 4 * gib, true
	case 16384:
		return 32 * gib, 120 * gib, 8 * gib, true
	}
	return 0, 0, 0, false
}

// fargateSize tells whether Fargate has tasks of a size.
func fargateSize(cpu, memory int) bool {
	from, to, step, ok := fargateMemory(cpu)
	switch {
	case !ok || memory < from || memory > to:
		return false
	case step == 0:
		return memory == 512 || memory == 1024 || memory == 2048
	}
	return (memory-from)%step == 0
}

// sizePattern finds "1024", ".5 vCPU" or "2 GB".
var sizePattern = regexp.MustCompile(`(?i)^\s*(\d+|\d*\.\d+)\s*(vcpu|gb)?\s*$`)

// units reads a size in CPU units or MiB, or in vCPU or GB.
func units(text string) (int, bool) {
	m := sizePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(m[1], 64)
	if err != nil || f > 1e9 {
		return 0, false
	}
	if m[2] != "" {
		f *= 1024
	}
	return int(f), true
}

// plainSize writes a size as AWS shows it.
func plainSize(text string) string {
	if n, ok := units(text); ok {
		return strconv.Itoa(n)
	}
	return text
}

// check checks a task definition and brings its sizes to their plain form.
func (in *registerInput) check() error {
	switch {
	case in.Family == "":
		return clientException("Family should not be null or empty.")
	case !nameRule.MatchString(in.Family):
		return clientException("Family contains invalid characters.")
	case len(in.ContainerDefinitions) == 0:
		return clientException("Container list cannot be empty.")
	}
	if in.NetworkMode != "" && !slices.Contains([]string{"awsvpc", "bridge", "host", "none"}, in.NetworkMode) {
		return clientException("Invalid network mode: %s", in.NetworkMode)
	}
	for _, kind := range in.RequiresCompatibilities {
		if !slices.Contains([]string{"EC2", fargate, "EXTERNAL", "MANAGED_INSTANCES"}, kind) {
			return clientException("Invalid value %s for requiresCompatibilities.", kind)
		}
	}
	for name, value := range map[string]*string{"cpu": &in.CPU, "memory": &in.Memory} {
		if *value == "" {
			continue
		}
		if _, ok := units(*value); !ok {
			return clientException("Invalid '%s' setting for task. See the Amazon ECS documentation for the valid values.", name)
		}
		*value = plainSize(*value)
	}
	if err := in.checkContainers(); err != nil {
		return err
	}
	if slices.Contains(in.RequiresCompatibilities, fargate) {
		return in.fits()
	}
	return nil
}

func (in *registerInput) checkContainers() error {
	names := map[string]bool{}
	essential := false
	for i := range in.ContainerDefinitions {
		d := &in.ContainerDefinitions[i]
		switch {
		case d.Name == "":
			return clientException("Container.name should not be null or empty.")
		case !nameRule.MatchString(d.Name):
			return clientException("Invalid container name: %s. Only letters, numbers, hyphens, and underscores are allowed.", d.Name)
		case d.Image == "":
			return clientException("Container.image should not be null or empty.")
		case names[d.Name]:
			return clientException("Container names must be unique: %s.", d.Name)
		case in.Memory == "" && d.Memory == nil && d.Reservation == nil && !slices.Contains(in.RequiresCompatibilities, fargate):
			return clientException("Invalid setting for container '%s'. At least one of 'memory' or 'memoryReservation' must be specified.", d.Name)
		case d.StopTimeout != nil && (*d.StopTimeout < 0 || *d.StopTimeout > 120 && slices.Contains(in.RequiresCompatibilities, fargate)):
			return clientException("Invalid setting for container '%s'. 'stopTimeout' must be between 0 and 120 seconds.", d.Name)
		}
		names[d.Name] = true
		essential = essential || d.essential()
		if l := d.LogConfiguration; l != nil && l.LogDriver == "awslogs" {
			for _, option := range []string{"awslogs-group", "awslogs-region"} {
				if l.Options[option] == "" {
					return clientException("Log driver awslogs requires options: %s", option)
				}
			}
		}
	}
	if !essential {
		return clientException("A task definition must have at least one essential container.")
	}
	return in.checkOrder(names)
}

// checkOrder checks that containers depend on one another without a circle.
func (in *registerInput) checkOrder(names map[string]bool) error {
	on := map[string][]dependency{}
	for i := range in.ContainerDefinitions {
		d := &in.ContainerDefinitions[i]
		for _, dep := range d.DependsOn {
			if !names[dep.ContainerName] || dep.ContainerName == d.Name {
				return clientException("Invalid 'dependsOn' setting for container '%s': there is no other container '%s'.", d.Name, dep.ContainerName)
			}
			if !slices.Contains([]string{"START", "COMPLETE", "SUCCESS", "HEALTHY"}, dep.Condition) {
				return clientException("Invalid 'dependsOn' condition for container '%s'.", d.Name)
			}
		}
		on[d.Name] = d.DependsOn
	}
	for len(on) > 0 {
		before := len(on)
		for name, deps := range on {
			if !slices.ContainsFunc(deps, func(d dependency) bool { return hasKey(on, d.ContainerName) }) {
				delete(on, name)
			}
		}
		if len(on) == before {
			return clientException("There is a cycle in the 'dependsOn' settings of the containers.")
		}
	}
	return nil
}

func hasKey[V any](m map[string]V, key string) bool {
	_, ok := m[key]
	return ok
}

// fits tells why a definition can't run on Fargate, nil if it can.
func (in *registerInput) fits() error {
	switch {
	case in.NetworkMode != "awsvpc":
		return clientException("Fargate only supports network mode ‘awsvpc’.")
	case in.CPU == "":
		return clientException("Fargate requires that 'cpu' be defined at the task level.")
	case in.Memory == "":
		return clientException("Fargate requires that 'memory' be defined at the task level.")
	}
	cpu, _ := units(in.CPU)
	memory, _ := units(in.Memory)
	if !fargateSize(cpu, memory) {
		return noFargate(cpu, memory)
	}
	for i := range in.ContainerDefinitions {
		d := &in.ContainerDefinitions[i]
		if in.ExecutionRoleArn != "" {
			break
		}
		if d.LogConfiguration != nil && d.LogConfiguration.LogDriver == "awslogs" {
			return clientException("Fargate requires task definition to have execution role ARN to support log driver awslogs.")
		}
		if strings.Contains(d.Image, ".dkr.ecr.") {
			return clientException("Fargate requires task definition to have execution role ARN to support ECR images.")
		}
	}
	for i := range in.ContainerDefinitions {
		l := in.ContainerDefinitions[i].LogConfiguration
		if l != nil && l.LogDriver == "awslogs" && l.Options["awslogs-stream-prefix"] == "" {
			return clientException("Fargate requires log configuration options to include awslogs-stream-prefix to support log driver awslogs.")
		}
	}
	return nil
}

func noFargate(cpu, memory int) error {
	return clientException("No Fargate configuration exists for given values: %d CPU, %d memory. See the Amazon ECS documentation for the valid values.", cpu, memory)
}
