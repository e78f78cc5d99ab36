"""Makes what Prefect's ECS worker finds in an account: a cluster, and the queue that task state changes go to."""

import json

import boto3
from facts import tell

boto3.client("ecs").create_cluster(clusterName="compat", capacityProviders=["FARGATE", "FARGATE_SPOT"])
sqs, events = boto3.client("sqs"), boto3.client("events")
url = sqs.create_queue(QueueName="prefect-ecs-tasks-events")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
pattern = {"source": ["aws.ecs"], "detail-type": ["ECS Task State Change"]}
events.put_rule(Name="prefect-ecs-tasks", EventPattern=json.dumps(pattern))
failed = events.put_targets(Rule="prefect-ecs-tasks", Targets=[{"Id": "queue", "Arn": arn}])["FailedEntryCount"]
tell(url=url, failed=failed)
