"""Background tasks: `serve` waits for work, `submit` hands it out with delay and apply_async."""

import sys

from facts import NAME, state_names, tell, until

from prefect import task
from prefect.client.orchestration import get_client
from prefect.context import get_run_context

failed_once = set()


@task(name=f"{NAME}-shout", persist_result=True, log_prints=True)
def shout(word):
    print(f"shouting {word}")
    return word.upper()


@task(name=f"{NAME}-flaky", retries=1, persist_result=True)
def flaky():
    id = get_run_context().task_run.id
    if id not in failed_once:
        failed_once.add(id)
        raise ValueError("not yet")
    return "at last"


@task(name=f"{NAME}-failing", persist_result=True)
def failing():
    raise ValueError("it fails")


def submit():
    early = shout.delay("early")
    with get_client(sync_client=True) as client:
        first = until(lambda: client.read_task_run(early.task_run_id).state.name, lambda s: s != "Pending", 3)
    futures = [early, shout.delay("later"), shout.apply_async(kwargs={"word": "async"}), flaky.delay(), failing.delay()]
    for f in futures:
        f.wait(timeout=40)
    with get_client(sync_client=True) as client:
        runs = [until(lambda: client.read_task_run(f.task_run_id), lambda r: r.state.is_final()) for f in futures]
    tell(
        first=first,
        results=[f.result(timeout=10, raise_on_failure=False) for f in futures[:4]],
        states=[r.state.name for r in runs],
        early_states=state_names(early.task_run_id),
        no_flow_run=[r.flow_run_id for r in runs] == [None] * 5,
        task_run_id=str(early.task_run_id),
    )


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        import faulthandler

        from prefect.logging.handlers import APILogWorker
        from prefect.task_worker import serve

        # Prefect 3.8.8 stands still when the first line that a task prints makes this
        # service in one thread while the event loop's thread makes that of events.
        APILogWorker.instance()

        faulthandler.dump_traceback_later(45)  # where it stands, should it stand still

        serve(shout, flaky, failing)
    else:
        submit()
