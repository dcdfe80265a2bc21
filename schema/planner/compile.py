"""A selection → one expression that is the JSON text of its rows."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, func, select
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import aggregate_order_by

from schema.planner.fields import Constant, Many, One
from schema.planner.json_text import NULL, Piece, Pieces, concat, json_constant, json_of
from schema.planner.rows import Row
from schema.planner.selection import Selected


def object_of(row: Row, selected: Sequence[Selected]) -> ColumnElement[Any]:
    """The JSON object of one row."""
    pieces: list[Piece] = []
    for number, item in enumerate(selected):
        pieces.append(f'{"," if number else "{"}"{item.key}":')
        pieces.extend(member_of(row, item))
    return concat([*pieces, "}" if selected else "{}"])


def member_of(row: Row, item: Selected) -> Pieces:
    """The JSON value of one field of a row."""
    source = item.field.source
    match source:
        case Constant(value):
            return [json_constant(value)]
        case One():
            return [record_of(row, item, source)]
        case Many():
            return ["[", records_of(row, item, source), "]"]
    assert item.field.format is not None, item.field
    return json_of(row.value(source), item.field.format)


def record_of(row: Row, item: Selected, source: One) -> ColumnElement[Any]:
    """The referenced record as an object, or null."""
    target = _target(item)
    value = object_of(target, item.children)
    found = (
        select(value)
        .where(target.tenant == row.tenant, target.source.c[source.to] == row.source.c[source.key])
        .select_from(target.from_clause())
    )
    return func.coalesce(found.correlate(row.source).scalar_subquery(), NULL, type_=Text)


def records_of(row: Row, item: Selected, source: Many) -> ColumnElement[Any]:
    """The child records as objects, separated by commas."""
    target = _target(item)
    value = object_of(target, item.children)
    found = (
        select(listed(value, target.order(source.order)))
        .where(target.tenant == row.tenant, target.source.c[source.key] == row.source.c[source.to])
        .select_from(target.from_clause())
    )
    if source.where is not None:
        found = found.where(source.where(target.source))
    return found.correlate(row.source).scalar_subquery()


def listed(value: ColumnElement[Any], order: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """The texts in order, separated by commas; NULL when there are none."""
    comma = literal("','", Text)
    return func.string_agg(value, aggregate_order_by(comma, *order), type_=Text)


def _target(item: Selected) -> Row:
    assert item.field.target is not None
    table = item.field.target().table
    return Row(table.alias(), table)
