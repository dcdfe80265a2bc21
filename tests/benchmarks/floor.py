"""The floor: a bare ASGI route, asyncpg, and SQL written by hand that builds the JSON.

The same tables and indexes, prepared statements in the database's own plan mode; no authentication, no policies, no
summaries. The query string holds the tenants' ids. Run by uvicorn; DATABASE_URL names the database.
"""

import os
from typing import Any

import asyncpg
from sqlalchemy import make_url

from hub.statuses import Status

POOL_SIZE = 10
STATES = "CASE {0}.status " + " ".join(f"WHEN {each:d} THEN '{each.name}'" for each in Status) + " END"
PRODUCTS = """
SELECT json_build_object('data', json_build_object('products', json_build_object('nodes', coalesce(json_agg(
    json_build_object('id', 'Product:' || tenant_id || ':' || id, 'internalId', id, 'code', code, 'name', name,
        'sku', sku,
        'vatPercentage', vat_percentage, 'purchasePrice', purchase_price, 'sellingPrice', selling_price,
        'minimumStock', minimum_stock, 'weight', weight, 'active', active, 'requiresBatchCode', requires_batch_code,
        'material', material, 'createdAt', created_at, 'updatedAt', updated_at) ORDER BY id{ties}), '[]'))))::text
FROM ({page}) AS p
"""
STOCK = """
SELECT coalesce(sum(i.quantity), 0) AS quantity, coalesce(sum(i.reserved), 0) AS reserved,
    coalesce(sum(CASE WHEN i.batch_id IS NOT NULL AND EXISTS (
        SELECT 1 FROM batches AS b WHERE b.tenant_id = i.tenant_id AND b.id = i.batch_id AND b.locked
        AND (b.locked_until IS NULL OR b.locked_until > now())) THEN 0 ELSE i.quantity - i.reserved END), 0) AS free
FROM stock_items AS i WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id
"""
ORDERS = f"""
SELECT json_build_object('data', json_build_object('orders', json_build_object('nodes', coalesce(json_agg(
    json_build_object('id', 'Order:' || o.tenant_id || ':' || o.id, 'externalOrderId', o.external_order_id,
        'status', {STATES.format("o")}, 'createdAt', o.created_at,
        'company', (SELECT json_build_object('name', c.name, 'cui', c.cui) FROM companies AS c
            WHERE c.tenant_id = o.tenant_id AND c.id = o.company_id),
        'warehouse', (SELECT json_build_object('code', w.code, 'name', w.name) FROM warehouses AS w
            WHERE w.tenant_id = o.tenant_id AND w.id = o.warehouse_id),
        'lines', json_build_object('nodes', (SELECT coalesce(json_agg(json_build_object('quantity', l.quantity,
            'product', (SELECT json_build_object('code', p.code, 'name', p.name, 'totalQuantityInStock', s.quantity,
                    'totalReservedQuantity', s.reserved, 'totalFreeQuantity', s.free)
                FROM products AS p CROSS JOIN LATERAL ({STOCK}) AS s
                WHERE p.tenant_id = l.tenant_id AND p.id = l.product_id)) ORDER BY l.position, l.id), '[]')
            FROM (SELECT * FROM order_lines AS l WHERE l.tenant_id = o.tenant_id AND l.order_id = o.id
                ORDER BY l.position, l.id LIMIT 50) AS l)))
    ORDER BY o.created_at DESC, o.id DESC{{ties}}), '[]'))))::text
FROM ({{page}}) AS o
"""
MIXED = f"""
SELECT json_build_object('data', json_build_object(
    'nirs', json_build_object('nodes', (SELECT coalesce(json_agg(json_build_object(
            'id', 'Nir:' || n.tenant_id || ':' || n.id, 'externalReference', n.external_reference,
            'status', {STATES.format("n")}, 'createdAt', n.created_at,
            'supplier', (SELECT json_build_object('name', c.name) FROM companies AS c
                WHERE c.tenant_id = n.tenant_id AND c.id = n.supplier_id),
            'lines', json_build_object('nodes', (SELECT coalesce(json_agg(json_build_object('quantity', l.quantity,
                'purchasePrice', l.purchase_price, 'product', (SELECT json_build_object('code', p.code, 'name', p.name)
                    FROM products AS p WHERE p.tenant_id = l.tenant_id AND p.id = l.product_id))
                ORDER BY l.position, l.id), '[]')
                FROM (SELECT * FROM nir_lines AS l WHERE l.tenant_id = n.tenant_id AND l.nir_id = n.id
                    ORDER BY l.position, l.id LIMIT 50) AS l)))
        ORDER BY n.created_at DESC, n.id DESC), '[]')
        FROM (SELECT * FROM nirs WHERE tenant_id = $1 ORDER BY created_at DESC, id DESC LIMIT 20) AS n)),
    'products', json_build_object('nodes', (SELECT coalesce(json_agg(json_build_object(
            'id', 'Product:' || p.tenant_id || ':' || p.id, 'code', p.code, 'name', p.name,
            'sellingPrice', p.selling_price, 'totalQuantityInStock', s.quantity) ORDER BY p.id), '[]')
        FROM (SELECT * FROM products WHERE tenant_id = $1 ORDER BY id LIMIT 20) AS p
            CROSS JOIN LATERAL ({STOCK}) AS s)),
    'stockSummary', (SELECT coalesce(json_agg(json_build_object(
            'warehouse', (SELECT json_build_object('code', w.code) FROM warehouses AS w
                WHERE w.tenant_id = $1 AND w.id = t.warehouse_id),
            'quantity', t.quantity, 'reservedQuantity', t.reserved) ORDER BY t.warehouse_id), '[]')
        FROM (SELECT warehouse_id, sum(quantity) AS quantity, sum(reserved) AS reserved
            FROM stock_items WHERE tenant_id = $1 GROUP BY warehouse_id) AS t)))::text
"""
FIRST_PRODUCTS = "SELECT * FROM products WHERE tenant_id = {tenant} ORDER BY id LIMIT 100"
LAST_ORDERS = "SELECT * FROM orders WHERE tenant_id = {tenant} ORDER BY created_at DESC, id DESC LIMIT 50"
OF_ALL = "SELECT r.* FROM unnest($1::bigint[]) AS t (id) CROSS JOIN LATERAL ({page}) AS r ORDER BY {order} LIMIT {size}"
ALL_PRODUCTS = OF_ALL.format(page=FIRST_PRODUCTS.format(tenant="t.id"), order="r.id, r.tenant_id", size=100)
ALL_ORDERS = OF_ALL.format(
    page=LAST_ORDERS.format(tenant="t.id"), order="r.created_at DESC, r.id DESC, r.tenant_id DESC", size=50
)
STATEMENTS = {
    "/products": PRODUCTS.format(page=FIRST_PRODUCTS.format(tenant="$1"), ties=""),
    "/orders": ORDERS.format(page=LAST_ORDERS.format(tenant="$1"), ties=""),
    "/mixed": MIXED,
}
OF_SEVERAL = {
    "/products": PRODUCTS.format(page=ALL_PRODUCTS, ties=", tenant_id"),
    "/orders": ORDERS.format(page=ALL_ORDERS, ties=", o.tenant_id DESC"),
}
"""For more than one tenant: each one's own page by the index, then the first of all."""
HEADERS = [(b"content-type", b"application/json")]


class Floor:
    """Opens its pool with the lifespan and answers three paths."""

    pool: asyncpg.Pool

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        tenants = list(map(int, scope["query_string"].split(b",")))
        statements, argument = (STATEMENTS, tenants[0]) if len(tenants) == 1 else (OF_SEVERAL, tenants)
        async with self.pool.acquire() as connection:
            text = await connection.fetchval(statements[scope["path"]], argument)
        body = text.encode()
        headers = [*HEADERS, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        url = make_url(os.environ["DATABASE_URL"])
        self.pool = await asyncpg.create_pool(
            host=url.query["host"],
            port=int(str(url.query.get("port", 5432))),
            user=url.username,
            database=url.database,
            min_size=POOL_SIZE,
            max_size=POOL_SIZE,
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.pool.close()
        await send({"type": "lifespan.shutdown.complete"})


app = Floor()
