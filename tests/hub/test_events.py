"""Every reader sees every event exactly once and in order, whoever writes, whoever dies."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from hub.bell import RedisBell
from hub.context import Grant, Level, Scope
from hub.cursors import decode_cursor, encode_cursor
from hub.db import Database
from hub.endings import end
from hub.errors import Invalid
from hub.events import CutOff, EventFeed, EventRow, read_events
from hub.numbering import keep_numbering, number_events
from tests.hub.sync.worlds import World, new_world


@pytest.fixture(scope="module")
async def bell(redis_url: str) -> AsyncIterator[RedisBell]:
    bell = await RedisBell(redis_url, silence=timedelta(milliseconds=300)).open()
    yield bell
    await bell.close()


@pytest.fixture
async def feed(database: Database, bell: RedisBell) -> AsyncIterator[EventFeed]:
    feed = await EventFeed(database, bell, capacity=50).open()
    yield feed
    await feed.close()


async def write(world: World, *numbers: int, topic: str = "order", pause: float = 0.0) -> None:
    async with world.database.unit_of_work(world.scope) as work:
        await asyncio.sleep(pause)
        for number in numbers:
            work.emit(topic, "added", subject_id=number, number=number)


async def published(feed: EventFeed, bell: RedisBell, database: Database) -> None:
    await number_events(database)
    await bell.ring("events_numbered")


async def collect(
    feed: EventFeed, scope: Scope, count: int, after: str | None, topics: set[str] | None = None
) -> list[EventRow]:
    rows: list[EventRow] = []
    async with contextlib.aclosing(feed.follow(scope, after=after, topics=topics)) as batches:
        async for batch in batches:
            rows += batch
            if len(rows) >= count:
                return rows
    raise AssertionError("unreachable")


def beginning(world: World) -> str:
    return encode_cursor({world.tenant_id: 0})


async def test_events_have_no_position_before_they_are_numbered(world: World) -> None:
    await write(world, 1, 2)

    assert await world.value("SELECT count(position) FROM events") == 0
    assert await number_events(world.database)
    assert await world.value("SELECT array_agg(position ORDER BY id) FROM events") == [1, 2]
    assert not await number_events(world.database)


async def test_a_transaction_that_ends_later_is_numbered_later(world: World) -> None:
    async with world.database.unit_of_work(world.scope) as late:
        late.emit("order", "added", number=1)
        await write(world, 2)
        await number_events(world.database)
    await number_events(world.database)

    rows = await world.rows("SELECT position, data FROM events ORDER BY position")
    assert [row["data"]["number"] for row in rows] == [2, 1]


async def test_numberers_at_the_same_time_leave_no_gap(world: World) -> None:
    async def writer(first: int) -> None:
        for number in range(first, first + 10):
            await write(world, number)

    async def numberer() -> None:
        for _ in range(15):
            await number_events(world.database)

    await asyncio.gather(*(writer(n * 10) for n in range(4)), *(numberer() for _ in range(3)))
    await number_events(world.database)

    positions = await world.value("SELECT array_agg(position ORDER BY position) FROM events")
    assert positions == list(range(1, 41))
    assert await world.value("SELECT position FROM event_heads") == 40


@contextlib.asynccontextmanager
async def processes(database_url: str, bell: RedisBell, count: int) -> AsyncIterator[list[tuple[Database, EventFeed]]]:
    """Several processes of one hub, each with its own pools, listener and candidate for numbering."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            database = await Database(database_url, bell=bell).open()
            stack.push_async_callback(database.close)
            feed = await EventFeed(database, bell, capacity=10_000).open()
            stack.push_async_callback(feed.close)
            made.append((database, feed))
        numberers = [asyncio.create_task(keep_numbering(database, bell)) for database, _ in made]
        try:
            yield made
        finally:
            await end(numberers)


