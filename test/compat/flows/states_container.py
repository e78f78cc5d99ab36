"""What containers of the tests do: `die`, `sleep`, or `answer` and go on."""

import os
import sys
import time
from pathlib import Path

print("container starts", flush=True)
match sys.argv[1]:
    case "die":
        print("last words", flush=True)
        sys.exit(3)
    case "sleep":
        time.sleep(600)
    case "answer":
        import boto3

        boto3.client("stepfunctions").send_task_success(taskToken=os.environ["TOKEN"], output='{"answer": 42}')
        print("answered", flush=True)
        while not Path(os.environ["GO_ON"]).exists():
            time.sleep(0.1)
        print("still here", flush=True)
