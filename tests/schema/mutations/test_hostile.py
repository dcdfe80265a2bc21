"""Whatever a caller writes into an input, a mutation is made or refused with reasons; it never fails."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from schema.writing import NEEDS, OPERATOR
from tests.schema.mutations.desks import Desk, code_of, document_of, schema, told
from tests.schema.mutations.samples import SAMPLES
from tests.schema.mutations.test_every import fields

TEXT = ["", " ", "\x00", "x" * 5000, "'; --", "𝕬"]
HOSTILE: dict[str, list[Any]] = {
    "String": TEXT,
    "ID": ["", "\x00", "x" * 5000, "Product:1:1", "Order:1:9223372036854775808", "Nir:0:1"],
    "Decimal": ["-1", "0", "0.00001", "99999999999999999", "100000000000000", "1e14"],
    "Int": [-1, 0, 2147483647, -2147483648],
    "Long": [-1, 0, 2**63 - 1],
    "Date": ["0001-01-01", "9999-12-31"],
    "DateTime": ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"],
    "Boolean": [True, False],
    "JSON": [[], "x", 7, {}, {"\x00": "\x00"}, {"applicationUrl": {"deep": []}}, {"syncOrders": "yes"}],
}


def hostile(type_: GraphQLInputType) -> Iterator[Any]:
    """Values that the schema lets pass."""
    if not is_non_null_type(type_):
        yield None
    inner: Any = get_nullable_type(type_)
    if is_list_type(inner):
        yield []
        yield from ([value] for value in hostile(inner.of_type) if value is not None)
    elif isinstance(inner, GraphQLEnumType):
        yield from inner.values
    elif isinstance(inner, GraphQLInputObjectType):
        if is_key(inner):
            for name, field in inner.fields.items():
                yield from ({name: value} for value in hostile(field.type) if value is not None)
    else:
        yield from HOSTILE[inner.name]


def is_key(type_: GraphQLInputObjectType) -> bool:
    return bool(type_.extensions["strawberry-definition"].is_one_of)


def variations(type_: GraphQLInputObjectType, input: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The input with one value replaced, here or in one of its rows and parts."""
    for name, field in type_.fields.items():
        for value in hostile(field.type):
            yield input | {name: value}
        inner: Any = get_nullable_type(field.type)
        many = is_list_type(inner)
        inner = get_nullable_type(inner.of_type) if many else inner
        present = input.get(name)
        if isinstance(inner, GraphQLInputObjectType) and not is_key(inner) and present:
            for part in variations(inner, present[0] if many else present):
                yield input | {name: [part] if many else part}


@pytest.mark.slow
@pytest.mark.parametrize("mutation", sorted(SAMPLES))
async def test_no_value_makes_a_mutation_fail(desk: Desk, mutation: str) -> None:
    input = await SAMPLES[mutation].prepare(desk)
    scope = desk.operator if fields()[mutation][NEEDS] == OPERATOR else desk.admin
    type_: Any = get_nullable_type(schema()._schema.mutation_type.fields[mutation].args["input"].type)  # type: ignore[union-attr]
    document = document_of(mutation)

    for variation in variations(type_, input):
        result = await desk.execute(document, input=variation, scope=scope)
        assert not result.errors or code_of(result.errors[0]) == "FORBIDDEN", (variation, told(result.errors))
        payload = (result.data or {}).get(mutation) or {"userErrors": []}
        for error in payload["userErrors"]:
            assert error["field"] is None or re.split(r"[.\[]", error["field"])[0] in type_.fields, (variation, error)
