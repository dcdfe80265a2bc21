"""Folds the appended deltas of stock and orders into their summaries; a read always sums summary and deltas."""

from sqlalchemy import text

from hub.db import Database

LOCK = 0x464F4C44

_TURN = text("SELECT pg_try_advisory_xact_lock(:lock)")
_TENANTS = text("""
    SELECT DISTINCT tenant_id FROM stock_deltas UNION SELECT DISTINCT tenant_id FROM order_deltas ORDER BY tenant_id
""")
# One statement each: whoever reads sees a delta either still appended or already folded, never both and never neither.
_FOLD_STOCK = text("""
    WITH gone AS (
        DELETE FROM stock_deltas WHERE tenant_id = :tenant RETURNING product_id, warehouse_id, quantity, reserved
    ), by_product AS (
        INSERT INTO stock_summaries AS s (tenant_id, product_id, warehouse_id, quantity, reserved)
        SELECT :tenant, product_id, warehouse_id, sum(quantity), sum(reserved) FROM gone
        GROUP BY product_id, warehouse_id ORDER BY product_id, warehouse_id
        ON CONFLICT (tenant_id, product_id, warehouse_id) DO UPDATE
            SET quantity = s.quantity + excluded.quantity, reserved = s.reserved + excluded.reserved
    )
    INSERT INTO stock_totals AS t (tenant_id, warehouse_id, quantity, reserved)
    SELECT :tenant, warehouse_id, sum(quantity), sum(reserved) FROM gone GROUP BY warehouse_id ORDER BY warehouse_id
    ON CONFLICT (tenant_id, warehouse_id) DO UPDATE
        SET quantity = t.quantity + excluded.quantity, reserved = t.reserved + excluded.reserved
""")
_FOLD_ORDERS = text("""
    WITH gone AS (
        DELETE FROM order_deltas WHERE tenant_id = :tenant RETURNING warehouse_id, status, day, orders
    )
    INSERT INTO order_summaries AS s (tenant_id, warehouse_id, status, day, orders)
    SELECT :tenant, warehouse_id, status, day, sum(orders) FROM gone
    GROUP BY warehouse_id, status, day ORDER BY warehouse_id, status, day
    ON CONFLICT (tenant_id, warehouse_id, status, day) DO UPDATE SET orders = s.orders + excluded.orders
""")
_DROP_EMPTY = text("""
    DELETE FROM order_summaries WHERE tenant_id = :tenant AND orders = 0
""")


async def fold(database: Database) -> int:
    """Fold what has been appended, tenant by tenant; the number of tenants. One process at a time does it."""
    async with database.system_work() as session:
        tenants = list((await session.execute(_TENANTS)).scalars())
    folded = 0
    for tenant_id in tenants:
        async with database.system_work() as session:
            # All deltas of a tenant at once: a part of them could be below zero for itself.
            if not (await session.execute(_TURN, {"lock": LOCK})).scalar_one():
                return folded
            await session.execute(_FOLD_STOCK, {"tenant": tenant_id})
            await session.execute(_FOLD_ORDERS, {"tenant": tenant_id})
            await session.execute(_DROP_EMPTY, {"tenant": tenant_id})
        folded += 1
    return folded
