"""The schema as callers see it: printed, described everywhere, and valid."""

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    build_schema,
    validate_schema,
)
from graphql.utilities import BreakingChange, DangerousChange, find_breaking_changes, find_dangerous_changes

from schema import graph
from schema.printing import PATH, printed

SCHEMA = graph.build_schema()._schema


def test_the_printed_schema_is_the_schema() -> None:
    text = PATH.read_text(encoding="utf-8")

    assert text == printed(SCHEMA), "run `python -m schema.printing` and look at what changed"


def test_the_printed_schema_can_be_read_back() -> None:
    again = build_schema(printed(SCHEMA))

    changes: list[BreakingChange | DangerousChange] = [
        *find_breaking_changes(SCHEMA, again),
        *find_breaking_changes(again, SCHEMA),
        *find_dangerous_changes(SCHEMA, again),
    ]
    assert changes == []
    assert validate_schema(again) == []


def test_everything_is_described() -> None:
    missing = []
    for name, type_ in SCHEMA.type_map.items():
        if name.startswith("__"):
            continue
        if not type_.description:
            missing.append(name)
        if isinstance(type_, GraphQLScalarType | GraphQLEnumType):
            continue
        assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType), name
        for field_name, field in type_.fields.items():
            if not field.description:
                missing.append(f"{name}.{field_name}")
            for argument_name, argument in getattr(field, "args", {}).items():
                if not argument.description:
                    missing.append(f"{name}.{field_name}({argument_name})")
    assert missing == []
