"""Stock items as the services need them: by identity, or as far as they are free. Products are what is locked."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.queries.sets import arrays


class ItemKey(NamedTuple):
    """The identity of a stock item."""

    product_id: int
    location_id: int
    batch_id: int | None
    serial_number: str | None
    sscc: str | None


@dataclass(frozen=True, slots=True)
class HeldItem:
    """A stock item of a locked product."""

    id: int
    key: ItemKey
    quantity: Decimal
    reserved: Decimal


SOURCE = ("product_id", "warehouse_id", "location_id", "batch_id", "unbatched", "serial_number", "sscc")


class Goods(Protocol):
    """Where goods are and what tells them apart."""

    @property
    def product_id(self) -> int: ...
    @property
    def warehouse_id(self) -> int: ...
    @property
    def location_id(self) -> int: ...
    @property
    def batch_id(self) -> int | None: ...
    @property
    def serial_number(self) -> str | None: ...
    @property
    def sscc(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """So much of a product is wanted from a warehouse, or only from a part of it; `line_id` is who wants it.

    `unbatched` asks for goods without a batch. Everything else that is None leaves the choice open.
    """

    product_id: int
    warehouse_id: int
    quantity: Decimal
    line_id: int | None = None
    location_id: int | None = None
    batch_id: int | None = None
    unbatched: bool = False
    serial_number: str | None = None
    sscc: str | None = None

    def accepts(self, item: "Goods") -> bool:
        return (
            item.product_id == self.product_id
            and item.warehouse_id == self.warehouse_id
            and self.location_id in (None, item.location_id)
            and self.batch_id in (None, item.batch_id)
            and not (self.unbatched and item.batch_id is not None)
            and self.serial_number in (None, item.serial_number)
            and self.sscc in (None, item.sscc)
        )


@dataclass(frozen=True, slots=True)
class FreeItem:
    """A stock item of a locked product, and what is free in it."""

    id: int
    product_id: int
    warehouse_id: int
    location_id: int
    batch_id: int | None
    serial_number: str | None
    sscc: str | None
    free: Decimal
    expiration_date: date | None
    priority: int
    received_at: datetime

    @property
    def turn(self) -> tuple[date, int, datetime, int]:
        """First expired first out, then the location's priority, then the oldest receipt."""
        return (self.expiration_date or date.max, self.priority, self.received_at, self.id)


_LOCK_PRODUCTS = text("""
    SELECT p.id FROM products p
    WHERE p.tenant_id = :tenant AND p.id = ANY (cast(:ids AS bigint[]))
    ORDER BY p.id
    FOR NO KEY UPDATE
""")

_BY_KEY = text("""
    SELECT i.id, i.product_id, i.location_id, i.batch_id, i.serial_number, i.sscc, i.quantity, i.reserved
    FROM unnest(cast(:product_id AS bigint[]), cast(:location_id AS bigint[]), cast(:batch_id AS bigint[]),
                cast(:serial_number AS text[]), cast(:sscc AS text[]))
         AS k (product_id, location_id, batch_id, serial_number, sscc)
    JOIN stock_items i ON i.tenant_id = :tenant
        AND i.product_id = k.product_id AND i.location_id = k.location_id
        AND i.batch_id IS NOT DISTINCT FROM k.batch_id
        AND i.serial_number IS NOT DISTINCT FROM k.serial_number
        AND i.sscc IS NOT DISTINCT FROM k.sscc
""")

