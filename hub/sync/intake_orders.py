"""Takes orders and expenditure receipts in, as their external status and the hub's own state allow.

Eligible for takeover → added; eligible for picking → released; deleted → cancelled; returned → returned. What changed
outside changes here while the order can still be edited; after that it is an exception for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hub.db import UnitOfWork
from hub.errors import CallerError
from hub.queries.orders import OrderRow, lock_orders
from hub.records import OrderRecord
from hub.services import order_moves, orders
from hub.services.buyers import BuyerDraft
from hub.services.order_drafts import ORDERS, OrderDraft, OrderLineDraft
from hub.services.outbox import ORDER_STREAMS
from hub.statuses import EDITABLE_ORDER, Status
from hub.sync import identity
from hub.sync.exceptions import Trouble
from hub.sync.intake import SKIPPED, Arrival, Fate, Source, Taken
from hub.sync.intake_companies import take_companies
from hub.sync.intake_lines import KnownProducts, find_products, find_warehouses, unknown_warehouse
from hub.sync.intake_products import exact
from hub.sync.references import content_hash, same_goods

COMMENT_LENGTH = 4000
LATEST = datetime.max.replace(tzinfo=UTC)
UNPICKED = EDITABLE_ORDER | {Status.IN_PICKING}
PICKED = frozenset({Status.VALIDATED, Status.VALIDATED_WITH_DIFFERENCES, Status.CLOSED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statuses:
    """What external statuses mean for orders."""

    takeover: frozenset[str] | None
    picking: frozenset[str]
    deleted: frozenset[str]
    returned: frozenset[str]

    @classmethod
    def of(cls, source: Source) -> "Statuses":
        return cls(
            takeover=source.statuses("outboundTakeoverStatusId"),
            picking=source.statuses("outboundPickingStatusId") or frozenset(),
            deleted=source.statuses("outboundDeletedStatusId") or frozenset(),
            returned=source.statuses("outboundReturnedStatusId") or frozenset(),
        )

    def takes(self, status_id: str) -> bool:
        """A system without this mapping hands over only what is to be taken."""
        gone = status_id in self.deleted or status_id in self.returned
        return not gone and (self.takeover is None or status_id in self.takeover)

    def releases(self, status_id: str) -> bool:
        """Without a status for picking every order may be picked at once."""
        return not self.picking or status_id in self.picking


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What the orders of a page refer to."""

    products: KnownProducts
    companies: Mapping[str, int | Trouble | None]
    warehouses: Mapping[str | None, int | None]

    def trouble(self, key: str, record: OrderRecord) -> Trouble | None:
        company = self.companies.get(key)
        if isinstance(company, Trouble):
            return company
        if record.warehouse_code not in self.warehouses:
            return unknown_warehouse(record.warehouse_code)
        return self.products.missing([line.product for line in record.lines])

    def buyer(self, key: str) -> BuyerDraft | None:
        company = self.companies.get(key)
        return BuyerDraft(company_id=company) if isinstance(company, int) else None


