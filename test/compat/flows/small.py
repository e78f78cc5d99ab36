"""The smallest flow with a task."""

from facts import NAME, settled_task_runs, tell

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import get_run_context


@task
def one():
    return 1


@flow(name=f"{NAME}-small")
def small():
    one()
    return str(get_run_context().flow_run.id)


id = small()
with get_client(sync_client=True) as client:
    state = client.read_flow_run(id).state.name
tell(id=id, state=state, tasks=[r.state.name for r in settled_task_runs(id, 1).values()])
