package ecslocal

import (
	"cmp"
	"encoding/json"
	"runtime"
	"slices"
	"strings"
)

type networkConfiguration struct {
	VPC struct {
		Subnets        []string `json:"subnets"`
		SecurityGroups []string `json:"securityGroups,omitempty"`
		AssignPublicIP string   `json:"assignPublicIp,omitempty"`
	} `json:"awsvpcConfiguration"`
}

type runTaskInput struct {
	Cluster, TaskDefinition string
	Count                   *int
	Strategy                []providerStrategy `json:"capacityProviderStrategy"`
	ManagedTags             bool               `json:"enableECSManagedTags"`
	EnableExecuteCommand    bool
	Group                   string
	LaunchType              string
	Network                 *networkConfiguration `json:"networkConfiguration"`
	Overrides               overrides
	PlatformVersion         string
	PropagateTags           string
	StartedBy               string
	Tags                    []tag
	ClientToken             string
	ContainerInstances      []string
}

// tokenUse is what a client token was used for.
type tokenUse struct {
	At      *epoch
	Request string // the request without what differs between attempts
	Arns    []string
}

type tasksOutput struct {
	Tasks    []*task   `json:"tasks"`
	Failures []failure `json:"failures"`
}

// runTask is idempotent by its client token.
func runTask(c *call, in *runTaskInput) (any, error) {
	c.prune(c.now)
	request, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	if use := c.Tokens[in.ClientToken]; use != nil && in.ClientToken != "" {
		if use.Request != string(request) {
			return nil, errorf("ConflictException", "The specified client token was used for a different request.")
		}
		out := tasksOutput{[]*task{}, []failure{}}
		for _, arn := range use.Arns {
			if t := c.Tasks[lastPart(arn)]; t != nil {
				out.Tasks = append(out.Tasks, t.copy())
			}
		}
		return out, nil
	}
	count := 1
	if in.Count != nil {
		count = *in.Count
	}
	if count < 1 || count > 10 {
		return nil, invalidParameter("Count should be between 1 and 10.")
	}
	p, err := c.place(in)
	if err != nil {
		return nil, err
	}
	out := c.launch(p, in.Strategy, count)
	if in.ClientToken != "" && len(out.Tasks) > 0 {
		use := &tokenUse{At: at(c.now), Request: string(request)}
		for _, t := range out.Tasks {
			use.Arns = append(use.Arns, t.TaskArn)
		}
		c.Tokens[in.ClientToken] = use
	}
	return out, nil
}

// launch makes tasks by a placement, spread over the providers of a strategy.
func (c *call) launch(p *placement, strategy []providerStrategy, count int) tasksOutput {
	out := tasksOutput{[]*task{}, []failure{}}
	for i := range count {
		one := *p
		if len(strategy) > 0 {
			one.launch, one.provider = "", choose(strategy, i)
		}
		if c.server.faults.capacityFails() {
			out.Failures = append(out.Failures, c.noCapacity(&one))
			continue
		}
		out.Tasks = append(out.Tasks, c.server.newTask(c.site, &one, c.now).copy())
	}
	return out
}

// noCapacity is the failure of a task that finds no room.
func (c *call) noCapacity(p *placement) failure {
	if p.onFargate() {
		return failure{Reason: "Capacity is unavailable at this time. Please try again later or in a different availability zone"}
	}
	return failure{Arn: c.arn("container-instance/%032x", 1), Reason: "RESOURCE:MEMORY"}
}

// choose names the provider of the i-th task: bases first, then by weight.
func choose(strategy []providerStrategy, i int) string {
	total := 0
	for _, item := range strategy {
		if i < item.Base {
			return item.Provider
		}
		i -= item.Base
		total += item.Weight
	}
	if total == 0 {
		return strategy[0].Provider
	}
	i %= total
	for _, item := range strategy {
		if i < item.Weight {
			return item.Provider
		}
		i -= item.Weight
	}
	return strategy[0].Provider
}

