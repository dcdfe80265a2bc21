"""Writes the states of orders: the row, the summary's deltas, the history, the event and what the outside must hear."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import text

from hub.db import UnitOfWork
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
    def stored(self) -> Status:
        """The state that the order's row holds as yet."""
        return self.before.status if self.before else Status.IN_PROGRESS

    @property
    def moved(self) -> bool:
        return self.before is None or self.before.status is not self.after.status


# The picker is who started the picking, or who did it at once; giving the picking up forgets them.
_WRITE = text("""
    WITH moved AS (
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
        FROM unnest(cast(:id AS bigint[]), cast(:moved_to AS integer[])) AS n (id, status)
        WHERE o.tenant_id = :tenant AND o.id = n.id
    )
    INSERT INTO order_deltas (tenant_id, warehouse_id, status, day, orders)
    SELECT :tenant, * FROM unnest(cast(:warehouse_id AS bigint[]), cast(:status AS integer[]), cast(:day AS date[]),
                                  cast(:orders AS integer[]))
""")


async def write(work: UnitOfWork, changes: Sequence[Change]) -> None:
    """Write the states of orders that moved; new ones are counted and remembered with the state they begin in."""
    actor = work.scope.actor
    moved = [change.after for change in changes if change.after.status is not change.stored]
    await work.session.execute(
        _WRITE,
        {
            "tenant": work.tenant_id,
            "user_id": actor.id if actor.kind == "user" else None,
            "username": actor.name,
            "id": [row.id for row in moved],
            "moved_to": [int(row.status) for row in moved],
            **_deltas([change.before for change in changes if change.before], [change.after for change in changes]),
        },
    )
    await document_changes.record(work, kind=KIND, steps=[_step(change) for change in changes])


async def enter(work: UnitOfWork, rows: Sequence[OrderRow]) -> None:
    """Count and remember orders that were stored in the state they are in: those of an old system."""
    values: dict[str, Any] = {"tenant": work.tenant_id, "user_id": None, "username": None, "id": [], "moved_to": []}
    await work.session.execute(_WRITE, values | _deltas((), rows))
    await document_changes.record(work, kind=KIND, steps=[_step(Change(None, row)) for row in rows])


async def uncount(work: UnitOfWork, gone: Iterable[OrderRow]) -> None:
    """Take deleted orders out of the summary."""
    values: dict[str, Any] = {"tenant": work.tenant_id, "user_id": None, "username": None, "id": [], "moved_to": []}
    await work.session.execute(_WRITE, values | _deltas(gone, ()))


def _deltas(gone: Iterable[OrderRow], come: Iterable[OrderRow]) -> dict[str, list[Any]]:
    """What the table of orders lost and gained, by warehouse, state and day; one array per column."""
    orders = Counter(_place(row) for row in come)
    orders.subtract(_place(row) for row in gone)
    rows = [(*place, number) for place, number in orders.items() if number]
    return {
        name: [row[column] for row in rows] for column, name in enumerate(("warehouse_id", "status", "day", "orders"))
    }


def _place(row: OrderRow) -> tuple[int, int, date]:
    return (row.warehouse_id, int(row.status), row.day)


def _step(change: Change) -> Step:
    row = change.after
    facts = {"externalOrderId": row.external_order_id, "warehouseId": row.warehouse_id}
    return Step(row.id, change.before.status if change.before else None, row.status, facts)
