package ecslocal

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// cluster is an ECS cluster. Its counts are computed when it is shown.
type cluster struct {
	ClusterArn   string             `json:"clusterArn"`
	ClusterName  string             `json:"clusterName"`
	Status       string             `json:"status"`
	Instances    int                `json:"registeredContainerInstancesCount"`
	Running      int                `json:"runningTasksCount"`
	Pending      int                `json:"pendingTasksCount"`
	Services     int                `json:"activeServicesCount"`
	Statistics   []any              `json:"statistics"`
	Tags         []tag              `json:"tags"`
	Settings     []map[string]any   `json:"settings"`
	Providers    []string           `json:"capacityProviders"`
	Strategy     []providerStrategy `json:"defaultCapacityProviderStrategy"`
	Config       json.RawMessage    `json:"configuration,omitempty"`
	ConnectSpace json.RawMessage    `json:"serviceConnectDefaults,omitempty"`
}

// providerStrategy is an item of a capacity provider strategy.
type providerStrategy struct {
	Provider string `json:"capacityProvider"`
	Weight   int    `json:"weight"`
	Base     int    `json:"base"`
}

const (
	fargate     = "FARGATE"
	fargateSpot = "FARGATE_SPOT"
)

// Statuses of clusters, services and task definitions.
const (
	active   = "ACTIVE"
	inactive = "INACTIVE"
	draining = "DRAINING"
)

var nameRule = regexp.MustCompile(`^[A-Za-z0-9_-]{1,255}$`)

func invalidParameter(format string, args ...any) error {
	return errorf("InvalidParameterException", format, args...)
}

func clientException(format string, args ...any) error {
	return errorf("ClientException", format, args...)
}

// lastPart is a name that may be given as an ARN.
func lastPart(ref string) string { return ref[strings.LastIndexByte(ref, '/')+1:] }

// findCluster returns an active cluster; "" means the one called default.
func (st *site) findCluster(ref string) (*cluster, error) {
	if ref == "" {
		ref = "default"
	}
	if strings.HasPrefix(ref, "arn:") && !strings.HasPrefix(ref, st.arn("cluster/")) {
		if !strings.Contains(ref, ":cluster/") {
			return nil, invalidParameter("Identifier is for %s. Your accountId is %s", ref, st.Account)
		}
		return nil, errorf("ClusterNotFoundException", "Cluster not found.")
	}
	c := st.Clusters[lastPart(ref)]
	if c == nil || c.Status != active {
		return nil, errorf("ClusterNotFoundException", "Cluster not found.")
	}
	return c, nil
}

// ensureDefault makes the cluster called default when it is first used, as an
// account has it that has used ECS before.
func (st *site) ensureDefault(ref string) {
	if (ref != "" && ref != "default") || st.Clusters["default"] != nil {
		return
	}
	st.Clusters["default"] = st.newCluster("default", []string{fargate, fargateSpot})
}

func (st *site) newCluster(name string, providers []string) *cluster {
	return &cluster{
		ClusterArn: st.arn("cluster/%s", name), ClusterName: name, Status: active, Statistics: []any{}, Tags: []tag{},
		Settings: []map[string]any{{"name": "containerInsights", "value": "disabled"}}, Providers: list(providers), Strategy: []providerStrategy{},
	}
}

// showCluster returns a cluster as it is at the moment.
func (st *site) showCluster(c *cluster, include []string) *cluster {
	out := *c
	for _, t := range st.Tasks {
		switch {
		case t.ClusterArn != c.ClusterArn:
		case t.LastStatus == statusRunning:
			out.Running++
		case t.LastStatus == statusProvisioning || t.LastStatus == statusPending || t.LastStatus == statusActivating:
			out.Pending++
		}
	}
	for _, svc := range st.Services {
		if svc.ClusterArn == c.ClusterArn && svc.Status == active {
			out.Services++
		}
	}
	if !slices.Contains(include, "TAGS") {
		out.Tags = []tag{}
	}
	if !slices.Contains(include, "SETTINGS") {
		out.Settings = []map[string]any{}
	}
	if !slices.Contains(include, "CONFIGURATIONS") {
		out.Config = nil
	}
	return &out
}

type createClusterInput struct {
	ClusterName  string
	Tags         []tag
	Settings     []map[string]any
	Config       json.RawMessage    `json:"configuration"`
	Providers    []string           `json:"capacityProviders"`
	Strategy     []providerStrategy `json:"defaultCapacityProviderStrategy"`
	ConnectSpace json.RawMessage    `json:"serviceConnectDefaults"`
}

