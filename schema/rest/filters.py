"""Conditions of read routes: a filter that is absent or empty filters nothing."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, String, Text, any_, select
from sqlalchemy.types import TypeEngine
from sqlmodel import col

from schema.planner.stored import TENANT, Condition, Parameter

Expression = ColumnElement[bool]


def one_of(column: Any, values: Collection[Any]) -> list[Condition]:
    """The column is one of the values."""
    return [Condition(_one_of, (column,), list(values))] if values else []


def equal(column: Any, value: Any) -> list[Condition]:
    """The column has the value."""
    return [] if value is None else [Condition(_equal, (column,), value)]


def unequal(column: Any, value: Any) -> list[Condition]:
    """The column has another value."""
    return [Condition(_unequal, (column,), value)]


def above(column: Any, value: Any) -> list[Condition]:
    """The column has a greater value."""
    return [Condition(_above, (column,), value)]


def differing(column: Any, other: Any) -> list[Condition]:
    """Two columns have different values."""
    return [Condition(_differing, (column, other))]


def named_by(reference: Any, model: Any, key: Any, values: Collection[Any]) -> list[Condition]:
    """The record of `model` that the foreign key `reference` names has one of the values as its `key`."""
    return [Condition(_named_by, (reference, model, key), list(values))] if values else []


def _one_of(parameter: Parameter, column: Any) -> Expression:
    return col(column) == any_(parameter(type_=ARRAY(_type(column))))


def _equal(parameter: Parameter, column: Any) -> Expression:
    return col(column) == parameter(type_=_type(column))


def _unequal(parameter: Parameter, column: Any) -> Expression:
    return col(column) != parameter(type_=_type(column))


def _above(parameter: Parameter, column: Any) -> Expression:
    return col(column) > parameter(type_=_type(column))


def _differing(_: Parameter, column: Any, other: Any) -> Expression:
    return col(column) != col(other)


def _named_by(parameter: Parameter, reference: Any, model: Any, key: Any) -> Expression:
    return col(reference).in_(select(col(model.id)).where(col(model.tenant_id) == TENANT, _one_of(parameter, key)))


def _type(column: Any) -> TypeEngine[Any]:
    """A parameter of type VARCHAR(n) would cut what is longer, and find what was not asked for."""
    type_: TypeEngine[Any] = column.type
    return Text() if isinstance(type_, String) else type_
