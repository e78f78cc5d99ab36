"""Makes what a template of CloudFormation describes, as far as a state machine with an ECS task needs it.

Usage: states_deploy.py TEMPLATE [SECONDS], which replaces how long the machine's Wait states wait.
"""

import json
import os
import re
import sys

import boto3

NAME = os.environ["COMPAT_NAME"]
ACCOUNT, REGION = "000000000000", os.environ["AWS_REGION"]
ecs, ec2, logs, sfn = (boto3.client(service) for service in ("ecs", "ec2", "logs", "stepfunctions"))

known = {"AWS::Partition": "aws", "AWS::Region": REGION, "AWS::AccountId": ACCOUNT, "AWS::URLSuffix": "amazonaws.com"}
subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
group = ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]


def resolved(v):
    """The value with CloudFormation's functions carried out."""
    match v:
        case {"Ref": name}:
            return known[name]
        case {"Fn::GetAtt": [name, attribute]}:
            return known.get(f"{name}.{attribute}", f"arn:aws:iam::{ACCOUNT}:role/{name}")
        case {"Fn::Join": [separator, parts]}:
            return separator.join(resolved(part) for part in parts)
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{([^}]+)\}", lambda m: known[m[1]], text)
        case {"Fn::ImportValue": _}:
            return subnet
        case dict():
            return {k: resolved(x) for k, x in v.items()}
        case list():
            return [resolved(x) for x in v]
    return v


def parameters(v):
    """Properties of CloudFormation as boto3 takes them."""
    match v:
        case dict():
            return {k[0].lower() + k[1:] if "-" not in k else k: parameters(x) for k, x in v.items()}
        case list():
            return [parameters(x) for x in v]
    return v


def make(kind, name, properties):
    match kind:
        case "AWS::ECS::Cluster":
            known[f"{name}.Arn"] = known[name] = ecs.create_cluster(clusterName=f"{NAME}-cluster")["cluster"]["clusterArn"]
        case "AWS::Logs::LogGroup":
            known[name] = f"{NAME}-logs"
            logs.create_log_group(logGroupName=known[name])
        case "AWS::EC2::SecurityGroup":
            known[f"{name}.GroupId"] = group
        case "AWS::ECS::TaskDefinition":
            known[name] = ecs.register_task_definition(**parameters(properties))["taskDefinition"]["taskDefinitionArn"]
        case "AWS::StepFunctions::StateMachine":
            definition = properties["DefinitionString"]
            if len(sys.argv) > 2:
                definition = re.sub(r'("Seconds":)\d+', rf"\g<1>{sys.argv[2]}", definition)
            made = sfn.create_state_machine(name=f"{NAME}-machine", definition=definition, roleArn=properties["RoleArn"])
            known[name] = made["stateMachineArn"]
            return {"machine": known[name], "definition": definition}
    return {}


ORDER = ["AWS::ECS::Cluster", "AWS::Logs::LogGroup", "AWS::EC2::SecurityGroup", "AWS::ECS::TaskDefinition", "AWS::StepFunctions::StateMachine"]
with open(sys.argv[1]) as f:
    resources = json.load(f)["Resources"]
told = {"cluster": f"{NAME}-cluster", "logs": f"{NAME}-logs"}
for name, resource in sorted(resources.items(), key=lambda item: ORDER.index(item[1]["Type"])):
    told |= make(resource["Type"], name, resolved(resource.get("Properties", {})))
print(json.dumps(told))
