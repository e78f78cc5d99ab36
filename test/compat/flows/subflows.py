"""Sub-flows called in the process, submitted tasks, dependencies between them."""

from facts import NAME, settled_task_runs, tell

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import get_run_context
from prefect.futures import wait


@task
def add(a, b):
    return a + b


@task
def report(value):
    return f"value {value}"


@flow(name=f"{NAME}-child")
def child(n: int):
    return {"n": n + 1, "id": str(get_run_context().flow_run.id)}


@flow(name=f"{NAME}-failing-child")
def failing_child():
    raise ValueError("child fails")


@flow(name=f"{NAME}-parent")
def parent():
    first = add.submit(1, 2)
    second = add.submit(first, 10)
    third = report.submit("after", wait_for=[second])
    wait([first, second, third])
    below = child(second.result())
    failed = failing_child(return_state=True)
    return {
        "id": str(get_run_context().flow_run.id),
        "second": second.result(),
        "third": third.result(),
        "child": below,
        "failed": failed.name,
        "first_task": str(first.task_run_id),
        "second_task": str(second.task_run_id),
    }


out = parent()
runs = settled_task_runs(out["id"], 5)
with get_client(sync_client=True) as client:
    child_run = client.read_flow_run(out["child"]["id"])
    second_run = client.read_task_run(out["second_task"])
    link = client.read_task_run(child_run.parent_task_run_id)
tell(
    second=out["second"],
    third=out["third"],
    child_value=out["child"]["n"],
    failed=out["failed"],
    names=sorted(name.removeprefix(NAME + "-") for name in runs),
    child_has_parent=str(link.flow_run_id) == out["id"],
    link_state=link.state.name,
    link_to_child=str(link.state.state_details.child_flow_run_id) == out["child"]["id"],
    second_needs_first=[str(i.id) for i in second_run.task_inputs["a"]] == [out["first_task"]],
)
