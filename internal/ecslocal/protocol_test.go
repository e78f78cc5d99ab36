package ecslocal_test

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/leat-dev/leat/internal/ecslocal"
)

// query calls an action of the query protocol and returns the answer's text.
func (w *world) query(service, version, action string, parameters ...string) (int, string) {
	w.t.Helper()
	form := url.Values{"Action": {action}, "Version": {version}}
	for i := 0; i+1 < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.url+"/", strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	req.Header.Set("Authorization", w.authorization(service))
	resp, text := w.send(req)
	return resp.StatusCode, string(text)
}

func TestUnknown(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	for _, tt := range []struct{ service, action, want string }{
		{"ecs", "ListContainerInstances", "does not imitate ecs:ListContainerInstances"},
		{"states", "StartExecution", "AWSStepFunctions.StartExecution"},
		{"logs", "StartQuery", "logs:StartQuery"},
	} {
		if _, f := w.call(tt.service, tt.action, object{}); f == nil || f.Type != "UnknownOperationException" || f.Status != 400 || !strings.Contains(f.Message, tt.want) {
			t.Errorf("%s: %v", tt.action, f)
		}
	}
	if status, text := w.query("ec2", "2016-11-15", "RunInstances"); status != 400 || !strings.Contains(text, "<Code>InvalidAction</Code>") || !strings.Contains(text, "ec2:RunInstances") {
		t.Errorf("RunInstances: %d %s", status, text)
	}
	for _, body := range []string{"{", "[]", `{"cluster": 1}`, `"x"`, "\x00"} {
		if _, f := w.call("ecs", "ListTasks", body); f == nil || f.Type != "SerializationException" || f.Status != 400 {
			t.Errorf("%q: %v", body, f)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+"/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Amz-Target", "AmazonEC2ContainerServiceV20141113.ListClusters")
	if resp, text := w.send(req); resp.StatusCode != 400 || !strings.Contains(string(text), "MissingAuthenticationToken") {
		t.Errorf("without credentials: %d %s", resp.StatusCode, text)
	}
}

func TestOtherNamesAreRefused(t *testing.T) {
	t.Parallel()
	w := start(t, func(c *ecslocal.Config) { c.LocalNames = true })
	for host, want := range map[string]int{
		"localhost:1": 200, "127.0.0.1": 200, "[::1]:4599": 200, "host.docker.internal:4599": 200, "sqs.localhost:4599": 200,
		"evil.example.com": 403, "localhost.evil.example.com:4599": 403, "": 200,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+"/_leat/health", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = host
		if resp, _ := w.send(req); resp.StatusCode != want {
			t.Errorf("called %q: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

func TestAccountsAndRegionsAreApart(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	w.must("ecs", "CreateCluster", object{"clusterName": "mine"})
	other := *w
	other.account, other.region = "111111111111", "ap-northeast-1"
	if arns := get(t, other.must("ecs", "ListClusters", object{}), "clusterArns").([]any); len(arns) != 0 {
		t.Errorf("another account sees %v", arns)
	}
	if arn := text(t, other.must("ecs", "CreateCluster", object{"clusterName": "theirs"}), "cluster", "clusterArn"); arn != "arn:aws:ecs:ap-northeast-1:111111111111:cluster/theirs" {
		t.Errorf("the ARN is %s", arn)
	}
}

func TestEC2(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	const version = "2016-11-15"
	var vpcs struct {
		Items []struct {
			ID        string `xml:"vpcId"`
			IsDefault bool   `xml:"isDefault"`
		} `xml:"vpcSet>item"`
	}
	_, answer := w.query("ec2", version, "DescribeVpcs", "Filter.1.Name", "isDefault", "Filter.1.Value.1", "true")
	if err := xml.Unmarshal([]byte(answer), &vpcs); err != nil || len(vpcs.Items) != 1 || !vpcs.Items[0].IsDefault {
		t.Fatalf("%v: %s", err, answer)
	}
	var subnets struct {
		Items []struct {
			ID  string `xml:"subnetId"`
			VPC string `xml:"vpcId"`
		} `xml:"subnetSet>item"`
	}
	_, answer = w.query("ec2", version, "DescribeSubnets", "Filter.1.Name", "vpc-id", "Filter.1.Value.1", vpcs.Items[0].ID)
	if err := xml.Unmarshal([]byte(answer), &subnets); err != nil || len(subnets.Items) != 3 || subnets.Items[0].VPC != vpcs.Items[0].ID {
		t.Fatalf("%v: %s", err, answer)
	}
	for _, tt := range []struct {
		name   string
		action string
		form   []string
		status int
		want   string
	}{
		{"a subnet by id", "DescribeSubnets", []string{"SubnetId.1", subnets.Items[1].ID}, 200, subnets.Items[1].ID},
		{"the default group by name", "DescribeSecurityGroups", []string{"Filter.1.Name", "group-name", "Filter.1.Value.1", "def*"}, 200, "<groupId>sg-"},
		{"another VPC's subnets", "DescribeSubnets", []string{"Filter.1.Name", "vpc-id", "Filter.1.Value.1", "vpc-other"}, 200, "<subnetSet></subnetSet>"},
		{"a VPC that is not there", "DescribeVpcs", []string{"VpcId.1", "vpc-0"}, 400, "<Code>InvalidVpcID.NotFound</Code>"},
		{"a group that is not there", "DescribeSecurityGroups", []string{"GroupId.1", "sg-0"}, 400, "<Code>InvalidGroup.NotFound</Code>"},
		{"a filter that is none", "DescribeVpcs", []string{"Filter.1.Name", "colour", "Filter.1.Value.1", "red"}, 400, "<Code>InvalidParameterValue</Code>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if status, got := w.query("ec2", version, tt.action, tt.form...); status != tt.status || !strings.Contains(got, tt.want) {
				t.Errorf("%d %s", status, got)
			}
		})
	}
}

func TestSTS(t *testing.T) {
	t.Parallel()
	w := start(t, nil)
	if status, got := w.query("sts", "2011-06-15", "GetCallerIdentity"); status != 200 || !strings.Contains(got, "<Account>000000000000</Account>") {
		t.Errorf("%d %s", status, got)
	}
	status, got := w.query("sts", "2011-06-15", "AssumeRole", "RoleArn", "arn:aws:iam::222222222222:role/r", "RoleSessionName", "s")
	if status != 200 || !strings.Contains(got, "<AccessKeyId>222222222222</AccessKeyId>") || !strings.Contains(got, "assumed-role/r/s") {
		t.Errorf("%d %s", status, got)
	}
	if status, got := w.query("sts", "2011-06-15", "AssumeRole", "RoleArn", "r"); status != 400 || !strings.Contains(got, "<Code>ValidationError</Code>") {
		t.Errorf("%d %s", status, got)
	}
}
