"""Drives every operation of Step Functions with the real boto3 and tells what each answered.

The endpoint, keys and region come from the environment, as they do for any program.
"""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import boto3

NAME = os.environ["COMPAT_NAME"]
ROLE = "arn:aws:iam::000000000000:role/compat"
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 3600, "End": True}}}

sfn = boto3.client("stepfunctions")
called = set()
sfn.meta.events.register("before-call.stepfunctions", lambda model, **_: called.add(model.name))


def refused(operation, **arguments):
    """The code of the error by which a call is refused."""
    try:
        operation(**arguments)
    except sfn.exceptions.ClientError as e:
        return e.response["Error"]["Code"]
    return "no error"


def machine(name, definition, **more):
    return sfn.create_state_machine(name=f"{NAME}-{name}", definition=json.dumps(definition), roleArn=ROLE, **more)


def until(read, good, seconds=30):
    end = time.monotonic() + seconds
    while not good(value := read()) and time.monotonic() < end:
        time.sleep(0.1)
    return value


def ended(arn):
    return until(lambda: sfn.describe_execution(executionArn=arn), lambda x: x["status"] != "RUNNING")


def types(arn, **more):
    events = sfn.get_execution_history(executionArn=arn, **more)["events"]
    return [e["type"] for e in events]


def machines():
    made = machine("calls", PASS, publish=True, versionDescription="first", tags=[{"key": "a", "value": "1"}])
    arn = made["stateMachineArn"]
    again = {"roleArn": ROLE, "name": f"{NAME}-calls"}
    described = sfn.describe_state_machine(stateMachineArn=arn)
    updated = sfn.update_state_machine(stateMachineArn=arn, definition=json.dumps(WAIT), publish=True)
    same = sfn.publish_state_machine_version(stateMachineArn=arn, revisionId=updated["revisionId"])
    machine("other", PASS)
    pages = sfn.get_paginator("list_state_machines").paginate(PaginationConfig={"PageSize": 1})
    names = [m["name"] for page in pages for m in page["stateMachines"] if m["name"].startswith(NAME)]
    doomed = machine("doomed", PASS)["stateMachineArn"]
    sfn.delete_state_machine(stateMachineArn=doomed)
    return arn, {
        "machine_made": [arn.rsplit(":", 1)[1] == f"{NAME}-calls", made["stateMachineVersionArn"] == arn + ":1"],
        "machine_made_again": machine("calls", WAIT)["stateMachineArn"] == arn,
        "machine_described": [described[k] for k in ("status", "type", "roleArn")]
        + [sfn.describe_state_machine(stateMachineArn=arn + ":1")["description"], json.loads(described["definition"]) == PASS, described["loggingConfiguration"]["level"]],
        "machine_updated": [updated["stateMachineVersionArn"] == arn + ":2", same["stateMachineVersionArn"] == arn + ":2"],
        "machines_listed": sorted(n.removeprefix(NAME) for n in names),
        "machine_deleted": refused(sfn.describe_state_machine, stateMachineArn=doomed),
        "machine_refusals": [
            refused(sfn.create_state_machine, definition=json.dumps(PASS), **again),
            refused(sfn.create_state_machine, definition="{", **(again | {"name": "x"})),
            refused(sfn.create_state_machine, definition=json.dumps(PASS), **(again | {"name": "a b"})),
            refused(sfn.create_state_machine, definition=json.dumps(PASS), name="x", roleArn="role"),
            refused(sfn.describe_state_machine, stateMachineArn="nothing"),
            refused(sfn.update_state_machine, stateMachineArn=arn),
            refused(sfn.publish_state_machine_version, stateMachineArn=arn, revisionId="stale"),
            refused(sfn.list_state_machines, nextToken="forged"),
        ],
    }


def versions(arn):
    routes = [{"stateMachineVersionArn": f"{arn}:{n}", "weight": 50} for n in (1, 2)]
    alias = sfn.create_state_machine_alias(name="prod", description="both", routingConfiguration=routes)["stateMachineAliasArn"]
    sfn.update_state_machine_alias(
        stateMachineAliasArn=alias, routingConfiguration=[{"stateMachineVersionArn": arn + ":1", "weight": 100}]
    )
    described = sfn.describe_state_machine_alias(stateMachineAliasArn=alias)
    started = sfn.start_execution(stateMachineArn=alias)["executionArn"]
    execution = ended(started)
    listed = sfn.list_state_machine_aliases(stateMachineArn=arn)["stateMachineAliases"]
    in_use = refused(sfn.delete_state_machine_version, stateMachineVersionArn=arn + ":1")
    numbers = [v["stateMachineVersionArn"].rsplit(":", 1)[1] for v in sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]]
    sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
    sfn.delete_state_machine_version(stateMachineVersionArn=arn + ":1")
    left = sfn.list_state_machine_versions(stateMachineArn=arn)["stateMachineVersions"]
    return {
        "alias": [alias == arn + ":prod", described["name"], described["description"], [r["weight"] for r in described["routingConfiguration"]]],
        "aliases_listed": [a["stateMachineAliasArn"] == alias for a in listed],
        "alias_routes": [execution["status"], execution["stateMachineAliasArn"] == alias, execution["stateMachineVersionArn"] == arn + ":1"],
        "versions_listed": numbers,
        "version_in_use": in_use,
        "versions_left": [v["stateMachineVersionArn"].rsplit(":", 1)[1] for v in left],
        "alias_gone": refused(sfn.describe_state_machine_alias, stateMachineAliasArn=alias),
    }


