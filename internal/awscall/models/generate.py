"""Makes models.zip from the service models of botocore (Apache-2.0).

Run by `go generate ./internal/awscall`, or by hand with a Python in which the
version of botocore below is installed; with --if-installed it is content to do
nothing without it, and it leaves an archive alone whose files are the same. What a caller needs stays: operations, HTTP traits,
shapes and where their members go, ranges of numbers, enumerations, errors and endpoints;
prose and other limits go. The texts of model.go say what the short keys mean.
"""

import collections
import gzip
import json
import os
import re
import sys
import zipfile

try:
    import botocore
    from botocore.endpoint_provider import EndpointProvider
except ImportError:
    botocore = None

VERSION = "1.42.59"
SCALARS = {
    "string": "s", "character": "s", "integer": "i", "long": "l", "float": "f", "double": "d",
    "boolean": "b", "blob": "B", "timestamp": "t",
}
NUMBERS = ("integer", "long", "float", "double")
METADATA = {
    "endpointPrefix": "ep", "signingName": "sn", "serviceId": "id", "apiVersion": "v", "jsonVersion": "jv",
    "targetPrefix": "tp", "globalEndpoint": "ge", "signatureVersion": "sv", "serviceFullName": "fn", "serviceAbbreviation": "ab",
}
KNOWN = ("json", "rest-json", "rest-xml", "query", "ec2")


def read(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path) as f:
        return json.load(f)


def newest(folder):
    found = []
    for version in sorted(os.listdir(folder)):
        path = os.path.join(folder, version)
        for name in ("service-2.json.gz", "service-2.json"):
            if os.path.exists(os.path.join(path, name)):
                found.append(os.path.join(path, name))
    return found[-1] if found else None


class Shapes:
    """Numbers the shapes in the order in which operations reach them."""

    def __init__(self, shapes):
        self.shapes, self.numbers, self.out = shapes, {}, []
        self.enums, self.enum_numbers = [], {}

    def ref(self, name):
        shape = self.shapes[name]
        kind = shape["type"]
        if kind in SCALARS:
            if shape.get("streaming"):
                return "S"
            if kind == "timestamp" and "timestampFormat" in shape:
                return "t" + shape["timestampFormat"]
            if kind == "string" and shape.get("enum"):
                if name not in self.enum_numbers:
                    self.enum_numbers[name] = len(self.enums)
                    self.enums.append(shape["enum"])
                return f"s{self.enum_numbers[name]}"
            if kind in NUMBERS and ("min" in shape or "max" in shape):
                return SCALARS[kind] + f"{shape.get('min', '')}:{shape.get('max', '')}"
            return SCALARS[kind]
        if name in self.numbers:
            return self.numbers[name]
        if shape.get("document"):
            return "j"
        self.numbers[name] = len(self.out)
        entry = {}
        self.out.append(entry)
        if kind == "list":
            entry["l"] = self.ref(shape["member"]["shape"])
            if shape["member"].get("locationName"):
                entry["ln"] = shape["member"]["locationName"]
            if shape.get("flattened"):
                entry["fl"] = 1
        elif kind == "map":
            entry["k"] = self.ref(shape["key"]["shape"])
            entry["m"] = self.ref(shape["value"]["shape"])
            if shape["key"].get("locationName"):
                entry["kn"] = shape["key"]["locationName"]
            if shape["value"].get("locationName"):
                entry["vn"] = shape["value"]["locationName"]
            if shape.get("flattened"):
                entry["fl"] = 1
        else:
            self.structure(name, shape, entry)
        return self.numbers[name]

    def structure(self, name, shape, entry):
        members = {}
        required = set(shape.get("required", ()))
        for key, m in shape.get("members", {}).items():
            extra = {}
            for trait, short in (("location", "at"), ("locationName", "n"), ("queryName", "q"), ("timestampFormat", "tf")):
                if trait in m:
                    extra[short] = m[trait]
            for trait, short in (("flattened", "fl"), ("idempotencyToken", "it"), ("jsonvalue", "jv"),
                                 ("xmlAttribute", "xa"), ("streaming", "st"), ("hostLabel", "hl")):
                if m.get(trait):
                    extra[short] = 1
            if key in required:
                extra["r"] = 1
            if "xmlNamespace" in m:
                extra["ns"] = m["xmlNamespace"]
            ref = self.ref(m["shape"])
            target = self.shapes[m["shape"]]
            if "xmlNamespace" in target and "ns" not in extra:
                extra["ns"] = target["xmlNamespace"]
            members[key] = [ref, extra] if extra else ref
        entry["s"] = members
        if shape.get("payload"):
            entry["p"] = shape["payload"]
        if shape.get("exception") or shape.get("error"):
            entry["x"] = name
            code = shape.get("error", {}).get("code")
            if code and code != name:
                entry["xc"] = code
        for trait, short in (("wrapper", "w"), ("eventstream", "es"), ("union", "u")):
            if shape.get(trait):
                entry[short] = 1
        if "locationName" in shape:
            entry["n"] = shape["locationName"]