// place checks a request and finds what it names.
func (c *call) place(in *runTaskInput) (*placement, error) {
	c.ensureDefault(in.Cluster)
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.TaskDefinition == "" {
		return nil, invalidParameter("TaskDefinition can not be blank.")
	}
	def := c.findDefinition(in.TaskDefinition)
	switch {
	case def == nil && c.Families[lastPart(in.TaskDefinition)] != nil:
		return nil, clientException("TaskDefinition is inactive")
	case def == nil:
		return nil, clientException("TaskDefinition not found.")
	case def.Status != active:
		return nil, clientException("TaskDefinition is inactive")
	}
	if in.LaunchType != "" && len(in.Strategy) > 0 {
		return nil, invalidParameter("Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.")
	}
	p := &placement{
		cluster: known, def: def, launch: in.LaunchType, platform: in.PlatformVersion, network: in.Network, group: in.Group, by: in.StartedBy,
		over: in.Overrides, tags: in.Tags, exec: in.EnableExecuteCommand,
	}
	if err := c.placeLaunch(p, in); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	switch {
	case in.PropagateTags == "TASK_DEFINITION":
		p.tags = mergeTags(def.Tags, in.Tags)
	case in.PropagateTags != "" && in.PropagateTags != "NONE":
		return nil, invalidParameter("Invalid value for propagateTags.")
	}
	if in.ManagedTags {
		p.tags = mergeTags([]tag{{"aws:ecs:clusterName", known.ClusterName}}, p.tags)
	}
	if len(in.StartedBy) > 128 {
		return nil, invalidParameter("startedBy longer than 128.")
	}
	return p, checkTags(in.Tags)
}

// placeLaunch decides on launch type and providers.
func (c *call) placeLaunch(p *placement, in *runTaskInput) error {
	if p.launch == "" && len(in.Strategy) == 0 {
		in.Strategy = p.cluster.Strategy
	}
	switch {
	case len(in.Strategy) > 0:
		for _, item := range in.Strategy {
			if !slices.Contains(p.cluster.Providers, item.Provider) {
				return invalidParameter("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", item.Provider)
			}
		}
		p.provider = in.Strategy[0].Provider
		return checkWeights(in.Strategy)
	case p.launch == "":
		p.launch = "EC2"
	case p.launch == fargateSpot || !slices.Contains([]string{"EC2", fargate, "EXTERNAL", "MANAGED_INSTANCES"}, p.launch):
		return invalidParameter("Launch type %s is not valid.", p.launch)
	}
	return nil
}

// check tells what does not fit together.
func (p *placement) check() error {
	if p.onFargate() {
		if !slices.Contains(p.def.Compatible, fargate) {
			return invalidParameter("Task definition does not support launch_type FARGATE.")
		}
		cpu, memory := p.def.sizes(&p.over)
		c, okCPU := units(cpu)
		m, okMemory := units(memory)
		if !okCPU || !okMemory || !fargateSize(c, m) {
			return noFargate(c, m)
		}
	} else if len(p.def.Required) > 0 && p.launch != "" && !slices.Contains(p.def.Required, p.launch) {
		return invalidParameter("Task definition does not support launch_type %s.", p.launch)
	}
	awsvpc := p.def.NetworkMode == "awsvpc"
	switch {
	case awsvpc && p.network == nil:
		return invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
	case awsvpc && len(p.network.VPC.Subnets) == 0:
		return invalidParameter("subnets can not be empty.")
	case awsvpc && len(p.network.VPC.Subnets) > 16:
		return invalidParameter("subnets can have at most 16 items.")
	case awsvpc && len(p.network.VPC.SecurityGroups) > 5:
		return invalidParameter("securityGroup can have at most 5 items.")
	case !awsvpc && p.network != nil:
		return invalidParameter("Network Configuration is not valid for the given networkMode of this task definition.")
	case strings.HasPrefix(p.group, "service:") && p.service == nil:
		return invalidParameter("Invalid namespace for group.")
	}
	for _, o := range p.over.Containers {
		known := func(d containerDefinition) bool { return d.Name == o.Name }
		if o.Name == "" {
			return invalidParameter("Container name can not be blank in container overrides.")
		}
		if !slices.ContainsFunc(p.def.Containers, known) {
			return invalidParameter("Override for container named %s is not a container in the TaskDefinition.", o.Name)
		}
	}
	return nil
}

// startTask places tasks on container instances that the caller names; any name
// will do, for there are none.
func startTask(c *call, in *runTaskInput) (any, error) {
	if len(in.ContainerInstances) == 0 || len(in.ContainerInstances) > 10 {
		return nil, invalidParameter("Container instances must have between 1 and 10 items.")
	}
	in.LaunchType, in.Strategy = "EC2", nil
	p, err := c.place(in)
	if err != nil {
		return nil, err
	}
	out := tasksOutput{[]*task{}, []failure{}}
	for _, instance := range in.ContainerInstances {
		one := *p
		one.instance = instance
		if !strings.HasPrefix(instance, "arn:") {
			one.instance = c.arn("container-instance/%s/%s", p.cluster.ClusterName, instance)
		}
		out.Tasks = append(out.Tasks, c.server.newTask(c.site, &one, c.now).copy())
	}
	return out, nil
}