# Only the items that can be needed are read, so that an order for one piece does not bring a hall of serial numbers.
_FREE = text("""
    SELECT r.id, r.product_id, r.warehouse_id, r.location_id, r.batch_id, r.serial_number, r.sscc, r.free,
           r.expiration_date, r.priority, r.received_at
    FROM (
        SELECT i.id, i.product_id, i.warehouse_id, i.location_id, i.batch_id, i.serial_number, i.sscc,
               i.quantity - i.reserved AS free, b.expiration_date, l.priority, i.received_at, w.total,
               sum(i.quantity - i.reserved) OVER turn AS up_to_here
        FROM unnest(cast(:product_id AS bigint[]), cast(:warehouse_id AS bigint[]), cast(:total AS numeric[]),
                    cast(:location_id AS bigint[]), cast(:batch_id AS bigint[]), cast(:unbatched AS boolean[]),
                    cast(:serial_number AS text[]), cast(:sscc AS text[])) WITH ORDINALITY
             AS w (product_id, warehouse_id, total, location_id, batch_id, unbatched, serial_number, sscc, n)
        JOIN stock_items i ON i.tenant_id = :tenant AND i.warehouse_id = w.warehouse_id AND i.product_id = w.product_id
            AND (w.location_id IS NULL OR i.location_id = w.location_id)
            AND (w.batch_id IS NULL OR i.batch_id = w.batch_id)
            AND (NOT w.unbatched OR i.batch_id IS NULL)
            AND (w.serial_number IS NULL OR i.serial_number = w.serial_number)
            AND (w.sscc IS NULL OR i.sscc = w.sscc)
        JOIN locations l ON l.tenant_id = :tenant AND l.id = i.location_id
        LEFT JOIN batches b ON b.tenant_id = :tenant AND b.id = i.batch_id
        WHERE i.quantity > i.reserved
            AND (:with_locked OR b.id IS NULL OR NOT b.locked OR b.locked_until <= now())
        WINDOW turn AS (PARTITION BY w.n
                        ORDER BY b.expiration_date NULLS LAST, l.priority, i.received_at, i.id
                        ROWS UNBOUNDED PRECEDING)
    ) r
    WHERE r.up_to_here - r.free < r.total
""")

_NAMES = text("""
    SELECT p.code AS product, l.code AS location
    FROM products p, locations l
    WHERE p.tenant_id = :tenant AND p.id = :product_id AND l.tenant_id = :tenant AND l.id = :location_id
""")

_NAMES_OF_NEED = text("""
    SELECT p.code AS product, coalesce(l.code, w.code) AS place
    FROM products p
    JOIN warehouses w ON w.tenant_id = :tenant AND w.id = :warehouse_id
    LEFT JOIN locations l ON l.tenant_id = :tenant AND l.id = cast(:location_id AS bigint)
    WHERE p.tenant_id = :tenant AND p.id = :product_id
""")


_source = attrgetter(*SOURCE)


async def lock_products(session: AsyncSession, tenant_id: int, product_ids: Collection[int]) -> None:
    """Lock the products against other changes of their stock, in ascending order of their ids."""
    await session.execute(_LOCK_PRODUCTS, {"tenant": tenant_id, "ids": sorted(product_ids)})


async def find_items(session: AsyncSession, tenant_id: int, keys: Iterable[ItemKey]) -> dict[ItemKey, HeldItem]:
    """The existing items among `keys`; their products must be locked."""
    found = await session.execute(_BY_KEY, {"tenant": tenant_id, **arrays(keys, *ItemKey._fields)})
    held = [HeldItem(row.id, ItemKey(*row[1:6]), row.quantity, row.reserved) for row in found]
    return {item.key: item for item in held}


async def find_free_items(
    session: AsyncSession, tenant_id: int, needs: Iterable[Need], *, with_locked: bool
) -> list[FreeItem]:
    """Items with free goods, enough of them to serve `needs` in order of turn; their products must be locked."""
    total: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    sources: dict[tuple[Any, ...], Need] = {}
    for need in needs:
        total[need.warehouse_id, need.product_id] += need.quantity
        sources[_source(need)] = need
    wanted = list(sources.values())
    values = {
        "tenant": tenant_id,
        "with_locked": with_locked,
        "total": [total[need.warehouse_id, need.product_id] for need in wanted],
        **arrays(wanted, *SOURCE),
    }
    return list({row.id: FreeItem(*row) for row in await session.execute(_FREE, values)}.values())


async def names_of_item(session: AsyncSession, tenant_id: int, key: ItemKey) -> tuple[str, str]:
    """Product code and location code, as a message to people names them."""
    values = {"tenant": tenant_id, "product_id": key.product_id, "location_id": key.location_id}
    row = (await session.execute(_NAMES, values)).one()
    return row.product, row.location


async def names_of_need(session: AsyncSession, tenant_id: int, need: Need) -> tuple[str, str]:
    """Product code and the code of the location or warehouse that it is wanted from."""
    values = {
        "tenant": tenant_id,
        "product_id": need.product_id,
        "warehouse_id": need.warehouse_id,
        "location_id": need.location_id,
    }
    row = (await session.execute(_NAMES_OF_NEED, values)).one()
    return row.product, row.place
