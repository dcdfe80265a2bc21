"""Conditions of read routes: a filter that is absent or empty filters nothing."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import col

from schema.planner.stored import any_of

Condition = ColumnElement[bool]


def one_of(column: Any, values: Collection[Any]) -> list[Condition]:
    """The column is one of the values."""
    return [any_of(col(column), values)] if values else []


def equal(column: Any, value: Any) -> list[Condition]:
    """The column has the value."""
    return [] if value is None else [col(column) == value]


def named_by(reference: Any, model: Any, key: Any, values: Collection[Any], tenant_id: int) -> list[Condition]:
    """The record of `model` that the foreign key `reference` names has one of the values as its `key`."""
    if not values:
        return []
    named = select(col(model.id)).where(col(model.tenant_id) == tenant_id, any_of(col(key), values))
    return [col(reference).in_(named)]
