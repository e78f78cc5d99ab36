package ecslocal

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Statuses of tasks. AWS: "Amazon ECS task lifecycle".
const (
	statusProvisioning   = "PROVISIONING"
	statusPending        = "PENDING"
	statusActivating     = "ACTIVATING"
	statusRunning        = "RUNNING"
	statusDeactivating   = "DEACTIVATING"
	statusStopping       = "STOPPING"
	statusDeprovisioning = "DEPROVISIONING"
	statusStopped        = "STOPPED"
)

// Why tasks stop.
const (
	stopFailedToStart = "TaskFailedToStart"
	stopEssential     = "EssentialContainerExited"
	stopUser          = "UserInitiated"
	stopScheduler     = "ServiceSchedulerInitiated"
	stopSpot          = "SpotInterruption"
)

// stoppedFor is how long a stopped task can be described; AWS says at least an hour.
const stoppedFor = time.Hour

// task is a task as DescribeTasks shows it, and what the endpoint knows besides.
type task struct {
	Attachments           []attachment      `json:"attachments"`
	Attributes            []pair            `json:"attributes"`
	AvailabilityZone      string            `json:"availabilityZone"`
	CapacityProviderName  string            `json:"capacityProviderName,omitempty"`
	ClusterArn            string            `json:"clusterArn"`
	Connectivity          string            `json:"connectivity,omitempty"`
	ConnectivityAt        *epoch            `json:"connectivityAt,omitempty"`
	ContainerInstance     string            `json:"containerInstanceArn,omitempty"`
	Containers            []*container      `json:"containers"`
	CPU                   string            `json:"cpu"`
	CreatedAt             *epoch            `json:"createdAt"`
	DesiredStatus         string            `json:"desiredStatus"`
	EnableExecuteCommand  bool              `json:"enableExecuteCommand"`
	EphemeralStorage      *ephemeralStorage `json:"ephemeralStorage,omitempty"`
	ExecutionStoppedAt    *epoch            `json:"executionStoppedAt,omitempty"`
	Group                 string            `json:"group"`
	HealthStatus          string            `json:"healthStatus"`
	InferenceAccelerators []any             `json:"inferenceAccelerators"`
	LastStatus            string            `json:"lastStatus"`
	LaunchType            string            `json:"launchType,omitempty"`
	Memory                string            `json:"memory"`
	Overrides             overrides         `json:"overrides"`
	PlatformFamily        string            `json:"platformFamily,omitempty"`
	PlatformVersion       string            `json:"platformVersion,omitempty"`
	PullStartedAt         *epoch            `json:"pullStartedAt,omitempty"`
	PullStoppedAt         *epoch            `json:"pullStoppedAt,omitempty"`
	StartedAt             *epoch            `json:"startedAt,omitempty"`
	StartedBy             string            `json:"startedBy,omitempty"`
	StopCode              string            `json:"stopCode,omitempty"`
	StoppedAt             *epoch            `json:"stoppedAt,omitempty"`
	StoppedReason         string            `json:"stoppedReason,omitempty"`
	StoppingAt            *epoch            `json:"stoppingAt,omitempty"`
	Tags                  []tag             `json:"tags"`
	TaskArn               string            `json:"taskArn"`
	TaskDefinitionArn     string            `json:"taskDefinitionArn"`
	Version               int               `json:"version"`

	// Jobs are the identifiers of the launcher's work by container, for a later
	// process of this program to find what an earlier one left behind.
	Jobs map[string]string `json:"leatJobs,omitempty"`

	run *taskRun // nil once the task has stopped
}

type attachment struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Status  string `json:"status"`
	Details []pair `json:"details"`
}

type ephemeralStorage struct {
	SizeInGiB int `json:"sizeInGiB"`
}

// container is a container of a task.
type container struct {
	ContainerArn      string         `json:"containerArn"`
	TaskArn           string         `json:"taskArn"`
	Name              string         `json:"name"`
	Image             string         `json:"image"`
	ImageDigest       string         `json:"imageDigest,omitempty"`
	RuntimeID         string         `json:"runtimeId,omitempty"`
	LastStatus        string         `json:"lastStatus"`
	ExitCode          *int           `json:"exitCode,omitempty"`
	Reason            string         `json:"reason,omitempty"`
	NetworkBindings   []any          `json:"networkBindings"`
	NetworkInterfaces []netInterface `json:"networkInterfaces"`
	HealthStatus      string         `json:"healthStatus"`
	ManagedAgents     []any          `json:"managedAgents,omitempty"`
	CPU               string         `json:"cpu"`
	Memory            string         `json:"memory,omitempty"`
	MemoryReservation string         `json:"memoryReservation,omitempty"`
	started, finished *epoch         // for the metadata endpoint
}