type clusterOutput struct {
	Cluster *cluster `json:"cluster"`
}

func allIncludes() []string { return []string{"TAGS", "SETTINGS", "CONFIGURATIONS"} }

// createCluster returns the cluster of that name if there is one, as AWS does.
func createCluster(c *call, in *createClusterInput) (any, error) {
	name := in.ClusterName
	if name == "" {
		name = "default"
	}
	if !nameRule.MatchString(name) {
		return nil, invalidParameter("Invalid cluster name.")
	}
	if err := c.checkProviders(in.Providers, in.Strategy); err != nil {
		return nil, err
	}
	if old := c.Clusters[name]; old != nil && old.Status == active {
		return clusterOutput{c.showCluster(old, allIncludes())}, nil
	}
	made := c.newCluster(name, in.Providers)
	made.Tags, made.Strategy, made.Config, made.ConnectSpace = list(in.Tags), list(in.Strategy), in.Config, in.ConnectSpace
	if len(in.Settings) > 0 {
		made.Settings = in.Settings
	}
	c.Clusters[name] = made
	return clusterOutput{c.showCluster(made, allIncludes())}, nil
}

// list is a list that is written as [] when it is empty.
func list[T any](items []T) []T {
	if items == nil {
		return []T{}
	}
	return items
}

type describeClustersInput struct{ Clusters, Include []string }

func describeClusters(c *call, in *describeClustersInput) (any, error) {
	if len(in.Clusters) == 0 {
		in.Clusters = []string{"default"}
	}
	found, failures := []*cluster{}, []failure{}
	for _, ref := range in.Clusters {
		name := lastPart(ref)
		known := c.Clusters[name]
		if known == nil || strings.HasPrefix(ref, "arn:") && ref != known.ClusterArn {
			failures = append(failures, failure{Arn: c.arn("cluster/%s", name), Reason: "MISSING"})
			continue
		}
		found = append(found, c.showCluster(known, in.Include))
	}
	return map[string]any{"clusters": found, "failures": failures}, nil
}

// pageInput is what list operations take.
type pageInput struct {
	NextToken  string
	MaxResults *int
}

// longestPage is how many names an answer of ECS has at most.
const longestPage = 100

// limit is the length of a page.
func (p pageInput) limit() (int, error) {
	if p.MaxResults == nil {
		return longestPage, nil
	}
	if *p.MaxResults < 1 || *p.MaxResults > longestPage {
		return 0, invalidParameter("maxResults is out of range. It must be between 1 and %d.", longestPage)
	}
	return *p.MaxResults, nil
}

// paged answers a list operation with a page of names.
func paged(key string, all []string, p pageInput) (any, error) {
	limit, err := p.limit()
	if err != nil {
		return nil, err
	}
	slices.Sort(all)
	part, next := page(all, p.NextToken, limit)
	out := map[string]any{key: part}
	if next != "" {
		out["nextToken"] = next
	}
	return out, nil
}

func listClusters(c *call, in *pageInput) (any, error) {
	var arns []string
	for _, known := range c.Clusters {
		if known.Status == active {
			arns = append(arns, known.ClusterArn)
		}
	}
	return paged("clusterArns", arns, *in)
}

func deleteCluster(c *call, in *struct{ Cluster string }) (any, error) {
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	for _, svc := range c.Services {
		if svc.ClusterArn == known.ClusterArn && svc.Status == active {
			return nil, errorf("ClusterContainsServicesException", "The Cluster cannot be deleted while Services are active.")
		}
	}
	for _, t := range c.Tasks {
		if t.ClusterArn == known.ClusterArn && t.LastStatus != statusStopped {
			return nil, errorf("ClusterContainsTasksException", "The Cluster cannot be deleted while Tasks are active.")
		}
	}
	known.Status = inactive
	return clusterOutput{c.showCluster(known, allIncludes())}, nil
}

type putProvidersInput struct {
	Cluster   string
	Providers []string           `json:"capacityProviders"`
	Strategy  []providerStrategy `json:"defaultCapacityProviderStrategy"`
}

func putClusterCapacityProviders(c *call, in *putProvidersInput) (any, error) {
	known, err := c.findCluster(in.Cluster)
	if err != nil {
		return nil, err
	}
	if err := c.checkProviders(in.Providers, in.Strategy); err != nil {
		return nil, err
	}
	known.Providers, known.Strategy = list(in.Providers), list(in.Strategy)
	return clusterOutput{c.showCluster(known, allIncludes())}, nil
}

