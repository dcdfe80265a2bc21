"""One order added by hand: a transaction of asyncpg with the statements that the hub runs for the same request."""

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import asyncpg

from tests.benchmarks.operations import TENANT

BLOCK = 1024
BLOCK_OF_IDS = """
INSERT INTO id_blocks AS b (tenant_id, noun, next_id) VALUES ($1, $2, 1 + $3)
ON CONFLICT (tenant_id, noun) DO UPDATE SET next_id = b.next_id + $3 RETURNING next_id - $3
"""
WAREHOUSE = "SELECT id FROM warehouses WHERE tenant_id = $1 AND is_default"
PRODUCTS = "SELECT id, code, active FROM products WHERE tenant_id = $1 AND code = ANY ($2::text[])"
COMPANY = "SELECT id FROM companies WHERE tenant_id = $1 AND id = $2"
TAKEN = "SELECT id FROM orders WHERE tenant_id = $1 AND external_order_id = $2"
INSERT_ORDER = """
INSERT INTO orders (tenant_id, id, external_order_id, warehouse_id, company_id, status, order_type, requires_validation,
    released, search)
VALUES ($1, $2, $3::varchar, $4, $5, 1, 1, true, true, lower($3::varchar)) RETURNING created_at::date
"""
LOCK = "SELECT id FROM products WHERE tenant_id = $1 AND id = ANY ($2::bigint[]) ORDER BY id FOR NO KEY UPDATE"
INSERT_LINE = """
INSERT INTO order_lines (tenant_id, id, order_id, position, product_id, quantity, reserved_quantity, picked_quantity)
VALUES ($1, $2, $3, $4, $5, $6, 0, 0)
"""
FREE_ITEMS = """
SELECT i.id, i.product_id, i.quantity - i.reserved AS free
FROM stock_items AS i
JOIN locations AS l ON l.tenant_id = $1 AND l.id = i.location_id
LEFT JOIN batches AS b ON b.tenant_id = $1 AND b.id = i.batch_id
WHERE i.tenant_id = $1 AND i.warehouse_id = $2 AND i.product_id = ANY ($3::bigint[]) AND i.quantity > i.reserved
    AND (b.id IS NULL OR NOT b.locked OR b.locked_until <= now())
ORDER BY i.product_id, b.expiration_date NULLS LAST, l.priority, i.received_at, i.id
"""
RESERVE = """
WITH promised AS (
    SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::numeric[])
        AS n (id, line_id, item_id, product_id, quantity)
), written AS (
    INSERT INTO reservations (tenant_id, id, stock_item_id, order_line_id, quantity)
    SELECT $1, id, item_id, line_id, quantity FROM promised
), items AS (
    UPDATE stock_items AS i SET reserved = i.reserved + n.quantity
    FROM (SELECT item_id, sum(quantity) AS quantity FROM promised GROUP BY item_id) AS n
    WHERE i.tenant_id = $1 AND i.id = n.item_id
), lines AS (
    UPDATE order_lines AS l SET reserved_quantity = l.reserved_quantity + n.quantity
    FROM (SELECT line_id, sum(quantity) AS quantity FROM promised GROUP BY line_id) AS n
    WHERE l.tenant_id = $1 AND l.id = n.line_id
)
INSERT INTO stock_deltas (tenant_id, product_id, warehouse_id, quantity, reserved)
SELECT $1, product_id, $7, 0, sum(quantity) FROM promised GROUP BY product_id
"""
MOVE = """
WITH moved AS (UPDATE orders SET status = $3, updated_at = now() WHERE tenant_id = $1 AND id = $2)
INSERT INTO order_deltas (tenant_id, warehouse_id, status, day, orders) VALUES ($1, $4, $3, $5, 1)
"""
CHANGE = """
INSERT INTO document_changes (tenant_id, id, document_kind, document_id, status_after, actor)
VALUES ($1, $2, 'order', $3, $4, 'bench')
"""
TOLD = "SELECT code FROM integrations WHERE tenant_id = $1 AND active AND options @> $2::jsonb"
INSERT_EVENT = """
INSERT INTO events (tenant_id, id, topic, kind, subject_id, data) VALUES ($1, $2, $3, $4, $5, $6)
"""


