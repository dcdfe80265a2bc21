"""What has come back of an order, against what was picked for it."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession


@dataclass(frozen=True, slots=True)
class ReturnedProduct:
    """A product of an order: picked, in returns that are not cancelled (counted where validated), and counted."""

    id: int
    code: str
    picked: Decimal
    announced: Decimal
    validated: Decimal


_RETURNED = text("""
    WITH picked AS (
        SELECT product_id, sum(picked_quantity) AS quantity FROM order_lines
        WHERE tenant_id = :tenant AND order_id = :order GROUP BY product_id
    ), returned AS (
        SELECT l.product_id, sum(l.validated_quantity) AS validated,
               sum(CASE WHEN r.status IN (3, 4) THEN l.validated_quantity ELSE l.quantity END) AS announced
        FROM returns r JOIN return_lines l ON l.tenant_id = r.tenant_id AND l.return_id = r.id
        WHERE r.tenant_id = :tenant AND r.initial_order_id = :order AND r.status <> 0
            AND r.id IS DISTINCT FROM cast(:besides AS bigint)
        GROUP BY l.product_id
    )
    SELECT p.id, p.code, coalesce(picked.quantity, 0), coalesce(returned.announced, 0), coalesce(returned.validated, 0)
    FROM products p
    LEFT JOIN picked ON picked.product_id = p.id
    LEFT JOIN returned ON returned.product_id = p.id
    WHERE p.tenant_id = :tenant AND (picked.product_id IS NOT NULL OR p.id = ANY (cast(:also AS bigint[])))
    ORDER BY p.id
""")


async def returned_products(
    session: AsyncSession, tenant_id: int, order_id: int, *, besides: int | None = None, also: Collection[int] = ()
) -> list[ReturnedProduct]:
    """All products of the order, and those of `also`; the return `besides` is left out."""
    values = {"tenant": tenant_id, "order": order_id, "besides": besides, "also": list(also)}
    return [ReturnedProduct(*row) for row in await session.execute(_RETURNED, values)]
