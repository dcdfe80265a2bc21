"""Views for readers: summaries as they are now, folded base and appended deltas together."""

from collections.abc import Iterator

from sqlalchemy import BigInteger, Column, Date, Integer, MetaData, PrimaryKeyConstraint, Table

from hub.models.columns import QUANTITY

metadata = MetaData()
"""Apart from the tables: nothing here is created or compared as one."""

STOCK_BY_WAREHOUSE = Table(
    "stock_by_warehouse",
    metadata,
    Column("tenant_id", BigInteger),
    Column("warehouse_id", BigInteger),
    Column("quantity", QUANTITY, nullable=False),
    Column("reserved", QUANTITY, nullable=False),
    PrimaryKeyConstraint("tenant_id", "warehouse_id"),
)
ORDERS_BY_DAY = Table(
    "orders_by_day",
    metadata,
    Column("tenant_id", BigInteger),
    Column("warehouse_id", BigInteger),
    Column("status", Integer),
    Column("day", Date),
    Column("orders", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "warehouse_id", "status", "day"),
)
_SOURCES = {
    STOCK_BY_WAREHOUSE.name: (
        "SELECT tenant_id, warehouse_id, sum(quantity) AS quantity, sum(reserved) AS reserved FROM ("
        "SELECT tenant_id, warehouse_id, quantity, reserved FROM stock_totals "
        "UNION ALL SELECT tenant_id, warehouse_id, quantity, reserved FROM stock_deltas"
        ") AS parts GROUP BY tenant_id, warehouse_id"
    ),
    ORDERS_BY_DAY.name: (
        "SELECT tenant_id, warehouse_id, status, day, sum(orders) AS orders FROM ("
        "SELECT tenant_id, warehouse_id, status, day, orders FROM order_summaries "
        "UNION ALL SELECT tenant_id, warehouse_id, status, day, orders FROM order_deltas"
        ") AS parts GROUP BY tenant_id, warehouse_id, status, day HAVING sum(orders) <> 0"
    ),
}


def create_views() -> Iterator[str]:
    """A view asks with the rights of its reader, so that the policies of the tables apply."""
    for name, query in _SOURCES.items():
        yield f"CREATE VIEW {name} WITH (security_invoker = true) AS {query}"
        yield f"GRANT SELECT ON {name} TO hub_app"


def drop_views() -> Iterator[str]:
    for name in _SOURCES:
        yield f"DROP VIEW {name}"
