"""Fill a server, by the SDK, with some of everything that can be imported.

argv: a number that sets the names of what this call makes apart, and how many
runs of the small flow to make.
"""

import json
import os
import sys
from datetime import datetime, timedelta, timezone

import anyio
from prefect import flow, get_client, get_run_logger, tags, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.automations import Automation
from prefect.blocks.core import Block
from prefect.blocks.notifications import SlackWebhook
from prefect.blocks.system import Secret
from prefect.client.schemas.actions import GlobalConcurrencyLimitCreate, WorkPoolCreate
from prefect.client.schemas.schedules import (
    CronSchedule,
    IntervalSchedule,
    RRuleSchedule,
)
from prefect.events import emit_event
from prefect.events.actions import DoNothing, RunDeployment, SendNotification
from prefect.events.schemas.automations import (
    CompoundTrigger,
    EventTrigger,
    Posture,
    SequenceTrigger,
)
from prefect.states import Completed, Running, Scheduled
from prefect.variables import Variable
from pydantic import SecretStr


class Inner(Block):
    _block_type_slug = "import-inner"
    token: SecretStr
    region: str = "eu"


class Outer(Block):
    _block_type_slug = "import-outer"
    inner: Inner
    secret: Secret
    size: int = 1


@task(retries=1, retry_delay_seconds=0, tags=["db"])
def flaky(n: int, tries: list):
    get_run_logger().info("flaky %s", n)
    tries.append(n)
    if len(tries) < 2:
        raise ValueError("not yet")
    return n


@task
def add(a: int, b: int = 1) -> int:
    get_run_logger().warning("add %s %s", a, b)
    return a + b


@task
def fails():
    raise RuntimeError("always")


@flow
def child(n: int):
    return add(n)


@flow(retries=1, retry_delay_seconds=0)
def parent(n: int, when: str = "now"):
    total = add.map(list(range(3)), b=n)
    child(n)
    flaky(n, [])
    create_markdown_artifact("# report", key=f"report-{n % 2}", description="a report")
    create_table_artifact([{"a": 1, "b": None}], key="table")
    progress = create_progress_artifact(10.0)
    update_progress_artifact(progress, 90.0)
    emit_event("my.event", resource={"prefect.resource.id": f"my.{n}"}, payload={"n": n})
    return [f.result() for f in total]


@flow
def broken():
    get_run_logger().error("going wrong")
    fails()


@flow(name="small flow")
def small(n: int):
    add(n)