def executions():
    arn = machine("runs", PASS)["stateMachineArn"]
    waits = machine("waits", WAIT)["stateMachineArn"]
    done = sfn.start_execution(stateMachineArn=arn, name="done", input='{"a": 1}')["executionArn"]
    execution = ended(done)
    open_ = sfn.start_execution(stateMachineArn=waits, name="open", input='{"a": 1}')
    again = sfn.start_execution(stateMachineArn=waits, name="open", input='{"a": 1}')
    running = [x["name"] for x in sfn.list_executions(stateMachineArn=waits, statusFilter="RUNNING")["executions"]]
    sfn.stop_execution(executionArn=open_["executionArn"], error="Enough", cause="of it")
    stopped = ended(open_["executionArn"])
    for n in range(4):
        ended(sfn.start_execution(stateMachineArn=arn, name=f"page-{n}")["executionArn"])
    pages = list(sfn.get_paginator("list_executions").paginate(stateMachineArn=arn, PaginationConfig={"PageSize": 2}))
    bare = sfn.get_execution_history(executionArn=done, includeExecutionData=False)["events"]
    events = sfn.get_paginator("get_execution_history").paginate(executionArn=done, PaginationConfig={"PageSize": 1})
    return {
        "execution": [execution["status"], json.loads(execution["output"]), execution["inputDetails"], execution["redriveCount"]],
        "execution_made_again": again["executionArn"] == open_["executionArn"],
        "history": types(done),
        "history_reversed": types(done, reverseOrder=True, maxResults=2),
        "history_paged": [e["id"] for page in events for e in page["events"]],
        "history_without_data": ["input" in e.get("executionStartedEventDetails", {}) for e in bare[:1]],
        "running": running,
        "stopped": [stopped["status"], stopped["error"], stopped["cause"], types(open_["executionArn"])[-1]],
        "pages": [[x["name"] for x in page["executions"]] for page in pages],
        "machine_of_execution": sfn.describe_state_machine_for_execution(executionArn=done)["name"] == f"{NAME}-runs",
        "execution_refusals": [
            refused(sfn.start_execution, stateMachineArn=waits, name="open", input="{}"),
            refused(sfn.start_execution, stateMachineArn=arn, input="{"),
            refused(sfn.start_execution, stateMachineArn=arn, name="a/b"),
            refused(sfn.start_execution, stateMachineArn=arn + "nothing"),
            refused(sfn.describe_execution, executionArn=done + "nothing"),
            refused(sfn.stop_execution, executionArn=done + "nothing"),
            refused(sfn.get_execution_history, executionArn=done, nextToken="forged"),
            refused(sfn.redrive_execution, executionArn=done),
            refused(sfn.start_sync_execution, stateMachineArn=arn),
        ],
    }


def express():
    arn = machine("express", PASS, type="EXPRESS")["stateMachineArn"]
    x = sfn.start_sync_execution(stateMachineArn=arn, input='{"a": 1}', name="sync")
    refusal = refused(sfn.list_executions, stateMachineArn=arn)
    return {"sync": [x["status"], x["output"], x["name"], sorted(x["billingDetails"])], "express_is_not_listed": refusal}


