"""State hooks of flows and tasks, and what ends in Crashed."""

from facts import NAME, tell

from prefect import flow, task
from prefect.client.orchestration import get_client
from prefect.context import get_run_context

seen = []


def hook(label):
    def called(what, run, state):
        seen.append(f"{label}: {what.name.removeprefix(NAME + '-')} {state.type.value}")

    return called


@task(on_completion=[hook("task completion")], on_failure=[hook("task failure")])
def work(fail):
    if fail:
        raise ValueError("task fails")


@flow(name=f"{NAME}-good", on_running=[hook("running")], on_completion=[hook("completion")], on_failure=[hook("failure")])
def good():
    work(False)


@flow(name=f"{NAME}-bad", on_completion=[hook("completion")], on_failure=[hook("failure")])
def bad():
    work(True)


@flow(name=f"{NAME}-crashing", on_crashed=[hook("crashed")], on_failure=[hook("failure")])
def crashing():
    ids.append(str(get_run_context().flow_run.id))
    raise SystemExit(3)


@flow(name=f"{NAME}-interrupted", on_crashed=[hook("crashed")])
def interrupted():
    ids.append(str(get_run_context().flow_run.id))
    raise KeyboardInterrupt


ids = []
good()
bad_state = bad(return_state=True)
for f in (crashing, interrupted):
    try:
        f()
    except BaseException as e:  # what ends a process
        seen.append(type(e).__name__)
with get_client(sync_client=True) as client:
    crashed = [client.read_flow_run(id) for id in ids]
    failed = client.read_flow_run(bad_state.state_details.flow_run_id)
tell(
    seen=seen,
    crashed=[r.state.type.value for r in crashed],
    crash_messages=[r.state.message for r in crashed],
    failed=failed.state.name,
    failed_message=failed.state.message,
)
