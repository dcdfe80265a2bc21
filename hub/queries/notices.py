"""What the notice of an order shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import asyncpg


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeLine:
    code: str
    name: str
    unit: str | None
    quantity: Decimal
    picked_quantity: Decimal
    location: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An order as the people who hand it over and receive it see it."""

    order_id: int
    reference: str
    third_party_reference: str | None
    created_at: datetime
    tenant: str
    warehouse: str
    picked: bool
    comment: str | None
    packages: int | None
    envelopes: int | None
    weight: Decimal
    client: str | None
    client_cui: str | None
    client_reg_no: str | None
    client_address: str | None
    client_phone: str | None
    client_email: str | None
    lines: Sequence[NoticeLine] = ()
    requirements: Sequence[tuple[str, str]] = ()


_ORDER = """
    SELECT o.id AS order_id, o.external_order_id AS reference, o.third_party_reference, o.created_at, t.name AS tenant,
           w.name AS warehouse, o.status IN (3, 4, 5, 8) AS picked, o.comment, o.number_of_packages AS packages,
           o.number_of_envelopes AS envelopes, c.name AS client, c.cui AS client_cui, c.reg_no AS client_reg_no,
           c.address AS client_address, c.phone AS client_phone, c.email AS client_email,
           (SELECT coalesce(sum(l.quantity * p.weight), 0)
            FROM order_lines l JOIN products p ON p.tenant_id = l.tenant_id AND p.id = l.product_id
            WHERE l.tenant_id = o.tenant_id AND l.order_id = o.id) AS weight
    FROM orders o
    JOIN tenants t ON t.id = o.tenant_id
    JOIN warehouses w ON w.tenant_id = o.tenant_id AND w.id = o.warehouse_id
    LEFT JOIN companies c ON c.tenant_id = o.tenant_id AND c.id = o.company_id
    WHERE o.tenant_id = $1 AND o.id = $2
"""
_LINES = """
    SELECT p.code, p.name, u.code AS unit, l.quantity, l.picked_quantity, place.code AS location
    FROM order_lines l
    JOIN products p ON p.tenant_id = l.tenant_id AND p.id = l.product_id
    LEFT JOIN measurement_units u ON u.tenant_id = p.tenant_id AND u.id = p.measurement_unit_id
    LEFT JOIN locations place ON place.tenant_id = l.tenant_id AND place.id = l.location_id
    WHERE l.tenant_id = $1 AND l.order_id = $2
    ORDER BY l.position, l.id
"""
_REQUIREMENTS = """
    SELECT name, value FROM order_requirements WHERE tenant_id = $1 AND order_id = $2 ORDER BY position, id
"""


async def get_notice(connection: asyncpg.Connection, tenant_id: int, order_id: int) -> Notice | None:
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        order = await connection.fetchrow(_ORDER, tenant_id, order_id)
        if order is None:
            return None
        lines = await connection.fetch(_LINES, tenant_id, order_id)
        requirements = await connection.fetch(_REQUIREMENTS, tenant_id, order_id)
    return Notice(
        **order,
        lines=[NoticeLine(**line) for line in lines],
        requirements=[(row["name"], row["value"]) for row in requirements],
    )
