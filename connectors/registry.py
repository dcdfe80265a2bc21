"""All connectors by code, and the transport that carries one connection's calls. Composition roots hand both in."""

import httpx
from pydantic import BaseModel, SecretStr

from connectors import gomag
from connectors.budget import TokenBuckets as TokenBuckets
from connectors.transport import OnExchange, Transport
from hub.ports import Connector, RateBudget, Registry

REGISTRY: Registry = {spec.code: spec for spec in (gomag.SPEC,)}


def transport_for(
    connector: Connector,
    config: BaseModel,
    *,
    client: httpx.AsyncClient,
    budget: RateBudget,
    on_exchange: OnExchange | None = None,
) -> Transport:
    """The sender of one connection: its rate limits, its secrets masked in whatever `on_exchange` is told.

    `client` comes from `connectors.transport.open_client` and decides whether private addresses may be called.
    """
    return Transport(
        client=client,
        budget=budget,
        limits={limit.name: limit for limit in connector.limits},
        busy=connector.busy,
        secrets=tuple(_secrets(config)),
        on_exchange=on_exchange,
    )


def _secrets(config: BaseModel) -> list[str]:
    values = (getattr(config, name) for name in type(config).model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
