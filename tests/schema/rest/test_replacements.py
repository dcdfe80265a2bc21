"""A REST answer names the GraphQL field that does the same, and the schema has it."""

import pytest

from schema.graph import build_schema
from schema.rest.table import TABLE

NAMED = [route for route in TABLE.routes if route.replaced_by]


@pytest.fixture(scope="module")
def fields() -> set[str]:
    graph = build_schema()._schema
    assert graph.query_type is not None and graph.mutation_type is not None
    return set(graph.query_type.fields) | set(graph.mutation_type.fields)


@pytest.mark.parametrize("route", NAMED, ids=lambda route: f"{route.method} {route.template}")
def test_the_named_field_exists(fields: set[str], route: object) -> None:
    assert route.replaced_by in fields  # type: ignore[attr-defined]


def test_every_read_route_names_one() -> None:
    nameless = {route.path for route in TABLE.routes if route.path.endswith("/read") and not route.replaced_by}

    assert nameless == set()
