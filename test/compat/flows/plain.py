"""A flow with tasks, logs, tags, parameters and artifacts of every kind."""

from facts import NAME, settled_task_runs, tell

from prefect import flow, get_run_logger, tags, task
from prefect.artifacts import (
    create_image_artifact,
    create_link_artifact,
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.context import get_run_context


@task(tags=["arith"])
def double(x):
    get_run_logger().info("doubling %s", x)
    return 2 * x


@task
def greet(name):
    get_run_logger().warning("Grüße an %s", name)
    print(f"printed for {name}")
    return f"hello {name}"


@flow(name=f"{NAME}-plain", log_prints=True)
def plain(name: str, numbers: list[int], options: dict | None = None):
    get_run_logger().info("flow starts with %s numbers", len(numbers))
    create_link_artifact("https://example.com/report", "the report", key=f"{NAME}-link")
    create_markdown_artifact("# Title\n\nsome *text*", key=f"{NAME}-markdown", description="a text")
    create_table_artifact([{"a": 1, "b": "x"}, {"a": 2, "b": "ü"}], key=f"{NAME}-table")
    create_image_artifact("https://example.com/i.png", key=f"{NAME}-image")
    progress = create_progress_artifact(0.0, key=f"{NAME}-progress")
    update_progress_artifact(progress, 75.0)
    create_markdown_artifact("second version", key=f"{NAME}-markdown")
    greet(name)
    total = sum(double(n) for n in numbers)
    return {"total": total, "id": str(get_run_context().flow_run.id)}


with tags("nightly", f"{NAME}-tag"):
    result = plain("Zoë", [1, 2, 3], options={"deep": {"er": [None, True, 1.5]}})

runs = settled_task_runs(result["id"], 4)
tell(
    id=result["id"],
    total=result["total"],
    tasks=sorted(runs),
    greet_name=runs["greet"].name,
    states=sorted({r.state.name for r in runs.values()}),
    greet_inputs=sorted(runs["greet"].task_inputs),
    double_tags=sorted(runs["double"].tags),
)
