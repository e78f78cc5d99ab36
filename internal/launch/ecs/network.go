package ecs

import (
	"context"
	"fmt"
)

// network is the configuration of a task whose request has none: all subnets of a
// VPC, the account's default one when vpc is empty, with public addresses. It is
// what Prefect's worker takes.
func (l *Launcher) network(ctx context.Context, at place, vpc string) (any, error) {
	key := at.region + " " + at.role + " " + vpc
	l.mu.Lock()
	known := l.networks[key]
	l.mu.Unlock()
	if known != nil {
		return known, nil
	}
	in := map[string]any{"filters": []any{map[string]any{"name": "isDefault", "values": []string{"true"}}}}
	what := "a default VPC"
	if vpc != "" {
		in, what = map[string]any{"vpcIds": []string{vpc}}, "the VPC "+vpc
	}
	var vpcs struct{ Vpcs []struct{ VpcID string } }
	if err := l.call(ctx, at, "ec2", "describeVpcs", in, &vpcs); err != nil {
		return nil, fmt.Errorf("look for %s: %w", what, err)
	}
	if len(vpcs.Vpcs) == 0 {
		return nil, fmt.Errorf("the account has not %s: name another, or give a network configuration", what)
	}
	in = map[string]any{"filters": []any{map[string]any{"name": "vpc-id", "values": []string{vpcs.Vpcs[0].VpcID}}}}
	var subnets struct{ Subnets []struct{ SubnetID string } }
	if err := l.call(ctx, at, "ec2", "describeSubnets", in, &subnets); err != nil {
		return nil, fmt.Errorf("look for subnets of %s: %w", what, err)
	}
	var ids []string
	for _, s := range subnets.Subnets {
		ids = append(ids, s.SubnetID)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s has no subnets", what)
	}
	found := map[string]any{"awsvpcConfiguration": map[string]any{"subnets": ids, "assignPublicIp": "ENABLED", "securityGroups": []string{}}}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.networks == nil {
		l.networks = map[string]any{}
	}
	l.networks[key] = found
	return found, nil
}

// forgetNetworks makes the launcher look for subnets again.
func (l *Launcher) forgetNetworks() {
	l.mu.Lock()
	defer l.mu.Unlock()
	clear(l.networks)
}
