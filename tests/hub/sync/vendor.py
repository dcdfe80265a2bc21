"""A tiny external system inside the test process: what a connector sees of it, and what goes wrong on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from hub.errors import RecordRejected
from hub.ports import (
    Connector,
    Direction,
    JsonObject,
    Outcome,
    Page,
    PushResult,
    Stream,
    SystemType,
    Vendor,
)
from hub.records import (
    CompanyRecord,
    NirRecord,
    OrderLineRecord,
    OrderRecord,
    ProductRecord,
    ProductRef,
    ReceiptLineRecord,
    StatusChange,
    StockLevel,
)

CODE = "SHOP"
Trap = Callable[[], Any]
"""Called once instead of an answer: raises, or returns an awaitable."""


class Config(BaseModel):
    """The system asks for nothing."""


@dataclass(slots=True)
class FakeSystem:
    """Records by stream, each with the number of its last change; a checkpoint is such a number."""

    page_size: int = 2
    records: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    changes: int = 0
    stock: dict[str, Decimal] = field(default_factory=dict)
    statuses: dict[str, str] = field(default_factory=dict)
    pushed: list[Any] = field(default_factory=list)
    """Every record that arrived, repetitions included."""
    traps: dict[str, list[Trap | None]] = field(default_factory=dict)
    """Stream → what happens at its next calls; None = nothing."""
    reads: list[tuple[str, int]] = field(default_factory=list)

    def put(self, stream: str, key: str, **values: Any) -> None:
        self.changes += 1
        kept = self.records.setdefault(stream, {}).get(key, {})
        self.records[stream][key] = {**kept, "id": key, **values, "changed": self.changes}

    def product(self, key: str, **values: Any) -> None:
        self.put("products", key, **({"code": f"SKU-{key}", "name": f"Product {key}"} | values))

    def order(self, key: str, *lines: tuple[str, int], status: str = "new", **values: Any) -> None:
        """Lines name products by the system's own key."""
        given = {"lines": [list(line) for line in lines]} if lines else {}
        self.put("orders", key, number=values.pop("number", f"N{key}"), status=status, **given, **values)

    async def answer(self, stream: str) -> None:
        """Whatever was arranged for the next call."""
        queue = self.traps.get(stream, [])
        trap = queue.pop(0) if queue else None
        if trap is not None:
            outcome = trap()
            if asyncio.iscoroutine(outcome):
                await outcome

    async def fetch(self, stream: str, checkpoint: JsonObject) -> AsyncIterator[Page]:
        after = int(checkpoint.get("after", 0))
        while True:
            await self.answer(stream)
            self.reads.append((stream, after))
            changed = sorted(self.records.get(stream, {}).values(), key=lambda one: int(one["changed"]))
            page = [one for one in changed if one["changed"] > after][: self.page_size]
            after = page[-1]["changed"] if page else after
            yield Page(payloads=page, checkpoint={"after": after}, total=len(changed))
            if len(page) < self.page_size:
                return

    async def push(self, stream: str, records: Sequence[Any]) -> Sequence[PushResult]:
        """Applies first and answers then, so that a trap loses the answer and not the call."""
        results = [self._apply(record) for record in records]
        await self.answer(stream)
        return results

    def _apply(self, record: StockLevel | StatusChange) -> PushResult:
        self.pushed.append(record)
        if isinstance(record, StockLevel):
            if record.code.startswith("UNKNOWN"):
                return PushResult(outcome=Outcome.UNKNOWN, message="no such product")
            if record.code.startswith("BAD"):
                return PushResult(outcome=Outcome.REJECTED, message="the shop refuses it")
            self.stock[record.code] = record.quantity
            return PushResult(outcome=Outcome.DONE)
        self.statuses[record.external_key] = record.status_id
        self.put("orders", record.external_key, status=record.status_id)
        return PushResult(outcome=Outcome.DONE)

    def connector(self, **options: Any) -> Connector:
        return Connector(
            code=CODE,
            title="Shop",
            kind=SystemType.ECOMMERCE,
            config=Config,
            options=("syncOrders", "syncNirs", "sendStocks"),
            mappings={
                "outboundTakeoverStatusId": None,
                "outboundPickingStatusId": None,
                "outboundCompletedStatusId": None,
                "returnCompletedStatusId": None,
                "outboundDeletedStatusId": "0",
                "outboundReturnedStatusId": None,
                "inboundTakeoverStatusId": None,
                "inboundCompletedStatusId": None,
                "inboundDeletedStatusId": "0",
            },
            check=_check,
            streams=tuple(self._streams()),
            **options,
        )

    def _streams(self) -> list[Stream]:
        readers = {"products": (map_product, "syncOrders"), "orders": (map_order, "syncOrders")}
        readers |= {"nirs": (map_nir, "syncNirs")}
        inbound = [self._inbound(name, map_, option) for name, (map_, option) in readers.items()]
        return [
            *inbound,
            self._outbound("stock", "sendStocks"),
            self._outbound("order_statuses", None),
            self._outbound("nir_statuses", "syncNirs"),
        ]

    def _inbound(self, name: str, map_: Callable[[Vendor, Any], Any], option: str) -> Stream:
        async def fetch(_: Vendor, checkpoint: JsonObject) -> AsyncIterator[Page]:
            async for page in self.fetch(name, checkpoint):
                yield page

        async def fetch_one(_: Vendor, key: str) -> Any | None:
            await self.answer(name)
            return self.records.get(name, {}).get(key)

        return Stream(
            name=name,
            direction=Direction.IN,
            title=name,
            option=option,
            fetch=fetch,
            map=map_,
            key=lambda payload: str(payload["id"]),
            fetch_one=fetch_one,
        )

    def _outbound(self, name: str, option: str | None) -> Stream:
        async def push(_: Vendor, records: Sequence[Any]) -> Sequence[PushResult]:
            return await self.push(name, records)

        return Stream(
            name=name,
            direction=Direction.OUT,
            title=name,
            option=option,
            batch=2,
            push=push,
        )


