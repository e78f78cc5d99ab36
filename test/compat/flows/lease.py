"""Holds a slot by a lease until it is killed."""

import time

from facts import NAME

from prefect.concurrency.sync import concurrency

with concurrency(f"{NAME}-leased", lease_duration=60):
    print("slot is held", flush=True)
    time.sleep(600)