def operation(op, shapes):
    out = {"h": [op["http"].get("method", "POST"), op["http"].get("requestUri", "/")]}
    for side, short in (("input", "i"), ("output", "o")):
        if side not in op:
            continue
        out[short] = shapes.ref(op[side]["shape"])
        extra = {}
        if "resultWrapper" in op[side]:
            extra["w"] = op[side]["resultWrapper"]
        if "locationName" in op[side]:
            extra["n"] = op[side]["locationName"]
        if "xmlNamespace" in op[side]:
            ns = op[side]["xmlNamespace"]
            extra["ns"] = ns if isinstance(ns, dict) else {"uri": ns}
        if extra:
            out[short + "x"] = extra
    if op.get("errors"):
        out["e"] = [shapes.ref(e["shape"]) for e in op["errors"]]
    if op.get("endpoint", {}).get("hostPrefix"):
        out["hp"] = op["endpoint"]["hostPrefix"]
    if op.get("authtype") == "none" or op.get("auth") == ["smithy.api#noAuth"]:
        out["na"] = 1
    if op.get("unsignedPayload") or op.get("authtype") == "v4-unsigned-body":
        out["up"] = 1
    checksum = op.get("httpChecksum", {})
    if checksum.get("requestAlgorithmMember"):
        out["ca"] = checksum["requestAlgorithmMember"]
    if checksum.get("requestChecksumRequired") or op.get("httpChecksumRequired"):
        out["cr"] = 1
    return out


def endpoints(folder, partitions):
    """Asks botocore for each region's endpoint; regions alike share a pattern."""
    path = next((os.path.join(folder, n) for n in ("endpoint-rule-set-1.json.gz", "endpoint-rule-set-1.json")
                 if os.path.exists(os.path.join(folder, n))), None)
    out = {}
    if path is None:
        return out
    provider = EndpointProvider(ruleset_data=read(path), partition_data=partitions)
    known = provider.ruleset.parameters
    for partition in partitions["partitions"]:
        answers = {}
        for region in sorted(partition["regions"]):
            if region.endswith("-global"):
                continue
            params = {"Region": region, "UseFIPS": False, "UseDualStack": False}
            if "UseGlobalEndpoint" in known:
                params["UseGlobalEndpoint"] = False
            try:
                got = provider.resolve_endpoint(**{k: v for k, v in params.items() if k in known})
            except Exception:  # the rules know no endpoint there
                continue
            scheme = (got.properties.get("authSchemes") or [{}])[0]
            answers[region] = (
                got.url.replace(region, "{region}").removeprefix("https://"), scheme.get("signingName", ""),
                scheme.get("signingRegion", "").replace(region, ""))
        if not answers:
            continue
        common = collections.Counter(answers.values()).most_common(1)[0][0]
        entry = [list(common)]
        special = {r: list(a) for r, a in answers.items() if a != common}
        if special:
            entry.append(special)
        out[partition["id"]] = entry
    return out


def merge(into, extra):
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def compact(folder, partitions):
    path = newest(folder)
    model = read(path)
    extras = os.path.join(os.path.dirname(path), "service-2.sdk-extras.json")
    if os.path.basename(folder) == "s3":  # the others add what botocore takes for itself
        merge(model, read(extras if os.path.exists(extras) else extras + ".gz")["merge"])
    md = model["metadata"]
    protocol = md["protocol"]
    if protocol not in KNOWN:
        protocol = next((p for p in md.get("protocols", ()) if p in KNOWN), "")
    meta = {short: md[key] for key, short in METADATA.items() if md.get(key)}
    meta["p"] = protocol
    if md.get("awsQueryCompatible") is not None:
        meta["aq"] = 1
    if "aws.auth#sigv4" not in md.get("auth", ["aws.auth#sigv4"]) and "none" in str(md.get("auth")):
        meta["na"] = 1
    ns = md.get("xmlNamespace")
    if ns:
        meta["ns"] = ns if isinstance(ns, str) else ns.get("uri")
    shapes = Shapes(model["shapes"])
    ops = {name: operation(op, shapes) for name, op in model["operations"].items()}
    return {"m": meta, "o": ops, "s": shapes.out, "n": shapes.enums, "e": endpoints(os.path.dirname(path), partitions)}


def archive(data):
    """Yields the name and text of each file of the archive."""
    partitions = read(os.path.join(data, "partitions.json"))
    ids = {}
    for name in sorted(os.listdir(data)):
        folder = os.path.join(data, name)
        if not os.path.isdir(folder) or not newest(folder):
            continue
        model = compact(folder, partitions)
        ids[name] = model["m"]["id"]
        yield name + ".json", model
    yield "services.json", {"services": ids, "partitions": [
        {"id": p["id"], "regions": p["regionRegex"], "suffix": p["outputs"]["dnsSuffix"]} for p in partitions["partitions"]]}


def main(target, optional):
    if botocore is None or botocore.__version__ != VERSION:
        if optional:
            return
        sys.exit(f"botocore {VERSION} is needed")
    data = os.path.join(os.path.dirname(botocore.__file__), "data")
    files = {name: json.dumps(model, separators=(",", ":")).encode() for name, model in archive(data)}
    if os.path.exists(target):
        with zipfile.ZipFile(target) as held:
            if {n: held.read(n) for n in held.namelist()} == files:
                return
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out:
        for name, text in files.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(info, text, compresslevel=9)


if __name__ == "__main__":
    main(os.path.join(os.path.dirname(os.path.abspath(__file__)), "models.zip"), "--if-installed" in sys.argv[1:])
