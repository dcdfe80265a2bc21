"""The stock as the REST routes report it: one statement each, the JSON text made by PostgreSQL with exact decimals."""

from collections.abc import Collection
from typing import Any

import asyncpg

# Free is what nobody reserved, and nothing of a batch that is locked; `physical` asks for everything that is there.
_QUANTITY = """
    trim_scale(coalesce(sum(CASE WHEN {physical} THEN i.quantity
                                 WHEN b.locked AND (b.locked_until IS NULL OR b.locked_until > now()) THEN 0
                                 ELSE i.quantity - i.reserved END), 0))
"""
_BATCH = "LEFT JOIN batches b ON b.tenant_id = i.tenant_id AND b.id = i.batch_id"
_PRODUCT = "'productId', p.id, 'productName', p.name, 'productCode', p.code"
_PLACE = "'locationCode', l.code, 'locationName', l.name"

_REMAINING = f"""
    SELECT json_build_array(json_build_object({_PRODUCT}, 'remainingQuantity', s.quantity))::text
    FROM products p
    CROSS JOIN LATERAL (
        SELECT {_QUANTITY.format(physical="$3::boolean")} AS quantity
        FROM stock_items i {_BATCH}
        WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id) s
    WHERE p.tenant_id = $1 AND p.id = $2
"""
_REMAINING_BY_LOCATION = f"""
    SELECT coalesce((
        SELECT json_agg(json_build_object({_PRODUCT}, 'remainingQuantity', s.quantity, {_PLACE}) ORDER BY l.code)
        FROM (
            SELECT i.location_id, {_QUANTITY.format(physical="$3::boolean")} AS quantity
            FROM stock_items i {_BATCH}
            WHERE i.tenant_id = $1 AND i.product_id = $2
            GROUP BY i.location_id) s
        JOIN locations l ON l.tenant_id = $1 AND l.id = s.location_id), '[]')::text
    FROM products p
    WHERE p.tenant_id = $1 AND p.id = $2
"""
_PAGE = """
    'totalElements', counted.total, 'totalPages', (counted.total + $2 - 1) / $2, 'size', $2, 'number', $3
"""
_ANSWER = f"""
    SELECT json_build_object(
        'content', coalesce((SELECT json_agg(page.row ORDER BY page.n) FROM page), '[]'), {_PAGE})::text
    FROM counted
"""
# Counted apart from the page, which then need not look at more products than it shows.
_ALL = f"""
    SELECT json_build_object(
        'content', coalesce((
            SELECT json_agg(json_build_object({_PRODUCT}, 'remainingQuantity', s.quantity) ORDER BY p.id)
            FROM (
                SELECT p.tenant_id, p.id, p.name, p.code FROM products p WHERE p.tenant_id = $1 {{which}}
                ORDER BY p.id LIMIT $2::bigint OFFSET $2::bigint * $3::bigint) p
            CROSS JOIN LATERAL (
                SELECT {_QUANTITY.format(physical="$4::boolean")} AS quantity
                FROM stock_items i {_BATCH}
                WHERE i.tenant_id = p.tenant_id AND i.product_id = p.id) s), '[]'), {_PAGE})::text
    FROM (SELECT count(*) AS total FROM products p WHERE p.tenant_id = $1 {{which}}) counted
"""
_ALL_BY_LOCATION = f"""
    WITH wanted AS (
        SELECT DISTINCT i.product_id, i.location_id FROM stock_items i
        JOIN products p ON p.tenant_id = $1 AND p.id = i.product_id {{which}}
        WHERE i.tenant_id = $1
    ), counted AS (SELECT count(*) AS total FROM wanted),
    chosen AS (
        SELECT w.*, row_number() OVER (ORDER BY w.product_id, l.code) AS n
        FROM wanted w JOIN locations l ON l.tenant_id = $1 AND l.id = w.location_id
        ORDER BY n LIMIT $2::bigint OFFSET $2::bigint * $3::bigint
    ), page AS (
        SELECT c.n, json_build_object({_PRODUCT}, 'remainingQuantity', s.quantity, {_PLACE}) AS row
        FROM chosen c
        JOIN products p ON p.tenant_id = $1 AND p.id = c.product_id
        JOIN locations l ON l.tenant_id = $1 AND l.id = c.location_id
        CROSS JOIN LATERAL (
            SELECT {_QUANTITY.format(physical="$4::boolean")} AS quantity
            FROM stock_items i {_BATCH}
            WHERE i.tenant_id = $1 AND i.product_id = c.product_id AND i.location_id = c.location_id) s
    ) {_ANSWER}
"""
_DETAILED = f"""
    WITH wanted AS (
        SELECT i.id, i.tenant_id, i.product_id, i.warehouse_id, i.location_id, i.batch_id, i.serial_number, i.sscc,
               i.quantity, i.reserved AS reserved_quantity, p.name, p.code, p.sku, p.purchase_price,
               p.search, l.code AS location_code, l.name AS location_name, b.code AS batch_code, b.production_date,
               b.expiration_date,
               CASE WHEN b.locked AND (b.locked_until IS NULL OR b.locked_until > now()) THEN 0
                    ELSE i.quantity - i.reserved END AS free_quantity
        FROM stock_items i
        JOIN products p ON p.tenant_id = $1 AND p.id = i.product_id
        JOIN locations l ON l.tenant_id = $1 AND l.id = i.location_id
        {_BATCH}
        WHERE i.tenant_id = $1
            AND ($4::bigint[] IS NULL OR i.product_id = ANY ($4)) AND ($5::text[] IS NULL OR p.code = ANY ($5))
            AND ($6::bigint[] IS NULL OR i.warehouse_id = ANY ($6)) AND ($7::text[] IS NULL OR l.code = ANY ($7))
    ), counted AS (SELECT count(*) AS total FROM wanted),
    chosen AS (
        SELECT w.*, row_number() OVER (ORDER BY {{order}} NULLS LAST, w.product_id, w.id) AS n
        FROM wanted w
        ORDER BY n LIMIT $2::bigint OFFSET $2::bigint * $3::bigint
    ), page AS (
        SELECT c.n, json_build_object(
            'productId', c.product_id, 'productName', c.name, 'productCode', c.code, 'sku', c.sku,
            'warehouseId', c.warehouse_id, 'warehouseCode', w.code,
            'locationCode', c.location_code, 'locationName', c.location_name,
            'stockBatchId', c.batch_id, 'stockBatchCode', c.batch_code,
            'productionDate', c.production_date, 'expirationDate', c.expiration_date,
            'serialNumber', c.serial_number, 'ssccCode', c.sscc, 'quantity', trim_scale(c.quantity),
            'reservedQuantity', trim_scale(c.reserved_quantity), 'freeQuantity', trim_scale(c.free_quantity),
            'purchasePrice', trim_scale(c.purchase_price)) AS row
        FROM chosen c JOIN warehouses w ON w.tenant_id = $1 AND w.id = c.warehouse_id
    ) {_ANSWER}
"""
# The name is compared as `search` holds it; codes without case by the rules of the database, then by code point.
SORTED_BY = {
    "productName": "split_part(w.search, E'\\n', 1) COLLATE \"C\"",
    "productCode": 'lower(w.code COLLATE "default") COLLATE "C"',
    "productId": "w.product_id",
    "locationCode": 'lower(w.location_code COLLATE "default") COLLATE "C"',
    "quantity": "w.quantity",
    "reservedQuantity": "w.reserved_quantity",
    "freeQuantity": "w.free_quantity",
    "expirationDate": "w.expiration_date",
}
DIRECTIONS = {"asc": "ASC", "desc": "DESC"}
WHICH = {None: "", True: "AND p.active", False: "AND NOT p.active"}


