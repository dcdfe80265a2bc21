"""What one tenant has, another one can neither read, count, guess nor change: ids begin at 1 in each of them."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.db import Database
from schema.rest.routes import Route
from schema.rest.table import TABLE
from tests.schema.rest.fields import Model, sample, written
from tests.schema.rest.houses import House, open_house
from tests.schema.rest.test_golden import FILES, ask, read_story

TABLES = ("products", "orders", "nirs", "returns", "transfers", "inventories", "purchase_orders", "production_orders")


@pytest.fixture(scope="module")
async def neighbours(database: Database) -> AsyncIterator[list[House]]:
    """Tenants in which every story has happened."""
    houses = []
    for file in FILES:
        house = await open_house(database)
        for step in read_story(file.read_text(encoding="utf-8"))[1]:
            await ask(house, step)
        houses.append(house)
    yield houses
    for house in houses:
        await house.client.aclose()


@pytest.fixture(scope="module")
async def stranger(neighbours: list[House], database: Database) -> AsyncIterator[House]:
    """A tenant that has nothing yet."""
    house = await open_house(database)
    yield house
    await house.client.aclose()


async def kept(houses: list[House]) -> list[Any]:
    """How often anything was changed in these tenants."""
    return [
        [
            await house.value(f"SELECT (count(*), max(updated_at), sum(status))::text FROM {table}")
            for table in TABLES[1:]
        ]
        for house in houses
    ]


BY_ID = [route for route in TABLE.routes if "long}" in route.path]
READS = [route for route in TABLE.routes if route.path.endswith("/read") or "/metadata/" in route.path]


@pytest.mark.parametrize("route", BY_ID, ids=lambda route: f"{route.method} {route.template}")
async def test_the_ids_of_others_designate_nothing(stranger: House, neighbours: list[House], route: Route[Any]) -> None:
    before = await kept(neighbours)
    path = re.sub(r"{\w+}", "1", re.sub(r"{status}|{transferStatus}", "0", route.template))

    for user in ("admin", "integrator"):
        (await stranger.call(route.method, path, user=user)).refused(404)

    assert await kept(neighbours) == before


@pytest.mark.parametrize("route", READS, ids=lambda route: route.template)
async def test_reading_finds_nothing_of_others(stranger: House, neighbours: list[House], route: Route[Any]) -> None:
    assert route.body is not None
    bodies = [None, written(sample(Model(route.body)), (), None)] if route.body_optional else []
    for body in bodies:
        assert (await stranger.send(route.method, route.path, body, user="viewer")).data == []


@pytest.mark.parametrize("noun", ["product", "order", "nir", "category", "measurement-unit", "company"])
async def test_the_records_of_others_cannot_be_changed_or_deleted(
    stranger: House, neighbours: list[House], noun: str
) -> None:
    before = await kept(neighbours)
    ids = {"measurement-unit": "muIds"}.get(noun, f"{noun}Ids")

    (await stranger.delete(f"/api/{noun}/delete", {ids: [1]}, user="admin")).refused(404)
    if noun != "nir":
        (await stranger.post(f"/api/{noun}/update", {ids: [1], "updateFields": {}}, user="admin")).refused(404)
    else:
        (await stranger.patch("/api/nir/update", {"nirId": 1, "updateFields": {}})).refused(404)

    assert await kept(neighbours) == before


async def test_stock_of_others_is_not_counted(stranger: House, neighbours: list[House]) -> None:
    report = await stranger.post("/api/stock/detailed-report", user="viewer")
    whole = await stranger.post("/api/stock/all", user="viewer")

    assert (report.body["content"], report.body["totalElements"]) == ([], 0)
    assert (whole.body["content"], whole.body["totalElements"]) == ([], 0)
