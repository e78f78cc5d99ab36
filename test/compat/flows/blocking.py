"""Flows that show no sign of life for a while: blocking.py KIND SECONDS. Prints the run's id when it is quiet."""

import sys
import time

from facts import NAME

from prefect import flow, pause_flow_run, task
from prefect.context import get_run_context

kind, seconds = sys.argv[1], float(sys.argv[2])


@task
def nap():
    time.sleep(seconds)


@flow(name=f"{NAME}-{kind}")
def quiet():
    time.sleep(2)  # the first heartbeat leaves meanwhile: before it nothing tells a killed run from a quiet one
    print(f"quiet {get_run_context().flow_run.id}", flush=True)
    if kind == "sleep":
        time.sleep(seconds)
    elif kind == "task":
        nap()
    elif kind == "pause":
        pause_flow_run(timeout=int(seconds) * 2, poll_interval=1)
    else:
        raise ValueError(kind)


quiet()
print("completed", flush=True)
