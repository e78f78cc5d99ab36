"""Prints the events of a shop as they come."""

import asyncio

from prefect.events.clients import get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter


async def main():
    chosen = EventFilter(event=EventNameFilter(prefix=["shop."]))
    async with get_events_subscriber(filter=chosen) as subscriber:
        print("watching", flush=True)
        async for event in subscriber:
            print(event.event, event.resource.id, dict(sorted(event.payload.items())), flush=True)


asyncio.run(main())
