package ecslocal

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// The default VPC of a world: its ids are made of account and region, so that
// they stay the same over restarts.

func (st *site) vpcID() string { return "vpc-" + st.shortID("vpc") }

func (st *site) shortID(what string) string {
	hash := uint64(14695981039346656037)
	for _, b := range []byte(what + st.Account + st.Region) {
		hash = (hash ^ uint64(b)) * 1099511628211
	}
	return fmt.Sprintf("0%016x", hash)
}

// described is a resource of EC2: what filters look at, and what is shown.
type described struct {
	id     string
	values map[string]string // by filter
	fields []field
}

// describe answers a Describe call: ids and filters of the form choose.
func (c *call) describe(set, idParameter, missing string, all []described) (any, error) {
	ids := c.formList(idParameter)
	for _, id := range ids {
		if !slices.ContainsFunc(all, func(d described) bool { return d.id == id }) {
			what := strings.TrimSuffix(strings.ToLower(missing), "id")
			return nil, errorf("Invalid"+missing+".NotFound", "The %s ID '%s' does not exist", what, id)
		}
	}
	type filter struct {
		name   string
		values []string
	}
	var filters []filter
	for i := 1; c.form.Get(fmt.Sprintf("Filter.%d.Name", i)) != ""; i++ {
		filters = append(filters, filter{c.form.Get(fmt.Sprintf("Filter.%d.Name", i)), c.formList(fmt.Sprintf("Filter.%d.Value", i))})
	}
	items := []field{}
	for _, d := range all {
		chosen := len(ids) == 0 || slices.Contains(ids, d.id)
		for _, f := range filters {
			value, known := d.values[f.name]
			if !known && !strings.HasPrefix(f.name, "tag") {
				return nil, errorf("InvalidParameterValue", "The filter '%s' is invalid", f.name)
			}
			chosen = chosen && known && slices.ContainsFunc(f.values, func(want string) bool {
				ok, _ := path.Match(want, value)
				return ok || want == value
			})
		}
		if chosen {
			items = append(items, field{"item", d.fields})
		}
	}
	return []field{{set, items}}, nil
}

// formList reads NAME.1, NAME.2, ….
func (c *call) formList(name string) []string {
	var list []string
	for i := 1; c.form.Get(name+"."+strconv.Itoa(i)) != ""; i++ {
		list = append(list, c.form.Get(name+"."+strconv.Itoa(i)))
	}
	return list
}

func describeVpcs(c *call) (any, error) {
	id := c.vpcID()
	return c.describe("vpcSet", "VpcId", "VpcID", []described{{
		id: id,
		values: map[string]string{
			"vpc-id": id, "isDefault": "true", "is-default": "true", "state": "available", "owner-id": c.Account, "cidr": "172.31.0.0/16",
			"cidr-block-association.cidr-block": "172.31.0.0/16",
		},
		fields: []field{
			{"vpcId", id},
			{"ownerId", c.Account},
			{"state", "available"},
			{"cidrBlock", "172.31.0.0/16"},
			{"dhcpOptionsId", "dopt-" + c.shortID("dopt")},
			{"instanceTenancy", "default"},
			{"isDefault", "true"},
		},
	}})
}

func describeSubnets(c *call) (any, error) {
	var all []described
	for i, zone := range []string{"a", "b", "c"} {
		id := "subnet-" + c.shortID("subnet"+zone)
		block := fmt.Sprintf("172.31.%d.0/20", 16*i)
		all = append(all, described{
			id: id,
			values: map[string]string{
				"subnet-id": id, "vpc-id": c.vpcID(), "availability-zone": c.Region + zone, "availabilityZone": c.Region + zone, "state": "available",
				"default-for-az": "true", "defaultForAz": "true", "cidr-block": block, "owner-id": c.Account, "map-public-ip-on-launch": "true",
			},
			fields: []field{
				{"subnetId", id},
				{"subnetArn", "arn:aws:ec2:" + c.Region + ":" + c.Account + ":subnet/" + id},
				{"state", "available"},
				{"ownerId", c.Account},
				{"vpcId", c.vpcID()},
				{"cidrBlock", block},
				{"availableIpAddressCount", "4091"},
				{"availabilityZone", c.Region + zone},
				{"defaultForAz", "true"},
				{"mapPublicIpOnLaunch", "true"},
				{"assignIpv6AddressOnCreation", "false"},
			},
		})
	}
	return c.describe("subnetSet", "SubnetId", "SubnetID", all)
}

func describeSecurityGroups(c *call) (any, error) {
	id := "sg-" + c.shortID("sg")
	return c.describe("securityGroupInfo", "GroupId", "Group", []described{{
		id: id,
		values: map[string]string{
			"group-id": id, "group-name": "default", "vpc-id": c.vpcID(), "owner-id": c.Account, "description": "default VPC security group",
		},
		fields: []field{
			{"ownerId", c.Account},
			{"groupId", id},
			{"groupName", "default"},
			{"groupDescription", "default VPC security group"},
			{"vpcId", c.vpcID()},
			{"securityGroupArn", "arn:aws:ec2:" + c.Region + ":" + c.Account + ":security-group/" + id},
		},
	}})
}
