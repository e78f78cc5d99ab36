"""A flow during which the server is killed and started again."""

import time
from collections import Counter

from facts import NAME, DIR, task_runs, tell, until

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import get_run_context


@task(task_run_name="step-{n}")
def step(n):
    return n


@flow(name=f"{NAME}-through-restart")
def through_restart():
    print("flow started", flush=True)
    total = step(0)
    # A client whose event socket breaks while it says hello for the first time
    # gives up what it has queued (its EventsWorker ends), whatever the server
    # does: the kill must come later. What follows may still be on its way then.
    until(lambda: task_runs(get_run_context().flow_run.id), bool, 60)
    total += sum(step(n) for n in range(1, 20))
    (DIR / "halfway").touch()
    until(lambda: (DIR / "go-on").exists(), bool, 60)
    total += sum(step(n) for n in range(20, 40))
    time.sleep(0.5)
    return total, str(get_run_context().flow_run.id)


total, id = through_restart()
runs = until(lambda: task_runs(id), lambda found: len([r for r in found if r.state and r.state.is_completed()]) == 40, 60)
with get_client(sync_client=True) as client:
    state = client.read_flow_run(id).state.name
missing = sorted({f"step-{n}" for n in range(40)} - {r.name for r in runs})
tell(id=id, total=total, state=state, tasks=dict(Counter(r.state.name for r in runs)), missing=missing)
