"""What the database's own catalogue says about tenants: every key is led by them, every table hides them."""

from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from hub.migrations.security import (
    APPEND_ONLY_FOR_APP,
    DIRECTORY,
    GLOBAL_TABLES,
    QUEUES,
    READ_ONLY_FOR_APP,
    ROLES,
)
from hub.models import metadata

TABLES = sorted(metadata.tables)
TENANT_TABLES = [table for table in TABLES if table not in GLOBAL_TABLES]
RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")


@pytest.fixture(scope="module")
async def catalogue(database_url: str) -> dict[str, Any]:
    """The catalogue as the administrator sees it, read once."""
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        return {
            "tables": await connection.fetch(
                """SELECT relname AS name, relrowsecurity AS enabled, pg_get_userbyid(relowner) AS owner
                   FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"""
            ),
            "others": await connection.fetch(
                """SELECT relname FROM pg_class
                   WHERE relnamespace = 'public'::regnamespace AND (relkind IN ('m', 'f')
                       OR relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (reloptions), false))
                   UNION ALL
                   SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prosecdef"""
            ),
            "keys": await connection.fetch(
                """SELECT i.indexrelid::regclass::text AS name, i.indrelid::regclass::text AS table,
                       (SELECT attname FROM pg_attribute AS a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[0])
                       AS first
                   FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indrelid
                   WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace"""
            ),
            "references": await connection.fetch(
                """SELECT conname AS name, conrelid::regclass::text AS table, confrelid::regclass::text AS target,
                       (SELECT array_agg(attname::text ORDER BY n) FROM unnest(conkey) WITH ORDINALITY AS k (num, n)
                        JOIN pg_attribute ON attrelid = conrelid AND attnum = num) AS columns,
                       (SELECT array_agg(attname::text ORDER BY n) FROM unnest(confkey) WITH ORDINALITY AS k (num, n)
                        JOIN pg_attribute ON attrelid = confrelid AND attnum = num) AS targets
                   FROM pg_constraint WHERE contype = 'f' AND connamespace = 'public'::regnamespace"""
            ),
            "policies": await connection.fetch("SELECT * FROM pg_policies WHERE schemaname = 'public'"),
            "roles": await connection.fetch("SELECT * FROM pg_roles WHERE rolname = ANY ($1)", list(ROLES)),
            "memberships": await connection.fetch(
                "SELECT roleid::regrole::text FROM pg_auth_members WHERE member::regrole::text = ANY ($1)", list(ROLES)
            ),
            "rights": {
                (role, table): {
                    right
                    for right in RIGHTS
                    if await connection.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, right)
                }
                for role in ROLES
                for table in TABLES
            },
            "creates": {
                role: await connection.fetchval("SELECT has_schema_privilege($1, 'public', 'CREATE')", role)
                for role in ROLES
            },
        }
    finally:
        await connection.close()


def test_migrations_make_the_tables_of_the_models_and_nothing_that_goes_around_them(catalogue: dict[str, Any]) -> None:
    made = {row["name"] for row in catalogue["tables"]} - {"alembic_version"}

    assert made == set(TABLES)
    assert [row[0] for row in catalogue["others"]] == []


def test_tenant_leads_every_primary_and_unique_key(catalogue: dict[str, Any]) -> None:
    wrong = [
        (row["table"], row["name"], row["first"])
        for row in catalogue["keys"]
        if row["table"] in TENANT_TABLES and row["first"] != "tenant_id"
    ]

    assert wrong == []


def test_references_never_leave_the_tenant(catalogue: dict[str, Any]) -> None:
    wrong = [
        row["name"]
        for row in catalogue["references"]
        if row["target"] not in GLOBAL_TABLES
        and (row["columns"][0] != "tenant_id" or row["targets"][0] != "tenant_id" or len(row["columns"]) < 2)
    ]

    assert wrong == []


def test_every_table_is_behind_row_level_security(catalogue: dict[str, Any]) -> None:
    bare = [row["name"] for row in catalogue["tables"] if not row["enabled"] and row["name"] in TABLES]

    assert bare == []


def test_application_sees_the_tenants_of_its_setting_and_no_others(catalogue: dict[str, Any]) -> None:
    mine = {row["tablename"]: row for row in catalogue["policies"] if "hub_app" in row["roles"]}

    assert set(mine) == set(TABLES) - {"accounts"}
    for table, policy in mine.items():
        column = GLOBAL_TABLES.get(table, "tenant_id")
        assert policy["cmd"] == "ALL"
        assert policy["roles"] == ["hub_app"]
        assert policy["qual"] == policy["with_check"]
        assert policy["qual"].startswith(f"({column} = ANY (")
        assert "current_setting('hub.tenants'::text, true)" in policy["qual"]
    assert len([row for row in catalogue["policies"] if "hub_app" in row["roles"]]) == len(mine)


def test_system_role_sees_directory_and_queues_only(catalogue: dict[str, Any]) -> None:
    open_to_system = {row["tablename"] for row in catalogue["policies"] if "hub_system" in row["roles"]}
    allowed = {table for table in TABLES if catalogue["rights"]["hub_system", table]}

    assert open_to_system == allowed == set(DIRECTORY) | set(QUEUES)
    assert not {"products", "orders", "stock_items", "integration_secrets", "audit_entries"} & allowed


def test_policies_are_for_the_two_roles_alone(catalogue: dict[str, Any]) -> None:
    assert {role for row in catalogue["policies"] for role in row["roles"]} == set(ROLES)


@pytest.mark.parametrize("role", ROLES)
def test_role_cannot_go_around_the_policies(catalogue: dict[str, Any], role: str) -> None:
    (row,) = [row for row in catalogue["roles"] if row["rolname"] == role]

    assert not (row["rolsuper"] or row["rolbypassrls"] or row["rolcreaterole"] or row["rolcreatedb"])
    assert not catalogue["creates"][role]
    assert role not in {table["owner"] for table in catalogue["tables"]}
    assert [member[0] for member in catalogue["memberships"]] == []


@pytest.mark.parametrize("table", TABLES)
def test_application_may_do_with_a_table_what_was_decided(catalogue: dict[str, Any], table: str) -> None:
    if GLOBAL_TABLES.get(table, "") is None:
        expected: set[str] = set()
    elif table in READ_ONLY_FOR_APP:
        expected = {"SELECT"}
    elif table in APPEND_ONLY_FOR_APP:
        expected = {"SELECT", "INSERT"}
    else:
        expected = {"SELECT", "INSERT", "UPDATE", "DELETE"}

    assert catalogue["rights"]["hub_app", table] == expected