async def receive(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> list[Taken]:
    """One fate per order."""
    statuses = Statuses.of(source)
    taken: dict[str, Taken] = {}
    in_turn = sorted(arrivals, key=_turn)
    new = [one for one in in_turn if one.known is None and statuses.takes(one.record.status_id)]
    known = [one for one in in_turn if one.known is not None]
    locked = await lock_orders(work.session, work.tenant_id, [one.known.record_id for one in known if one.known])
    edits: list[tuple[Arrival, OrderRow]] = []
    for arrival in known:
        order = locked.get(arrival.known.record_id) if arrival.known else None
        fate = await _moved(work, statuses, arrival, order)
        if fate is None and order is not None:
            edits.append((arrival, order))
        elif fate is not None:
            taken[arrival.external_key] = fate
    around = await _look_around(work, source, [*new, *(arrival for arrival, _ in edits)])
    taken |= await _add(work, source, statuses, new, around)
    taken |= await _edit(work, edits, around)
    await _release(work, statuses, edits, taken)
    return [taken.get(arrival.external_key, SKIPPED) for arrival in arrivals]


def _turn(arrival: Arrival) -> tuple[datetime, tuple[int, str]]:
    """Whoever bought first gets the goods first, however the system lists its orders; those without a time are last."""
    placed, key = arrival.record.placed_at, arrival.external_key
    return (placed, (len(key), key)) if placed else (LATEST, (0, ""))


async def _moved(work: UnitOfWork, statuses: Statuses, arrival: Arrival, order: OrderRow | None) -> Taken | None:
    """The fate of a known order that was deleted or returned outside, or is gone here; None for all others."""
    status_id = arrival.record.status_id
    if order is None:
        return _parked("GONE", "the order was deleted in the hub and changed outside since")
    if status_id in statuses.deleted:
        return await _follow(work, order, Status.CANCELED, UNPICKED)
    if status_id in statuses.returned:
        return await _follow(work, order, Status.RETURNED, PICKED)
    was_deleted = arrival.known is not None and arrival.known.status_id in statuses.deleted
    if order.status is Status.CANCELED and was_deleted:
        return _parked("NOT_EDITABLE", f"{order.title} was cancelled, but the system wants it again")
    return None


async def _follow(work: UnitOfWork, order: OrderRow, target: Status, sources: frozenset[Status]) -> Taken:
    if order.status is target:
        return Taken(fate=Fate.UNCHANGED, record_id=order.id)
    if order.status not in sources:
        return _parked(
            "NOT_EDITABLE",
            f"{order.title} is {target.name} outside, but {order.status.name} here: somebody must decide",
        )
    step = order_moves.cancel if target is Status.CANCELED else order_moves.mark_returned
    try:
        async with work.savepoint():
            await step(work, order_id=order.id)
    except CallerError as error:
        return Taken(fate=Fate.PARKED, trouble=Trouble.of(error))
    return Taken(fate=Fate.UPDATED, record_id=order.id)


async def _look_around(work: UnitOfWork, source: Source, arrivals: Sequence[Arrival]) -> _Surroundings:
    records: list[OrderRecord] = [arrival.record for arrival in arrivals]
    companies = await take_companies(work, source, [record.company for record in records])
    return _Surroundings(
        products=await find_products(work, source, [line.product for record in records for line in record.lines]),
        companies={one.external_key: company for one, company in zip(arrivals, companies, strict=True)},
        warehouses=await find_warehouses(work, {record.warehouse_code for record in records}),
    )


async def _add(
    work: UnitOfWork, source: Source, statuses: Statuses, arrivals: Sequence[Arrival], around: _Surroundings
) -> dict[str, Taken]:
    taken, ready = _sorted_out(arrivals, around)
    wanted = dict.fromkeys(arrival.external_key for arrival in ready)
    shown = await identity.usable_references(work, source.code, ORDER_STREAMS, ORDERS, wanted)
    drafts = [
        _draft(
            arrival,
            around,
            released=statuses.releases(arrival.record.status_id),
            reference=arrival.external_key if arrival.external_key in shown else None,
        )
        for arrival in ready
    ]
    outcomes = await orders.add_orders(work, orders=drafts, on_error="skip") if drafts else []
    return taken | {one.external_key: Taken.of(outcome) for one, outcome in zip(ready, outcomes, strict=True)}


async def _edit(work: UnitOfWork, edits: Sequence[tuple[Arrival, OrderRow]], around: _Surroundings) -> dict[str, Taken]:
    taken: dict[str, Taken] = {}
    changed: list[tuple[str, int, dict[str, Any]]] = []
    for arrival, order in edits:
        key = arrival.external_key
        editable = order.status in EDITABLE_ORDER
        goods_differ = not same_goods(arrival.known.payload_hash if arrival.known else "", content_hash(arrival.record))
        trouble = around.trouble(key, arrival.record) if editable and goods_differ else None
        if goods_differ and not editable:
            taken[key] = _parked("NOT_EDITABLE", f"{order.title} changed outside, but is {order.status.name} here")
        elif trouble is not None:
            taken[key] = Taken(fate=Fate.PARKED, trouble=trouble)
        else:
            changes = _changes(arrival, around, order, goods=goods_differ, editable=editable)
            taken[key] = Taken(fate=Fate.UNCHANGED, record_id=order.id)
            changed += [(key, order.id, changes)] if changes else []
    wanted = [(id_, changes) for _, id_, changes in changed]
    outcomes = await orders.update_orders(work, orders=wanted, on_error="skip") if wanted else []
    return taken | {key: Taken.of(outcome) for (key, _, _), outcome in zip(changed, outcomes, strict=True)}


async def _release(
    work: UnitOfWork, statuses: Statuses, edits: Sequence[tuple[Arrival, OrderRow]], taken: dict[str, Taken]
) -> None:
    """Let those be picked whose external status allows it now."""
    held = {
        order.id: arrival.external_key
        for arrival, order in edits
        if not order.released
        and statuses.releases(arrival.record.status_id)
        and taken[arrival.external_key].fate is not Fate.PARKED
    }
    if held:
        for order_id in await order_moves.release_for_picking(work, order_ids=held):
            taken[held[order_id]] = Taken(fate=Fate.UPDATED, record_id=order_id)


def _sorted_out(arrivals: Sequence[Arrival], around: _Surroundings) -> tuple[dict[str, Taken], list[Arrival]]:
    """Those that cannot be taken in yet, and those that can."""
    troubled: dict[str, Taken] = {}
    ready = []
    for arrival in arrivals:
        trouble = around.trouble(arrival.external_key, arrival.record)
        if trouble is None:
            ready.append(arrival)
        else:
            troubled[arrival.external_key] = Taken(fate=Fate.PARKED, trouble=trouble)
    return troubled, ready


def _draft(arrival: Arrival, around: _Surroundings, *, released: bool, reference: str | None) -> OrderDraft:
    record: OrderRecord = arrival.record
    return OrderDraft(
        external_order_id=record.number,
        third_party_reference=reference,
        warehouse_id=around.warehouses[record.warehouse_code],
        order_type=record.order_type,
        released=released,
        comment=_cut(record.comment),
        awb_external_link=record.awb_link,
        invoice_external_link=record.invoice_link,
        placed_at=record.placed_at,
        company=around.buyer(arrival.external_key),
        lines=_lines(record, around),
        requirements=_requirements(record),
    )


def _changes(
    arrival: Arrival, around: _Surroundings, order: OrderRow, *, goods: bool, editable: bool
) -> dict[str, Any]:
    """What the order shall get; the lines only when they changed, because replacing them reserves anew."""
    record: OrderRecord = arrival.record
    told = {
        "comment": _cut(record.comment),
        "awb_external_link": record.awb_link,
        "invoice_external_link": record.invoice_link,
    }
    changes: dict[str, Any] = {
        name: value for name, value in told.items() if value is not None and value != getattr(order, name)
    }
    if order.status is Status.CANCELED:
        return {}
    if editable and (buyer := around.buyer(arrival.external_key)) and buyer.company_id != order.company_id:
        changes["company"] = buyer
    if goods:
        changes |= {"external_order_id": record.number, "lines": _lines(record, around)}
        changes["requirements"] = _requirements(record)
        if record.warehouse_code is not None:
            changes["warehouse_id"] = around.warehouses[record.warehouse_code]
    return changes


def _lines(record: OrderRecord, around: _Surroundings) -> list[OrderLineDraft]:
    return [
        OrderLineDraft(
            quantity=exact(line.quantity),
            product_id=around.products.find(line.product),
            external_line_id=line.external_line_id,
            location_code=line.location_code,
        )
        for line in record.lines
    ]


def _requirements(record: OrderRecord) -> list[tuple[str, str]]:
    return [(name[:255], value[:COMMENT_LENGTH]) for name, value in record.requirements if name and value]


def _cut(comment: str | None) -> str | None:
    return comment[:COMMENT_LENGTH] if comment else None


def _parked(reason: str, message: str) -> Taken:
    return Taken(fate=Fate.PARKED, trouble=Trouble(reason=reason, message=message, path="status_id"))
