"""A connector on the bench: its sandbox over real HTTP, its transport, and what the contract must know of it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from connectors.registry import REGISTRY, TokenBuckets, transport_for
from connectors.sandbox.app import Running, Sandbox, running
from connectors.sandbox.faults import Fault
from connectors.transport import Exchange, Transport
from hub.ports import Connector, JsonObject, Page, Stream, Vendor


@dataclass(frozen=True, slots=True)
class Case:
    """What the contract cannot know by itself: how to fill the vendor's sandbox and what must come out of it."""

    sandbox: str
    keys: Mapping[str, Callable[[Sandbox], set[str]]]
    """Inbound stream → the external keys that a full read must bring."""
    position: Callable[[JsonObject], Any]
    """The cursor of a checkpoint, as something that can be compared."""
    order_key: Callable[[Any], str] = lambda order: str(order.id)
    status: str = "9"
    """A status that the hub may set."""
    many: Mapping[str, Any] = field(default_factory=dict)
    """Sandbox options for several pages in every inbound stream."""


CASES: Mapping[str, Case] = {
    "GOMAG": Case(
        sandbox="gomag",
        keys={
            "products": lambda sandbox: {str(unit.id) for _, unit in sandbox.shop.units()},
            "orders": lambda sandbox: {str(order.id) for order in sandbox.shop.orders},
        },
        position=lambda checkpoint: checkpoint["since"],
        many={"orders": 230, "products": 210},
    )
}


class Memory:
    """A `ConnectionState` in memory."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    async def get(self, key: str) -> Any | None:
        return self.values.get(key)

    async def put(self, key: str, value: Any, *, secret: bool = False, lives: timedelta | None = None) -> None:
        self.values[key] = value


@dataclass(frozen=True, slots=True)
class Bench:
    """One connector connected to one running sandbox."""

    case: Case
    spec: Connector
    running: Running
    transport: Transport
    exchanges: list[Exchange]

    @property
    def sandbox(self) -> Sandbox:
        return self.running.sandbox

    def vendor(self, *, now: datetime | None = None, **transport: Any) -> Vendor:
        return Vendor(
            config=self.config(),
            http=replace(self.transport, **transport),
            state=Memory(),
            now=now or datetime.now(UTC),
            mappings=self.sandbox.mappings,
            options=dict.fromkeys(self.spec.options, True),
        )

    def config(self) -> Any:
        return self.spec.config.model_validate(self.sandbox.settings(self.running.url))

    def stream(self, name: str) -> Stream:
        stream = self.spec.stream(name)
        assert stream is not None
        return stream

    async def pages(self, name: str, checkpoint: JsonObject | None = None, vendor: Vendor | None = None) -> list[Page]:
        fetch = self.stream(name).fetch
        assert fetch is not None
        async with aclosing(fetch(vendor or self.vendor(), checkpoint or {})) as pages:  # type: ignore[type-var]
            return [page async for page in pages]

    def keys(self, name: str, pages: Sequence[Page]) -> list[str]:
        key = self.stream(name).key
        assert key is not None
        return [key(payload) for page in pages for payload in page.payloads]

    def fault(self, name: str, kind: str, **more: Any) -> None:
        self.running.book.pending.append(Fault(path=self.sandbox.paths[name], kind=kind, **more))

    def calls(self, name: str) -> list[Mapping[str, str]]:
        return [call for call in self.running.book.calls if self.sandbox.paths[name] in call["path"]]


@asynccontextmanager
async def on_bench(code: str, client: httpx.AsyncClient, **options: Any) -> AsyncIterator[Bench]:
    """Run the vendor's sandbox and connect to it; the sandbox sells nothing by itself and limits nothing."""
    case, spec = CASES[code], REGISTRY[code]
    async with running(case.sandbox, **{"seed": 7, "rate": 5000, "burst": 5000, "order_every": 0, **options}) as it:
        config = spec.config.model_validate(it.sandbox.settings(it.url))
        exchanges: list[Exchange] = []
        transport = transport_for(spec, config, client=client, budget=TokenBuckets(), on_exchange=exchanges.append)
        yield Bench(case, spec, it, transport, exchanges)
