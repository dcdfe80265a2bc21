"""Every field of every request refuses what it must, and names itself by its path."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from hub.db import Database
from schema.rest.json_text import parse
from schema.rest.kinds import RefusedKind, TextKind
from schema.rest.requests import read_model
from schema.rest.routes import Route
from schema.rest.table import TABLE
from tests.schema.rest.fields import Model, Place, body_with, places, sample, written, wrong_values
from tests.schema.rest.houses import House, open_house

PLACES = list(places())
NULL_SAYS_SOMETHING = {"isActive"}
"""Both active and inactive products."""
OPTIONAL = [
    place
    for place in PLACES
    if not place.required and not place.mandatory and not isinstance(place.declared, RefusedKind)
]


@pytest.fixture(scope="module")
async def house(database: Database) -> AsyncIterator[House]:
    """One tenant for all: nothing is ever written."""
    house = await open_house(database)
    yield house
    await house.client.aclose()


async def refused(house: House, place: Place, value: str | None) -> str:
    path = re.sub(r"{\w+}", "1", place.route.template)
    answer = await house.send(place.route.method, path, body_with(place, value), user="admin")
    return answer.refused(400)


@pytest.mark.parametrize("place", PLACES, ids=str)
async def test_a_wrong_value_is_refused_by_the_name_of_its_field(house: House, place: Place) -> None:
    for value in wrong_values(place.declared):
        message = await refused(house, place, value)
        assert place.path in message, (value[:80], message)


@pytest.mark.parametrize("place", [place for place in PLACES if place.required], ids=str)
async def test_a_required_field_must_be_there(house: House, place: Place) -> None:
    for value in (None, "null"):
        assert f"{place.path}: is required" in await refused(house, place, value)


@pytest.mark.parametrize("place", [p for p in PLACES if p.mandatory and not p.required], ids=str)
async def test_a_mandatory_field_cannot_be_cleared(house: House, place: Place) -> None:
    assert place.path in await refused(house, place, "null")


@pytest.mark.parametrize("place", OPTIONAL, ids=str)
def test_an_optional_field_may_be_null(place: Place) -> None:
    assert place.route.body is not None
    absent, null = (
        read_model(place.route.body, parse(body_with(place, value).encode())).model_dump() for value in (None, "null")
    )
    if place.steps[0] != "updateFields" and place.path not in NULL_SAYS_SOMETHING:
        assert null == absent


@pytest.mark.parametrize("place", [p for p in PLACES if isinstance(p.declared, TextKind)], ids=str)
def test_a_text_takes_the_digits_of_a_number_as_they_were_written(place: Place) -> None:
    assert place.route.body is not None
    assert isinstance(place.declared, TextKind)
    model = read_model(place.route.body, parse(body_with(place, "12.50e1").encode()))
    value: Any = model
    for step in place.steps:
        value = value[step] if isinstance(step, int) else getattr(value, step)
    assert value == "12.50e1"


def needs_one_of(route: Route[Any]) -> tuple[str, ...]:
    return getattr(route.body, "needs_one_of", ())


@pytest.mark.parametrize(
    "route", [route for route in TABLE.routes if needs_one_of(route)], ids=lambda route: route.path
)
async def test_one_of_the_fields_that_name_a_record_must_say_something(house: House, route: Route[Any]) -> None:
    said = {name: value for name, value in sample(Model(route.body)).items() if name not in needs_one_of(route)}
    nothing = dict.fromkeys(needs_one_of(route), "null")

    for fields in (said, said | nothing):
        answer = await house.send(route.method, route.path, written(fields, (), None), Content_Type="application/json")
        answer.refused(400)
