"""A typed SQL expression → JSON text. The only place that knows about quoting and escaping in SQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Text, case, cast, func, literal_column

Piece = str | ColumnElement[Any]
"""A part of a JSON text: constant, or an expression that PostgreSQL's `concat` turns into text."""
Pieces = Sequence[Piece]
CONCAT_LIMIT = 96
"""`concat` takes at most 100 arguments."""


class Kind(Enum):
    """How a value is written."""

    INTEGER = "integer"
    NUMBER = "number"
    """An exact decimal as a JSON number without trailing zeros."""
    DECIMAL = "decimal"
    """An exact decimal as a JSON string without trailing zeros."""
    BOOLEAN = "boolean"
    TEXT = "text"
    MOMENT = "moment"
    """RFC 3339 in UTC with `Z`, to the microsecond."""
    SECOND = "second"
    """The same to the second."""
    DAY = "day"
    JSON = "json"
    LIST = "list"
    """A PostgreSQL array of texts or integers; NULL is empty."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind with what it needs to know: the pattern of a day, the names of an enum's stored values."""

    kind: Kind
    nullable: bool = False
    pattern: str | None = None
    names: Mapping[Any, str] | None = None


NULL = literal_column("'null'", Text)


def constant(text: str) -> ColumnElement[Any]:
    """A constant part of a JSON text."""
    quoted = text.replace("'", "''")
    return literal_column(f"'{quoted}'", Text)


def concat(pieces: Pieces) -> ColumnElement[Any]:
    """One text of all pieces; NULL pieces vanish."""
    merged: list[ColumnElement[Any]] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        if text:
            merged.append(constant(text))
        merged.append(piece)
        text = ""
    if text or not merged:
        merged.append(constant(text))
    while len(merged) > CONCAT_LIMIT:
        chunks = [merged[start : start + CONCAT_LIMIT] for start in range(0, len(merged), CONCAT_LIMIT)]
        merged = [func.concat(*chunk, type_=Text) for chunk in chunks]
    return merged[0] if len(merged) == 1 and text else func.concat(*merged, type_=Text)


def object_pieces(members: Iterable[tuple[str, Pieces]]) -> Pieces:
    """The pieces of an object of keys and values; keys are GraphQL names."""
    pieces: list[Piece] = []
    for key, value in members:
        pieces += [f'{"," if pieces else "{"}"{key}":', *value]
    return [*pieces, "}"] if pieces else ["{}"]


def json_of(value: ColumnElement[Any], how: Format) -> Pieces:
    """The pieces of the JSON value of a column or expression."""
    if how.names is not None:
        return _named(value, how.names)
    if how.kind is Kind.BOOLEAN:
        return _boolean(value, how.nullable)
    if how.kind is Kind.LIST:
        return [func.coalesce(cast(func.to_json(value), Text), literal_column("'[]'", Text))]
    if not how.nullable and how.kind is Kind.INTEGER:
        return [value]
    if not how.nullable and how.kind is Kind.DECIMAL:
        return ['"', func.trim_scale(value), '"']
    text = _text(value, how)
    return [func.coalesce(text, NULL)] if how.nullable else [text]


def json_constant(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: ColumnElement[Any], how: Format) -> ColumnElement[Any]:
    """A text that is NULL where the value is."""
    match how.kind:
        case Kind.NUMBER:
            return cast(func.trim_scale(value), Text)
        case Kind.DECIMAL:
            return _quoted(cast(func.trim_scale(value), Text))
        case Kind.MOMENT:
            return _zulu(value)
        case Kind.SECOND:
            return _zulu(func.date_trunc("second", value))
        case Kind.DAY if how.pattern:
            return _quoted(func.to_char(value, literal_column(f"'{how.pattern}'")))
        case Kind.TEXT | Kind.DAY:
            return cast(func.to_json(value), Text)
        case _:
            return cast(value, Text)


def _quoted(text: ColumnElement[Any]) -> ColumnElement[Any]:
    quote = literal_column("'\"'", Text)
    return quote.op("||")(text).op("||")(quote)


def _zulu(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The session's zone is UTC, so the offset is always the same six signs."""
    text = cast(func.to_json(value), Text)
    return func.replace(text, literal_column("'+00:00\"'"), literal_column("'Z\"'"), type_=Text)


def _boolean(value: ColumnElement[Any], nullable: bool) -> Pieces:
    yes, no = literal_column("'true'", Text), literal_column("'false'", Text)
    if nullable:
        return [case((value, yes), (value.is_(None), NULL), else_=no)]
    return [case((value, yes), else_=no)]


def _named(value: ColumnElement[Any], names: Mapping[Any, str]) -> Pieces:
    """Stored values by their names in the schema; a value without a name is null."""
    whens = {stored: literal_column(f"'\"{name}\"'", Text) for stored, name in names.items()}
    return [
        case(
            *[(value == literal_column(_sql_literal(stored)), text) for stored, text in whens.items()],
            else_=NULL,
        )
    ]


def _sql_literal(value: Any) -> str:
    return str(int(value)) if isinstance(value, int) else "'" + str(value).replace("'", "''") + "'"
