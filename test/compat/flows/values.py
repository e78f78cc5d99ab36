"""Variables, Secret and JSON-like blocks, own block types, by client and by flow."""

from facts import NAME, tell
from pydantic import SecretStr

from prefect import flow
from prefect.blocks.core import Block
from prefect.blocks.system import Secret
from prefect.blocks.webhook import Webhook
from prefect.client.orchestration import get_client
from prefect.variables import Variable

KEY = NAME.replace("-", "_")


class Settings(Block):
    """A block type of our own."""

    _block_type_name = f"{NAME} settings"
    limits: dict[str, list[int]]
    password: SecretStr
    level: int = 3


class Nested(Block):
    _block_type_name = f"{NAME} nested"
    settings: Settings


@flow(name=f"{NAME}-values")
def values():
    Variable.set(f"{KEY}_text", "plain", tags=["a"])
    Variable.set(f"{KEY}_json", {"list": [1, None, "ü"], "deep": {"er": True}})
    read = [Variable.get(f"{KEY}_text"), Variable.get(f"{KEY}_json"), Variable.get(f"{KEY}_missing", default="fallback")]
    try:
        Variable.set(f"{KEY}_text", "again")
        doubled = "taken"
    except ValueError as e:
        doubled = type(e).__name__
    Variable.set(f"{KEY}_text", "again", overwrite=True)
    read.append(Variable.get(f"{KEY}_text"))

    Secret(value="sesame").save(f"{NAME}-secret")
    Secret(value={"user": "ada", "pins": [1, 2]}).save(f"{NAME}-secret-json")
    secrets = [Secret.load(f"{NAME}-secret").get(), Secret.load(f"{NAME}-secret-json").get()]

    settings = Settings(limits={"cpu": [1, 2]}, password="hunter2")
    settings.save(f"{NAME}-settings")
    Nested(settings=settings).save(f"{NAME}-nested")
    settings.level = 9
    settings.save(f"{NAME}-settings", overwrite=True)
    loaded = Nested.load(f"{NAME}-nested").settings
    Webhook(url="https://example.com/hook").save(f"{NAME}-hook")
    try:
        Secret.load(f"{NAME}-none")
        missing = "loaded"
    except ValueError as e:
        missing = str(e)
    return dict(
        variables=read,
        doubled=doubled,
        secrets=secrets,
        nested=[loaded.limits, loaded.password.get_secret_value(), loaded.level],
        hook=Webhook.load(f"{NAME}-hook").url.get_secret_value(),
        missing=missing,
    )


found = values()
with get_client(sync_client=True) as client:
    hidden = client.read_block_document_by_name(f"{NAME}-secret", "secret", include_secrets=False)
tell(hidden=hidden.data["value"], **found)
