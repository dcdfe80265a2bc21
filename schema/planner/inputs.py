"""The typed filters: what can be asked of a column, and classes of such questions for one record type.

@filters
class ProductFilter:
    code: Text | None = where("The code.")
    category: CategoryFilter | None = related("category_id", "Its category.")
    search: str | None = words("Words of name, code or SKU, in any case, with or without accents.")
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

import strawberry
from sqlalchemy import FromClause

from schema.planner.fields import Expression
from schema.planner.types import NAMES
from schema.scalars import Long

T = TypeVar("T")
QUESTION = "question"


@dataclass(frozen=True, slots=True)
class Compared:
    """The operators apply to a column, of the field's own name when None, or to an expression of the row."""

    column: str | None = None
    expression: Callable[[FromClause], Expression] | None = None


@dataclass(frozen=True, slots=True)
class Identified:
    """The operators ask for records of a type by their global ids; `key` holds the id."""

    type_name: str
    key: str


@dataclass(frozen=True, slots=True)
class Words:
    """Every word is the beginning of a word of the row's `search` column."""


@dataclass(frozen=True, slots=True)
class Related:
    """The record that `key` points to fulfils a filter of its own."""

    key: str
    table: Any


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of the records whose `key` points here fulfils a filter of its own."""

    key: str
    table: Any


@dataclass(frozen=True, slots=True)
class Combined:
    """`and`, `or`, `not` of filters of the same type."""

    operator: str


Question = Compared | Identified | Words | Related | Some | Combined


def _field(question: Question | None, description: str, name: str | None = None) -> Any:
    metadata = {} if question is None else {QUESTION: question}
    return strawberry.field(default=strawberry.UNSET, name=name, description=description, metadata=metadata)


def where(
    description: str, *, column: str | None = None, expression: Callable[[FromClause], Expression] | None = None
) -> Any:
    return _field(Compared(column, expression), description)


def ids(type_name: str, description: str, *, key: str = "id") -> Any:
    return _field(Identified(type_name, key), description)


def words(description: str) -> Any:
    return _field(Words(), description)


def related(key: str, table: Any, description: str) -> Any:
    return _field(Related(key, table.__table__), description)


def some(key: str, table: Any, description: str) -> Any:
    return _field(Some(key, table.__table__), description)


def filters(cls: type[T]) -> type[T]:
    """Make a Strawberry input of a class of questions, with `and`, `or` and `not`."""
    name = cls.__name__
    cls.__annotations__ |= {"and_": f"list[{name}] | None", "or_": f"list[{name}] | None", "not_": f"{name} | None"}
    for combined, text in (("and", "All of these."), ("or", "At least one of these."), ("not", "Not this.")):
        setattr(cls, f"{combined}_", _field(Combined(combined), text, combined))
    made = strawberry.input(cls, description=(inspect.getdoc(cls) or "").strip())
    NAMES[name] = made
    for field in made.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        field.type_annotation.namespace = NAMES
    return made


EQUAL = "Equal to this."
IN = "One of these; an empty list matches nothing."
IS_NULL = "True: without a value; false: with one."
OPERATORS = {
    "eq": EQUAL,
    "in_": IN,
    "lt": "Less than this.",
    "lte": "Less than or equal to this.",
    "gt": "Greater than this.",
    "gte": "Greater than or equal to this.",
    "starts_with": "Begins with this.",
    "is_null": IS_NULL,
}


def choices(cls: type[T]) -> type[T]:
    """Make an input of a class whose fields are operators: `eq`, `in_`, `lt` …"""
    for name in cls.__annotations__:
        setattr(cls, name, _field(None, OPERATORS[name], name.rstrip("_") if name.endswith("_") else None))
    made = strawberry.input(cls, description=(inspect.getdoc(cls) or "").strip())
    NAMES[cls.__name__] = made
    for field in made.__strawberry_definition__.fields:  # type: ignore[attr-defined]
        field.type_annotation.namespace = NAMES
    return made


@choices
class Text:
    """Asks about a text; case, accents and blanks count."""

    eq: str | None
    in_: list[str] | None
    starts_with: str | None
    is_null: bool | None


@choices
class Number:
    """Asks about a decimal number."""

    eq: Decimal | None
    in_: list[Decimal] | None
    lt: Decimal | None
    lte: Decimal | None
    gt: Decimal | None
    gte: Decimal | None
    is_null: bool | None


@choices
class Whole:
    """Asks about a whole number."""

    eq: Long | None
    in_: list[Long] | None
    lt: Long | None
    lte: Long | None
    gt: Long | None
    gte: Long | None
    is_null: bool | None


@choices
class Moment:
    """Asks about a point in time."""

    lt: datetime | None
    lte: datetime | None
    gt: datetime | None
    gte: datetime | None
    is_null: bool | None


@choices
class Day:
    """Asks about a calendar day."""

    eq: date | None
    lt: date | None
    lte: date | None
    gt: date | None
    gte: date | None
    is_null: bool | None


@choices
class Ids:
    """Asks about a record, by global id."""

    eq: strawberry.ID | None
    in_: list[strawberry.ID] | None
    is_null: bool | None
