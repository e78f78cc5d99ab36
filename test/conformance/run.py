#!/usr/bin/env python3
"""Replays the recordings of real Step Functions against a server; see README.md."""
import argparse
import concurrent.futures
import importlib.util
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

import boto3
from botocore.config import Config

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from replay import Replay  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
ALONE = {"ListStateMachines", "ListActivities"}  # what these answer depends on other cases


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(url, process, name):
    end = time.time() + 60
    while time.time() < end:
        if process.poll() is not None:
            raise SystemExit(f"{name} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{name} does not answer")


class Servers:
    """The fixture and the server under test, started for the run."""

    def __init__(self, recordings, binary, log):
        self.processes, self.home = [], tempfile.mkdtemp(prefix="leat-conformance-")
        other, own = free_port(), free_port()
        self.aws, self.endpoint = f"http://127.0.0.1:{other}", f"http://127.0.0.1:{own}"
        keys = {"AWS_ACCESS_KEY_ID": "000000000000", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
        env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "LEAT_"))}
        self.start("fixture", [sys.executable, str(recordings / "fixtures" / "backend.py"), "--port", str(other), "--sfn-endpoint-url", self.endpoint],
                   {**env, **keys}, log, self.aws + "/_fixture/health")
        self.start("leat", [binary, "server", "start", "--host", "127.0.0.1", "--port", str(own), "--database", str(pathlib.Path(self.home) / "leat.db")],
                   {**env, **keys, "LEAT_HOME": self.home, "AWS_ENDPOINT_URL": self.aws}, log, self.endpoint + "/health")

    def start(self, name, command, env, log, health):
        out = open(pathlib.Path(log) / f"{name}.log", "w") if log else subprocess.DEVNULL
        p = subprocess.Popen(command, env=env, stdout=out, stderr=subprocess.STDOUT)
        self.processes.append(p)
        try:
            wait_for(health, p, name)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for p in reversed(self.processes):
            p.terminate()
        for p in self.processes:
            try:
                p.wait(20)
            except subprocess.TimeoutExpired:
                p.kill()
        shutil.rmtree(self.home, ignore_errors=True)


class Clients:
    """boto3 clients, one for each service and account."""

    def __init__(self, endpoint, aws):
        self.endpoint, self.aws, self.lock, self.made = endpoint, aws, threading.Lock(), {}

    def __call__(self, service, account, checked):
        key = (service, account, checked)
        with self.lock:
            if key not in self.made:
                self.made[key] = boto3.session.Session().client(
                    service, endpoint_url=self.endpoint if service == "stepfunctions" else self.aws, region_name="us-east-1",
                    aws_access_key_id=f"{account * 2:012d}", aws_secret_access_key="test",
                    config=Config(inject_host_prefix=False, parameter_validation=checked, retries={"max_attempts": 0}, read_timeout=90,
                                  max_pool_connections=32, s3={"addressing_style": "path"}))
            return self.made[key]


def listed(name):
    path = HERE / name
    if not path.exists():
        return {}
    rows = [line.split("\t") for line in path.read_text().splitlines() if line and not line.startswith("# ")]
    return {r[0]: r[1] if len(r) > 1 else "" for r in rows}


def replay(check, category, case, clients, limit):
    if not case.get("steps"):
        return category, case["id"], None, []
    r = Replay(check, case, clients, limit)
    try:
        r.run()
        diffs, unchecked = r.compare()
        checked = any(m["key"] in case["expected"] and m["key"] not in unchecked for m in case.get("matches") or [])
        computed = []
        for key in unchecked:
            d = r.computed(key)
            computed.append(f"{key}: " + ("not known how to compute" if d is None else "agrees" if not d else d[0]))
        return category, case["id"], diffs if checked else None, computed
    except Exception as e:  # noqa: whatever goes wrong is a difference of the case
        return category, case["id"], [f"{type(e).__name__}: {e}"], []


