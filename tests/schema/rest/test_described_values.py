"""The OpenAPI document judges a value of a field as the hub does: what one refuses the other does not allow."""

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from schema.rest.kinds import DayKind, IntegerKind, RefusedKind
from schema.rest.openapi import openapi
from tests.schema.rest.fields import Place, body_with, places, wrong_values

COMPONENTS = openapi()["components"]
PLACES = list(places())
UNTOLD = {r'"a\u0000b"', r'"\ud800"', r'"\udc00\ud800"', "1e-400"}
"""What the document says once for all texts, or JSON Schema cannot say of numbers."""


@cache
def described(model: type[BaseModel]) -> Any:
    return jsonschema_rs.validator_for(
        {"$ref": f"#/components/schemas/{model.__name__}", "components": COMPONENTS},
        validate_formats=True,
        formats={"dd.MM.yyyy": is_dotted_day},
    )


def is_dotted_day(text: str) -> bool:
    try:
        DayKind(dotted=True).read(text)
    except ValueError:
        return False
    return True


def allowed(place: Place, value: str | None) -> bool:
    assert place.route.body is not None
    return bool(described(place.route.body).is_valid(json.loads(body_with(place, value))))


def told(place: Place, value: str) -> bool:
    """Whole numbers of 32 and 64 bits are told by their format, which is no rule of JSON Schema."""
    beyond = isinstance(place.declared, IntegerKind) and re.fullmatch(r"-?\d{10,}|1e40", value)
    return value not in UNTOLD and not beyond and len(value) < 4300


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_the_description_refuses_what_the_hub_refuses(place: Place) -> None:
    assert [value[:80] for value in wrong_values(place.declared) if told(place, value) and allowed(place, value)] == []
    assert not (place.required and (allowed(place, None) or allowed(place, "null")))
    assert not (place.mandatory and allowed(place, "null"))


@pytest.mark.parametrize("place", [place for place in PLACES if not place.required and place.steps[-1] != 0], ids=str)
def test_the_description_allows_what_the_hub_allows(place: Place) -> None:
    assert allowed(place, None)
    if not place.mandatory and not isinstance(place.declared, RefusedKind):
        assert allowed(place, "null")