async def _check(_: Vendor) -> str:
    return "well"


def map_product(_: Vendor, payload: Any) -> ProductRecord:
    if "name" not in payload or payload["name"] is None:
        raise RecordRejected("is missing", field="name")
    if payload["name"] == "explode":
        raise ZeroDivisionError
    price = payload.get("price")
    return ProductRecord(
        external_key=payload["id"],
        code=payload["code"],
        name=payload["name"],
        sku=payload.get("sku"),
        selling_price=Decimal(price) if price is not None else None,
    )


def map_order(_: Vendor, payload: Any) -> OrderRecord:
    lines = [
        OrderLineRecord(
            product=ProductRef(external_key=key, code=f"SKU-{key}"),
            quantity=Decimal(quantity),
            external_line_id=f"{payload['id']}:{position}",
        )
        for position, (key, quantity) in enumerate(payload["lines"], start=1)
    ]
    buyer = payload.get("buyer")
    return OrderRecord(
        external_key=payload["id"],
        number=payload["number"],
        status_id=payload["status"],
        lines=tuple(lines),
        company=CompanyRecord(name=buyer, phone=payload.get("phone")) if buyer else None,
        comment=payload.get("comment"),
        awb_link=payload.get("awb"),
        placed_at=datetime.fromisoformat(payload["placed"]) if "placed" in payload else None,
    )


def map_nir(_: Vendor, payload: Any) -> NirRecord:
    lines = [
        ReceiptLineRecord(product=ProductRef(external_key=key), quantity=Decimal(quantity))
        for key, quantity in payload["lines"]
    ]
    supplier = payload.get("supplier")
    return NirRecord(
        external_key=payload["id"],
        number=payload["number"],
        status_id=payload["status"],
        lines=tuple(lines),
        supplier=CompanyRecord(name=supplier, external_key=f"S-{supplier}") if supplier else None,
        validated=bool(payload.get("validated")),
    )
