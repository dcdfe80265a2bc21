"""Which goods serve which need: free items are given out in the order of their turn until nothing is left."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.queries.stock import FreeItem, Goods, Need, find_free_items, names_of_need
from hub.services.stock import lock_goods


@dataclass(frozen=True, slots=True)
class Allocation:
    """So much of one stock item for one need, which was the `position`-th of those asked for."""

    position: int
    need: Need
    item: FreeItem
    quantity: Decimal


async def allocate(work: UnitOfWork, needs: Sequence[Need], *, with_locked_batches: bool = False) -> list[Allocation]:
    """Free goods for `needs`, as far as there are any, earlier needs first; nothing is written.

    The products are locked, so the goods stay free until the transaction has done with them what it wants.
    """
    if not needs:
        return []
    await lock_goods(work, {need.product_id for need in needs})
    pool = _Pool(await find_free_items(work.session, work.tenant_id, needs, with_locked=with_locked_batches))
    return [
        Allocation(position, need, item, quantity)
        for position, need in enumerate(needs)
        for item, quantity in pool.take(need)
    ]


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


def splits(goods: Goods, quantity: Decimal) -> bool:
    """True when so much would be a part of a piece with a serial number."""
    return goods.serial_number is not None and quantity != 1


class _Pool:
    """The items of this allocation and what is still free in them; the next in turn stands last."""

    def __init__(self, items: Sequence[FreeItem]) -> None:
        self._shelves: dict[tuple[int, int], list[FreeItem]] = {}
        self._free = {item.id: item.free for item in items}
        for item in sorted(items, key=lambda item: item.turn, reverse=True):
            self._shelves.setdefault((item.warehouse_id, item.product_id), []).append(item)

    def take(self, need: Need) -> list[tuple[FreeItem, Decimal]]:
        shelf = self._shelves.get((need.warehouse_id, need.product_id), [])
        while shelf and not self._free[shelf[-1].id]:
            shelf.pop()
        taken, missing = [], need.quantity
        for item in reversed(shelf):
            if not missing:
                break
            part = min(missing, self._free[item.id])
            if part and need.accepts(item) and not splits(item, part):
                self._free[item.id] -= part
                missing -= part
                taken.append((item, part))
        return taken
