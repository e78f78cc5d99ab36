"""pause_flow_run and wait_for_input, resumed with and without (typed) input, and a pause that times out."""

from threading import Thread

from facts import NAME, flow_state_names, tell, until

from prefect import flow, get_run_logger, pause_flow_run
from prefect.client.orchestration import get_client
from prefect.context import get_run_context
from prefect.flow_runs import resume_flow_run
from prefect.input import RunInput, receive_input, send_input

started = {}


def begin(name):
    started[name] = str(get_run_context().flow_run.id)


class Approval(RunInput):
    approved: bool
    note: str = "none"


@flow(name=f"{NAME}-pausing")
def pausing():
    begin("pausing")
    pause_flow_run(timeout=60, poll_interval=1)
    return "went on"


@flow(name=f"{NAME}-asking")
def asking():
    begin("asking")
    approval = pause_flow_run(
        wait_for_input=Approval.with_initial_data(description="please decide", note="initial"), timeout=60, poll_interval=1
    )
    get_run_logger().info("approved: %s", approval.approved)
    return [approval.approved, approval.note]


@flow(name=f"{NAME}-ignored")
def ignored():
    begin("ignored")
    pause_flow_run(timeout=2, poll_interval=1)


@flow(name=f"{NAME}-listening")
def listening():
    begin("listening")
    for word in receive_input(str, timeout=20, poll_interval=0.5):
        return word


def in_thread(f):
    results = {}

    def run():
        results["state"] = f(return_state=True)

    thread = Thread(target=run)
    thread.start()
    until(lambda: f.fn.__name__ in started, bool)
    return thread, results, started[f.fn.__name__]


def read(id):
    with get_client(sync_client=True) as client:
        return client.read_flow_run(id)


def paused(id):
    return until(lambda: read(id), lambda run: run.state.is_paused()).state


def main():
    thread, pausing_result, pausing_id = in_thread(pausing)
    pause_state = paused(pausing_id)
    resume_flow_run(pausing_id)
    ask_thread, asking_result, asking_id = in_thread(asking)
    ask_state = paused(asking_id)
    try:
        resume_flow_run(asking_id, run_input={"approved": "perhaps"})
        refused = "no"
    except Exception as e:
        refused = str(e)
    resume_flow_run(asking_id, run_input={"approved": True})
    ignored_thread, ignored_result, ignored_id = in_thread(ignored)
    listen_thread, listening_result, listening_id = in_thread(listening)
    send_input("hello", flow_run_id=listening_id)
    for t in (thread, ask_thread, ignored_thread, listen_thread):
        t.join(60)
    tell(
        paused=[pause_state.type.value, pause_state.name],
        has_timeout=pause_state.state_details.pause_timeout is not None,
        went_on=pausing_result["state"].result(),
        states=flow_state_names(pausing_id),
        keyset=sorted((ask_state.state_details.run_input_keyset or {}).keys()),
        refused=refused,
        answer=asking_result["state"].result(),
        ignored=[ignored_result["state"].type.value, read(ignored_id).state.type.value],
        received=listening_result["state"].result(),
    )


main()
