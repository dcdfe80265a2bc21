"""Which goods serve which need: locked items are given out in the order of their turn until nothing is free."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.queries.stock import FreeItem, Need, choose_free_items, lock_free_items, names_of_need


@dataclass(frozen=True, slots=True)
class Allocation:
    """So much of one stock item for one need, which was the `position`-th of those asked for."""

    position: int
    need: Need
    item: FreeItem
    quantity: Decimal


async def allocate(work: UnitOfWork, needs: Sequence[Need], *, with_locked_batches: bool = False) -> list[Allocation]:
    """Free goods for `needs`, as far as there are any, earlier needs first. The items stay locked; nothing is written.

    When another transaction was quicker with an item, the next one in turn is asked for, until none is left.
    """
    pool = _Pool()
    missing = {position: need.quantity for position, need in enumerate(needs)}
    allocations: list[Allocation] = []
    while missing:
        wanted = [replace(needs[position], quantity=quantity) for position, quantity in missing.items()]
        ids = await choose_free_items(
            work.session, work.tenant_id, wanted, known=pool.known, with_locked=with_locked_batches
        )
        if not ids:
            break
        pool.add(await lock_free_items(work.session, work.tenant_id, ids))
        for position in list(missing):
            for item, quantity in pool.take(needs[position], missing[position]):
                allocations.append(Allocation(position, needs[position], item, quantity))
                missing[position] -= quantity
            if not missing[position]:
                del missing[position]
    return allocations


async def refuse_missing(work: UnitOfWork, needs: Sequence[Need], allocations: Sequence[Allocation]) -> None:
    """Raise `Conflict` when a need was not served in full."""
    got = [Decimal(0)] * len(needs)
    for allocation in allocations:
        got[allocation.position] += allocation.quantity
    for need, quantity in zip(needs, got, strict=True):
        if quantity < need.quantity:
            product, place = await names_of_need(work.session, work.tenant_id, need)
            raise Conflict(
                f"stock insufficient: {need.quantity.normalize():f} of product {product} needed from {place}, "
                f"{quantity.normalize():f} free"
            )


class _Pool:
    """The locked items of this allocation and what is still free in them; the next in turn stands last."""

    def __init__(self) -> None:
        self._shelves: dict[tuple[int, int], list[FreeItem]] = {}
        self._free: dict[int, Decimal] = {}

    @property
    def known(self) -> list[int]:
        return list(self._free)

    def add(self, items: Sequence[FreeItem]) -> None:
        for item in items:
            self._free[item.id] = item.free
            self._shelves.setdefault((item.warehouse_id, item.product_id), []).append(item)
        for shelf in self._shelves.values():
            shelf.sort(key=lambda item: item.turn, reverse=True)

    def take(self, need: Need, quantity: Decimal) -> list[tuple[FreeItem, Decimal]]:
        shelf = self._shelves.get((need.warehouse_id, need.product_id), [])
        while shelf and not self._free[shelf[-1].id]:
            shelf.pop()
        taken = []
        for item in reversed(shelf):
            if not quantity:
                break
            if need.accepts(item) and (part := min(quantity, self._free[item.id])):
                self._free[item.id] -= part
                quantity -= part
                taken.append((item, part))
        return taken
