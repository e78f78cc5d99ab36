package ecslocal

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// family is the revisions of a task definition.
type family struct {
	Revisions []*definition
}

// definition is a task definition. Raw is what its registration said, with the
// defaults that AWS fills in, to be shown again as it is; the rest is what running
// it needs.
type definition struct {
	Raw  map[string]any
	Tags []tag

	Arn, Family, Status          string
	Revision                     int
	NetworkMode                  string
	CPU, Memory                  string
	Compatible, Required         []string
	TaskRole, ExecutionRole      string
	RegisteredAt, DeregisteredAt *epoch
	Containers                   []containerDefinition
}

// containerDefinition is what running a container needs of its definition. The
// names are those of the wire, which is read without regard to case.
type containerDefinition struct {
	Name, Image         string
	CPU                 int
	Memory              *int
	Reservation         *int `json:"memoryReservation"`
	Essential           *bool
	EntryPoint, Command []string
	Environment         []pair
	WorkingDirectory    string
	User                string
	Privileged          bool
	StopTimeout         *int
	DependsOn           []dependency
	LogConfiguration    *logConfiguration
	Secrets             []struct{ Name, ValueFrom string }
	MountPoints         []struct {
		SourceVolume, ContainerPath string
		ReadOnly                    bool
	}
}

func (d *containerDefinition) essential() bool { return d.Essential == nil || *d.Essential }

type pair struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct{ ContainerName, Condition string }

type logConfiguration struct {
	LogDriver string
	Options   map[string]string
}

type registerInput struct {
	Family                  string
	TaskRoleArn             string
	ExecutionRoleArn        string
	NetworkMode             string
	ContainerDefinitions    []containerDefinition
	RequiresCompatibilities []string
	CPU                     string
	Memory                  string
	Tags                    []tag
}

func registerTaskDefinition(c *call, in *registerInput) (any, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	raw := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(string(c.body)))
	decoder.UseNumber()
	if err := decoder.Decode(&raw); err != nil {
		return nil, serialization(err)
	}
	delete(raw, "tags")
	f := c.Families[in.Family]
	if f == nil {
		f = &family{}
		c.Families[in.Family] = f
	}
	def := &definition{
		Raw: raw, Tags: list(in.Tags), Family: in.Family, Status: active, Revision: len(f.Revisions) + 1,
		NetworkMode: cmp.Or(in.NetworkMode, "bridge"), CPU: in.CPU, Memory: in.Memory, Required: in.RequiresCompatibilities,
		TaskRole: in.TaskRoleArn, ExecutionRole: in.ExecutionRoleArn, RegisteredAt: at(c.now), Containers: in.ContainerDefinitions,
	}
	def.Arn = c.arn("task-definition/%s:%d", in.Family, def.Revision)
	def.Compatible = []string{"EXTERNAL", "EC2"}
	if in.NetworkMode == "awsvpc" {
		def.Compatible = []string{"EC2"}
		if in.fits() == nil {
			def.Compatible = append(def.Compatible, fargate)
		}
	}
	def.fillRaw(c.site)
	f.Revisions = append(f.Revisions, def)
	return def.output(), nil
}

// fillRaw adds the defaults that AWS shows.
func (d *definition) fillRaw(st *site) {
	for _, name := range []string{"volumes", "placementConstraints"} {
		if d.Raw[name] == nil {
			d.Raw[name] = []any{}
		}
	}
	containers, _ := d.Raw["containerDefinitions"].([]any)
	for _, item := range containers {
		container, ok := item.(map[string]any)
		if !ok {
			continue
		}
		for _, name := range []string{"portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"} {
			if container[name] == nil {
				container[name] = []any{}
			}
		}
		if container["cpu"] == nil {
			container["cpu"] = 0
		}
		if container["essential"] == nil {
			container["essential"] = true
		}
	}
	for name, value := range map[string]string{"cpu": d.CPU, "memory": d.Memory} {
		if value != "" {
			d.Raw[name] = value
		}
	}
	d.Raw["registeredBy"] = "arn:aws:iam::" + st.Account + ":root"
}

