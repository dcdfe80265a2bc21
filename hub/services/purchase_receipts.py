"""What has arrived of purchase orders: received quantities from their validated NIRs, and the status that follows."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import delete, func, insert, select, text, update
from sqlmodel import col

from hub.db import UnitOfWork
from hub.errors import NotFound
from hub.models.movements import PurchaseOrder, PurchaseOrderLine, PurchaseOrderNir
from hub.models.nirs import Nir
from hub.queries.conditions import among
from hub.queries.sets import arrays
from hub.services import document_changes
from hub.services.document_changes import step
from hub.statuses import PURCHASE_ORDER, Status, move

KIND = "purchase_order"
SETTLED = frozenset({Status.CANCELED, Status.CLOSED})
"""What arrives for such an order is still counted, but its status stays."""


@dataclass(slots=True)
class _Line:
    id: int
    purchase_order_id: int
    product_id: int
    quantity: Decimal
    received: Decimal
    changed: bool = False


_RECEIVED = text("""
    SELECT k.purchase_order_id, l.product_id, sum(l.validated_quantity) AS quantity
    FROM purchase_order_nirs k
    JOIN nirs n ON n.tenant_id = k.tenant_id AND n.id = k.nir_id AND n.status IN (3, 4)
    JOIN nir_lines l ON l.tenant_id = n.tenant_id AND l.nir_id = n.id
    WHERE k.tenant_id = :tenant AND k.purchase_order_id = ANY (cast(:ids AS bigint[]))
    GROUP BY k.purchase_order_id, l.product_id
""")
_WRITE = text("""
    UPDATE purchase_order_lines l SET received_quantity = n.received
    FROM unnest(cast(:id AS bigint[]), cast(:received AS numeric[])) AS n (id, received)
    WHERE l.tenant_id = :tenant AND l.id = n.id