type netInterface struct {
	AttachmentID string `json:"attachmentId"`
	Address      string `json:"privateIpv4Address"`
}

// overrides are what a run changes of its definition.
type overrides struct {
	Containers   []containerOverride `json:"containerOverrides"`
	Accelerators []any               `json:"inferenceAcceleratorOverrides"`
	CPU          string              `json:"cpu,omitempty"`
	Memory       string              `json:"memory,omitempty"`
	TaskRole     string              `json:"taskRoleArn,omitempty"`
	Execution    string              `json:"executionRoleArn,omitempty"`
	Storage      *ephemeralStorage   `json:"ephemeralStorage,omitempty"`
}

type containerOverride struct {
	Name        string   `json:"name,omitempty"`
	Command     []string `json:"command,omitempty"`
	Environment []pair   `json:"environment,omitempty"`
	Files       []any    `json:"environmentFiles,omitempty"`
	CPU         *int     `json:"cpu,omitempty"`
	Memory      *int     `json:"memory,omitempty"`
	Reservation *int     `json:"memoryReservation,omitempty"`
	Resources   []any    `json:"resourceRequirements,omitempty"`
}

// of returns the overrides of a container.
func (o *overrides) of(name string) containerOverride {
	for i := range o.Containers {
		if o.Containers[i].Name == name {
			return o.Containers[i]
		}
	}
	return containerOverride{}
}

// id is the last part of a task's ARN.
func (t *task) id() string { return lastPart(t.TaskArn) }

func (t *task) copy() *task {
	out := *t
	out.run, out.Jobs = nil, nil
	out.Containers = make([]*container, len(t.Containers))
	for i, c := range t.Containers {
		one := *c
		out.Containers[i] = &one
	}
	out.Attachments = slices.Clone(t.Attachments)
	return &out
}

// withoutTags is a task as it is shown to those who did not ask for tags.
func (t *task) withoutTags() *task {
	out := t.copy()
	out.Tags = []tag{}
	return out
}

// placement is where and how a task is to run: what RunTask, StartTask and
// services have in common.
type placement struct {
	cluster  *cluster
	def      *definition
	launch   string // launch type, "" with a provider
	provider string
	platform string
	network  *networkConfiguration
	instance string
	group    string
	by       string
	over     overrides
	tags     []tag
	exec     bool
	activate bool // it passes through ACTIVATING, as what is behind a load balancer does
	service  *ecsService
}

// newTask makes a task and begins to run it.
func (s *Server) newTask(st *site, p *placement, now time.Time) *task {
	id := newHex()
	t := &task{
		Attachments: []attachment{}, Attributes: []pair{{"ecs.cpu-architecture", cpuArchitecture()}}, AvailabilityZone: st.Region + "a",
		CapacityProviderName: p.provider, ClusterArn: p.cluster.ClusterArn, CreatedAt: at(now), DesiredStatus: statusRunning,
		EnableExecuteCommand: p.exec, Group: cmp.Or(p.group, "family:"+p.def.Family), HealthStatus: "UNKNOWN", InferenceAccelerators: []any{},
		LastStatus: statusPending, LaunchType: p.launch, Overrides: p.over.shown(p.def), StartedBy: p.by, Tags: list(p.tags),
		TaskArn: st.arn("task/%s/%s", p.cluster.ClusterName, id), TaskDefinitionArn: p.def.Arn, Version: 1, ContainerInstance: p.instance,
	}
	t.CPU, t.Memory = p.def.sizes(&p.over)
	if p.onFargate() {
		t.LaunchType, t.PlatformFamily, t.PlatformVersion = fargate, "Linux", cmp.Or(p.platform, "1.4.0")
		if t.PlatformVersion == "LATEST" {
			t.PlatformVersion = "1.4.0"
		}
		t.EphemeralStorage = &ephemeralStorage{SizeInGiB: 20}
	} else if t.ContainerInstance == "" {
		t.ContainerInstance = st.arn("container-instance/%s/%032x", p.cluster.ClusterName, 1)
	}
	if p.def.NetworkMode == "awsvpc" {
		t.LastStatus = statusProvisioning
		details := []pair{}
		if p.network != nil && len(p.network.VPC.Subnets) > 0 {
			details = append(details, pair{"subnetId", p.network.VPC.Subnets[0]})
		}
		t.Attachments = append(t.Attachments, attachment{ID: newUUID(), Type: "ElasticNetworkInterface", Status: "PRECREATED", Details: details})
	}
	for i := range p.def.Containers {
		t.Containers = append(t.Containers, newContainer(st, t, &p.def.Containers[i]))
	}
	st.Tasks[id] = t
	run := newTaskRun(s, st, t, p)
	t.run = run
	s.taskEvent(st, t, now)
	s.drivers.Go(func() { run.drive(s.tasks) })
	return t
}

