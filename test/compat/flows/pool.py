"""Flows for workers; run as a program it deploys them to a pool: pool.py POOL [KEY=VALUE ...]."""

import os
import subprocess
import sys
import time
from pathlib import Path

from prefect import flow, task
from prefect.runtime import flow_run

NAME = os.environ["COMPAT_NAME"]
DIR = Path(os.environ["COMPAT_DIR"])


def note(text):
    with open(DIR / "notes", "a") as f:
        f.write(text + "\n")


@task
def add(a, b):
    return a + b


@flow(name=f"{NAME}-pooled", log_prints=True)
def pooled(a: int = 1, b: int = 2):
    print(f"sum is {add(a, b)} variable {os.environ.get('COMPAT_VARIABLE')}")
    note(f"pooled {flow_run.name} {a}")


@flow(name=f"{NAME}-tree", log_prints=True)
def tree(seconds: float = 120):
    child = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep({seconds})'])"]
    )
    time.sleep(2)  # the first heartbeat leaves meanwhile
    note(f"pids {os.getpid()} {child.pid}")
    print("tree stands")
    time.sleep(seconds)


@flow(name=f"{NAME}-broken")
def broken():
    raise ValueError("broken on purpose")


@flow(name=f"{NAME}-dying", log_prints=True)
def dying():
    note("dying")
    os._exit(7)


if __name__ == "__main__":
    from facts import tell

    pool, queues = sys.argv[1], sys.argv[2:]
    source = str(Path(__file__).parent)
    ids = {}
    for f in (pooled, tree, broken, dying):
        remote = type(f).from_source(source=source, entrypoint=f"pool.py:{f.fn.__name__}")
        ids[f.fn.__name__] = remote.deploy(
            "d", work_pool_name=pool, job_variables={"env": {"COMPAT_VARIABLE": "from job variables"}}, print_next_steps=False
        )
    for queue in queues:
        remote = type(pooled).from_source(source=source, entrypoint="pool.py:pooled")
        ids[queue] = remote.deploy(queue, work_pool_name=pool, work_queue_name=queue, print_next_steps=False)
    tell(**ids)