""")


async def lock(work: UnitOfWork, purchase_order_ids: Collection[int]) -> dict[int, Status]:
    """The statuses of those that exist; their rows are locked in ascending order."""
    found = await work.session.execute(
        select(col(PurchaseOrder.id), col(PurchaseOrder.status))
        .where(col(PurchaseOrder.tenant_id) == work.tenant_id, among(col(PurchaseOrder.id), purchase_order_ids))
        .order_by(col(PurchaseOrder.id))
        .with_for_update()
    )
    return {row.id: Status(row.status) for row in found}


async def require_nirs(work: UnitOfWork, nir_ids: Collection[int]) -> None:
    """They exist; and who validates one of them waits until this transaction has told which it wants to follow."""
    found = await work.session.execute(
        select(col(Nir.id))
        .where(col(Nir.tenant_id) == work.tenant_id, among(col(Nir.id), nir_ids))
        .order_by(col(Nir.id))
        .with_for_update(read=True)
    )
    unknown = set(nir_ids) - set(found.scalars())
    if unknown:
        raise NotFound(f"NIR {min(unknown)} does not exist", field="nirs")


async def link(work: UnitOfWork, purchase_order_id: int, nir_ids: Collection[int]) -> bool:
    """Let exactly these NIRs deliver it; True when that is a change."""
    links = (
        col(PurchaseOrderNir.tenant_id) == work.tenant_id,
        col(PurchaseOrderNir.purchase_order_id) == purchase_order_id,
    )
    present = set((await work.session.execute(select(col(PurchaseOrderNir.nir_id)).where(*links))).scalars())
    wanted = set(nir_ids)
    if present - wanted:
        await work.session.execute(
            delete(PurchaseOrderNir).where(*links, among(col(PurchaseOrderNir.nir_id), present - wanted))
        )
    if wanted - present:
        key = {"tenant_id": work.tenant_id, "purchase_order_id": purchase_order_id}
        await work.session.execute(
            insert(PurchaseOrderNir), [key | {"nir_id": nir_id} for nir_id in sorted(wanted - present)]
        )
    return present != wanted


async def receipts_changed(work: UnitOfWork, nir_ids: Collection[int]) -> None:
    """Call it in the transaction that validates NIRs or changes what they brought."""
    if not nir_ids:
        return
    found = await work.session.execute(
        select(col(PurchaseOrderNir.purchase_order_id))
        .where(col(PurchaseOrderNir.tenant_id) == work.tenant_id, among(col(PurchaseOrderNir.nir_id), nir_ids))
        .distinct()
    )
    ids = list(found.scalars())
    if ids:
        await recount(work, await lock(work, ids))


async def recount(work: UnitOfWork, statuses: dict[int, Status]) -> None:
    """Compute anew what locked purchase orders received, and move them where that leads."""
    lines = await _lines(work, statuses)
    received = await _received(work, statuses)
    by_order: dict[int, list[_Line]] = defaultdict(list)
    for line in lines:
        by_order[line.purchase_order_id].append(line)
    for id_, own in by_order.items():
        _spread(own, received[id_])
    changed = [line for line in lines if line.changed]
    if changed:
        await work.session.execute(_WRITE, {"tenant": work.tenant_id, **arrays(changed, "id", "received")})
    steps = {id_: _next(before, by_order[id_]) for id_, before in statuses.items() if before not in SETTLED}
    for id_, after in steps.items():
        await move_to(work, id_, statuses[id_], after)


async def move_to(work: UnitOfWork, purchase_order_id: int, before: Status, after: Status) -> None:
    """Write a step of one purchase order and tell it; the same status is told as a change."""
    move(PURCHASE_ORDER, before, after, document=f"purchase order {purchase_order_id}")
    await work.session.execute(
        update(PurchaseOrder)
        .where(col(PurchaseOrder.tenant_id) == work.tenant_id, col(PurchaseOrder.id) == purchase_order_id)
        .values(status=int(after), updated_at=func.now())
    )
    await document_changes.record(work, kind=KIND, steps=[step(purchase_order_id, before, after)])
    if before == after:
        document_changes.updated(work, kind=KIND, ids=[purchase_order_id])


async def _lines(work: UnitOfWork, purchase_order_ids: Collection[int]) -> list[_Line]:
    line = PurchaseOrderLine
    columns = (line.id, line.purchase_order_id, line.product_id, line.quantity, line.received_quantity)
    found = await work.session.execute(
        select(*map(col, columns))
        .where(col(line.tenant_id) == work.tenant_id, among(col(line.purchase_order_id), purchase_order_ids))
        .order_by(col(line.purchase_order_id), col(line.id))
    )
    return [_Line(*row) for row in found]


async def _received(work: UnitOfWork, purchase_order_ids: Collection[int]) -> dict[int, dict[int, Decimal]]:
    """Purchase order → product → quantity."""
    received: dict[int, dict[int, Decimal]] = defaultdict(dict)
    for row in await work.session.execute(_RECEIVED, {"tenant": work.tenant_id, "ids": list(purchase_order_ids)}):
        received[row.purchase_order_id][row.product_id] = row.quantity
    return received


def _spread(lines: Sequence[_Line], received: dict[int, Decimal]) -> None:
    """Fill the lines of each product in their order; a surplus stays on the last one."""
    for product_id, own in _by_product(lines):
        rest = received.get(product_id, Decimal(0))
        for line in own:
            quantity = rest if line is own[-1] else min(line.quantity, rest)
            rest -= quantity
            line.changed = quantity != line.received
            line.received = quantity


def _by_product(lines: Sequence[_Line]) -> Iterator[tuple[int, list[_Line]]]:
    products: dict[int, list[_Line]] = defaultdict(list)
    for line in lines:
        products[line.product_id].append(line)
    yield from products.items()


def _next(before: Status, lines: Sequence[_Line]) -> Status:
    if not lines:
        return Status.IN_PROGRESS
    if all(line.received >= line.quantity for line in lines):
        return Status.CLOSED
    if any(line.received for line in lines):
        return Status.VALIDATED_WITH_DIFFERENCES
    return Status.ACTIVE