// checkProviders checks that a strategy is made of providers that a cluster has.
func (st *site) checkProviders(providers []string, strategy []providerStrategy) error {
	for _, name := range providers {
		if name != fargate && name != fargateSpot && st.Providers[name] == nil {
			return invalidParameter("The specified capacity provider '%s' is not in an ACTIVE state. Specify a valid capacity provider and try again.", name)
		}
	}
	for _, item := range strategy {
		if !slices.Contains(providers, item.Provider) {
			return invalidParameter("The specified capacity provider '%s' was not found. Specify a valid name or ARN and try again.", item.Provider)
		}
	}
	return checkWeights(strategy)
}

func checkWeights(strategy []providerStrategy) error {
	bases := 0
	for _, item := range strategy {
		if item.Weight < 0 || item.Weight > 1000 || item.Base < 0 || item.Base > 100000 {
			return invalidParameter("The weight must be between 0 and 1000, and the base between 0 and 100000.")
		}
		if item.Base > 0 {
			bases++
		}
	}
	if bases > 1 {
		return invalidParameter("Only one capacity provider in a capacity provider strategy can have a base value greater than 0.")
	}
	return nil
}

// capacityProvider is a provider of the user's own.
type capacityProvider struct {
	Arn          string          `json:"capacityProviderArn"`
	Name         string          `json:"name"`
	Cluster      string          `json:"cluster,omitempty"`
	Status       string          `json:"status"`
	Type         string          `json:"type,omitempty"`
	AutoScaling  json.RawMessage `json:"autoScalingGroupProvider,omitempty"`
	Managed      json.RawMessage `json:"managedInstancesProvider,omitempty"`
	UpdateStatus string          `json:"updateStatus,omitempty"`
	Tags         []tag           `json:"tags"`
}

type createProviderInput struct {
	Name, Cluster string
	AutoScaling   json.RawMessage `json:"autoScalingGroupProvider"`
	Managed       json.RawMessage `json:"managedInstancesProvider"`
	Tags          []tag
}

func createCapacityProvider(c *call, in *createProviderInput) (any, error) {
	lower := strings.ToLower(in.Name)
	if !nameRule.MatchString(in.Name) || strings.HasPrefix(lower, "aws") || strings.HasPrefix(lower, "ecs") || strings.HasPrefix(lower, "fargate") {
		return nil, invalidParameter("The specified capacity provider name is invalid. Up to 255 characters are allowed, including letters (upper and lowercase), numbers, underscores, and hyphens. " +
			"The name cannot be prefixed with \"aws\", \"ecs\", or \"fargate\". Specify a valid name and try again.")
	}
	if c.Providers[in.Name] != nil {
		return nil, errorf("UpdateInProgressException", "A capacity provider with the name %s already exists.", in.Name)
	}
	if in.AutoScaling == nil && in.Managed == nil {
		return nil, invalidParameter("A capacity provider needs autoScalingGroupProvider or managedInstancesProvider.")
	}
	made := &capacityProvider{
		Arn: c.arn("capacity-provider/%s", in.Name), Name: in.Name, Cluster: in.Cluster, Status: active, AutoScaling: in.AutoScaling,
		Managed: in.Managed, Tags: list(in.Tags),
	}
	c.Providers[in.Name] = made
	return map[string]any{"capacityProvider": made}, nil
}

func describeCapacityProviders(c *call, in *struct {
	pageInput
	Names []string `json:"capacityProviders"`
},
) (any, error) {
	known := maps.Clone(c.Providers)
	for _, name := range []string{fargate, fargateSpot} {
		known[name] = &capacityProvider{Arn: c.arn("capacity-provider/%s", name), Name: name, Status: active, Type: name, Tags: []tag{}}
	}
	if len(in.Names) == 0 {
		in.Names = slices.Sorted(maps.Keys(known))
	}
	found, failures := []*capacityProvider{}, []failure{}
	for _, ref := range in.Names {
		if p := known[lastPart(ref)]; p != nil {
			found = append(found, p)
			continue
		}
		failures = append(failures, failure{Arn: c.arn("capacity-provider/%s", lastPart(ref)), Reason: "MISSING"})
	}
	return map[string]any{"capacityProviders": found, "failures": failures}, nil
}
