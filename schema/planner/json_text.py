"""A typed SQL expression → JSON text. The only place that knows about quoting and escaping in SQL."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import ColumnElement, Text, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


class Written(ColumnElement[Any]):
    """A text expression of SQL text and the expressions in it.

    SQLAlchemy's own functions read as well, but made the plan of a document never seen before twice as dear.
    """

    inherit_cache = False
    type = Text()

    def __init__(self, *parts: "str | ColumnElement[Any]") -> None:
        self.parts = parts


@compiles(Written)
def _compiled(written: Written, compiler: SQLCompiler, **options: Any) -> str:
    inner = {**options, "within_columns_clause": False, "add_to_result_map": None}
    return "".join(part if isinstance(part, str) else compiler.process(part, **inner) for part in written.parts)


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
    return literal_column(_quoted(text), Text)


def concat(pieces: Pieces) -> ColumnElement[Any]:
    """One text of all pieces; NULL pieces vanish."""
    merged: list[Piece] = []
    text = ""
    for piece in pieces:
        if isinstance(piece, str):
            text += piece
            continue
        merged += [_quoted(text), piece] if text else [piece]
        text = ""
    if text or not merged:
        merged.append(_quoted(text))
    while len(merged) > CONCAT_LIMIT:
        chunks = [merged[start : start + CONCAT_LIMIT] for start in range(0, len(merged), CONCAT_LIMIT)]
        merged = [_call("concat", chunk) for chunk in chunks]
    return Written(*merged) if len(merged) == 1 and text else _call("concat", merged)


def _call(function: str, arguments: Sequence[Piece]) -> Written:
    parts: list[Piece] = [f"{function}("]
    for argument in arguments:
        parts += [argument, ", "]
    return Written(*parts[:-1], ")")


def _quoted(text: str) -> str:
    """SQL for a constant text."""
    return "'" + text.replace("'", "''") + "'"


def object_pieces(members: Iterable[tuple[str, Pieces]]) -> Pieces:
    """The pieces of an object of keys and values; keys are GraphQL names."""
    pieces: list[Piece] = []
    for key, value in members:
        pieces += [f'{"," if pieces else "{"}"{key}":', *value]
    return [*pieces, "}"] if pieces else ["{}"]


def json_of(value: ColumnElement[Any], how: Format) -> Pieces:
    """The pieces of the JSON value of a column or expression."""
    if how.names is not None:
        return [_named(value, how.names)]
    if how.kind is Kind.BOOLEAN:
        unknown = (" WHEN (", value, ") IS NULL THEN 'null'") if how.nullable else ()
        return [Written("CASE WHEN ", value, " THEN 'true'", *unknown, " ELSE 'false' END")]
    if how.kind is Kind.LIST:
        return [Written("coalesce(CAST(to_json(", value, ") AS TEXT), '[]')")]
    if not how.nullable and how.kind is Kind.INTEGER:
        return [value]
    if not how.nullable and how.kind is Kind.DECIMAL:
        return ['"', Written("trim_scale(", value, ")"), '"']
    text = _text(value, how)
    return [or_null(text)] if how.nullable else [text]


def or_null(text: ColumnElement[Any]) -> Written:
    """The text, or JSON's null where there is none."""
    return Written("coalesce(", text, ", 'null')")


def json_constant(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _text(value: ColumnElement[Any], how: Format) -> Written:
    """A text that is NULL where the value is."""
    match how.kind:
        case Kind.NUMBER:
            return Written("CAST(trim_scale(", value, ") AS TEXT)")
        case Kind.DECIMAL:
            return Written("('\"' || CAST(trim_scale(", value, ") AS TEXT) || '\"')")
        case Kind.MOMENT:
            return _zulu(value)
        case Kind.SECOND:
            return _zulu(Written("date_trunc('second', ", value, ")"))
        case Kind.DAY if how.pattern:
            return Written("('\"' || to_char(", value, f", {_quoted(how.pattern)}) || '\"')")
        case Kind.TEXT | Kind.DAY:
            return Written("CAST(to_json(", value, ") AS TEXT)")
        case _:
            return Written("CAST(", value, " AS TEXT)")


def _zulu(value: ColumnElement[Any]) -> Written:
    """The session's zone is UTC, so the offset is always the same six signs."""
    return Written("replace(CAST(to_json(", value, """) AS TEXT), '+00:00"', 'Z"')""")


def _named(value: ColumnElement[Any], names: Mapping[Any, str]) -> Written:
    """Stored values by their names in the schema; a value without a name is null."""
    whens: list[Piece] = []
    for stored, name in names.items():
        literal = str(int(stored)) if isinstance(stored, int) else _quoted(str(stored))
        whens.append(f""" WHEN {literal} THEN '"{name}"'""")
    return Written("CASE ", value, *whens, " ELSE 'null' END")
