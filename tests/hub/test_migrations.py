"""Migrations make of an empty database what the models say, in all that a catalogue can tell, and take it back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from hub import migrations
from hub.embedded import Engines
from hub.migrations.blueprint import statements

CATALOGUE = {
    "columns": """
        SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity::text,
               coll.collname, pg_get_expr(d.adbin, d.adrelid)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        LEFT JOIN pg_collation coll ON coll.oid = a.attcollation
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace""",
    "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "policies": "SELECT tablename, policyname, roles::text, cmd, qual, with_check FROM pg_policies",
    "protection": """
        SELECT relname, relrowsecurity, relacl::text FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')""",
    "triggers": "SELECT tgrelid::regclass::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": "SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    "views": "SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'",
}


@pytest.fixture
async def empty(engines: Engines, administrator: AsyncEngine) -> AsyncIterator[tuple[str, str]]:
    names = ("migrated", "drawn")
    async with administrator.connect() as connection:
        for name in names:
            await connection.execute(text(f"CREATE DATABASE {name}"))
    yield engines.app_url("postgres", database=names[0]), engines.app_url("postgres", database=names[1])
    async with administrator.connect() as connection:
        for name in names:
            await connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@asynccontextmanager
async def _connected(engines: Engines, name: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(host=str(engines.sockets), user="postgres", database=name)
    try:
        yield connection
    finally:
        await connection.close()


async def _catalogue(connection: asyncpg.Connection, part: str) -> list[tuple[object, ...]]:
    rows = await connection.fetch(CATALOGUE[part])
    return sorted((tuple(row) for row in rows if "alembic_version" not in row[0]), key=repr)


async def test_migrated_database_is_what_the_models_say(empty: tuple[str, str], engines: Engines) -> None:
    await migrations.upgrade(empty[0])

    async with _connected(engines, "drawn") as drawn, _connected(engines, "migrated") as migrated:
        for statement in statements():
            await drawn.execute(statement)
        for part in CATALOGUE:
            assert await _catalogue(migrated, part) == await _catalogue(drawn, part), part
    assert await migrations.pending(empty[0]) == []


async def test_way_back_leaves_nothing_and_the_way_there_can_be_gone_again(
    empty: tuple[str, str], engines: Engines
) -> None:
    await migrations.upgrade(empty[0])

    await migrations.downgrade(empty[0], "base")

    async with _connected(engines, "migrated") as connection:
        for part in CATALOGUE:
            assert await _catalogue(connection, part) == [], part
    await migrations.upgrade(empty[0])
