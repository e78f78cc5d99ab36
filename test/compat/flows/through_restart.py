"""A flow during which the server is killed and started again."""

import time
from collections import Counter

from facts import NAME, DIR, task_runs, tell, until

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import get_run_context


@task
def step(n):
    return n


@flow(name=f"{NAME}-through-restart")
def through_restart():
    print("flow started", flush=True)
    total = sum(step(n) for n in range(20))
    (DIR / "halfway").touch()
    until(lambda: (DIR / "go-on").exists(), bool, 60)
    total += sum(step(n) for n in range(20, 40))
    time.sleep(0.5)
    return total, str(get_run_context().flow_run.id)


total, id = through_restart()
runs = until(lambda: task_runs(id), lambda found: len([r for r in found if r.state and r.state.is_completed()]) == 40, 60)
with get_client(sync_client=True) as client:
    state = client.read_flow_run(id).state.name
tell(id=id, total=total, state=state, tasks=dict(Counter(r.state.name for r in runs)))
