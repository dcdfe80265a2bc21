"""Conditions over sets of values, as one array parameter: the statement's text, and so its plan, stays the same."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, String, Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def among(column: Any, values: Collection[Any]) -> ColumnElement[bool]:
    """column = ANY(values); texts without the column's length, which would cut longer ones to a match."""
    element = Text() if isinstance(column.type, String) else column.type
    condition: ColumnElement[bool] = column == any_(literal(list(values), ARRAY(element)))
    return condition
