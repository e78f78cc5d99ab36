"""A deployment that no process serves."""

from facts import NAME, tell

from prefect import flow


@flow(name=f"{NAME}-undeployed")
def undeployed(x: int = 1):
    pass


tell(id=undeployed.to_deployment("plain", tags=["t1"], description="nobody runs it").apply())
