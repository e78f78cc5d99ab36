"""Events and logs: emitted here, and followed live by subscribers in the same process."""

import asyncio
import logging

from facts import NAME, tell

from prefect import flow, get_run_logger
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.events import emit_event
from prefect.events.clients import get_events_client, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter, EventResourceFilter
from prefect.events.schemas.events import Event
from prefect.logging.clients import get_logs_subscriber


@flow(name=f"{NAME}-talking")
async def talking(ready: asyncio.Event, started: asyncio.Future):
    from prefect.runtime import flow_run

    started.set_result(flow_run.get_id())
    await ready.wait()
    log = get_run_logger()
    for n in range(3):
        log.info("line %s", n)
        await asyncio.sleep(0.6)
    log.error("last line")
    emit_event(f"{NAME}.spoken", resource={"prefect.resource.id": f"{NAME}.thing"}, payload={"n": 1})


async def follow_events(found, listening, resource):
    wanted = EventFilter(any_resource=None, resource=EventResourceFilter(id=[resource]), event=EventNameFilter(prefix=[f"{NAME}."]))
    async with get_events_subscriber(filter=wanted) as events:
        listening.set()
        async for event in events:
            found.append([event.event, event.payload, [r.id.split(".")[-2] for r in event.related]])
            if event.event.endswith(".last"):
                return


async def follow_logs(found, listening, id):
    async with get_logs_subscriber(filter=LogFilter(flow_run_id=LogFilterFlowRunId(any_=[id]))) as logs:
        listening.set()
        async for log in logs:
            if log.message.startswith(("line", "last")):
                found.append([log.message, log.level == logging.ERROR])
            if log.message == "last line":
                return


async def main():
    ready, started = asyncio.Event(), asyncio.get_running_loop().create_future()
    run = asyncio.create_task(talking(ready, started))
    id = await asyncio.wait_for(started, 30)
    seen_events, seen_logs = [], []
    listening = [asyncio.Event(), asyncio.Event()]
    followers = [
        asyncio.create_task(follow_events(seen_events, listening[0], f"{NAME}.thing")),
        asyncio.create_task(follow_logs(seen_logs, listening[1], id)),
    ]
    [await asyncio.wait_for(e.wait(), 20) for e in listening]
    await asyncio.sleep(1)
    ready.set()
    await run
    async with get_events_client() as client:
        await client.emit(Event(event=f"{NAME}.other", resource={"prefect.resource.id": f"{NAME}.elsewhere"}))
        await asyncio.sleep(2)
        await client.emit(Event(event=f"{NAME}.last", resource={"prefect.resource.id": f"{NAME}.thing"}, payload={"ü": None}))
    await asyncio.wait(followers, timeout=20)
    [f.cancel() for f in followers]
    tell(id=id, events=seen_events, logs=seen_logs)


asyncio.run(main())
