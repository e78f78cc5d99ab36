"""Flows that `serve` runs; the tests start, cancel, suspend and retry their runs.

Usage: served.py FLOW [KEY=VALUE ...], the values being JSON for the deployment.
"""

import json
import os
import subprocess
import sys
import time

from facts import DIR, NAME

from prefect import flow, get_run_logger, suspend_flow_run
from prefect.client.schemas.objects import ConcurrencyLimitConfig
from prefect.deployments import run_deployment
from prefect.input import RunInput


def note(text):
    with open(DIR / "notes", "a") as f:
        f.write(text + "\n")


@flow(name=f"{NAME}-hello", log_prints=True)
def hello(name: str = "world", n: int = 1):
    print(f"hello {name} {n}")
    return n + 1


def cancelled(flow, flow_run, state):
    note(f"on_cancellation {state.name}")


@flow(name=f"{NAME}-long", on_cancellation=[cancelled], log_prints=True)
def long(seconds: float = 120):
    child = subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"])
    note(f"pids {os.getpid()} {child.pid}")
    print("long flow sleeps")
    time.sleep(seconds)
    print("long flow woke up")


@flow(name=f"{NAME}-sleeper")
def sleeper(seconds: float = 0):
    time.sleep(seconds)


class Answer(RunInput):
    amount: int


@flow(name=f"{NAME}-suspending")
def suspending():
    note("suspending starts")
    answer = suspend_flow_run(wait_for_input=Answer, timeout=120, key="ask")
    get_run_logger().info("answer is %s", answer.amount)
    return answer.amount


@flow(name=f"{NAME}-second-time")
def second_time():
    marker = DIR / "second"
    if not marker.exists():
        marker.touch()
        raise ValueError("first time")
    return "second time"


@flow(name=f"{NAME}-caller")
def caller():
    run = run_deployment(f"{NAME}-hello/hello", parameters={"name": "from caller", "n": 4}, timeout=60, poll_interval=1)
    detached = run_deployment(f"{NAME}-hello/hello", timeout=0, as_subflow=False)
    get_run_logger().info("called %s %s detached %s", run.id, run.state.name, detached.id)
    return run.state.name


FLOWS = {"hello": hello, "long": long, "sleeper": sleeper, "suspending": suspending, "second_time": second_time, "caller": caller}

if __name__ == "__main__":
    from prefect import serve

    deployments = []
    for argument in sys.argv[1:]:
        name, _, options = argument.partition("=")
        options = json.loads(options or "{}")
        if limit := options.get("concurrency_limit"):
            options["concurrency_limit"] = ConcurrencyLimitConfig(**limit)
        deployments.append(FLOWS[name].to_deployment(name, **options))
    serve(*deployments, limit=10)
