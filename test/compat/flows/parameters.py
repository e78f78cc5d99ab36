"""Parameter schemas, enforced and not: which runs a deployment takes, and how refusals read."""

import json
from enum import Enum

from facts import NAME, tell
from pydantic import BaseModel, Field

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectHTTPStatusError


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Address(BaseModel):
    street: str
    number: int = Field(gt=0)


@flow(name=f"{NAME}-parameters")
def typed(name: str, n: int = 3, colour: Colour = Colour.RED, address: Address | None = None, words: list[str] = []):
    pass


strict = typed.to_deployment("strict", parameters={"name": "preset"}).apply()
loose = typed.to_deployment("loose", enforce_parameter_schema=False).apply()
bare = typed.to_deployment("bare").apply()

with get_client(sync_client=True) as client:

    def run(deployment, parameters):
        try:
            return client.create_flow_run_from_deployment(deployment, parameters=parameters).parameters
        except PrefectHTTPStatusError as e:
            return [e.response.status_code, json.loads(e.response.text).get("detail")]

    tell(
        preset=run(strict, {}),
        good=run(strict, {"n": 5, "colour": "blue", "address": {"street": "Hauptstraße", "number": 7}, "words": ["a"]}),
        wrong_type=run(strict, {"n": "many"}),
        wrong_enum=run(strict, {"colour": "green"}),
        nested=run(strict, {"address": {"street": "x", "number": 0}}),
        nested_missing=run(strict, {"address": {"street": "x"}}),
        missing_key=run(strict, {"address": {"number": 1}}),
        unknown=run(strict, {"surprise": 1}),
        item=run(strict, {"words": ["a", 2]}),
        missing=run(bare, {}),
        loose=run(loose, {"n": "many", "surprise": 1}),
        schema=client.read_deployment(strict).parameter_openapi_schema["required"],
    )