class OrderWriter:
    """Adds orders, with ids out of blocks as the hub takes them."""

    def __init__(self) -> None:
        self._free: dict[str, Iterator[int]] = defaultdict(lambda: iter(()))

    async def add(self, connection: asyncpg.Connection, order: dict[str, Any]) -> int:
        async with connection.transaction():
            return await self._add(connection, order)

    async def _add(self, connection: asyncpg.Connection, order: dict[str, Any]) -> int:
        key = order["externalOrderId"]
        warehouse = await connection.fetchval(WAREHOUSE, TENANT)
        codes = [line["productModel"] for line in order["orderProducts"]]
        products = {row["code"]: row["id"] for row in await connection.fetch(PRODUCTS, TENANT, codes) if row["active"]}
        company = await connection.fetchval(COMPANY, TENANT, order["company"]["companyId"])
        if company is None or await connection.fetchval(TAKEN, TENANT, key) is not None:
            raise ValueError(f"{key} cannot be added")
        order_id = await self._id(connection, "order")
        day = await connection.fetchval(INSERT_ORDER, TENANT, order_id, key, warehouse, company)
        wanted = [
            (await self._id(connection, "order_line"), products[line["productModel"]], Decimal(line["quantity"]))
            for line in order["orderProducts"]
        ]
        ids = sorted(product_id for _, product_id, _ in wanted)
        await connection.execute(LOCK, TENANT, ids)
        rows = [(TENANT, id_, order_id, n, product, much) for n, (id_, product, much) in enumerate(wanted)]
        await connection.executemany(INSERT_LINE, rows)
        promised = await self._reserve(connection, warehouse, wanted)
        status = 2 if promised == sum(much for _, _, much in wanted) else 6
        await connection.execute(MOVE, TENANT, order_id, status, warehouse, day)
        await connection.execute(CHANGE, TENANT, await self._id(connection, "document_change"), order_id, status)
        await connection.fetch(TOLD, TENANT, '{"sendStocks": true}')
        facts = json.dumps({"statusAfter": status, "externalOrderId": key, "warehouseId": warehouse})
        told = [("order", "added", order_id, facts), *(("stock", "changed", id_, "{}") for id_ in ids)]
        events = [(TENANT, await self._id(connection, "event"), *one) for one in told]
        await connection.executemany(INSERT_EVENT, events)
        return order_id

    async def _reserve(
        self, connection: asyncpg.Connection, warehouse: int, wanted: list[tuple[int, int, Decimal]]
    ) -> Decimal:
        """Earliest items first; how much was promised in all."""
        items: dict[int, list[tuple[int, Decimal]]] = defaultdict(list)
        for row in await connection.fetch(FREE_ITEMS, TENANT, warehouse, [product for _, product, _ in wanted]):
            items[row["product_id"]].append((row["id"], row["free"]))
        promised = []
        for line_id, product, missing in wanted:
            for item_id, free in items[product]:
                part = min(free, missing)
                if part:
                    promised.append((await self._id(connection, "reservation"), line_id, item_id, product, part))
                missing -= part
        columns = [list(column) for column in zip(*promised, strict=True)]
        await connection.execute(RESERVE, TENANT, *columns, warehouse)
        return sum((part for *_, part in promised), Decimal(0))

    async def _id(self, connection: asyncpg.Connection, noun: str) -> int:
        id_ = next(self._free[noun], None)
        if id_ is not None:
            return id_
        first = await connection.fetchval(BLOCK_OF_IDS, TENANT, noun, BLOCK)
        self._free[noun] = iter(range(first, first + BLOCK))
        return next(self._free[noun])
