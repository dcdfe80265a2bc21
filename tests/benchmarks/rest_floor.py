"""The floor of the REST routes: bare ASGI routes, asyncpg, and SQL written by hand. No authentication, no policies.

Run by uvicorn; DATABASE_URL names the database. What `PUT /order/add` writes stands in `order_floor.py`.
"""

import json
import os
from typing import Any

import asyncpg
from sqlalchemy import make_url

from tests.benchmarks.operations import TENANT
from tests.benchmarks.order_floor import OrderWriter

POOL_SIZE = 10
FREE = """CASE WHEN i.batch_id IS NOT NULL AND EXISTS (
    SELECT 1 FROM batches AS b WHERE b.tenant_id = i.tenant_id AND b.id = i.batch_id AND b.locked
    AND (b.locked_until IS NULL OR b.locked_until > now())) THEN 0 ELSE i.quantity - i.reserved END"""
ENVELOPE = (
    "json_build_object('error', false, 'errorMessage', null, 'status', 200, 'data', coalesce({rows}, '[]'))::text"
)
STOCK_INFO = f"""
SELECT coalesce(json_agg(json_build_object('warehouseId', i.warehouse_id, 'warehouseCode', w.code,
    'locationCode', l.code, 'locationName', l.name, 'quantity', i.quantity, 'reservedQuantity', i.reserved,
    'freeQuantity', {FREE}, 'stockBatchId', i.batch_id, 'stockBatchCode', b.code,
    'productionDate', b.production_date, 'expirationDate', b.expiration_date, 'serialNumber', i.serial_number,
    'ssccCode', i.sscc) ORDER BY l.code, b.code, i.id), '[]')
FROM stock_items AS i
JOIN warehouses AS w ON w.tenant_id = i.tenant_id AND w.id = i.warehouse_id
JOIN locations AS l ON l.tenant_id = i.tenant_id AND l.id = i.location_id
LEFT JOIN batches AS b ON b.tenant_id = i.tenant_id AND b.id = i.batch_id
WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id
"""
PRODUCT = f"""json_build_object('productId', p.id, 'productName', p.name, 'productCode', p.code, 'sku', p.sku,
    'thirdPartyReference', p.third_party_reference, 'categoryId', p.category_id, 'categoryName', c.name,
    'vatId', p.vat_id, 'vatPercentage', p.vat_percentage, 'purchasePrice', p.purchase_price,
    'sellingPrice', p.selling_price, 'minimumStock', p.minimum_stock, 'totalQuantityInStock', s.quantity,
    'totalReservedQuantity', s.reserved, 'totalFreeQuantity', s.free, 'stockInfo', ({STOCK_INFO}),
    'requiresSerialNumber', p.requires_serial_number, 'requiresBatchCode', p.requires_batch_code,
    'requiresBatchDetails', p.requires_batch_details, 'requiresProductionDate', p.requires_production_date,
    'requiresExpirationDate', p.requires_expiration_date, 'width', p.width, 'height', p.height, 'length', p.length,
    'weight', p.weight, 'volume', p.volume, 'diameter', p.diameter, 'material', p.material, 'color', p.color,
    'active', p.active, 'measurementUnitId', p.measurement_unit_id)"""
