"""Keyset pages: an order as keys, a cursor as the values of the keys, and the comparison between both."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Numeric,
    Table,
    and_,
    false,
    func,
    literal_column,
    or_,
    tuple_,
)
from sqlalchemy.types import TypeEngine

from hub.errors import Invalid
from schema.planner.ids import LARGEST
from schema.planner.json_text import Format, Kind, Piece, concat, json_of
from schema.planner.parameters import Parameters, clean
from schema.planner.rows import Row

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Key:
    """One column of an order. NULLs come last in both directions."""

    column: str
    descending: bool
    nullable: bool
    type: TypeEngine[Any]


def keys_of(table: Table, order: Sequence[str], *, several: bool) -> tuple[Key, ...]:
    """The keys of an order (`"-created_at"`), made total by the primary key; `several` tenants are told apart last."""
    given = [part.lstrip("-") for part in order]
    descending = bool(order) and order[0].startswith("-")
    ties = [column.name for column in table.primary_key if column.name not in ("tenant_id", *given)]
    signed = [*order, *(f"-{tie}" if descending else tie for tie in ties)]
    if several and "tenant_id" in table.c:
        signed.append("-tenant_id" if descending else "tenant_id")
    return tuple(_key(table, part) for part in signed)


def _key(table: Table, part: str) -> Key:
    column = table.c[part.lstrip("-")]
    return Key(column.name, part.startswith("-"), bool(column.nullable), column.type)


def sorting(row: Row, keys: Sequence[Key], *, backward: bool = False) -> list[ColumnElement[Any]]:
    """ORDER BY, or its exact reverse."""
    parts: list[ColumnElement[Any]] = []
    for key in keys:
        part = row[key.column].desc() if key.descending is not backward else row[key.column].asc()
        if key.nullable:
            part = part.nulls_first() if backward else part.nulls_last()
        parts.append(part)
    return parts


def cursor_of(row: Row, keys: Sequence[Key]) -> ColumnElement[Any]:
    """The row's cursor: base64url of a JSON array with the order and the values of its keys."""
    pieces: list[Piece] = [f'["{signature(keys)}"']
    for key in keys:
        pieces += [",", *json_of(row[key.column], Format(_kind(key.type), nullable=key.nullable))]
    packed = func.encode(func.convert_to(concat([*pieces, "]"]), literal_column("'UTF8'")), literal_column("'base64'"))
    return func.translate(packed, literal_column(r"E'+/=\n'"), literal_column("'-_'"))


def beyond(row: Row, keys: Sequence[Key], cursor: Any, parameters: Parameters, *, field: str) -> Condition:
    """The row comes after the cursor, for `field` `before`: before it."""
    before = field == "before"
    values = [parameters.bind(cursor, key.type, _part(keys, number, field)) for number, key in enumerate(keys)]
    columns = [row[key.column] for key in keys]
    if len({key.descending for key in keys}) == 1 and not any(key.nullable for key in keys):
        descending = keys[0].descending is not before
        if len(keys) == 1:
            return columns[0] < values[0] if descending else columns[0] > values[0]
        return tuple_(*columns) < tuple_(*values) if descending else tuple_(*columns) > tuple_(*values)
    alternatives = []
    for number, key in enumerate(keys):
        equal = [columns[each].is_not_distinct_from(values[each]) for each in range(number)]
        alternatives.append(and_(*equal, _passed(columns[number], values[number], key, before)))
    return or_(false(), *alternatives)


def _passed(column: ColumnElement[Any], value: ColumnElement[Any], key: Key, before: bool) -> Condition:
    further = column < value if key.descending is not before else column > value
    if not key.nullable:
        return further
    if before:
        return or_(further, and_(value.is_(None), column.is_not(None)))
    return or_(further, and_(value.is_not(None), column.is_(None)))


def _part(keys: Sequence[Key], number: int, field: str) -> Any:
    return lambda text: decoded(text, keys, field)[number]


def decoded(text: str, keys: Sequence[Key], field: str) -> list[Any]:
    """The values of the keys; raises `Invalid` for what is no cursor of this order."""
    try:
        packed = text.encode("ascii")
        parts = json.loads(base64.urlsafe_b64decode(packed + b"=" * (-len(packed) % 4)))
        if isinstance(parts, list) and parts[:1] == [signature(keys)] and len(parts) == len(keys) + 1:
            return [_read(value, key) for value, key in zip(parts[1:], keys, strict=True)]
    except (ValueError, TypeError, RecursionError, binascii.Error, InvalidOperation) as error:
        raise Invalid("is no cursor", field=field, hint="take it from an answer") from error
    raise Invalid("is no cursor of this order", field=field, hint="keep orderBy while paging")


def _read(value: Any, key: Key) -> Any:
    if value is None and key.nullable:
        return None
    match key.type:
        case DateTime():
            return _aware(datetime.fromisoformat(value))
        case Date():
            return date.fromisoformat(value)
        case Integer() | BigInteger() if type(value) is int and abs(value) <= LARGEST:
            return value
        case Numeric() if isinstance(value, str):
            return Decimal(value)
        case Boolean() if isinstance(value, bool):
            return value
        case Integer() | Numeric() | Boolean():
            raise ValueError
    if not isinstance(value, str):
        raise ValueError
    return clean(value)


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError
    return moment


def signature(keys: Sequence[Key]) -> str:
    return ",".join(f"-{key.column}" if key.descending else key.column for key in keys)


def _kind(type_: TypeEngine[Any]) -> Kind:
    match type_:
        case DateTime():
            return Kind.MOMENT
        case Date():
            return Kind.DAY
        case Integer():
            return Kind.INTEGER
        case Numeric():
            return Kind.DECIMAL
        case Boolean():
            return Kind.BOOLEAN
    return Kind.TEXT
