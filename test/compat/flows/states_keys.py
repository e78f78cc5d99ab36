"""What the server makes of keys, regions and clocks: `accounts` without auth, `signatures` with it."""

import datetime
import json
import os
import sys

import boto3
import botocore.auth
from botocore.config import Config

NAME = os.environ["COMPAT_NAME"]
ROLE = "arn:aws:iam::000000000000:role/compat"
PASS = json.dumps({"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}})


def client(key, secret="any", region="us-east-1", **config):
    config = Config(retries={"total_max_attempts": 1}, **config)
    return boto3.client("stepfunctions", aws_access_key_id=key, aws_secret_access_key=secret, region_name=region, config=config)


def names(sfn):
    return [m["name"] for m in sfn.list_state_machines()["stateMachines"] if m["name"].startswith(NAME)]


def refused(operation, **arguments):
    try:
        operation(**arguments)
    except boto3.client("stepfunctions").exceptions.ClientError as e:
        return [e.response["Error"]["Code"], e.response["ResponseMetadata"]["HTTPStatusCode"]]
    return "no error"


def accounts():
    one, two = client("111111111111"), client("222222222222")
    abroad = client("111111111111", region="eu-west-3")
    arns = [c.create_state_machine(name=f"{NAME}-m", definition=PASS, roleArn=ROLE)["stateMachineArn"] for c in (one, two, abroad)]
    execution = one.start_execution(stateMachineArn=arns[0])["executionArn"]
    return {
        "places": [":".join(arn.split(":")[3:5]) for arn in arns],
        "names": [len(names(c)) for c in (one, two, abroad, client("333333333333"), client("AKIAIOSFODNN7EXAMPLE"))],
        "own": one.describe_execution(executionArn=execution)["executionArn"] == execution,
        "of_others": [
            refused(two.describe_state_machine, stateMachineArn=arns[0]),
            refused(two.start_execution, stateMachineArn=arns[0]),
            refused(two.describe_execution, executionArn=execution),
            refused(two.get_execution_history, executionArn=execution),
            refused(two.stop_execution, executionArn=execution),
            refused(two.delete_state_machine, stateMachineArn=arns[0]),
            refused(two.list_tags_for_resource, resourceArn=arns[0]),
        ],
        "left": len(names(one)),
    }


def skewed(minutes):
    """A client whose clock is off."""
    now = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *a, **k: now(*a, **k) + datetime.timedelta(minutes=minutes)
    try:
        return refused(client("AKIDCOMPAT", "se:cret").list_state_machines)
    finally:
        botocore.auth.get_current_datetime = now


def signatures():
    from botocore import UNSIGNED

    right = client("AKIDCOMPAT", "se:cret", region="ap-northeast-1")
    arn = right.create_state_machine(name=f"{NAME}-m", definition=PASS, roleArn=ROLE)["stateMachineArn"]
    return {
        "place": ":".join(arn.split(":")[3:5]),
        "wrong_secret": refused(client("AKIDCOMPAT", "wrong").list_state_machines),
        "wrong_key": refused(client("111111111111", "se:cret").list_state_machines),
        "unsigned": refused(client("any", signature_version=UNSIGNED).list_state_machines),
        "clocks": {minutes: skewed(minutes) for minutes in (-10, -4, 4, 10)},
        "names": len(names(right)),
    }


print(json.dumps({"accounts": accounts, "signatures": signatures}[sys.argv[1]]()))