async def kill_the_numberer(administrator: AsyncEngine) -> None:
    kill = text("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    async with administrator.connect() as connection:
        for _ in range(200):
            if (await connection.execute(kill)).first() is not None:
                return
            await asyncio.sleep(0.05)
    raise AssertionError("nobody numbers")


async def test_followers_see_every_event_once_in_order_though_the_numberer_dies(
    database_url: str, world: World, bell: RedisBell
) -> None:
    writers, each = 6, 25

    async def write_some(own: World, writer: int) -> None:
        for number in range(each):
            await write(own, writer * each + number, pause=random.uniform(0, 0.03))

    async def kill_some() -> None:
        administrator = create_async_engine(database_url, isolation_level="AUTOCOMMIT")
        for _ in range(3):
            await kill_the_numberer(administrator)
            await asyncio.sleep(0.3)
        await administrator.dispose()

    async with processes(database_url, bell, 3) as made:
        start = encode_cursor({world.tenant_id: 0})
        following = [collect(feed, world.scope, writers * each, start) for _, feed in made * 2]
        writing = [write_some(replace(world, database=made[n % 3][0]), n) for n in range(writers)]
        done = await asyncio.wait_for(asyncio.gather(*following, *writing, kill_some()), 60)

    for rows in done[: len(following)]:
        assert [row.position for row in rows] == list(range(1, writers * each + 1))
        assert sorted(row.data["number"] for row in rows) == list(range(writers * each))


async def test_a_cursor_resumes_after_its_event(world: World, feed: EventFeed, bell: RedisBell) -> None:
    await write(world, 1, 2, 3)
    await published(feed, bell, world.database)
    first = (await collect(feed, world.scope, 3, beginning(world)))[0]

    rows = await collect(feed, world.scope, 2, first.cursor)

    assert [row.data["number"] for row in rows] == [2, 3]


async def test_without_a_cursor_following_begins_now(world: World, feed: EventFeed, bell: RedisBell) -> None:
    await write(world, 1)
    await published(feed, bell, world.database)
    following = asyncio.create_task(collect(feed, world.scope, 1, None))
    await asyncio.sleep(0.2)

    await write(world, 2)
    await published(feed, bell, world.database)

    rows = await asyncio.wait_for(following, 10)
    assert [row.data["number"] for row in rows] == [2]


async def test_topics_choose_and_the_cursor_passes_over_the_rest(
    world: World, feed: EventFeed, bell: RedisBell
) -> None:
    await write(world, 1, topic="stock")
    await write(world, 2, topic="order")
    await published(feed, bell, world.database)

    rows = await collect(feed, world.scope, 1, beginning(world), {"order"})

    assert [(row.topic, row.position) for row in rows] == [("order", 2)]


async def test_a_follower_of_several_tenants_resumes_in_each(
    world: World, feed: EventFeed, bell: RedisBell, database: Database
) -> None:
    other = await new_world(database)
    both = Scope({world.tenant_id: Grant(Level.VIEWER), other.tenant_id: Grant(Level.VIEWER)})
    start = encode_cursor({world.tenant_id: 0, other.tenant_id: 0})
    await write(world, 1, 2)
    await write(other, 3)
    await published(feed, bell, database)
    rows = await collect(feed, both, 3, start)

    again = await collect(feed, both, 2, rows[0].cursor)

    assert [(row.tenant_id, row.position) for row in again] == [(row.tenant_id, row.position) for row in rows[1:]]


async def test_nobody_follows_a_foreign_tenant(
    world: World, feed: EventFeed, bell: RedisBell, database: Database
) -> None:
    stranger = await new_world(database)
    await write(world, 1)
    await published(feed, bell, database)
    foreign = encode_cursor({world.tenant_id: 0, stranger.tenant_id: 0})
    following = asyncio.create_task(collect(feed, stranger.scope, 1, foreign))

    await write(stranger, 9)
    await published(feed, bell, database)

    rows = await asyncio.wait_for(following, 10)
    assert [row.data["number"] for row in rows] == [9]


async def test_a_slow_follower_is_cut_off_and_comes_back_without_loss(
    world: World, feed: EventFeed, bell: RedisBell
) -> None:
    await write(world, 0)
    await published(feed, bell, world.database)
    seen: list[int] = []
    following = feed.follow(world.scope, after=beginning(world))
    seen += [row.data["number"] for row in await anext(following)]
    live = asyncio.create_task(anext(following))
    await write(world, 1)
    await published(feed, bell, world.database)
    seen += [row.data["number"] for row in await asyncio.wait_for(live, 10)]
    for number in range(2, 202):
        await write(world, number)
        await published(feed, bell, world.database)
    await asyncio.sleep(0.5)

    with pytest.raises(CutOff) as cut:
        while True:
            seen += [row.data["number"] for row in await asyncio.wait_for(anext(following), 10)]

    assert len(seen) < 202
    rest = await collect(feed, world.scope, 202 - len(seen), cut.value.cursor)
    assert seen + [row.data["number"] for row in rest] == list(range(202))
    assert feed.followers == 0


async def test_a_cursor_older_than_retention_is_refused_by_name(world: World, feed: EventFeed) -> None:
    await write(world, 1, 2, 3)
    await number_events(world.database)
    async with world.database.system_work() as session:
        await session.execute(text("UPDATE event_heads SET kept_from = 3 WHERE tenant_id = :t"), {"t": world.tenant_id})

    with pytest.raises(Invalid) as refused:
        await collect(feed, world.scope, 1, encode_cursor({world.tenant_id: 1}))

    assert refused.value.code == "CURSOR_EXPIRED"
    assert [row.position for row in await collect(feed, world.scope, 1, encode_cursor({world.tenant_id: 2}))] == [3]


@pytest.mark.parametrize(
    "cursor", ["", "x", "MTox!", "MTo", encode_cursor({1: 5}) + "=", encode_cursor({3: 1})[:-1] + "é"]
)
async def test_a_broken_cursor_is_refused(world: World, feed: EventFeed, cursor: str) -> None:
    with pytest.raises(Invalid, match="after"):
        await collect(feed, world.scope, 1, cursor)


async def test_a_cursor_of_the_future_is_refused(world: World, feed: EventFeed) -> None:
    with pytest.raises(Invalid, match="future"):
        await collect(feed, world.scope, 1, encode_cursor({world.tenant_id: 7}))


def test_cursors_keep_their_positions() -> None:
    assert decode_cursor(encode_cursor({3: 17, 4: 99})) == {3: 17, 4: 99}


async def test_reading_stops_at_the_limit_and_goes_on_from_there(world: World) -> None:
    await write(world, 1, 2, 3)
    await number_events(world.database)
    async with world.database.reading(world.scope) as connection:
        first = await read_events(connection, [world.tenant_id], {}, None, 2)
        second = await read_events(connection, [world.tenant_id], first.reached, None, 2)

    assert [row.position for row in first.events + second.events] == [1, 2, 3]
    assert second.reached == {world.tenant_id: 3}


async def test_followers_go_on_after_the_database_threw_them_out(
    database_url: str, world: World, bell: RedisBell
) -> None:
    async with processes(database_url, bell, 1) as made:
        _, feed = made[0]
        following = asyncio.create_task(collect(feed, world.scope, 2, beginning(world)))
        await write(world, 1)
        await asyncio.sleep(0.5)
        administrator = create_async_engine(database_url, isolation_level="AUTOCOMMIT")
        async with administrator.connect() as connection:
            await connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE application_name LIKE 'crossdock%' AND datname = current_database()"
                )
            )
        await administrator.dispose()
        await asyncio.sleep(0.5)

        await write(world, 2)

        rows = await asyncio.wait_for(following, 20)
    assert [row.data["number"] for row in rows] == [1, 2]
