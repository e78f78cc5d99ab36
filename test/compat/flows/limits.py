"""Global concurrency limits with leases, rate limits by slot decay, and limits by tag."""

import sys
import time
from threading import Thread

from facts import NAME, settled_task_runs, tell, until

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate
from prefect.concurrency.sync import concurrency, rate_limit
from prefect.context import get_run_context
from prefect.task_runners import ThreadPoolTaskRunner

inside, most = 0, 0


def busy(seconds):
    global inside, most
    inside += 1
    most = max(most, inside)
    time.sleep(seconds)
    inside -= 1


@task(tags=[f"{NAME}-tag"])
def tagged():
    busy(0.5)


@task(tags=[f"{NAME}-none"])
def forbidden():
    pass


@flow(name=f"{NAME}-tagged", task_runner=ThreadPoolTaskRunner(max_workers=6))
def tagged_flow():
    futures = [tagged.submit() for _ in range(4)]
    [f.result() for f in futures]
    return str(get_run_context().flow_run.id)


@flow(name=f"{NAME}-forbidden")
def forbidden_flow():
    forbidden()


def limited():
    with concurrency(f"{NAME}-two", occupy=1):
        busy(1)


def active(name):
    with get_client(sync_client=True) as client:
        return client.read_global_concurrency_limit_by_name(name).active_slots


def main():
    global most
    facts = {}
    with get_client(sync_client=True) as client:
        client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=f"{NAME}-two", limit=2))
        client.create_global_concurrency_limit(
            GlobalConcurrencyLimitCreate(name=f"{NAME}-rate", limit=2, slot_decay_per_second=1.0)
        )
    threads = [Thread(target=limited) for _ in range(4)]
    [t.start() for t in threads]
    facts["active"] = until(lambda: active(f"{NAME}-two"), lambda n: n == 2, 5)
    [t.join() for t in threads]
    facts["most"] = most
    facts["free_again"] = active(f"{NAME}-two")

    with concurrency(f"{NAME}-two", occupy=2):
        try:
            with concurrency(f"{NAME}-two", occupy=1, timeout_seconds=1):
                facts["timeout"] = "entered"
        except TimeoutError:
            facts["timeout"] = "TimeoutError"
    try:
        with concurrency(f"{NAME}-unknown", strict=True):
            facts["strict"] = "entered"
    except Exception as e:
        facts["strict"] = type(e).__name__
    with concurrency(f"{NAME}-unknown"):
        facts["unknown"] = "entered"

    start = time.monotonic()
    for _ in range(5):
        rate_limit(f"{NAME}-rate")
    facts["rate_took_seconds"] = 1.5 < time.monotonic() - start < 15

    most = 0
    id = tagged_flow()
    facts["tagged_most"] = most
    runs = settled_task_runs(id, 4)
    facts["tagged_states"] = sorted({r.state.name for r in runs.values()})
    facts["forbidden"] = forbidden_flow(return_state=True).name if len(sys.argv) > 1 else None
    tell(**facts)


main()
