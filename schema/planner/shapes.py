"""What the declarations of one class say, resolved: table, fields, how each is written. Here for plain REST classes."""

import sys
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import Table

from schema.planner.fields import VIEWER, Column, Declared, Right, Source
from schema.planner.json_text import Format, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a shape: a value written by `format`, or records of the shape `target`."""

    name: str
    source: Source
    format: Format | None = None
    target: "Callable[[], Shape] | None" = None
    nullable: bool = False
    by: Right = VIEWER


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields a row of `table` has for its readers."""

    name: str
    table: Table
    fields: Mapping[str, Field]
    by: Right = VIEWER


REST_KINDS = {
    bool: Kind.BOOLEAN,
    int: Kind.INTEGER,
    Decimal: Kind.NUMBER,
    str: Kind.TEXT,
    datetime: Kind.SECOND,
    date: Kind.DAY,
}


@cache
def rest_shape(cls: Any) -> Shape:
    """The shape of a plain class with `@reads`; raises `TypeError` naming the field that cannot be written."""
    hints = typing.get_type_hints(cls, vars(sys.modules[cls.__module__]))
    fields = {name: _rest_field(cls, name, hint) for name, hint in hints.items()}
    return Shape(cls.__name__, cls.__reads__, fields, cls.__right__)


def _rest_field(cls: type[Any], name: str, hint: Any) -> Field:
    declared = vars(cls).get(name, Declared(source=Column()))
    if not isinstance(declared, Declared):
        raise TypeError(f"{cls.__name__}.{name}: {declared!r} is no declaration")
    hint, nullable = without_none(hint)
    field = Field(name=name, source=named(declared.source, name), nullable=nullable)
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


def named(source: Source, name: str) -> Source:
    """A column without a name has the field's."""
    return Column(name) if isinstance(source, Column) and source.name is None else source


def without_none(hint: Any) -> tuple[Any, bool]:
    """`X | None` → (X, True)."""
    if typing.get_origin(hint) not in (types.UnionType, typing.Union):
        return hint, False
    rest = [part for part in typing.get_args(hint) if part is not types.NoneType]
    if len(rest) != 1:
        raise TypeError(f"{hint!r} is a union of several types")
    return rest[0], True
