"""Writes the states of orders: the row, the summary's deltas, the history, the event and what the outside must hear."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import insert, text

from hub.db import UnitOfWork
from hub.models.orders import OrderDelta
from hub.queries.orders import OrderRow
from hub.services import document_changes
from hub.services.document_changes import Step
from hub.statuses import Status

KIND = "order"


@dataclass(frozen=True, slots=True)
class Change:
    """An order as it was (None: it is new) and as it is now."""

    before: OrderRow | None
    after: OrderRow

    def to(self, status: Status) -> "Change":
        return replace(self, after=replace(self.after, status=status))

    @property
    def moved(self) -> bool:
        return self.before is None or self.before.status is not self.after.status


# The picker is who started the picking, or who did it at once; giving the picking up forgets them.
_WRITE = text("""
    UPDATE orders o
    SET status = n.status,
        picker_id = CASE
            WHEN n.status = 7 OR (n.status IN (3, 4) AND o.picker_username IS NULL) THEN cast(:user_id AS bigint)
            WHEN n.status = 2 THEN NULL ELSE o.picker_id END,
        picker_username = CASE
            WHEN n.status = 7 OR (n.status IN (3, 4) AND o.picker_username IS NULL) THEN cast(:username AS text)
            WHEN n.status = 2 THEN NULL ELSE o.picker_username END,
        validated_at = CASE WHEN n.status IN (3, 4) THEN now() ELSE o.validated_at END,
        updated_at = now()
    FROM unnest(cast(:id AS bigint[]), cast(:status AS integer[])) AS n (id, status)
    WHERE o.tenant_id = :tenant AND o.id = n.id AND o.status <> n.status
""")


async def write(work: UnitOfWork, changes: Sequence[Change]) -> None:
    """Write the states of orders that moved; new ones are counted and remembered with the state they begin in."""
    actor = work.scope.actor
    await work.session.execute(
        _WRITE,
        {
            "tenant": work.tenant_id,
            "user_id": actor.id if actor.kind == "user" else None,
            "username": actor.name,
            "id": [change.after.id for change in changes],
            "status": [int(change.after.status) for change in changes],
        },
    )
    await count(work, gone=[c.before for c in changes if c.before], come=[c.after for c in changes])
    await document_changes.record(work, kind=KIND, steps=[_step(change) for change in changes])


async def count(work: UnitOfWork, *, gone: Iterable[OrderRow] = (), come: Iterable[OrderRow] = ()) -> None:
    """Append to the summary by warehouse, state and day what the table of orders lost and gained."""
    orders = Counter(_place(row) for row in come)
    orders.subtract(_place(row) for row in gone)
    rows = [
        {"tenant_id": work.tenant_id, "warehouse_id": warehouse, "status": status, "day": day, "orders": number}
        for (warehouse, status, day), number in orders.items()
        if number
    ]
    if rows:
        await work.session.execute(insert(OrderDelta), rows)


def _place(row: OrderRow) -> tuple[int, int, date]:
    return (row.warehouse_id, int(row.status), row.day)


def _step(change: Change) -> Step:
    row = change.after
    facts = {"externalOrderId": row.external_order_id, "warehouseId": row.warehouse_id}
    return Step(row.id, change.before.status if change.before else None, row.status, facts)
