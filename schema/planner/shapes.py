"""What the declarations of one type say, resolved: its table, its fields, and how each value is written."""

import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from sqlalchemy import Table

from schema.planner.fields import VIEWER, Column, Declared, Foreign, Part, Python, Reads, Right, Source
from schema.planner.json_text import Format, Kind
from schema.planner.types import METADATA


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a shape: a value written by `format`, or records of the shape `target`."""

    name: str
    source: Source
    format: Format | None = None
    target: "Callable[[], Shape] | None" = None
    nullable: bool = False
    connection: bool = False
    filter: GraphQLInputObjectType | None = None
    by: Right = VIEWER
    leaf: GraphQLOutputType | None = None
    """The type of a leaf that Python computes; such a leaf has no format."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields a row of `table` has for its readers; without a table for roots and page information."""

    name: str
    table: Table | None
    fields: Mapping[str, Field]
    by: Right = VIEWER
    sums: tuple[str, ...] = ()


REST_KINDS = {
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    Decimal: Kind.NUMBER,
    str: Kind.TEXT,
    datetime: Kind.SECOND,
    date: Kind.DAY,
}
GRAPH_KINDS = {
    "Boolean": Kind.BOOLEAN,
    "Int": Kind.INTEGER,
    "Long": Kind.INTEGER,
    "Decimal": Kind.DECIMAL,
    "String": Kind.TEXT,
    "ID": Kind.TEXT,
    "DateTime": Kind.MOMENT,
    "Date": Kind.DAY,
    "JSON": Kind.JSON,
}


@cache
def rest_shape(cls: Any) -> Shape:
    """The shape of a plain class with `@reads`; raises `TypeError` naming the field that cannot be written."""
    hints = typing.get_type_hints(cls, vars(sys.modules[cls.__module__]))
    fields = {name: _rest_field(cls, name, hint) for name, hint in hints.items()}
    return Shape(cls.__name__, cls.__reads__.table, fields, cls.__reads__.by)


def _rest_field(cls: type[Any], name: str, hint: Any) -> Field:
    declared = vars(cls).get(name, Declared(source=Column()))
    if not isinstance(declared, Declared):
        raise TypeError(f"{cls.__name__}.{name}: {declared!r} is no declaration")
    if isinstance(declared.source, Python):
        raise TypeError(f"{cls.__name__}.{name}: REST answers are SQL alone")
    hint, nullable = without_none(hint)
    field = Field(name=name, source=_named(declared.source, name), nullable=nullable)
    inner = typing.get_args(hint)[0] if typing.get_origin(hint) is list else hint
    if hasattr(inner, "__reads__"):
        return replace(field, target=lambda: rest_shape(inner))
    if inner is not hint:
        return replace(field, format=Format(Kind.LIST))
    if hint is Any:
        return replace(field, format=Format(Kind.JSON, nullable=True))
    if hint not in REST_KINDS:
        raise TypeError(f"{cls.__name__}.{name}: {hint!r} cannot be written as JSON")
    return replace(field, format=Format(REST_KINDS[hint], nullable=nullable, pattern=declared.day_format))


def without_none(hint: Any) -> tuple[Any, bool]:
    """`X | None` → (X, True)."""
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint, False
    rest = [part for part in typing.get_args(hint) if part is not types.NoneType]
    if len(rest) != 1:
        raise TypeError(f"{hint!r} is a union of several types")
    return rest[0], True


def _named(source: Source, name: str) -> Source:
    """A column without a name has the field's."""
    return Column(name) if isinstance(source, Column) and source.name is None else source


class GraphShapes:
    """The shapes of a GraphQL schema's object types."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: dict[str, Shape] = {}

    def of(self, name: str) -> Shape:
        if name not in self._known:
            self._known[name] = self._made(name)
        return self._known[name]

    def _made(self, name: str) -> Shape:
        type_ = self._schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType), name
        reads = reads_of(type_)
        fields = {each: self._field(each, field) for each, field in type_.fields.items()}
        if reads is None:
            node = fields["nodes"].target if "nodes" in fields else None
            return Shape(name, None, fields, node().by if node else VIEWER)
        return Shape(name, reads.table, fields, reads.by, reads.sums)

    def _field(self, name: str, field: GraphQLField) -> Field:
        definition = field.extensions.get("strawberry-definition")
        declared: Declared | None = getattr(definition, "metadata", {}).get(METADATA)
        target = get_named_type(field.type)
        filter_type = get_named_type(field.args["filter"].type) if "filter" in field.args else None
        source: Source = Foreign()
        if declared is not None and definition is not None:
            source = _named(declared.source, definition.python_name)
        elif is_part(definition):
            source = Part(name)
        leaf = field.type if is_leaf_type(target) and isinstance(source, Python) else None
        return Field(
            name=name,
            source=source,
            format=_format(field.type) if is_leaf_type(target) and leaf is None else None,
            target=(lambda: self.of(target.name)) if isinstance(target, GraphQLObjectType) else None,
            nullable=not is_non_null_type(field.type),
            connection=target.name.endswith("Connection"),
            filter=filter_type if isinstance(filter_type, GraphQLInputObjectType) else None,
            by=VIEWER if declared is None or declared.by is None else declared.by,
            leaf=leaf,
        )


def reads_of(type_: GraphQLObjectType) -> Reads | None:
    """What the type reads, None for types that are not rows."""
    definition = type_.extensions.get("strawberry-definition")
    return getattr(getattr(definition, "origin", None), "__reads__", None)


def is_part(definition: Any) -> bool:
    """A field of a connection, an edge or the page information."""
    return getattr(getattr(definition, "origin", None), "__name__", "") in ("Connection", "Edge", "PageInfo")


def _format(type_: GraphQLOutputType) -> Format:
    nullable = not is_non_null_type(type_)
    inner = get_nullable_type(type_)
    if is_list_type(inner):
        return Format(Kind.LIST)
    leaf = get_named_type(inner)
    if isinstance(leaf, GraphQLEnumType):
        names = {_stored(value.value): name for name, value in leaf.values.items()}
        return Format(Kind.TEXT, nullable=nullable, names=names)
    return Format(GRAPH_KINDS[leaf.name], nullable=nullable)


def _stored(value: Any) -> Any:
    return getattr(value, "value", value)
