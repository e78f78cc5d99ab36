"""Resumes a flow run with input: resume.py RUN JSON."""

import json
import sys

from facts import tell

from prefect.flow_runs import resume_flow_run

try:
    resume_flow_run(sys.argv[1], run_input=json.loads(sys.argv[2]))
    tell(resumed="yes")
except Exception as e:
    tell(resumed=type(e).__name__, message=str(e))
