"""One pooled connection serves one tenant after the other: whatever happens in between, it never shows the wrong rows.

A pool of a single connection makes sure that the next reader gets the connection the last one left behind.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from sqlalchemy import insert, select, text, update
from sqlmodel import col

from hub.context import Grant, Level, Scope
from hub.db import Database
from hub.errors import Conflict, HubError
from hub.models import metadata
from hub.models.products import Product
from hub.models.tenants import Tenant

ONE, TWO = Scope.of_system(1), Scope.of_system(2)
BOTH = Scope({1: Grant(Level.VIEWER), 2: Grant(Level.VIEWER)})
NOBODY = Scope({})


class Mishap(Exception):
    """What a reader's own code may raise."""


@pytest.fixture(scope="module", params=[False, True], ids=["session settings", "behind PgBouncer"])
async def hub(database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Database]:
    hub = await Database(database_url, pool_size=1, pgbouncer=request.param).open()
    async with hub.system_work() as session:
        if (await session.execute(select(Tenant))).first() is None:
            rows = [{"id": id_, "slug": slug, "name": slug} for id_, slug in ((1, "one"), (2, "two"))]
            await session.execute(insert(Tenant), rows)
    for scope in (ONE, TWO):
        async with hub.unit_of_work(scope) as work:
            if (await work.session.execute(select(Product))).first() is None:
                row = {"tenant_id": scope.tenant_id, "id": 1, "code": f"P{scope.tenant_id}", "name": "A product"}
                await work.session.execute(insert(Product), [row])
    yield hub
    await hub.close()


async def codes(hub: Database, scope: Scope) -> list[str]:
    """What a reader sees without naming a tenant, as a forgotten condition would."""
    async with hub.reading(scope) as connection:
        return [row["code"] for row in await connection.fetch("SELECT code FROM products ORDER BY code")]


async def fail_in_sql(connection: asyncpg.Connection) -> None:
    await connection.fetch("SELECT 1 / 0")


async def fail_in_python(_: asyncpg.Connection) -> None:
    raise Mishap


async def roll_back(connection: asyncpg.Connection) -> None:
    async with connection.transaction():
        await connection.fetch("SELECT code FROM products")
        raise Mishap


async def roll_back_unnoticed(connection: asyncpg.Connection) -> None:
    """The reader survives its own rollback and leaves in peace."""
    with suppress(Mishap):
        await roll_back(connection)


async def fail_in_sql_unnoticed(connection: asyncpg.Connection) -> None:
    with suppress(asyncpg.DivisionByZeroError):
        await connection.fetch("SELECT 1 / 0")


async def enter_another_scope_and_roll_back(connection: Any) -> None:
    """The rollback undoes the setting that the connection remembers having made."""
    if not hasattr(connection, "enter"):
        return
    with suppress(Mishap):
        async with connection.transaction():
            await connection.enter(TWO.key)
            raise Mishap


async def lose_the_connection(connection: asyncpg.Connection) -> None:
    connection.terminate()
    await connection.fetch("SELECT 1")


async def take_too_long(connection: asyncpg.Connection) -> None:
    await connection.execute("SET statement_timeout = 5")
    try:
        await connection.fetch("SELECT pg_sleep(5)")
    finally:
        await connection.execute("SET statement_timeout = 10000")


MISHAPS = (
    fail_in_sql,
    fail_in_python,
    roll_back,
    roll_back_unnoticed,
    fail_in_sql_unnoticed,
    enter_another_scope_and_roll_back,
    lose_the_connection,
    take_too_long,
)


@pytest.mark.parametrize("mishap", MISHAPS)
async def test_next_reader_sees_its_own_tenants_after_a_mishap(
    hub: Database, mishap: Callable[[asyncpg.Connection], Awaitable[None]]
) -> None:
    for scope, expected in ((TWO, ["P2"]), (ONE, ["P1"]), (NOBODY, []), (BOTH, ["P1", "P2"])):
        assert await codes(hub, ONE) == ["P1"]
        with suppress(Mishap, HubError, asyncpg.PostgresError):
            async with hub.reading(ONE) as connection:
                await mishap(connection)
        assert await codes(hub, scope) == expected


async def test_reader_that_is_cancelled_leaves_nothing_behind(hub: Database) -> None:
    for scope, expected in ((TWO, ["P2"]), (NOBODY, []), (ONE, ["P1"])):
        started = asyncio.Event()

        async def read_slowly(started: asyncio.Event = started) -> None:
            async with hub.reading(ONE) as connection:
                started.set()
                await connection.fetch("SELECT pg_sleep(60)")

        reader = asyncio.create_task(read_slowly())
        await started.wait()
        await asyncio.sleep(0.01)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

        assert await codes(hub, scope) == expected


async def test_reader_that_is_cancelled_while_it_enters_leaves_nothing_behind(hub: Database) -> None:
    """Cancelled after none, one, two … steps of the loop: also in the middle of changing the setting."""
    for steps in range(12):
        assert await codes(hub, ONE) == ["P1"]
        reader = asyncio.create_task(codes(hub, TWO))
        for _ in range(steps):
            await asyncio.sleep(0)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)

        assert await codes(hub, NOBODY) == []
        assert await codes(hub, ONE) == ["P1"]


async def test_writer_that_fails_leaves_nothing_behind(hub: Database) -> None:
    async def seen(scope: Scope) -> list[str]:
        async with hub.unit_of_work(scope) as work:
            return list((await work.session.execute(select(col(Product.code)).order_by(col(Product.code)))).scalars())

    row = {"tenant_id": 1, "id": 2, "code": "P1", "name": "The same code again"}
    for scope, expected in ((TWO, ["P2"]), (NOBODY, []), (BOTH, ["P1", "P2"])):
        with pytest.raises(Conflict):
            async with hub.unit_of_work(ONE) as work:
                await work.session.execute(insert(Product), [row])
        assert await seen(scope) == expected


async def test_writer_reaches_its_own_tenant_only(hub: Database) -> None:
    async with hub.unit_of_work(ONE) as work:
        renamed = await work.session.execute(update(Product).values(name="renamed").returning(col(Product.tenant_id)))
        assert list(renamed.scalars()) == [1]

    row = {"tenant_id": 2, "id": 9, "code": "P9", "name": "Smuggled"}
    with pytest.raises(Exception, match="row-level security"):
        async with hub.unit_of_work(ONE) as work:
            await work.session.execute(insert(Product), [row])

    async with hub.unit_of_work(TWO) as work:
        products = (await work.session.execute(select(Product))).scalars().all()
    assert [(product.code, product.name) for product in products] == [("P2", "A product")]


async def test_reader_cannot_write(hub: Database) -> None:
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with hub.reading(ONE) as connection:
            await connection.execute("UPDATE products SET name = 'x'")


async def test_scope_without_tenants_sees_no_row_of_any_table(hub: Database) -> None:
    assert await codes(hub, BOTH) == ["P1", "P2"]

    async with hub.reading(NOBODY) as connection:
        views = [row[0] for row in await connection.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'public'")]
        tables = [table for table in metadata.tables if table != "accounts"]
        found = {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in (*tables, *views)}

    assert {name for name, count in found.items() if count} == set()


async def test_application_never_sees_accounts(hub: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with hub.reading(BOTH) as connection:
            await connection.fetch("SELECT * FROM accounts")


async def test_system_work_does_not_reach_operational_data(hub: Database) -> None:
    with pytest.raises(Exception, match="permission denied"):
        async with hub.system_work() as session:
            await session.execute(text("SELECT * FROM products"))
