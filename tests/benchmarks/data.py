"""Fills a migrated database with the benchmark's data, the same each time: made by PostgreSQL itself, in seconds."""

from dataclasses import dataclass

import asyncpg


@dataclass(frozen=True, slots=True)
class Scale:
    """How many rows, over all tenants."""

    tenants: int = 10
    products: int = 100_000
    stock_items: int = 300_000
    orders: int = 100_000
    order_lines: int = 400_000
    nirs: int = 20_000

    def divided(self, by: int) -> "Scale":
        return Scale(
            tenants=self.tenants,
            products=self.products // by,
            stock_items=self.stock_items // by,
            orders=self.orders // by,
            order_lines=self.order_lines // by,
            nirs=self.nirs // by,
        )


# {tenants}: their ids as a set; the counts are those of each one. Numbers are spread by multiplication with primes, so
# that rows that are asked for together do not lie together.
STATEMENTS = (
    """INSERT INTO tenants (slug, name, batch_code_format)
       SELECT 't' || n, 'Tenant ' || n, '' FROM {tenants} AS n""",
    """INSERT INTO warehouses (tenant_id, id, code, name, is_default)
       SELECT t, n, 'W' || n, 'Warehouse ' || n, n = 1 FROM {tenants} AS t, generate_series(1, 3) AS n""",
    """INSERT INTO locations (tenant_id, id, warehouse_id, code, name, priority)
       SELECT t, n, 1 + n % 3, 'L-' || n, 'Location ' || n, 100
       FROM {tenants} AS t, generate_series(1, 300) AS n""",
    """INSERT INTO categories (tenant_id, id, name, search)
       SELECT t, n, 'Category ' || n, 'category ' || n
       FROM {tenants} AS t, generate_series(1, 50) AS n""",
    """INSERT INTO companies (tenant_id, id, name, type, cui, external_reference, search)
       SELECT t, n, 'Company ' || n, 'BOTH', 'RO' || n, 'c' || n, 'company ' || n
       FROM {tenants} AS t, generate_series(1, 2000) AS n""",
    """INSERT INTO products (tenant_id, id, name, code, sku, category_id, vat_percentage, purchase_price, selling_price,
           weight, material, requires_batch_code, minimum_stock, search)
       SELECT t, n, 'Product number ' || n, 'P-' || n, 'SKU' || n, 1 + n % 50, 21, n % 1000 + 0.5, n % 1500 + 0.99,
           CASE WHEN n % 10 > 0 THEN (n % 100) / 10.0 END, CASE WHEN n % 3 = 0 THEN 'steel' END, n % 4 = 0, 1,
           'product number ' || n
       FROM {tenants} AS t, generate_series(1, {products}) AS n""",
    """INSERT INTO stock_items (tenant_id, id, product_id, warehouse_id, location_id, quantity, reserved)
       SELECT t, n, 1 + (n::bigint * 7919) % {products}, 1 + (1 + (n::bigint * 7919) % {products} + n % 299) % 3,
           1 + (n::bigint * 7919 / {products} + n % 97) % 300, 1 + n % 500, n % 2
       FROM {tenants} AS t, generate_series(1, {stock_items}) AS n
       ON CONFLICT DO NOTHING""",
    """INSERT INTO stock_summaries (tenant_id, product_id, warehouse_id, quantity, reserved)
       SELECT tenant_id, product_id, warehouse_id, sum(quantity), sum(reserved) FROM stock_items
       WHERE tenant_id IN (SELECT {tenants}) GROUP BY 1, 2, 3""",
    """INSERT INTO stock_totals (tenant_id, warehouse_id, quantity, reserved)
       SELECT tenant_id, warehouse_id, sum(quantity), sum(reserved) FROM stock_items
       WHERE tenant_id IN (SELECT {tenants}) GROUP BY 1, 2""",
    """INSERT INTO orders (tenant_id, id, external_order_id, warehouse_id, company_id, status, order_type, comment,
           created_at, search)
       SELECT t, n, 'WEB-' || n, 1 + n % 3, 1 + (n * 31) % 2000, n % 9, 1, CASE WHEN n % 5 = 0 THEN 'Ring twice' END,
           timestamptz '2026-01-01Z' + n * interval '1 minute', 'web-' || n
       FROM {tenants} AS t, generate_series(1, {orders}) AS n""",
    """INSERT INTO order_lines (tenant_id, id, order_id, position, product_id, quantity, reserved_quantity,
           picked_quantity)
       SELECT t, n, 1 + (n - 1) % {orders}, (n - 1) / {orders},
           1 + (n::bigint * 104729 + n / {orders} * 37) % {products}, 1 + n % 20, 0, 0
       FROM {tenants} AS t, generate_series(1, {order_lines}) AS n""",
    """INSERT INTO nirs (tenant_id, id, external_reference, warehouse_id, supplier_id, status, created_at, search)
       SELECT t, n, 'IN-' || n, 1 + n % 3, 1 + (n * 17) % 2000, n % 5,
           timestamptz '2026-01-01Z' + n * interval '3 minutes', 'in-' || n
       FROM {tenants} AS t, generate_series(1, {nirs}) AS n""",
    """INSERT INTO nir_lines (tenant_id, id, nir_id, position, product_id, quantity, validated_quantity, purchase_price)
       SELECT t, n, 1 + (n - 1) % {nirs}, (n - 1) / {nirs}, 1 + (n::bigint * 15485863) % {products}, 1 + n % 50, 0,
           n % 90 + 0.1
       FROM {tenants} AS t, generate_series(1, {nirs} * 4) AS n""",
)


USERS = """
INSERT INTO users (tenant_id, id, username, name, password_hash, language, level, permissions, credential_version)
SELECT t.id, 1, '{user}', '', $1, 'en', 1, '{{}}', 1 FROM tenants AS t
"""
ACCOUNTS = """
INSERT INTO accounts (email, name, password_hash, credential_version) VALUES ('{account}', '', $1, 1)
"""
MEMBERSHIPS = """
INSERT INTO memberships (tenant_id, account_id, level, permissions)
SELECT t.id, a.id, 1, '{}' FROM tenants AS t, accounts AS a
"""


async def fill(connection: asyncpg.Connection, scale: Scale, *, skewed: bool = False) -> None:
    """As superuser, without triggers and foreign keys: the rows are right by construction.

    `skewed`: the first tenant has 90 % of the rows, the others share what is left.
    """
    await connection.execute("SET session_replication_role = replica")
    if skewed:
        await _fill(connection, scale, first=1, last=1, share=0.9)
        await _fill(connection, scale, first=2, last=scale.tenants, share=0.1)
    else:
        await _fill(connection, scale, first=1, last=scale.tenants, share=1)
    await connection.execute("SET session_replication_role = origin")
    await connection.execute("VACUUM ANALYZE")


async def _fill(connection: asyncpg.Connection, scale: Scale, *, first: int, last: int, share: float) -> None:
    """The tenants from `first` to `last` with this share of all rows."""
    names = ("products", "stock_items", "orders", "order_lines", "nirs")
    counts = {name: int(getattr(scale, name) * share) // (last - first + 1) for name in names}
    for statement in STATEMENTS:
        await connection.execute(statement.format(tenants=f"generate_series({first}, {last})", **counts))


async def admit(connection: asyncpg.Connection, *, user: str, account: str, password_hash: str) -> None:
    """A user in each tenant, and an account that is a member of all; they may read."""
    await connection.execute(USERS.format(user=user), password_hash)
    await connection.execute(ACCOUNTS.format(account=account), password_hash)
    await connection.execute(MEMBERSHIPS)
