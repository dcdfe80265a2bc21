"""Roles, grants and row-level security: which role may touch which table. Applied by migrations, proved by a test."""

from collections.abc import Iterator

ROLES = ("hub_app", "hub_system")

DIRECTORY = ("tenants", "users", "accounts", "memberships", "id_blocks")
QUEUES = (
    "connector_memory",
    "delivery_attempts",
    "event_heads",
    "events",
    "idempotency_keys",
    "inbox",
    "integrations",
    "order_deltas",
    "order_summaries",
    "outbox",
    "print_jobs",
    "stock_deltas",
    "stock_summaries",
    "stock_totals",
    "sync_exceptions",
    "sync_runs",
    "sync_streams",
)
SYSTEM_TABLES = DIRECTORY + QUEUES
"""What `hub_system` sees of all tenants: host look-up, login, relay, scheduler, sweeper, folding, retention."""

GLOBAL_TABLES = {"tenants": "id", "accounts": None}
"""Tables without tenant_id: the column the policy of `hub_app` compares, None = `hub_app` sees nothing."""

READ_ONLY_FOR_APP = (
    "tenants",
    "memberships",
    "id_blocks",
    "event_heads",
    "stock_summaries",
    "stock_totals",
    "order_summaries",
)
APPEND_ONLY_FOR_APP = ("audit_entries", "document_changes", "events", "stock_movements", "stock_deltas", "order_deltas")
"""The ledger and the logs: written once, never changed by the application."""

# The sub-select makes PostgreSQL evaluate the setting once per statement instead of once per row; the second cast does
# nothing but say that this is an array and no list of rows.
TENANTS = "(SELECT string_to_array(current_setting('hub.tenants', true), ',')::bigint[])::bigint[]"


def create_roles() -> Iterator[str]:
    for role in ROLES:
        yield (
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN "
            f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE; END IF; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        yield f"GRANT USAGE ON SCHEMA public TO {role}"
        yield f"GRANT {role} TO CURRENT_USER"


def protect(table: str) -> Iterator[str]:
    """The statements that put one table behind the policies."""
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    column = GLOBAL_TABLES.get(table, "tenant_id")
    if column is not None:
        yield f"GRANT {_app_rights(table)} ON {table} TO hub_app"
        yield (
            f"CREATE POLICY app ON {table} FOR ALL TO hub_app "
            f"USING ({column} = ANY ({TENANTS})) WITH CHECK ({column} = ANY ({TENANTS}))"
        )
    if table in SYSTEM_TABLES:
        yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO hub_system"
        yield f"CREATE POLICY system ON {table} FOR ALL TO hub_system USING (true) WITH CHECK (true)"


def _app_rights(table: str) -> str:
    if table in READ_ONLY_FOR_APP:
        return "SELECT"
    if table in APPEND_ONLY_FOR_APP:
        return "SELECT, INSERT"
    return "SELECT, INSERT, UPDATE, DELETE"
