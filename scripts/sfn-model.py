#!/usr/bin/env python3
"""Writes internal/api/sfn/model.json: what botocore's model of Step Functions says about requests.

Usage: python scripts/sfn-model.py > internal/api/sfn/model.json, with a Python that has botocore.
Only what constrains an input is kept.
"""
import gzip
import json
import pathlib
import sys

import botocore

KEEP = ("type", "min", "max", "pattern", "enum", "sensitive", "required")
# The service lists these in an order of its own (recorded from it).
ENUM_ORDER = {"ExecutionStatus": ["SUCCEEDED", "TIMED_OUT", "PENDING_REDRIVE", "ABORTED", "FAILED", "RUNNING"]}


def main():
    folder = pathlib.Path(botocore.__file__).parent / "data" / "stepfunctions" / "2016-11-23"
    model = json.load(gzip.open(folder / "service-2.json.gz"))
    shapes, wanted = {}, []

    def add(name):
        if name in shapes:
            return
        shape = model["shapes"][name]
        kept = shapes[name] = {k: shape[k] for k in KEEP if k in shape}
        if name in ENUM_ORDER:
            kept["enum"] = ENUM_ORDER[name]
        if "members" in shape:
            kept["members"] = [[k, m["shape"]] for k, m in shape["members"].items()]
            wanted.extend(m["shape"] for m in shape["members"].values())
        if "member" in shape:
            kept["member"] = shape["member"]["shape"]
            wanted.append(shape["member"]["shape"])

    operations = {name: op["input"]["shape"] for name, op in model["operations"].items()}
    wanted.extend(operations.values())
    while wanted:
        add(wanted.pop())
    rows = ["{", ' "operations": {']
    rows.append(",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(operations.items())))
    rows.append(" },")
    rows.append(' "shapes": {')
    rows.append(",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(shapes.items())))
    rows.append(" }")
    rows.append("}")
    sys.stdout.write("\n".join(rows) + "\n")


main()
