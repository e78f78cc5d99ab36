"""Calls that the SDK parses and checks: its answers, waiters, paginators and errors."""

import json

import boto3
from botocore.exceptions import ClientError

ecs, ec2, logs, sts = (boto3.client(name) for name in ("ecs", "ec2", "logs", "sts"))
sqs, events = boto3.client("sqs"), boto3.client("events")


def code(call, **arguments):
    """The error code of a call that has to fail."""
    try:
        call(**arguments)
    except ClientError as e:
        return e.response["Error"]["Code"]
    raise AssertionError(f"{call} succeeds")


vpc = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"][0]["VpcId"]
subnets = [s["SubnetId"] for s in ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]]
groups = [g["GroupId"] for g in ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]]
network = {"awsvpcConfiguration": {"subnets": subnets, "securityGroups": groups, "assignPublicIp": "ENABLED"}}

ecs.create_cluster(clusterName="c", capacityProviders=["FARGATE", "FARGATE_SPOT"], tags=[{"key": "a", "value": "b"}])
queue = sqs.create_queue(QueueName="changes", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
events.put_rule(Name="changes", EventPattern=json.dumps({"source": ["aws.ecs"], "detail": {"clusterArn": [{"suffix": ":cluster/c"}]}}))
assert events.put_targets(Rule="changes", Targets=[{"Id": "q", "Arn": arn}])["FailedEntryCount"] == 0

definition = ecs.register_task_definition(
    family="job", requiresCompatibilities=["FARGATE"], networkMode="awsvpc", cpu=".25 vCPU", memory="0.5GB", executionRoleArn="role",
    containerDefinitions=[{
        "name": "main", "image": "any", "command": ["sh", "-c", "echo $WORD; exit ${CODE:-0}"], "environment": [{"name": "WORD", "value": "plain"}],
        "logConfiguration": {"logDriver": "awslogs", "options": {
            "awslogs-group": "/job", "awslogs-region": ecs.meta.region_name, "awslogs-stream-prefix": "p", "awslogs-create-group": "true"}},
    }],
)["taskDefinition"]
assert (definition["cpu"], definition["memory"], definition["status"]) == ("256", "512", "ACTIVE"), definition

run = ecs.run_task(
    cluster="c", taskDefinition="job", networkConfiguration=network, capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}],
    overrides={"containerOverrides": [{"name": "main", "environment": [{"name": "WORD", "value": "overridden"}, {"name": "CODE", "value": "9"}]}]},
    tags=[{"key": "run", "value": "1"}],
)
task = run["tasks"][0]["taskArn"]
assert run["failures"] == [] and run["tasks"][0]["lastStatus"] == "PROVISIONING", run
ecs.get_waiter("tasks_stopped").wait(cluster="c", tasks=[task], WaiterConfig={"Delay": 1})
done = ecs.describe_tasks(cluster="c", tasks=[task], include=["TAGS"])["tasks"][0]
assert done["containers"][0]["exitCode"] == 9 and done["stopCode"] == "EssentialContainerExited" and done["tags"] == [{"key": "run", "value": "1"}], done
assert done["createdAt"] <= done["pullStartedAt"] <= done["startedAt"] <= done["stoppedAt"], done

stream = "p/main/" + task.rsplit("/", 1)[1]
lines = [e["message"] for e in logs.get_log_events(logGroupName="/job", logStreamName=stream, limit=500, startFromHead=False)["events"]]
assert lines == ["overridden"], lines
pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="/job"))
assert [e["logStreamName"] for page in pages for e in page["events"]] == [stream], pages

seen = []
while "STOPPED" not in seen:
    for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MaxNumberOfMessages=10).get("Messages", []):
        body = json.loads(message["Body"])
        assert body["detail-type"] == "ECS Task State Change" and body["detail"]["taskArn"] == task, body
        seen.append(body["detail"]["lastStatus"])
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=300)
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
assert seen == ["PROVISIONING", "PENDING", "RUNNING", "DEPROVISIONING", "STOPPED"], seen
sent = sqs.send_message(QueueUrl=queue, MessageBody="x", MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}, "b": {"DataType": "Binary", "BinaryValue": b"\0"}})
got = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"][0]
assert got["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"] and got["MessageAttributes"]["b"]["BinaryValue"] == b"\0", got

ecs.create_service(cluster="c", serviceName="s", taskDefinition="job", desiredCount=0, launchType="FARGATE", networkConfiguration=network)
ecs.get_waiter("services_stable").wait(cluster="c", services=["s"], WaiterConfig={"Delay": 1})
ecs.delete_service(cluster="c", service="s")
ecs.get_waiter("services_inactive").wait(cluster="c", services=["s"], WaiterConfig={"Delay": 1})
assert [a for page in ecs.get_paginator("list_tasks").paginate(cluster="c", desiredStatus="STOPPED") for a in page["taskArns"]] == [task]

other = sts.assume_role(RoleArn="arn:aws:iam::222222222222:role/r", RoleSessionName="session")["Credentials"]
there = boto3.client("sts", aws_access_key_id=other["AccessKeyId"], aws_secret_access_key=other["SecretAccessKey"], aws_session_token=other["SessionToken"])
assert there.get_caller_identity()["Account"] == "222222222222"

for call, arguments, want in (
    (ecs.run_task, {"cluster": "none", "taskDefinition": "job"}, "ClusterNotFoundException"),
    (ecs.run_task, {"cluster": "c", "taskDefinition": "job", "launchType": "FARGATE"}, "InvalidParameterException"),
    (ecs.run_task, {"cluster": "c", "taskDefinition": "none"}, "ClientException"),
    (ecs.stop_task, {"cluster": "c", "task": "0" * 32}, "InvalidParameterException"),
    (ecs.list_container_instances, {"cluster": "c"}, "UnknownOperationException"),
    (sqs.get_queue_url, {"QueueName": "none"}, "AWS.SimpleQueueService.NonExistentQueue"),
    (logs.get_log_events, {"logGroupName": "none", "logStreamName": "none"}, "ResourceNotFoundException"),
    (events.put_rule, {"Name": "r", "EventPattern": "{}"}, "InvalidEventPatternException"),
    (ec2.describe_vpcs, {"VpcIds": ["vpc-0"]}, "InvalidVpcID.NotFound"),
    (boto3.client("stepfunctions").list_state_machines, {}, "UnknownOperationException"),
):
    assert code(call, **arguments) == want, (call, code(call, **arguments))
try:
    sqs.get_queue_url(QueueName="none")
except sqs.exceptions.QueueDoesNotExist:
    print("all as expected")
