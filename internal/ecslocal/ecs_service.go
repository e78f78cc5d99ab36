package ecslocal

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// ecsService is a service: so many tasks of a definition, kept running.
type ecsService struct {
	ServiceArn     string             `json:"serviceArn"`
	ServiceName    string             `json:"serviceName"`
	ClusterArn     string             `json:"clusterArn"`
	Status         string             `json:"status"`
	Desired        int                `json:"desiredCount"`
	Running        int                `json:"runningCount"`
	Pending        int                `json:"pendingCount"`
	LaunchType     string             `json:"launchType,omitempty"`
	Strategy       []providerStrategy `json:"capacityProviderStrategy,omitempty"`
	Platform       string             `json:"platformVersion,omitempty"`
	PlatformFamily string             `json:"platformFamily,omitempty"`
	TaskDefinition string             `json:"taskDefinition"`
	Deployments    []*deployment      `json:"deployments"`
	Events         []serviceEvent     `json:"events"`
	CreatedAt      *epoch             `json:"createdAt"`
	CreatedBy      string             `json:"createdBy"`
	Scheduling     string             `json:"schedulingStrategy"`
	Tags           []tag              `json:"tags"`
	PropagateTags  string             `json:"propagateTags"`
	ManagedTags    bool               `json:"enableECSManagedTags"`
	Exec           bool               `json:"enableExecuteCommand"`
	RoleArn        string             `json:"roleArn,omitempty"`

	Network        *networkConfiguration `json:"networkConfiguration,omitempty"`
	LoadBalancers  []any                 `json:"loadBalancers"`
	Registries     []any                 `json:"serviceRegistries"`
	Configuration  json.RawMessage       `json:"deploymentConfiguration,omitempty"`
	Controller     json.RawMessage       `json:"deploymentController,omitempty"`
	Constraints    []any                 `json:"placementConstraints"`
	PlacementOrder []any                 `json:"placementStrategy"`
	HealthGrace    *int                  `json:"healthCheckGracePeriodSeconds,omitempty"`

	failed    int         // tasks in a row that ended soon after their start
	notBefore time.Time   // no task is started before
	again     *time.Timer // looks after the service when tasks may be started again
}

// deployment is a definition that a service runs or ran.
type deployment struct {
	ID             string                `json:"id"`
	Status         string                `json:"status"` // PRIMARY, or ACTIVE while its tasks are being replaced
	TaskDefinition string                `json:"taskDefinition"`
	Desired        int                   `json:"desiredCount"`
	Pending        int                   `json:"pendingCount"`
	Running        int                   `json:"runningCount"`
	Failed         int                   `json:"failedTasks"`
	CreatedAt      *epoch                `json:"createdAt"`
	UpdatedAt      *epoch                `json:"updatedAt"`
	LaunchType     string                `json:"launchType,omitempty"`
	Strategy       []providerStrategy    `json:"capacityProviderStrategy,omitempty"`
	Platform       string                `json:"platformVersion,omitempty"`
	Network        *networkConfiguration `json:"networkConfiguration,omitempty"`
	Rollout        string                `json:"rolloutState"`
	RolloutReason  string                `json:"rolloutStateReason"`
}

type serviceEvent struct {
	ID        string `json:"id"`
	CreatedAt *epoch `json:"createdAt"`
	Message   string `json:"message"`
}

type serviceInput struct {
	Cluster, ServiceName, Service, TaskDefinition string
	DesiredCount                                  *int
	LaunchType                                    string
	Strategy                                      []providerStrategy `json:"capacityProviderStrategy"`
	PlatformVersion                               string
	Role                                          string
	Scheduling                                    string                `json:"schedulingStrategy"`
	Network                                       *networkConfiguration `json:"networkConfiguration"`
	Tags                                          []tag
	PropagateTags                                 *string
	ManagedTags                                   *bool `json:"enableECSManagedTags"`
	Exec                                          *bool `json:"enableExecuteCommand"`
	ForceNewDeployment                            bool
	Force                                         bool
	LoadBalancers                                 []any
	Registries                                    []any           `json:"serviceRegistries"`
	Configuration                                 json.RawMessage `json:"deploymentConfiguration"`
	Controller                                    json.RawMessage `json:"deploymentController"`
	Constraints                                   []any           `json:"placementConstraints"`
	PlacementOrder                                []any           `json:"placementStrategy"`
	HealthGrace                                   *int            `json:"healthCheckGracePeriodSeconds"`
}

func (svc *ecsService) key() string {
	return lastPart(svc.ClusterArn) + "/" + svc.ServiceName
}

func (svc *ecsService) primary() *deployment { return svc.Deployments[0] }

