"""Retries with delays and jitter, of tasks and flows, and timeouts of both."""

import time

from facts import NAME, flow_state_names, settled_task_runs, state_names, tell

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import get_run_context
from prefect.states import State

attempts = {}


def attempt(name):
    attempts[name] = attempts.get(name, 0) + 1
    return attempts[name]


@task(retries=2, retry_delay_seconds=[0.3, 0.1], retry_jitter_factor=0.5)
def flaky():
    if attempt("flaky") < 3:
        raise ValueError("not yet")
    return "at last"


@task(retries=1, retry_delay_seconds=5)
def slow_to_retry():
    # A delay beyond a few seconds makes the client wait in AwaitingRetry.
    if attempt("slow_to_retry") < 2:
        raise ValueError("not yet")


@task(retries=3, retry_condition_fn=lambda task, run, state: False)
def hopeless():
    attempt("hopeless")
    raise ValueError("never")


@task(timeout_seconds=0.5)
def sleepy():
    time.sleep(3)


@flow(name=f"{NAME}-retried-tasks")
def tasks_flow():
    flaky()
    slow_to_retry()
    hopeless(return_state=True)
    sleepy(return_state=True)
    return str(get_run_context().flow_run.id)


@flow(name=f"{NAME}-retried-flow", retries=2, retry_delay_seconds=0.2)
def flaky_flow():
    ids.add(str(get_run_context().flow_run.id))
    if attempt("flow") < 3:
        raise ValueError("flow not yet")
    return "flow at last"


@flow(name=f"{NAME}-sleepy", timeout_seconds=0.5)
def sleepy_flow():
    time.sleep(5)


ids = set()
id = tasks_flow()
value = flaky_flow()
timed_out: State = sleepy_flow(return_state=True)
runs = settled_task_runs(id, 4)
with get_client(sync_client=True) as client:
    retried_flow = client.read_flow_run(next(iter(ids)))
    timed_out_run = client.read_flow_run(timed_out.state_details.flow_run_id)

tell(
    flaky_state=runs["flaky"].state.name,
    flaky_run_count=runs["flaky"].run_count,
    flaky_states=state_names(runs["flaky"].id),
    slow_states=state_names(runs["slow_to_retry"].id),
    hopeless_state=runs["hopeless"].state.name,
    hopeless_attempts=attempts["hopeless"],
    sleepy_state=runs["sleepy"].state.name,
    sleepy_type=runs["sleepy"].state.type.value,
    flow_value=value,
    flow_ids=len(ids),
    flow_run_count=retried_flow.run_count,
    flow_states=flow_state_names(retried_flow.id),
    timed_out_flow=timed_out_run.state.name,
    timed_out_message=timed_out_run.state.message,
)
