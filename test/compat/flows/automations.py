"""Automations made with the SDK, the events that fire them, and what they did.

A small HTTP server of this program takes the notifications and webhooks.
"""

import json
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

from facts import NAME, tell, until

from prefect import flow
from prefect.automations import (
    Automation,
    CompoundTrigger,
    EventTrigger,
    Posture,
    SequenceTrigger,
)
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterId
from prefect.events import emit_event
from prefect.events.actions import (
    CallWebhook,
    CancelFlowRun,
    PauseAutomation,
    RunDeployment,
    SendNotification,
)

received = {}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        received.setdefault(self.path.strip("/"), []).append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args):
        pass


receiver = HTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=receiver.serve_forever, daemon=True).start()
URL = f"http://127.0.0.1:{receiver.server_port}"


@flow(name=f"{NAME}-breaks")
def breaks():
    raise ValueError("out of water")


@flow(name=f"{NAME}-target")
def target(who: str = "nobody", n: int = 0):
    return who


def hook(path):
    block = Webhook(url=f"{URL}/{path}", method="POST")
    return block.save(f"{NAME}-{path}")


def on(expect, **options):
    return EventTrigger(
        expect={f"{NAME}.{expect}"}, posture=options.pop("posture", Posture.Reactive), threshold=options.pop("threshold", 1), **options
    )


def main():
    notify = CustomWebhookNotificationBlock(
        name=NAME, url=f"{URL}/notified", method="POST", json_data={"subject": "{{subject}}", "body": "{{body}}"}
    ).save(f"{NAME}-notify")
    deployment = target.to_deployment(NAME).apply()
    Automation(
        name=f"{NAME}-failed",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Failed"},
            match_related={"prefect.resource.name": f"{NAME}-breaks", "prefect.resource.role": "flow"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[
            SendNotification(
                block_document_id=notify,
                subject="{{ flow.name }} {{ flow_run.state.name|upper }}",
                body="{{ flow_run.name }}: {{ flow_run.state.message }}",
            )
        ],
    ).create()
    Automation(
        name=f"{NAME}-run",
        trigger=on("run"),
        actions=[RunDeployment(deployment_id=deployment, parameters={"who": "{{ event.payload.who }}", "n": "{{ event.payload.n }}"})],
    ).create()
    Automation(
        name=f"{NAME}-third",
        trigger=on("count", threshold=3, within=timedelta(seconds=60), for_each={"prefect.resource.id"}),
        actions=[CallWebhook(block_document_id=hook("third"), payload='{"of": "{{ labels.prefect.resource.id }}"}')],
    ).create()
    Automation(
        name=f"{NAME}-silent",
        trigger=on("pong", after={f"{NAME}.ping"}, posture=Posture.Proactive, within=timedelta(seconds=10), for_each={"prefect.resource.id"}),
        actions=[CallWebhook(block_document_id=hook("silent"), payload='{"of": "{{ event.resource.id }}"}')],
    ).create()
    Automation(
        name=f"{NAME}-both",
        trigger=CompoundTrigger(require="all", within=timedelta(seconds=60), triggers=[on("one"), on("two")]),
        actions=[CallWebhook(block_document_id=hook("both"), payload='{"firings": "{{ firings|length }}"}')],
    ).create()
    Automation(
        name=f"{NAME}-order",
        trigger=SequenceTrigger(within=timedelta(seconds=60), triggers=[on("two"), on("three")]),
        actions=[CallWebhook(block_document_id=hook("order"), payload='{"last": "{{ event.event }}"}')],
    ).create()
    once = Automation(name=f"{NAME}-once", trigger=on("once"), actions=[CallWebhook(block_document_id=hook("once"), payload='{}')]).create()
    Automation(name=f"{NAME}-stop", trigger=on("once"), actions=[PauseAutomation(source="selected", automation_id=once.id)]).create()
    Automation(
        name=f"{NAME}-cancel",
        trigger=EventTrigger(
            expect={"prefect.flow-run.Scheduled"},
            match_related={"prefect.resource.id": f"prefect.deployment.{deployment}"},
            for_each={"prefect.resource.id"},
            posture=Posture.Reactive,
            threshold=1,
        ),
        actions=[CancelFlowRun()],
    ).create()

    def happens(what, *resources, **payload):
        for r in resources or ("r",):
            emit_event(f"{NAME}.{what}", resource={"prefect.resource.id": f"{NAME}.{r}"}, payload=payload)

    breaks(return_state=True)
    happens("run", who="ada", n=7)
    happens("count", "a", "b", "a", "b", "a")
    happens("ping", "x", "y")
    happens("pong", "y")
    happens("one")
    happens("three")
    happens("two")
    happens("three")
    happens("once")
    until(lambda: received, lambda r: len(r) >= 6, 40)
    with get_client(sync_client=True) as client:
        of = DeploymentFilter(id=DeploymentFilterId(any_=[deployment]))
        runs = until(
            lambda: client.read_flow_runs(deployment_filter=of), lambda runs: runs and runs[0].state.name in ("Cancelled", "Cancelling"), 20
        )
        paused = until(lambda: Automation.read(id=once.id).enabled, lambda enabled: not enabled, 20)
    happens("once")
    happens("one")
    happens("two")
    until(lambda: received.get("both", []), lambda r: len(r) >= 2, 20)
    tell(
        notified=[[m["subject"], m["body"].split(": ", 1)[1]] for m in received.get("notified", [])],
        runs=[[r.parameters, r.created_by.type, r.state.name in ("Cancelled", "Cancelling")] for r in runs],
        third=received.get("third"),
        silent=received.get("silent"),
        both=received.get("both"),
        order=received.get("order"),
        once=len(received.get("once", [])),
        enabled=paused,
    )


main()