func (svc *ecsService) say(now time.Time, format string, args ...any) {
	text := "(service " + svc.ServiceName + ") " + fmt.Sprintf(format, args...)
	svc.Events = append([]serviceEvent{{ID: newUUID(), CreatedAt: at(now), Message: text}}, svc.Events[:min(99, len(svc.Events))]...)
}

// deploy begins a deployment of the service as it is now.
func (svc *ecsService) deploy(now time.Time) {
	for _, d := range svc.Deployments {
		d.Status = active
	}
	d := &deployment{
		ID: "ecs-svc/" + fmt.Sprintf("%019d", now.UnixNano()), Status: "PRIMARY", TaskDefinition: svc.TaskDefinition, Desired: svc.Desired,
		CreatedAt: at(now), UpdatedAt: at(now), LaunchType: svc.LaunchType, Strategy: svc.Strategy, Platform: svc.Platform, Network: svc.Network,
		Rollout: "IN_PROGRESS",
	}
	d.RolloutReason = "ECS deployment " + d.ID + " in progress."
	svc.Deployments = append([]*deployment{d}, svc.Deployments...)
	svc.failed = 0
}

// placement is how the tasks of the service are placed.
func (svc *ecsService) placement(c *call) (*placement, error) {
	in := &runTaskInput{
		Cluster: svc.ClusterArn, TaskDefinition: svc.TaskDefinition, LaunchType: svc.LaunchType, Strategy: svc.Strategy,
		PlatformVersion: svc.Platform, Network: svc.Network, EnableExecuteCommand: svc.Exec, ManagedTags: svc.ManagedTags,
	}
	if svc.PropagateTags == "TASK_DEFINITION" {
		in.PropagateTags = svc.PropagateTags
	}
	p, err := c.place(in)
	if err != nil {
		return nil, err
	}
	svc.Strategy = in.Strategy
	if svc.PropagateTags == "SERVICE" {
		p.tags = mergeTags(svc.Tags, p.tags)
	}
	p.group, p.service, p.activate = "service:"+svc.ServiceName, svc, len(svc.LoadBalancers)+len(svc.Registries) > 0
	return p, nil
}

func createService(c *call, in *serviceInput) (any, error) {
	c.ensureDefault(in.Cluster)
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	switch {
	case !nameRule.MatchString(in.ServiceName):
		return nil, invalidParameter("Invalid service name.")
	case in.TaskDefinition == "":
		return nil, invalidParameter("TaskDefinition can not be blank.")
	case in.Scheduling == "DAEMON":
		return nil, invalidParameter("The local ECS does not imitate the scheduling strategy DAEMON.")
	case in.DesiredCount != nil && (*in.DesiredCount < 0 || *in.DesiredCount > 5000):
		return nil, invalidParameter("desiredCount must be between 0 and 5000.")
	}
	if old := c.Services[known.ClusterName+"/"+in.ServiceName]; old != nil && old.Status != inactive {
		return nil, invalidParameter("Creation of service was not idempotent.")
	}
	svc := &ecsService{
		ServiceArn: c.arn("service/%s/%s", known.ClusterName, in.ServiceName), ServiceName: in.ServiceName, ClusterArn: known.ClusterArn, Status: active,
		LaunchType: in.LaunchType, Strategy: in.Strategy, Platform: in.PlatformVersion, TaskDefinition: in.TaskDefinition, Events: []serviceEvent{},
		CreatedAt: at(c.now), CreatedBy: "arn:aws:iam::" + c.Account + ":root", Scheduling: cmp.Or(in.Scheduling, "REPLICA"), Tags: list(in.Tags),
		PropagateTags: "NONE", RoleArn: in.Role, Network: in.Network, LoadBalancers: list(in.LoadBalancers), Registries: list(in.Registries),
		Configuration: in.Configuration, Controller: in.Controller, Constraints: list(in.Constraints), PlacementOrder: list(in.PlacementOrder),
		HealthGrace: in.HealthGrace,
	}
	if svc.Configuration == nil {
		svc.Configuration = json.RawMessage(`{"deploymentCircuitBreaker":{"enable":false,"rollback":false},"maximumPercent":200,"minimumHealthyPercent":100}`)
	}
	if err := svc.apply(c, in); err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	svc.deploy(c.now)
	c.Services[svc.key()] = svc
	c.server.reconcile(c.site, svc)
	return map[string]any{"service": c.showService(svc, true)}, nil
}

// apply sets what both creating and updating can set, and checks that tasks could
// be placed so.
func (svc *ecsService) apply(c *call, in *serviceInput) error {
	if in.DesiredCount != nil {
		svc.Desired = *in.DesiredCount
	}
	if in.Exec != nil {
		svc.Exec = *in.Exec
	}
	if in.ManagedTags != nil {
		svc.ManagedTags = *in.ManagedTags
	}
	if in.PropagateTags != nil {
		svc.PropagateTags = *in.PropagateTags
	}
	if !slices.Contains([]string{"NONE", "SERVICE", "TASK_DEFINITION"}, svc.PropagateTags) {
		return invalidParameter("Invalid value for propagateTags.")
	}
	p, err := svc.placement(c)
	if err != nil {
		return err
	}
	svc.TaskDefinition, svc.LaunchType = p.def.Arn, p.launch
	if p.onFargate() {
		svc.Platform, svc.PlatformFamily = cmp.Or(svc.Platform, "LATEST"), "Linux"
	}
	return nil
}

