"""A first flow: a task mapped over three names, logs and an artifact.

With PREFECT_API_URL set to a server, the run is recorded there. The run's id is
printed last, alone on standard output.
"""

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_table_artifact


@task
def greet(name: str) -> str:
    greeting = f"Hello, {name}!"
    get_run_logger().info(greeting)
    return greeting


@flow(log_prints=True)
def hello(names: list[str] = ["Ada", "Grace", "Mary"]) -> list[str]:
    greetings = greet.map(names).result()
    create_table_artifact(
        key="greetings",
        table=[{"name": n, "greeting": g} for n, g in zip(names, greetings)],
        description="Who was greeted, and how.",
    )
    print(f"greeted {len(greetings)} people")
    return greetings


if __name__ == "__main__":
    state = hello(return_state=True)
    state.result()
    print(state.state_details.flow_run_id)