async def get_remaining_stock(
    connection: asyncpg.Connection, tenant_id: int, product_id: int, *, physical: bool, by_location: bool
) -> str | None:
    """What remains of one product, in all or by location; None for a product that does not exist."""
    statement = _REMAINING_BY_LOCATION if by_location else _REMAINING
    found: str | None = await connection.fetchval(statement, tenant_id, product_id, physical)
    return found


async def list_stock(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    page: int,
    size: int,
    active: bool | None,
    physical: bool,
    by_location: bool,
) -> str:
    """One page of what remains of every product, or of every product in every location that has some."""
    statement = (_ALL_BY_LOCATION if by_location else _ALL).format(which=WHICH[active])
    found: str = await connection.fetchval(statement, tenant_id, size, page, physical)
    return found


async def list_stock_items(
    connection: asyncpg.Connection,
    tenant_id: int,
    *,
    page: int,
    size: int,
    sort_by: str,
    direction: str,
    product_ids: Collection[int],
    codes: Collection[str],
    warehouse_ids: Collection[int],
    location_codes: Collection[str],
) -> str:
    """One page of stock items; empty filters filter nothing."""
    statement = _DETAILED.format(order=f"{SORTED_BY[sort_by]} {DIRECTIONS[direction]}")
    filters: list[Any] = [list(values) or None for values in (product_ids, codes, warehouse_ids, location_codes)]
    found: str = await connection.fetchval(statement, tenant_id, size, page, *filters)
    return found