// findService finds a service that is not yet gone.
func (c *call) findService(clusterRef, ref string) (*ecsService, error) {
	known, err := c.findCluster(clusterRef)
	if err != nil {
		return nil, err
	}
	svc := c.Services[known.ClusterName+"/"+lastPart(ref)]
	if svc == nil {
		return nil, errorf("ServiceNotFoundException", "Service not found.")
	}
	if svc.Status != active {
		return nil, errorf("ServiceNotActiveException", "Service was not ACTIVE.")
	}
	return svc, nil
}

func updateService(c *call, in *serviceInput) (any, error) {
	svc, err := c.findService(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	if in.DesiredCount != nil && (*in.DesiredCount < 0 || *in.DesiredCount > 5000) {
		return nil, invalidParameter("desiredCount must be between 0 and 5000.")
	}
	before := *svc
	changed := in.ForceNewDeployment || in.Network != nil || in.PlatformVersion != "" || len(in.Strategy) > 0
	if in.TaskDefinition != "" {
		svc.TaskDefinition = in.TaskDefinition
	}
	if in.Network != nil {
		svc.Network = in.Network
	}
	if in.PlatformVersion != "" {
		svc.Platform = in.PlatformVersion
	}
	if len(in.Strategy) > 0 {
		svc.Strategy, svc.LaunchType = in.Strategy, ""
	}
	if in.Configuration != nil {
		svc.Configuration = in.Configuration
	}
	if err := svc.apply(c, in); err != nil {
		*svc = before
		return nil, err
	}
	if changed || svc.TaskDefinition != before.TaskDefinition {
		svc.deploy(c.now)
	}
	svc.primary().Desired, svc.primary().UpdatedAt = svc.Desired, at(c.now)
	c.server.reconcile(c.site, svc)
	return map[string]any{"service": c.showService(svc, true)}, nil
}

func deleteService(c *call, in *serviceInput) (any, error) {
	svc, err := c.findService(in.Cluster, in.Service)
	if err != nil {
		return nil, err
	}
	if svc.Desired > 0 && !in.Force {
		return nil, invalidParameter("The service cannot be stopped while it is scaled above 0.")
	}
	svc.Status, svc.Desired, svc.primary().Desired = draining, 0, 0
	c.server.reconcile(c.site, svc)
	return map[string]any{"service": c.showService(svc, true)}, nil
}

// showService is a service as it is at the moment.
func (st *site) showService(svc *ecsService, tags bool) *ecsService {
	out := *svc
	out.again = nil
	if !tags {
		out.Tags = []tag{}
	}
	out.Deployments = []*deployment{}
	out.Running, out.Pending = 0, 0
	for _, d := range svc.Deployments {
		one := *d
		one.Running, one.Pending = st.countTasks(d)
		out.Running += one.Running
		out.Pending += one.Pending
		out.Deployments = append(out.Deployments, &one)
	}
	return &out
}

func describeServices(c *call, in *struct {
	Cluster           string
	Services, Include []string
},
) (any, error) {
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if len(in.Services) == 0 || len(in.Services) > 10 {
		return nil, invalidParameter("Services must have between 1 and 10 items.")
	}
	found, failures := []*ecsService{}, []failure{}
	for _, ref := range in.Services {
		svc := c.Services[known.ClusterName+"/"+lastPart(ref)]
		if svc == nil {
			failures = append(failures, failure{Arn: c.arn("service/%s/%s", known.ClusterName, lastPart(ref)), Reason: "MISSING"})
			continue
		}
		found = append(found, c.showService(svc, slices.Contains(in.Include, "TAGS")))
	}
	return map[string]any{"services": found, "failures": failures}, nil
}

func listServices(c *call, in *struct {
	pageInput
	Cluster, LaunchType string
	Scheduling          string `json:"schedulingStrategy"`
},
) (any, error) {
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	var arns []string
	for svc := range maps.Values(c.Services) {
		if svc.ClusterArn == known.ClusterArn && svc.Status != inactive && (in.LaunchType == "" || strings.EqualFold(svc.LaunchType, in.LaunchType)) &&
			(in.Scheduling == "" || svc.Scheduling == in.Scheduling) {
			arns = append(arns, svc.ServiceArn)
		}
	}
	return paged("serviceArns", arns, in.pageInput)
}
