"""boto3 uses every operation of Step Functions."""

import json
import os
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from facts import NAME, tell

ENDPOINT = os.environ["PREFECT_API_URL"].removesuffix("/api")
KEY, SECRET = os.environ.get("PREFECT_API_AUTH_STRING", "000000000000:any").split(":", 1)
ROLE = "arn:aws:iam::000000000000:role/r"
used = set()


def client(key=KEY, secret=SECRET, region="us-east-1"):
    config = Config(inject_host_prefix=False, retries={"max_attempts": 0})
    return boto3.client("stepfunctions", endpoint_url=ENDPOINT, region_name=region, aws_access_key_id=key, aws_secret_access_key=secret, config=config)


def refusal(call, **parameters):
    try:
        call(**parameters)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return "none"


def until(condition, limit=30):
    end = time.time() + limit
    while not (v := condition()):
        if time.time() > end:
            raise TimeoutError
        time.sleep(0.05)
    return v


sfn = client()
sfn.meta.events.register("after-call.stepfunctions.*", lambda model, http_response, **_: http_response.status_code == 200 and used.add(model.name))


def machine(name, states, **more):
    definition = json.dumps({"StartAt": next(iter(states)), "States": states})
    return sfn.create_state_machine(name=f"{NAME}-{name}", definition=definition, roleArn=ROLE, **more)


def ended(arn):
    def look():
        x = sfn.describe_execution(executionArn=arn)
        return x if x["status"] != "RUNNING" else None

    return until(look)


# A machine, its versions, aliases and tags.
made = machine("plain", {"P": {"Type": "Pass", "Result": {"x": 1}, "End": True}}, publish=True, tags=[{"key": "a", "value": "1"}])
arn, first = made["stateMachineArn"], made["stateMachineVersionArn"]
second = sfn.update_state_machine(stateMachineArn=arn, tracingConfiguration={"enabled": True}, publish=True)["stateMachineVersionArn"]
sfn.publish_state_machine_version(stateMachineArn=arn)
alias = sfn.create_state_machine_alias(name="prod", routingConfiguration=[{"stateMachineVersionArn": first, "weight": 100}])["stateMachineAliasArn"]
sfn.update_state_machine_alias(stateMachineAliasArn=alias, routingConfiguration=[{"stateMachineVersionArn": second, "weight": 100}])
sfn.describe_state_machine_alias(stateMachineAliasArn=alias)
sfn.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
sfn.untag_resource(resourceArn=arn, tagKeys=["a"])
tags = sfn.list_tags_for_resource(resourceArn=arn)["tags"]
described = sfn.describe_state_machine(stateMachineArn=arn)
versions = [v["stateMachineVersionArn"][-2:] for v in sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]]
aliases = len(sfn.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"])
pages = sum(1 for p in sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1}))
validated = sfn.validate_state_machine_definition(definition="{}")["result"]

# Executions.
run = sfn.start_execution(stateMachineArn=alias, name="one", input='{"in": 1}')["executionArn"]
one = ended(run)
history = [e["type"] for e in sfn.get_execution_history(executionArn=run)["events"]]
of_execution = sfn.describe_state_machine_for_execution(executionArn=run)["name"]
executions = len(sfn.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"])
express = machine("express", {"P": {"Type": "Pass", "End": True}}, type="EXPRESS")["stateMachineArn"]
sync = sfn.start_sync_execution(stateMachineArn=express, input="[1]")
tried = sfn.test_state(definition='{"Type": "Pass", "End": true}', input='{"a": 1}', inspectionLevel="DEBUG")

# An activity's tasks.
activity = sfn.create_activity(name=f"{NAME}-work")["activityArn"]
sfn.describe_activity(activityArn=activity)
sfn.list_activities()
worker = machine("worker", {"T": {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 60, "End": True}})["stateMachineArn"]
good = sfn.start_execution(stateMachineArn=worker, input='{"n": 1}')["executionArn"]
task = sfn.get_activity_task(activityArn=activity, workerName="w")
sfn.send_task_heartbeat(taskToken=task["taskToken"])
sfn.send_task_success(taskToken=task["taskToken"], output='{"done": true}')
good = ended(good)
again = refusal(sfn.send_task_success, taskToken=task["taskToken"], output="{}")
bad = sfn.start_execution(stateMachineArn=worker)["executionArn"]
sfn.send_task_failure(taskToken=sfn.get_activity_task(activityArn=activity)["taskToken"], error="Broken", cause="by hand")
failed = ended(bad)
sfn.redrive_execution(executionArn=bad)
sfn.send_task_success(taskToken=sfn.get_activity_task(activityArn=activity)["taskToken"], output="2")
redriven = ended(bad)

# A map run.
items = {"Type": "Map", "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, "StartAt": "W",
         "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}, "MaxConcurrency": 1, "End": True}
mapping = machine("map", {"M": items})["stateMachineArn"]
parent = sfn.start_execution(stateMachineArn=mapping, input="[1, 2]")["executionArn"]
map_run = until(lambda: sfn.list_map_runs(executionArn=parent)["mapRuns"])[0]["mapRunArn"]
sfn.update_map_run(mapRunArn=map_run, maxConcurrency=2)
until(lambda: sfn.describe_map_run(mapRunArn=map_run)["executionCounts"]["running"] == 2)
children = len(sfn.list_executions(mapRunArn=map_run)["executions"])
sfn.stop_execution(executionArn=parent, error="Enough", cause="seen")
stopped = ended(parent)

refused = {
    "conflict": refusal(sfn.create_state_machine, name=f"{NAME}-plain", definition=described["definition"].replace('"P"', '"Q"'), roleArn=ROLE),
    "version in use": refusal(sfn.delete_state_machine_version, stateMachineVersionArn=second),
    "elsewhere": refusal(client(region="eu-west-1").describe_state_machine, stateMachineArn=arn + "x"),
    "definition": refusal(sfn.create_state_machine, name="x", definition='{"StartAt": "A", "States": {}}', roleArn=ROLE),
}
sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
sfn.delete_state_machine_version(stateMachineVersionArn=second)
sfn.delete_state_machine(stateMachineArn=arn)
sfn.delete_activity(activityArn=activity)

tell(
    missing=sorted(set(sfn.meta.service_model.operation_names) - used), tags=tags, versions=versions, aliases=aliases, pages=pages > 0, validated=validated,
    one=[one["status"], one["input"], one["output"], one["stateMachineAliasArn"] == alias, one["stateMachineVersionArn"] == second],
    history=history, of_execution=of_execution == f"{NAME}-plain", executions=executions, sync=[sync["status"], sync["output"]],
    tried=[tried["status"], tried["inspectionData"]["afterInputPath"]], good=[good["status"], good["output"]], again=again,
    failed=[failed["status"], failed["error"], failed["cause"]], redriven=[redriven["status"], redriven["output"], redriven["redriveCount"]],
    children=children, stopped=[stopped["status"], stopped["error"]], refused=refused,
    keys=[refusal(client(key, secret).list_activities) for key, secret in ((KEY, SECRET), (KEY, "wrong"), ("AKIDNOBODY", SECRET))],
)