async def rest(n: int):
    async with get_client() as client:
        for kind, limit in (("process", None), ("docker", 3), ("kubernetes", None), ("ecs", 5)):
            await client.create_work_pool(
                WorkPoolCreate(name=f"{kind}-pool-{n}", type=kind, concurrency_limit=limit, description="a pool")
            )
        await client.create_work_queue(name="fast", work_pool_name=f"process-pool-{n}", priority=1, concurrency_limit=2)
        await client.create_work_queue(name="slow", work_pool_name=f"process-pool-{n}", priority=9, is_paused=True)
        await client.create_global_concurrency_limit(GlobalConcurrencyLimitCreate(name=f"database-{n}", limit=4, slot_decay_per_second=0.5))
        await client.create_concurrency_limit(tag=f"db-{n}", concurrency_limit=2)
        flow_id = await client.create_flow(parent)
        start = datetime(2030, 1, 1, tzinfo=timezone.utc)
        deployments = []
        for name, schedule in (
            ("by-cron", CronSchedule(cron="0 3 * * 1-5", timezone="Europe/Berlin")),
            ("by-interval", IntervalSchedule(interval=timedelta(hours=7), anchor_date=start, timezone="UTC")),
            ("by-rrule", RRuleSchedule(rrule="FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30", timezone="America/New_York")),
        ):
            from prefect.client.schemas.actions import DeploymentScheduleCreate

            deployments.append(
                await client.create_deployment(
                    flow_id, f"{name}-{n}", version="1.2", description="a deployment",
                    schedules=[DeploymentScheduleCreate(schedule=schedule, active=name != "by-rrule", parameters={"when": name}, slug=name)],
                    parameters={"n": n, "when": "later"}, tags=["etl", name], work_pool_name=f"process-pool-{n}", work_queue_name="fast",
                    entrypoint="import_fill.py:parent", path="/tmp", job_variables={"env": {"A": "1"}},
                    parameter_openapi_schema={"type": "object", "properties": {"n": {"type": "integer"}, "when": {"type": "string"}}, "required": ["n"]},
                    enforce_parameter_schema=True, concurrency_limit=3 if name == "by-cron" else None,
                    pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": "/tmp"}}],
                )
            )
        await client.create_work_queue(name="live", work_pool_name=f"process-pool-{n}")
        here = os.path.dirname(os.path.abspath(__file__))
        live = await client.create_deployment(
            await client.create_flow(small), f"live-{n}", parameters={"n": 5}, entrypoint="import_fill.py:small", schedules=[],
            work_pool_name=f"process-pool-{n}", work_queue_name="live",
            pull_steps=[{"prefect.deployments.steps.set_working_directory": {"directory": here}}],
        )
        await client.create_flow_run_from_deployment(deployments[0], parameters={"n": 7}, name=f"ahead-{n}",
                                                     state=Scheduled(scheduled_time=datetime.now(timezone.utc) + timedelta(days=30)))
        done = await client.create_flow_run_from_deployment(deployments[1], parameters={"n": 8}, name=f"done-{n}", tags=["by-hand"])
        await client.set_flow_run_state(done.id, Running(), force=True)
        await client.set_flow_run_state(done.id, Completed(message="by hand"), force=True)
        busy = await client.create_flow_run(small, parameters={"n": 1}, name=f"busy-{n}", state=Running())
        body = {"name": f"search {n}", "filters": [{"object": "flow_run", "property": "name", "type": "string", "operation": "equals", "value": "x"}]}
        (await client._client.put("/saved_searches/", json=body)).raise_for_status()
        event = EventTrigger(expect={"prefect.flow-run.Failed"}, match={"prefect.resource.id": "prefect.flow-run.*"},
                             posture=Posture.Reactive, threshold=1, within=timedelta(0))
        slack = await SlackWebhook(url=SecretStr("http://127.0.0.1:9/hook")).save(f"slack-{n}", overwrite=True)
        for automation in (
            Automation(name=f"failed-{n}", trigger=event, actions=[RunDeployment(source="selected", deployment_id=deployments[0], parameters={"n": 1})]),
            Automation(name=f"silent-{n}", enabled=False, trigger=EventTrigger(
                expect={"my.event"}, for_each={"prefect.resource.id"}, posture=Posture.Proactive, threshold=1, within=timedelta(seconds=600)),
                actions=[DoNothing()]),
            Automation(name=f"both-{n}", description="two at once", trigger=CompoundTrigger(require="all", within=timedelta(seconds=60), triggers=[
                event, EventTrigger(expect={"my.event"}, posture=Posture.Reactive, threshold=2, within=timedelta(seconds=10))]),
                actions=[SendNotification(block_document_id=slack, subject="s", body="{{ flow_run.name }}")]),
            Automation(name=f"row-{n}", trigger=SequenceTrigger(within=timedelta(seconds=60), triggers=[event, event]), actions=[DoNothing()]),
        ):
            await automation.acreate()
        return {"live": str(live), "busy": str(busy.id), "pool": f"process-pool-{n}", "slack": str(slack)}


def main():
    n, runs = int(sys.argv[1]), int(sys.argv[2])
    Variable.set(f"plain_{n}", "text", tags=["v"])
    Variable.set(f"nested_{n}", {"a": [1, 2, {"b": None}]})
    Secret(value="hush hush").save(f"secret-{n}")
    Inner(token="tok-123").save(f"inner-{n}")
    Outer(inner=Inner.load(f"inner-{n}"), secret=Secret.load(f"secret-{n}"), size=n).save(f"outer-{n}")
    with tags("nightly"):
        parent(n)
    broken(return_state=True)
    for i in range(runs):
        small(i)
    print(json.dumps(anyio.run(rest, n)))


if __name__ == "__main__":
    main()