def run_all(check, cases, clients, workers, limit):
    alone = [c for c in cases if any(s["op"] in ALONE for s in c[1].get("steps") or [])]
    others = [c for c in cases if c not in alone]
    results = [replay(check, *c, clients, limit) for c in alone]
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(replay, check, *c, clients, limit) for c in others]
        for n, f in enumerate(concurrent.futures.as_completed(futures), 1):
            results.append(f.result())
            if sys.stderr.isatty():
                print(f"\r{n}/{len(futures)}", end="", file=sys.stderr)
    return sorted(results, key=lambda r: (r[0], r[1]))


def report(results, known, notyet, most, width):
    """Prints the figures; returns the cases that differ and are not listed."""
    table, bad = {}, []
    for category, name, diffs, computed in results:
        row = table.setdefault(category, [0, 0, 0])
        if diffs is None:
            row[2] += 1
            if computed:
                print(f"not checked  {name}  ({'; '.join(computed)})"[:width])
            continue
        row[1] += 1
        row[0] += not diffs
        for c in computed:
            if not c.endswith((": agrees", ": not known how to compute")):
                print(f"computed {name}  ({c})"[:width])
        if not diffs:
            for what, names in (("known.txt", known), ("notyet.txt", notyet)):
                if name in names:
                    print(f"agrees now, take it out of {what}: {name}")
            continue
        mark = "known" if name in known else "notyet" if name in notyet else "DIFFERS"
        if mark == "DIFFERS":
            bad.append(name)
        print(f"{mark:8} {name}" + (f"  ({known[name]})" if name in known else ""))
        for d in [] if name in known else diffs[:most]:
            print("         ", d[:width])
    print()
    for category, (ok, n, unchecked) in sorted(table.items()):
        print(f"{category:28} {ok:4}/{n:<4}" + (f"  {unchecked} not checked" if unchecked else ""))
    ok, n, unchecked = (sum(r[i] for r in table.values()) for i in range(3))
    print(f"{'all':28} {ok:4}/{n:<4}  {unchecked} not checked")
    return bad


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("-k", default="", help="replay cases whose category or id holds this")
    ap.add_argument("-v", action="store_true", help="show all differences in full")
    ap.add_argument("--workers", type=int, default=6)
    ap.add_argument("--limit", type=float, default=60, help="seconds for one execution to end")
    ap.add_argument("--recordings", default=str(HERE.parents[2] / "shared" / "sfn-conformance"))
    ap.add_argument("--binary", default=str(HERE.parents[1] / "bin" / "leat"))
    ap.add_argument("--endpoint-url", help="a server that runs already")
    ap.add_argument("--aws-endpoint-url", help="a fixture that runs already")
    ap.add_argument("--logs", help="a folder for the logs of the server and the fixture")
    ap.add_argument("--write-notyet", action="store_true", help="write notyet.txt: the cases that differ now")
    a = ap.parse_args()
    recordings = pathlib.Path(a.recordings)
    if not recordings.exists():
        print(f"skipped: there are no recordings in {recordings}")
        return 0
    spec = importlib.util.spec_from_file_location("check", recordings / "check.py")
    check = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(check)
    cases = [(f.stem, c) for f in sorted(recordings.glob("*.json")) for c in json.loads(f.read_text()) if a.k in f.stem or a.k in c["id"]]
    servers = None if a.endpoint_url else Servers(recordings, a.binary, a.logs)
    try:
        clients = Clients(a.endpoint_url or servers.endpoint, a.aws_endpoint_url or servers.aws)
        began = time.time()
        results = run_all(check, cases, clients, a.workers, a.limit)
    finally:
        if servers:
            servers.stop()
    known, notyet = listed("known.txt"), listed("notyet.txt")
    bad = report(results, known, notyet, None if a.v else 3, 4000 if a.v else 300)
    print(f"in {time.time() - began:.0f} s")
    if a.write_notyet:
        rows = [name for _, name, diffs, _ in results if diffs and name not in known]
        (HERE / "notyet.txt").write_text("# Cases that differ for now; written by --write-notyet.\n" + "".join(r + "\n" for r in rows))
    return 1 if bad and not a.write_notyet else 0


if __name__ == "__main__":
    sys.exit(main())
