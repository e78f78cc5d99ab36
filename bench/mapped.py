"""A flow that maps a small task over a number of items; prints its seconds."""

import sys
import time

from prefect import flow, task


@task
def square(x: int) -> int:
    return x * x


@flow
def mapped(n: int) -> int:
    return sum(f.result() for f in square.map(range(n)))


if __name__ == "__main__":
    n = int(sys.argv[1])
    start = time.perf_counter()
    total = mapped(n)
    seconds = time.perf_counter() - start
    if total != sum(x * x for x in range(n)):
        sys.exit("wrong result")
    print(seconds)
