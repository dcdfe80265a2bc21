"""Who still calls REST: counted beside the requests, written together, never lost at the end."""

from typing import Any

import pytest

from hub.context import Actor, Grant, Level, Scope
from hub.db import Database
from hub.errors import Unavailable
from schema.rest.usage import Usage
from tests.schema.rest.houses import House


async def counted(house: House) -> list[tuple[Any, ...]]:
    rows = await house.room.world.rows(
        "SELECT u.username, route, calls, errors FROM legacy_usage l JOIN users u ON u.id = l.user_id "
        "AND u.tenant_id = l.tenant_id ORDER BY 1, 2"
    )
    return [tuple(row.values()) for row in rows]


def usage_of(house: House) -> Usage:
    usage: Usage = house.client._transport.app.usage  # type: ignore[attr-defined]
    return usage


async def test_calls_are_counted_by_user_and_route(house: House) -> None:
    for _ in range(3):
        await house.post("/api/product/read")
    await house.get("/api/inventory/7")
    await house.get("/api/inventory/8")
    await house.post("/api/notifies", {}, user="viewer")
    assert await counted(house) == []

    await usage_of(house).flush()

    assert await counted(house) == [
        ("integrator", "GET /api/inventory/{id}", 2, 2),
        ("integrator", "POST /api/product/read", 3, 0),
        ("viewer", "POST /api/notifies", 1, 1),
    ]


async def test_later_counts_are_added(house: House) -> None:
    for _ in range(2):
        await house.post("/api/product/read")
        await usage_of(house).flush()
    await usage_of(house).flush()

    assert await counted(house) == [("integrator", "POST /api/product/read", 2, 0)]


async def test_nobody_unknown_is_counted(house: House) -> None:
    await house.client.post("/api/product/read")
    await house.post("/api/nothing")
    await house.post("/api/product/read", user="viewer")
    await house.run("DELETE FROM users WHERE username = 'viewer'")

    await usage_of(house).flush()

    assert await counted(house) == []


async def test_what_was_counted_is_written_at_the_end(house: House) -> None:
    usage = usage_of(house)
    async with usage.running():
        await house.post("/api/product/read")

    assert await counted(house) == [("integrator", "POST /api/product/read", 1, 0)]


async def test_counts_that_could_not_be_written_are_kept(house: House) -> None:
    away = Database("postgresql://nobody@127.0.0.1:1/nowhere")
    usage = Usage(away)
    usage.count(Scope({house.tenant_id: Grant(Level.USER)}, Actor("user", 2, "integrator")), "GET /x", failed=False)

    with pytest.raises(Unavailable):
        await usage.flush()
    async with usage.running():
        pass

    assert usage.pending == 1
    await away.close()
