"""Transactions: lost connections, failures inside, what a statement may carry and what it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col

from hub.context import Scope
from hub.db import Database
from hub.endings import end
from hub.errors import Conflict, Invalid, Unavailable
from hub.models import metadata
from hub.models.products import Product
from hub.models.tenants import Tenant

SCOPE = Scope.of_system(1)
PRODUCTS = metadata.tables["products"]
EVENTS = metadata.tables["events"]
OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'crossdock-%'"


@pytest.fixture(scope="module")
async def hub(database_url: str) -> AsyncIterator[Database]:
    hub = await Database(database_url, pool_size=3).open()
    async with hub.system_work() as session:
        session.add(Tenant(id=1, slug="one", name="One"))
    yield hub
    await hub.close()


async def add(hub: Database, id_: int, code: str) -> None:
    async with hub.unit_of_work(SCOPE) as work:
        await work.insert(PRODUCTS, [{"id": id_, "code": code, "name": code}])


async def codes(hub: Database) -> set[str]:
    async with hub.unit_of_work(SCOPE) as work:
        return set((await work.session.execute(text("SELECT code FROM products"))).scalars())


async def lose_all(administrator: AsyncEngine) -> None:
    """What a restart of PostgreSQL does to the connections that wait in the pools."""
    async with administrator.connect() as connection:
        assert (await connection.execute(text(OTHERS))).all()


async def test_connections_lost_between_two_transactions_are_not_noticed(
    hub: Database, administrator: AsyncEngine
) -> None:
    await asyncio.gather(*(codes(hub) for _ in range(3)))

    await lose_all(administrator)

    assert await asyncio.gather(*(codes(hub) for _ in range(6)))
    async with hub.system_work() as session:
        assert (await session.execute(text("SELECT count(*) FROM tenants"))).scalar_one() == 1


async def test_connection_lost_within_a_transaction_is_unavailable_and_stores_nothing(
    hub: Database, administrator: AsyncEngine
) -> None:
    with pytest.raises(Unavailable):
        async with hub.unit_of_work(SCOPE) as work:
            await work.insert(PRODUCTS, [{"id": 90, "code": "lost", "name": "lost"}])
            await lose_all(administrator)

    assert "lost" not in await codes(hub)


@pytest.mark.parametrize("failure", [ValueError, asyncio.CancelledError])
async def test_failure_undoes_the_transaction_and_the_connection_serves_the_next_one(
    hub: Database, failure: type[BaseException]
) -> None:
    with pytest.raises(failure):
        async with hub.unit_of_work(SCOPE) as work:
            await work.insert(PRODUCTS, [{"id": 91, "code": "undone", "name": "undone"}])
            raise failure

    assert "undone" not in await codes(hub)


async def test_cancelled_statement_undoes_the_transaction(hub: Database) -> None:
    async def dawdle() -> None:
        async with hub.unit_of_work(SCOPE) as work:
            await work.insert(PRODUCTS, [{"id": 92, "code": "late", "name": "late"}])
            asleep.set()
            await work.session.execute(text("SELECT pg_sleep(60)"))

    asleep = asyncio.Event()
    task = asyncio.create_task(dawdle())
    await asleep.wait()
    await end([task])

    assert "late" not in await codes(hub)


async def test_savepoint_undoes_its_part_alone_also_inside_another(hub: Database) -> None:
    async with hub.unit_of_work(SCOPE) as work:
        await work.insert(PRODUCTS, [{"id": 1, "code": "kept", "name": "kept"}])
        async with work.savepoint():
            with pytest.raises(Conflict, match="code: already exists"):
                async with work.savepoint():
                    await work.insert(PRODUCTS, [{"id": 2, "code": "kept", "name": "taken"}])
            await work.insert(PRODUCTS, [{"id": 3, "code": "inner", "name": "inner"}])

    assert {"kept", "inner"} <= await codes(hub)


async def test_transaction_in_which_a_statement_failed_cannot_end_well(hub: Database) -> None:
    with pytest.raises(RuntimeError, match="nothing is stored"):
        async with hub.unit_of_work(SCOPE) as work:
            with suppress(DBAPIError):
                await work.session.execute(text("SELECT 1 / 0"))


async def test_texts_and_constructs_take_part_in_the_same_transaction(hub: Database) -> None:
    async with hub.unit_of_work(SCOPE) as work:
        await work.insert(PRODUCTS, [{"id": 10, "code": "by text", "name": "one"}])
        found = await work.session.execute(select(col(Product.code)).where(col(Product.id) == 10))
        assert found.scalar_one() == "by text"
        await work.session.execute(insert(Product), [{"tenant_id": 1, "id": 11, "code": "by construct", "name": "two"}])
        rows = await work.session.execute(text("SELECT id, code FROM products WHERE id = :id"), {"id": 11})
        assert [(row.id, row.code, row._mapping["code"]) for row in rows] == [(11, "by construct", "by construct")]
        assert (await work.session.execute(text("SELECT id FROM products WHERE id = 0"))).scalar_one_or_none() is None


async def test_changed_object_is_stored_before_a_text_looks_and_at_the_end(hub: Database) -> None:
    await add(hub, 12, "object")

    async with hub.unit_of_work(SCOPE) as work:
        product = (await work.session.execute(select(Product).where(col(Product.id) == 12))).scalar_one()
        product.name = "seen"
        assert (await work.session.execute(text("SELECT name FROM products WHERE id = 12"))).scalar_one() == "seen"
        product.name = "kept"

    async with hub.unit_of_work(SCOPE) as work:
        assert (await work.session.execute(text("SELECT name FROM products WHERE id = 12"))).scalar_one() == "kept"


async def test_many_sets_of_values_run_one_statement(hub: Database) -> None:
    async with hub.unit_of_work(SCOPE) as work:
        rename = text("UPDATE products SET name = :name WHERE id = :id")
        await work.insert(PRODUCTS, [{"id": id_, "code": f"M{id_}", "name": ""} for id_ in (20, 21)])
        await work.session.execute(rename, [{"id": 20, "name": "first"}, {"id": 21, "name": "second"}])
        names = await work.session.execute(text("SELECT name FROM products WHERE id IN (20, 21) ORDER BY id"))
        assert names.scalars().all() == ["first", "second"]


async def test_rows_of_all_kinds_of_columns_are_stored_as_given(hub: Database) -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    goods = {"id": 30, "code": "K", "name": "ș" * 255, "weight": Decimal("1.2500"), "active": False, "created_at": at}
    event = {"id": 1, "topic": "stock", "kind": "changed", "subject_id": None, "data": {"a": [1, None, "ț"]}}

    async with hub.unit_of_work(SCOPE) as work:
        assert await work.insert(PRODUCTS, [goods], returning="weight") == [Decimal("1.2500")]
        await work.insert(EVENTS, [event, {**event, "id": 2, "data": {}}])

    async with hub.unit_of_work(SCOPE) as work:
        stored = await work.session.execute(select(PRODUCTS).where(PRODUCTS.c.id == 30))
        assert goods.items() <= dict(stored.mappings().one()).items()
        told = await work.session.execute(select(EVENTS).where(EVENTS.c.tenant_id == 1).order_by(EVENTS.c.id))
        assert [(row["data"], row["subject_id"]) for row in told.mappings()] == [(event["data"], None), ({}, None)]


async def test_text_that_is_too_long_is_refused_and_not_cut(hub: Database) -> None:
    with pytest.raises(Invalid, match="too long"):
        await add(hub, 40, "x" * 300)