// show is a definition as DescribeTaskDefinition shows it.
func (d *definition) show() map[string]any {
	out := maps.Clone(d.Raw)
	out["taskDefinitionArn"], out["revision"], out["status"] = d.Arn, d.Revision, d.Status
	out["compatibilities"], out["registeredAt"] = d.Compatible, d.RegisteredAt
	if d.DeregisteredAt != nil {
		out["deregisteredAt"] = d.DeregisteredAt
	}
	return out
}

func (d *definition) output() map[string]any {
	out := map[string]any{"taskDefinition": d.show()}
	if len(d.Tags) > 0 {
		out["tags"] = d.Tags
	}
	return out
}

// findDefinition finds a definition by ARN, family:revision or family, which
// stands for its latest active revision.
func (st *site) findDefinition(ref string) *definition {
	if strings.HasPrefix(ref, "arn:") && !strings.HasPrefix(ref, st.arn("task-definition/")) {
		return nil
	}
	name, text, exact := strings.Cut(lastPart(ref), ":")
	f := st.Families[name]
	if f == nil {
		return nil
	}
	if exact {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > len(f.Revisions) || f.Revisions[n-1].Status == "DELETED" {
			return nil
		}
		return f.Revisions[n-1]
	}
	for _, d := range slices.Backward(f.Revisions) {
		if d.Status == active {
			return d
		}
	}
	return nil
}

func describeTaskDefinition(c *call, in *struct {
	TaskDefinition string
	Include        []string
},
) (any, error) {
	d := c.findDefinition(in.TaskDefinition)
	if d == nil {
		return nil, clientException("Unable to describe task definition.")
	}
	out := map[string]any{"taskDefinition": d.show()}
	if slices.Contains(in.Include, "TAGS") {
		out["tags"] = d.Tags
	}
	return out, nil
}

func deregisterTaskDefinition(c *call, in *struct{ TaskDefinition string }) (any, error) {
	if !strings.Contains(lastPart(in.TaskDefinition), ":") {
		return nil, clientException("Task definition cannot be deregistered without specifying a revision.")
	}
	d := c.findDefinition(in.TaskDefinition)
	if d == nil {
		return nil, clientException("The specified task definition does not exist. Specify a valid account, family, revision and try again.")
	}
	if d.Status == active {
		d.Status, d.DeregisteredAt = inactive, at(c.now)
	}
	return map[string]any{"taskDefinition": d.show()}, nil
}

func listTaskDefinitions(c *call, in *struct {
	pageInput
	FamilyPrefix, Status, Sort string
},
) (any, error) {
	status := cmp.Or(in.Status, active)
	var all []*definition
	for name, f := range c.Families {
		if in.FamilyPrefix != "" && name != in.FamilyPrefix {
			continue
		}
		for _, d := range f.Revisions {
			if d.Status == status {
				all = append(all, d)
			}
		}
	}
	slices.SortFunc(all, func(a, b *definition) int {
		return cmp.Or(cmp.Compare(a.Family, b.Family), cmp.Compare(a.Revision, b.Revision))
	})
	if in.Sort == "DESC" {
		slices.Reverse(all)
	}
	limit, err := in.limit()
	if err != nil {
		return nil, err
	}
	arns, next, begun := []string{}, "", in.NextToken == ""
	for _, d := range all {
		switch {
		case !begun:
			begun = d.Arn == in.NextToken
		case len(arns) == limit:
			next = arns[limit-1]
		default:
			arns = append(arns, d.Arn)
		}
	}
	out := map[string]any{"taskDefinitionArns": arns}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func listTaskDefinitionFamilies(c *call, in *struct {
	pageInput
	FamilyPrefix, Status string
},
) (any, error) {
	var names []string
	for name, f := range c.Families {
		isActive := slices.ContainsFunc(f.Revisions, func(d *definition) bool { return d.Status == active })
		wanted := in.Status == "" || in.Status == "ALL" || (in.Status == active) == isActive
		if wanted && strings.HasPrefix(name, in.FamilyPrefix) {
			names = append(names, name)
		}
	}
	return paged("families", names, in.pageInput)
}
