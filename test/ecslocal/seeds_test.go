package ecslocal

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// agentTask and agentService are what a blog post on running Prefect 0.14's agent
// on Fargate registers.
const agentTask = `{
    "family": "prefect-agent", "requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc", "cpu": "512", "memory": "1024",
    "taskRoleArn": "ecsTaskRole", "executionRoleArn": "ecsTaskExecutionRole",
    "containerDefinitions": [{
        "name": "prefect-agent", "image": "prefecthq/prefect:0.14.22-python3.8", "essential": true,
        "command": ["prefect", "agent", "ecs", "start"],
        "environment": [{"name": "PREFECT__CLOUD__AGENT__LABELS", "value": "['workflow']"}, {"name": "PREFECT__CLOUD__API", "value": "https://api.example.com"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": "/ecs/prefect", "awslogs-region": "ap-northeast-1", "awslogs-stream-prefix": "agent", "awslogs-create-group": "true"}}
    }]
}`

const agentService = `{
    "cluster": "ecs-cluster", "serviceName": "prefect-agent", "taskDefinition": "prefect-agent", "launchType": "FARGATE",
    "schedulingStrategy": "REPLICA", "platformVersion": "LATEST",
    "networkConfiguration": {"awsvpcConfiguration": {"assignPublicIp": "ENABLED", "securityGroups": ["SECURITY"], "subnets": ["SUBNET"]}},
    "desiredCount": 1, "enableExecuteCommand": true
}`

// TestAgentService runs the commands of that post as they stand there. The agent
// itself is a script of its name, which says that it runs.
func TestAgentService(t *testing.T) {
	t.Parallel()
	aws := beside(t, "aws")
	bin := t.TempDir()
	script := "#!/bin/sh\necho \"agent $* polls $PREFECT__CLOUD__API for $PREFECT__CLOUD__AGENT__LABELS\"\nexec sleep 1000\n"
	if err := os.WriteFile(filepath.Join(bin, "prefect"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	e := start(t, []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")})
	e.sh(aws, `aws ecs create-cluster --cluster-name ecs-cluster
aws logs create-log-group --log-group-name /ecs/prefect`)
	subnet := strings.TrimSpace(e.sh(aws, `aws ec2 describe-subnets --query 'Subnets[0].SubnetId' --output text`))
	group := strings.TrimSpace(e.sh(aws, `aws ec2 describe-security-groups --query 'SecurityGroups[0].GroupId' --output text`))
	e.write("prefect-agent-task.json", agentTask)
	e.write("prefect-agent-service.json", strings.NewReplacer("SUBNET", subnet, "SECURITY", group).Replace(agentService))
	e.sh(aws, `aws ecs register-task-definition \
--cli-input-json file://$PWD/prefect-agent-task.json`)
	e.sh(aws, `aws ecs create-service \
--cli-input-json file://$PWD/prefect-agent-service.json
aws ecs wait services-stable --cluster ecs-cluster --services prefect-agent`)
	if got := e.sh(aws, `echo $(aws sts get-caller-identity --query Account --output text).dkr.ecr.ap-northeast-1.amazonaws.com`); got != "000000000000.dkr.ecr.ap-northeast-1.amazonaws.com\n" {
		t.Errorf("the registry is %s", got)
	}
	t.Run("the service keeps its task", func(t *testing.T) {
		before := strings.TrimSpace(e.sh(aws, `aws ecs list-tasks --cluster ecs-cluster --service-name prefect-agent --query taskArns --output text`))
		e.sh(aws, `aws ecs stop-task --cluster ecs-cluster --task `+before+`
aws ecs wait tasks-stopped --cluster ecs-cluster --tasks `+before)
		await(t, "another task", func() bool {
			now := strings.TrimSpace(e.sh(aws, `aws ecs list-tasks --cluster ecs-cluster --service-name prefect-agent --query taskArns --output text`))
			return strings.HasPrefix(now, "arn:") && now != before
		})
	})
	t.Run("aws logs tail --follow shows what it writes", func(t *testing.T) {
		// The version that Debian has does not know AWS_ENDPOINT_URL yet.
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		tail := exec.CommandContext(ctx, second(t), "logs", "tail", "--follow", "/ecs/prefect", "--endpoint-url", e.url)
		// Python keeps back what it writes to a pipe.
		tail.Env, tail.Dir = append(slices.Clone(e.env), "PYTHONUNBUFFERED=1"), e.dir
		out, err := tail.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := tail.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() {
			cancel()
			_ = tail.Wait()
		}()
		lines := bufio.NewScanner(out)
		next := func(part string) {
			t.Helper()
			for lines.Scan() {
				if strings.Contains(lines.Text(), part) {
					return
				}
			}
			t.Fatalf("tail ends without %q: %v", part, lines.Err())
		}
		next("agent agent ecs start polls https://api.example.com for ['workflow']")
		e.sh(aws, `aws logs create-log-stream --log-group-name /ecs/prefect --log-stream-name later
aws logs put-log-events --log-group-name /ecs/prefect --log-stream-name later --log-events timestamp=$(date +%s000),message=followed`)
		next("later followed")
	})
}

// TestProviders runs the commands of a post on an agent on Fargate whose flows run
// on Fargate Spot.
func TestProviders(t *testing.T) {
	t.Parallel()
	aws := beside(t, "aws")
	e := start(t, nil)
	out := e.sh(aws, `export AWS_REGION=ap-northeast-2
export ECS_CLUSTER_NAME=prefect-ecs-cluster

aws ecs create-cluster --cluster-name $ECS_CLUSTER_NAME \
--capacity-providers FARGATE_SPOT FARGATE \
--default-capacity-provider-strategy \
capacityProvider=FARGATE_SPOT,weight=3 \
capacityProvider=FARGATE,base=1,weight=2 \
--region $AWS_REGION
export ECS_LOG_GROUP_NAME=/ecs/prefect-ecs-agent
aws logs create-log-group \
--log-group-name $ECS_LOG_GROUP_NAME \
--region $AWS_REGION
aws logs describe-log-groups --region $AWS_REGION
aws ecs describe-clusters --clusters $ECS_CLUSTER_NAME --include TAGS SETTINGS --region $AWS_REGION`)
	for _, part := range []string{`"weight": 3`, `"base": 1`, "arn:aws:ecs:ap-northeast-2:000000000000:cluster/prefect-ecs-cluster", "log-group:/ecs/prefect-ecs-agent:*"} {
		if !strings.Contains(out, part) {
			t.Errorf("no %q in:\n%s", part, out)
		}
	}
}

// TestBoto3 goes through what prefect-aws and a program's own code call.
func TestBoto3(t *testing.T) {
	t.Parallel()
	python := beside(t, "python")
	e := start(t, nil)
	program, err := filepath.Abs("testdata/calls.py")
	if err != nil {
		t.Fatal(err)
	}
	if got := e.sh("false", python+" "+program); !strings.HasSuffix(got, "all as expected\n") {
		t.Errorf("calls.py wrote %s", got)
	}
}
