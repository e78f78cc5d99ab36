"""What the programs share: unique names, and facts printed as one line of JSON."""

import json
import os
import time
from pathlib import Path

from prefect.client.orchestration import get_client

NAME = os.environ["COMPAT_NAME"]
DIR = Path(os.environ["COMPAT_DIR"])


def tell(**facts):
    print(json.dumps(facts, default=str), flush=True)


def until(read, good, seconds=20):
    """Reads until the value is good, at most so many seconds, and returns the last value."""
    end = time.monotonic() + seconds
    while True:
        value = read()
        if good(value) or time.monotonic() > end:
            return value
        time.sleep(0.4)


def task_runs(flow_run_id, limit=200):
    from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

    with get_client(sync_client=True) as client:
        return client.read_task_runs(
            flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[flow_run_id])), limit=limit
        )


def settled_task_runs(flow_run_id, count):
    """The task runs of a flow run, by name, once so many have ended."""
    runs = until(
        lambda: task_runs(flow_run_id),
        lambda runs: len([r for r in runs if r.state and r.state.is_final()]) >= count,
        60,
    )
    return {r.name.rsplit("-", 1)[0]: r for r in runs}


def state_names(task_run_id):
    with get_client(sync_client=True) as client:
        response = client.request("GET", "/task_run_states/", params={"task_run_id": str(task_run_id)})
        return [s["name"] for s in sorted(response.json(), key=lambda s: s["timestamp"])]


def flow_state_names(flow_run_id):
    with get_client(sync_client=True) as client:
        return [s.name for s in sorted(client.read_flow_run_states(flow_run_id), key=lambda s: s.timestamp)]