// mergeTags puts the later tags over the earlier.
func mergeTags(lists ...[]tag) []tag {
	merged := []tag{}
	for _, tags := range lists {
		for _, t := range tags {
			i := slices.IndexFunc(merged, func(m tag) bool { return m.Key == t.Key })
			if i < 0 {
				merged = append(merged, t)
				continue
			}
			merged[i] = t
		}
	}
	return merged
}

func checkTags(tags []tag) error {
	if len(tags) > 50 {
		return invalidParameter("The number of tags exceeds the limit of 50.")
	}
	for _, t := range tags {
		switch {
		case t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256:
			return invalidParameter("Tag keys have 1 to 128 characters, and values at most 256.")
		case strings.HasPrefix(strings.ToLower(t.Key), "aws:"):
			return invalidParameter("Tag keys must not begin with aws:")
		}
	}
	return nil
}

// cpuArchitecture is this machine's as ECS calls it.
func cpuArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

type listTasksInput struct {
	pageInput
	Cluster, ContainerInstance, Family, StartedBy, ServiceName, DesiredStatus, LaunchType string
}

func listTasks(c *call, in *listTasksInput) (any, error) {
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.ServiceName != "" && c.Services[known.ClusterName+"/"+lastPart(in.ServiceName)] == nil {
		return nil, errorf("ServiceNotFoundException", "Service not found.")
	}
	desired := cmp.Or(in.DesiredStatus, statusRunning)
	if !slices.Contains([]string{statusRunning, statusPending, statusStopped}, desired) {
		return nil, invalidParameter("Invalid desired status %s", desired)
	}
	c.prune(c.now)
	var arns []string
	for _, t := range c.Tasks {
		ok := t.ClusterArn == known.ClusterArn && t.DesiredStatus == desired &&
			(in.Family == "" || strings.HasPrefix(lastPart(t.TaskDefinitionArn), in.Family+":")) &&
			(in.StartedBy == "" || t.StartedBy == in.StartedBy) &&
			(in.ServiceName == "" || t.Group == "service:"+lastPart(in.ServiceName)) &&
			(in.LaunchType == "" || t.LaunchType == in.LaunchType) &&
			(in.ContainerInstance == "" || lastPart(t.ContainerInstance) == lastPart(in.ContainerInstance))
		if ok {
			arns = append(arns, t.TaskArn)
		}
	}
	return paged("taskArns", arns, in.pageInput)
}

// findTask finds a task of a cluster by ARN or id.
func (st *site) findTask(known *cluster, ref string) *task {
	t := st.Tasks[lastPart(ref)]
	if t == nil || t.ClusterArn != known.ClusterArn || strings.HasPrefix(ref, "arn:") && ref != t.TaskArn {
		return nil
	}
	return t
}

func describeTasks(c *call, in *struct {
	Cluster        string
	Tasks, Include []string
},
) (any, error) {
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.Tasks) == 0 {
		return nil, invalidParameter("Tasks cannot be empty.")
	}
	if len(in.Tasks) > 100 {
		return nil, invalidParameter("Tasks cannot have more than 100 elements.")
	}
	out := tasksOutput{[]*task{}, []failure{}}
	for _, ref := range in.Tasks {
		t := c.findTask(known, ref)
		switch {
		case t == nil:
			arn := ref
			if !strings.HasPrefix(ref, "arn:") {
				arn = c.arn("task/%s/%s", known.ClusterName, ref)
			}
			out.Failures = append(out.Failures, failure{Arn: arn, Reason: "MISSING"})
		case slices.Contains(in.Include, "TAGS"):
			out.Tasks = append(out.Tasks, t.copy())
		default:
			out.Tasks = append(out.Tasks, t.withoutTags())
		}
	}
	return out, nil
}

func stopTask(c *call, in *struct{ Cluster, Task, Reason string }) (any, error) {
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if in.Task == "" {
		return nil, invalidParameter("taskId can not be blank.")
	}
	if len(in.Reason) > 1024 {
		return nil, invalidParameter("reason longer than 1024.")
	}
	t := c.findTask(known, in.Task)
	if t == nil {
		return nil, invalidParameter("The referenced task was not found.")
	}
	if t.run != nil {
		t.run.askToStop(stopRequest{code: stopUser, reason: cmp.Or(in.Reason, "Task stopped by user")}, c.now)
	}
	return map[string]any{"task": t.copy()}, nil
}
