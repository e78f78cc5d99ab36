"""A task mapped over 1,000 items: all of its task runs are recorded, each complete."""

from collections import Counter

from facts import NAME, tell, until

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.context import get_run_context
from prefect.task_runners import ThreadPoolTaskRunner

ITEMS = 1000


@task
def square(n):
    return n * n


@flow(name=f"{NAME}-map", task_runner=ThreadPoolTaskRunner(max_workers=16))
def mapped():
    futures = square.map(list(range(ITEMS)))
    return sum(futures.result()), str(get_run_context().flow_run.id)


total, id = mapped()


def recorded():
    found = []
    with get_client(sync_client=True) as client:
        for offset in range(0, ITEMS + 200, 200):
            found += client.read_task_runs(
                flow_run_filter=FlowRunFilter(id=FlowRunFilterId(any_=[id])), limit=200, offset=offset
            )
    return found


runs = until(recorded, lambda runs: len([r for r in runs if r.state and r.state.is_completed()]) == ITEMS, 60)
tell(
    total=total,
    distinct=len({r.id for r in runs}),
    dynamic_keys=len({r.dynamic_key for r in runs}),
    states=dict(Counter(r.state.name for r in runs)),
    run_counts=sorted({r.run_count for r in runs}),
    times_ordered=all(r.start_time <= r.end_time for r in runs),
)
