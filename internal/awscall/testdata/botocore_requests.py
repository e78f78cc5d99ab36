"""Prints what botocore makes of random parameters, one JSON object per line.

Usage: botocore_requests.py SEED OPERATIONS_PER_SERVICE. The parameters are given
in the form that the States Language has: texts, numbers, booleans.
"""

import base64
import datetime
import json
import random
import sys
import urllib.parse

import botocore
import botocore.loaders
import botocore.model
import botocore.serialize

VERSION = "1.42.59"
KNOWN = ("json", "rest-json", "rest-xml", "query", "ec2")
WORDS = ["a", "Zebra", "x y", "ü", "a/b", "1&2", "", "<t>", "tail ", "\"q\""]


def made(r, shape, depth, member=None):
    """A random value twice: as botocore takes it and as a state's parameters."""
    kind = shape.type_name
    if kind == "structure":
        if getattr(shape, "is_document_type", False):
            return {"k": [1, "v"]}, {"k": [1, "v"]}
        theirs, ours = {}, {}
        for name, target in shape.members.items():
            if name == "SourceRegion":  # an argument of botocore alone
                continue
            ser = target.serialization
            needed = name in shape.required_members or ser.get("location") == "uri" or target.metadata.get("idempotencyToken")
            if not needed and (depth > 4 or r.random() < 0.5):
                continue
            if ser.get("eventstream") or getattr(target, "serialization", {}).get("eventstream"):
                continue
            theirs[name], ours[name] = made(r, target, depth + 1, ser)
            if ser.get("location") in ("uri", "header", "querystring", "headers") and theirs[name] in ("", []):
                theirs[name] = ours[name] = "plain"
        if getattr(shape, "is_tagged_union", False) and len(theirs) > 1:
            keep = r.choice(sorted(theirs))
            theirs, ours = {keep: theirs[keep]}, {keep: ours[keep]}
        return theirs, ours
    if kind == "list":
        n = 0 if depth > 6 else r.randint(1 if (member or {}).get("location") else 0, 2)
        pairs = [made(r, shape.member, depth + 1) for _ in range(n)]
        return [p[0] for p in pairs], [p[1] for p in pairs]
    if kind == "map":
        if depth > 6:
            return {}, {}
        pairs = {f"key{i}": made(r, shape.value, depth + 1) for i in range(r.randint(0, 2))}
        return {k: p[0] for k, p in pairs.items()}, {k: p[1] for k, p in pairs.items()}
    if kind == "timestamp":
        t = datetime.datetime(2024, 2, 29, 12, r.randint(0, 59), 7, tzinfo=datetime.timezone.utc)
        return t, t.strftime("%Y-%m-%dT%H:%M:%SZ")
    if kind == "blob":
        t = r.choice(WORDS) + "blob"
        return t.encode(), t
    if kind == "boolean":
        b = r.random() < 0.5
        return b, b
    if kind in ("integer", "long"):
        n = r.randint(0, 99999)
        return n, n
    if kind in ("float", "double"):
        n = r.randint(0, 1000) / 4
        return n, n
    if (member or {}).get("jsonvalue"):
        return ({"a": 1}, {"a": 1}) if member.get("location") else ('{"a":1}', '{"a":1}')
    t = r.choice(WORDS)
    if member and member.get("location") and t.strip() != t or member and member.get("location") and t in ("", "ü"):
        t = "plain"
    return t, t


def main():
    if botocore.__version__ != VERSION:
        sys.exit(f"botocore {VERSION} is needed, this is {botocore.__version__}")
    r = random.Random(int(sys.argv[1]))
    count = int(sys.argv[2])
    loader = botocore.loaders.Loader()
    for name in loader.list_available_services("service-2"):
        raw = loader.load_service_model(name, "service-2")
        model = botocore.model.ServiceModel(raw, name)
        protocol = raw["metadata"]["protocol"]
        if protocol not in KNOWN:
            protocol = next((p for p in raw["metadata"].get("protocols", []) if p in KNOWN), None)
        if protocol is None:
            continue
        serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
        for op in r.sample(model.operation_names, min(count, len(model.operation_names))):
            operation = model.operation_model(op)
            if operation.has_event_stream_input:
                continue
            theirs, ours = made(r, operation.input_shape, 0) if operation.input_shape else ({}, {})
            try:
                got = serializer.serialize_to_request(theirs, operation)
            except Exception as e:  # noqa: BLE001 -- what botocore cannot say is not compared
                print(json.dumps({"service": raw["metadata"]["serviceId"], "operation": op, "skip": repr(e)}))
                continue
            body = got["body"]
            query = got["query_string"]
            if isinstance(query, dict):
                query = [[k, v] for k, vs in query.items() for v in (vs if isinstance(vs, list) else [vs])]
            if isinstance(query, str):
                query = [list(p) for p in urllib.parse.parse_qsl(query, keep_blank_values=True)]
            form = None
            if isinstance(body, dict):
                form, body = {k: str(v) for k, v in body.items()}, b""
            if isinstance(body, str):
                body = body.encode()
            print(json.dumps({
                "service": raw["metadata"]["serviceId"], "protocol": protocol, "operation": op, "params": ours,
                "method": got["method"], "path": got["url_path"], "query": query, "form": form,
                "headers": {k: v for k, v in got["headers"].items()}, "body": base64.b64encode(bytes(body)).decode(),
            }))


main()
