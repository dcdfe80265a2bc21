"""All connectors by code, and the transport that carries one connection's calls. Composition roots hand both in."""

from collections.abc import Iterator, Mapping

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


def _secrets(value: object) -> Iterator[str]:
    """Every secret text of the settings, also of nested ones (a token per shop)."""
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, Mapping | list | tuple):
        for member in value.values() if isinstance(value, Mapping) else value:
            yield from _secrets(member)