def activities():
    arn = sfn.create_activity(name=f"{NAME}-work")["activityArn"]
    named = [a["name"] for page in sfn.get_paginator("list_activities").paginate() for a in page["activities"]]
    task = {"Type": "Task", "Resource": arn, "HeartbeatSeconds": 600, "End": True}
    by_activity = machine("works", {"StartAt": "T", "States": {"T": task}})["stateMachineArn"]

    def fetch():
        with ThreadPoolExecutor() as pool:  # it waits before there is something to do
            waiting = pool.submit(sfn.get_activity_task, activityArn=arn, workerName="w")
            execution = sfn.start_execution(stateMachineArn=by_activity, input='{"n": 1}')["executionArn"]
            return execution, waiting.result()

    good, task = fetch()
    sfn.send_task_heartbeat(taskToken=task["taskToken"])
    sfn.send_task_success(taskToken=task["taskToken"], output='{"n": 2}')
    bad, failing = fetch()
    sfn.send_task_failure(taskToken=failing["taskToken"], error="Bad", cause="luck")
    failed = ended(bad)
    sfn.redrive_execution(executionArn=bad)
    redone = sfn.get_activity_task(activityArn=arn)
    sfn.send_task_success(taskToken=redone["taskToken"], output="[]")
    redriven = ended(bad)
    described = sfn.describe_activity(activityArn=arn)
    sfn.delete_activity(activityArn=arn)
    return {
        "activity": [described["name"] == f"{NAME}-work", f"{NAME}-work" in named, json.loads(task["input"])],
        "activity_history": types(good),
        "activity_output": ended(good)["output"],
        "activity_failure": [failed["status"], failed["error"], failed["cause"], failed["redriveStatus"]],
        "redriven": [redriven["status"], redriven["redriveCount"], redriven["output"], "ExecutionRedriven" in types(bad)],
        "activity_gone": refused(sfn.describe_activity, activityArn=arn),
        "task_refusals": [
            refused(sfn.send_task_success, taskToken=task["taskToken"], output="{}"),
            refused(sfn.send_task_success, taskToken="forged", output="{}"),
            refused(sfn.send_task_success, taskToken=task["taskToken"], output="{"),
            refused(sfn.send_task_heartbeat, taskToken=task["taskToken"]),
            refused(sfn.get_activity_task, activityArn=arn),
        ],
    }


def map_runs():
    items = {"StartAt": "P", "States": {"P": {"Type": "Wait", "Seconds": 1, "End": True}}}
    processor = items | {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}}
    state = {"Type": "Map", "ItemProcessor": processor, "MaxConcurrency": 2, "Label": "Items", "End": True}
    arn = machine("map", {"StartAt": "M", "States": {"M": state}})["stateMachineArn"]
    execution = sfn.start_execution(stateMachineArn=arn, input="[1, 2, 3]")["executionArn"]
    run = until(lambda: sfn.list_map_runs(executionArn=execution)["mapRuns"], bool)[0]["mapRunArn"]
    sfn.update_map_run(mapRunArn=run, maxConcurrency=3, toleratedFailureCount=1)
    output = ended(execution)["output"]
    described = until(lambda: sfn.describe_map_run(mapRunArn=run), lambda r: r["status"] != "RUNNING")
    children = sfn.list_executions(mapRunArn=run)["executions"]
    return {
        "map_output": json.loads(output),
        "map_run": [described[k] for k in ("status", "maxConcurrency", "toleratedFailureCount")]
        + [described["itemCounts"]["succeeded"], described["executionCounts"]["total"], len(children)],
        "map_refusals": [
            refused(sfn.describe_map_run, mapRunArn=run + "nothing"),
            refused(sfn.update_map_run, mapRunArn=run + "nothing", maxConcurrency=1),
        ],
    }


def trials():
    tried = sfn.test_state(
        definition=json.dumps({"Type": "Pass", "Parameters": {"b.$": "$.a"}, "Next": "N"}), roleArn=ROLE, input='{"a": 1}', inspectionLevel="DEBUG"
    )
    mocked = sfn.test_state(
        definition=json.dumps({"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "f"}, "End": True}),
        mock={"errorOutput": {"error": "Mocked", "cause": "so"}},
    )
    good = sfn.validate_state_machine_definition(definition=json.dumps(PASS))
    bad = sfn.validate_state_machine_definition(definition=json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "Next": "Q"}}}))
    return {
        "tried": [tried["status"], json.loads(tried["output"]), tried["nextState"], json.loads(tried["inspectionData"]["afterParameters"])],
        "mocked": [mocked["status"], mocked["error"], mocked["cause"]],
        "valid": [good["result"], good["diagnostics"]],
        "invalid": [bad["result"], bad["diagnostics"][0]["severity"], bad["diagnostics"][0]["code"]],
    }


def tags(arn):
    sfn.tag_resource(resourceArn=arn, tags=[{"key": "b", "value": "2"}])
    both = sfn.list_tags_for_resource(resourceArn=arn)["tags"]
    sfn.untag_resource(resourceArn=arn, tagKeys=["a"])
    return {
        "tags": [sorted(t["key"] for t in both), sfn.list_tags_for_resource(resourceArn=arn)["tags"]],
        "tag_refusal": refused(sfn.list_tags_for_resource, resourceArn=arn + "nothing"),
    }


arn, told = machines()
told |= versions(arn) | executions() | express() | activities() | map_runs() | trials() | tags(arn)
told["not_called"] = sorted(set(sfn.meta.service_model.operation_names) - called)
told["operations"] = len(called)
print(json.dumps(told))