PRODUCTS = f"""
SELECT {ENVELOPE.format(rows=f"json_agg({PRODUCT} ORDER BY p.id)")}
FROM (SELECT * FROM products WHERE tenant_id = $1 ORDER BY id LIMIT 100) AS p
LEFT JOIN categories AS c ON c.tenant_id = p.tenant_id AND c.id = p.category_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(i.quantity), 0) AS quantity, coalesce(sum(i.reserved), 0) AS reserved,
        coalesce(sum({FREE}), 0) AS free
    FROM stock_items AS i WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id) AS s
"""
ORDER_PRODUCTS = """
SELECT coalesce(json_agg(json_build_object('orderProductId', l.id, 'productId', l.product_id, 'productName', p.name,
    'productCode', p.code, 'productModel', p.code, 'externalLineId', l.external_line_id, 'quantity', l.quantity,
    'reservedQuantity', l.reserved_quantity, 'pickedQuantity', l.picked_quantity, 'locationCode', a.code)
    ORDER BY l.position, l.id), '[]')
FROM order_lines AS l
JOIN products AS p ON p.tenant_id = l.tenant_id AND p.id = l.product_id
LEFT JOIN locations AS a ON a.tenant_id = l.tenant_id AND a.id = l.location_id
WHERE l.tenant_id = o.tenant_id AND l.order_id = o.id
"""
REQUIREMENTS = """
SELECT coalesce(json_agg(json_build_object('name', r.name, 'value', r.value) ORDER BY r.position), '[]')
FROM order_requirements AS r WHERE r.tenant_id = o.tenant_id AND r.order_id = o.id
"""
ORDER = f"""json_build_object('orderId', o.id, 'externalOrderId', o.external_order_id,
    'thirdPartyReference', o.third_party_reference, 'warehouseId', o.warehouse_id, 'warehouseName', w.name,
    'warehouseCode', w.code, 'status', o.status, 'orderType', o.order_type,
    'requiresValidation', o.requires_validation,
    'dateAdded', to_char(o.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    'isReady', o.status IN (2, 3, 4, 5, 7), 'picked', o.status IN (3, 4, 5, 8), 'comment', o.comment,
    'awbExternalLink', o.awb_external_link, 'invoiceExternalLink', o.invoice_external_link,
    'numberOfEnvelopes', o.number_of_envelopes, 'numberOfPackages', o.number_of_packages, 'totalWeight', s.total,
    'fulfilledWeight', s.fulfilled, 'orderProducts', ({ORDER_PRODUCTS}), 'orderRequirements', ({REQUIREMENTS}),
    'companyThirdPartyReference', c.third_party_reference, 'companyExternalReference', c.external_reference,
    'companyId', o.company_id, 'companyName', c.name)"""
ORDERS = f"""
SELECT {ENVELOPE.format(rows=f"json_agg({ORDER} ORDER BY o.id)")}
FROM (SELECT * FROM orders WHERE tenant_id = $1 {{which}}) AS o
JOIN warehouses AS w ON w.tenant_id = o.tenant_id AND w.id = o.warehouse_id
LEFT JOIN companies AS c ON c.tenant_id = o.tenant_id AND c.id = o.company_id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(l.quantity * p.weight), 0) AS total,
        coalesce(sum(l.picked_quantity * p.weight), 0) AS fulfilled
    FROM order_lines AS l JOIN products AS p ON p.tenant_id = l.tenant_id AND p.id = l.product_id
    WHERE l.tenant_id = o.tenant_id AND l.order_id = o.id) AS s
"""
STOCK = f"""
SELECT json_build_object('content', coalesce(json_agg(json_build_object('productId', p.id, 'productName', p.name,
        'productCode', p.code, 'remainingQuantity', s.free) ORDER BY p.id), '[]'),
    'totalElements', n.total, 'totalPages', (n.total + 99) / 100, 'size', 100, 'number', 0)::text
FROM (SELECT count(*) AS total FROM products WHERE tenant_id = $1 AND active) AS n
CROSS JOIN (SELECT * FROM products WHERE tenant_id = $1 AND active ORDER BY id LIMIT 100) AS p
CROSS JOIN LATERAL (
    SELECT coalesce(sum({FREE}), 0) AS free
    FROM stock_items AS i WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id) AS s
GROUP BY n.total
"""
CHECK = "SELECT (count(*) > 0)::text FROM products WHERE tenant_id = $1 AND third_party_reference = 'x'"
STATEMENTS = {
    "/products": PRODUCTS,
    "/orders": ORDERS.format(which="ORDER BY id LIMIT 100"),
    "/stock": STOCK,
    "/check": CHECK,
}
ADDED = ORDERS.format(which="AND id = $2")
NOTHING = b'{"error":true,"errorMessage":"/api/nothing is not a route","status":404,"data":null}'
HEADERS = [(b"content-type", b"application/json")]


class Floor:
    """Opens its pool with the lifespan; four paths read, `/add` adds an order, `/nothing` needs no database."""

    pool: asyncpg.Pool
    writer: OrderWriter

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        status, body = await self._answer(scope["path"], receive)
        headers = [*HEADERS, (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, path: str, receive: Any) -> tuple[int, bytes]:
        if path == "/nothing":
            return 404, NOTHING
        if path == "/add":
            return 200, (await self._add(await _body(receive))).encode()
        async with self.pool.acquire() as connection:
            text: str = await connection.fetchval(STATEMENTS[path], TENANT)
        return 200, text.encode()

    async def _add(self, body: bytes) -> str:
        async with self.pool.acquire() as connection:
            order_id = await self.writer.add(connection, json.loads(body))
            text: str = await connection.fetchval(ADDED, TENANT, order_id)
        return text

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
            server_settings={"jit": "off"},
        )
        self.writer = OrderWriter()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.pool.close()
        await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Any) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body"):
            return body


app = Floor()
