"""Cached results, and transactions with rollback and commit hooks."""

from datetime import timedelta

from facts import NAME, task_runs, tell, until

from prefect import flow, task
from prefect.cache_policies import INPUTS
from prefect.context import get_run_context
from prefect.transactions import transaction

calls = []
happened = []


@task(cache_policy=INPUTS, persist_result=True, cache_expiration=timedelta(hours=1))
def costly(n):
    calls.append(n)
    return n * 100


@task(cache_key_fn=lambda context, parameters: f"{NAME}-key", persist_result=True)
def keyed(n):
    calls.append(f"keyed {n}")
    return n


@task(refresh_cache=True, cache_key_fn=lambda context, parameters: f"{NAME}-key", persist_result=True)
def refreshed(n):
    calls.append(f"refreshed {n}")
    return n


@task
def write(name):
    happened.append(f"write {name}")


@write.on_rollback
def unwrite(transaction):
    happened.append("rollback")


@write.on_commit
def commit(transaction):
    happened.append("commit")


@flow(name=f"{NAME}-cache")
def cached():
    values = [costly(1), costly(1), costly(2), keyed(7), keyed(8), refreshed(9), keyed(10)]
    return values, str(get_run_context().flow_run.id)


@flow(name=f"{NAME}-transactions")
def transactions():
    with transaction():
        write("kept")
    with transaction() as txn:
        txn.set("key", "value")
        write("undone")
        happened.append(txn.get("key"))
        raise ValueError("after the write")


values, id = cached()
failed = transactions(return_state=True)
runs = until(lambda: task_runs(id), lambda runs: len([r for r in runs if r.state and r.state.is_final()]) == 7, 60)
runs.sort(key=lambda r: r.expected_start_time)
tell(
    values=values,
    calls=calls,
    states=[r.state.name for r in runs],
    cached_types=sorted({r.state.type.value for r in runs}),
    happened=happened,
    transaction_flow=failed.name,
)