func newContainer(st *site, t *task, d *containerDefinition) *container {
	c := &container{
		ContainerArn: st.arn("container/%s/%s/%s", lastPart(t.ClusterArn), t.id(), newUUID()), TaskArn: t.TaskArn, Name: d.Name, Image: d.Image,
		LastStatus: statusPending, NetworkBindings: []any{}, NetworkInterfaces: []netInterface{}, HealthStatus: "UNKNOWN",
		ManagedAgents: []any{}, CPU: strconv.Itoa(d.CPU),
	}
	if d.Memory != nil {
		c.Memory = strconv.Itoa(*d.Memory)
	}
	if d.Reservation != nil {
		c.MemoryReservation = strconv.Itoa(*d.Reservation)
	}
	return c
}

// shown lists all containers of a definition, as AWS does.
func (o *overrides) shown(def *definition) overrides {
	out := *o
	out.Containers, out.Accelerators = []containerOverride{}, []any{}
	for i := range def.Containers {
		name := def.Containers[i].Name
		one := o.of(name)
		one.Name = name
		out.Containers = append(out.Containers, one)
	}
	out.CPU, out.Memory = plainSize(o.CPU), plainSize(o.Memory)
	return out
}

// sizes are a task's CPU units and MiB.
func (d *definition) sizes(over *overrides) (cpu, memory string) {
	sumCPU, sumMemory := 0, 0
	for i := range d.Containers {
		sumCPU += d.Containers[i].CPU
		switch c := &d.Containers[i]; {
		case c.Memory != nil:
			sumMemory += *c.Memory
		case c.Reservation != nil:
			sumMemory += *c.Reservation
		}
	}
	return cmp.Or(plainSize(over.CPU), d.CPU, strconv.Itoa(sumCPU)), cmp.Or(plainSize(over.Memory), d.Memory, strconv.Itoa(sumMemory))
}

func (p *placement) onFargate() bool {
	return p.launch == fargate || p.provider == fargate || p.provider == fargateSpot
}

// attach gives a task's network interface its address, as from PENDING on.
func (t *task) attach(n int) {
	for i := range t.Attachments {
		a := &t.Attachments[i]
		address := fmt.Sprintf("172.31.%d.%d", n>>8&0x0f, n&0xff)
		a.Status = "ATTACHED"
		a.Details = append(a.Details, pair{"networkInterfaceId", "eni-" + newHex()[:17]},
			pair{"macAddress", fmt.Sprintf("0a:58:ac:1f:%02x:%02x", n>>8&0x0f, n&0xff)},
			pair{"privateDnsName", fmt.Sprintf("ip-172-31-%d-%d.ec2.internal", n>>8&0x0f, n&0xff)}, pair{"privateIPv4Address", address})
		for _, c := range t.Containers {
			c.NetworkInterfaces = []netInterface{{AttachmentID: a.ID, Address: address}}
		}
	}
}

// prune forgets tasks that stopped long ago.
func (st *site) prune(now time.Time) {
	for id, t := range st.Tasks {
		if t.StoppedAt != nil && t.run == nil && now.Sub(t.StoppedAt.Time) > stoppedFor {
			delete(st.Tasks, id)
		}
	}
	for token, use := range st.Tokens {
		if now.Sub(use.At.Time) > 24*time.Hour {
			delete(st.Tokens, token)
		}
	}
}
