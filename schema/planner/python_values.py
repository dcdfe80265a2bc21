"""Leaves that Python computes, in the text of a statement: it writes what their functions need, the answers replace it.

A place in the text is `␞[number, value, …]␞`: the number of the field, then the columns it needs. A JSON text has no
control characters, so no record can hold anything that looks like a place. All around the places stays as PostgreSQL
wrote it. Where an answer is wrong, its root field becomes a tree again and graphql-core completes it.
"""

import asyncio
import json
from collections import namedtuple
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any

import orjson
from graphql import GraphQLLeafType, GraphQLList, GraphQLNonNull, GraphQLOutputType
from sqlalchemy import ARRAY, JSON, Boolean, Date, DateTime, Integer, Numeric, String, Table, Text, TypeDecorator, cast
from sqlalchemy.types import TypeEngine

from schema.planner.fields import Python
from schema.planner.json_text import Format, Kind, Piece, Pieces, json_of
from schema.planner.records import Answer
from schema.planner.rows import Row
from schema.planner.selection import Selected

PLACE = "\x1e"
LONGS = range(-(2**63), 2**64)
"""The integers that orjson writes."""
Reading = Callable[[Any], Any]
READINGS: Sequence[tuple[type[TypeEngine[Any]], Reading]] = (
    (Numeric, Decimal),
    (DateTime, datetime.fromisoformat),
    (Date, date.fromisoformat),
    (JSON, partial(json.loads, parse_float=Decimal)),
    (Integer, int),  # PostgreSQL sums integers up to decimals
)
PLAIN = (Boolean, Integer, String)
AS_TEXT = (Numeric, JSON)
"""Numbers in them would lose digits on their way through JSON."""


class Function:
    """The function of a field for rows of a table; raises `TypeError` when it needs a column that it cannot have."""

    def __init__(self, table: Table, source: Python) -> None:
        types = [table.c[name].type if name in table.c else None for name in source.needs]
        unknown = [name for name, type_ in zip(source.needs, types, strict=True) if not _is_readable(type_)]
        if unknown:
            raise TypeError(f"a field needs {', '.join(unknown)} of {table.name}: no column that a function can have")
        self._function = source.function
        row: Any = namedtuple("Row", source.needs)  # type: ignore[misc]
        self._row: Callable[[list[Any]], Any] = row._make
        self._readings = [
            (place, reading)
            for place, type_ in enumerate(types)
            for kind, reading in READINGS
            if isinstance(type_, kind)
        ]

    def __call__(self, values: list[Any]) -> Any:
        """The answer for a row with these values of what it needs, some perhaps of another type yet."""
        for place, reading in self._readings:
            if isinstance(values[place], str | Decimal):
                values[place] = reading(values[place])
        return self._function(self._row(values))


function_of = cache(Function)


@dataclass(frozen=True, slots=True)
class Computed:
    """One field of a statement that Python computes."""

    function: Function
    leaf: GraphQLOutputType

    def answer(self, values: list[Any]) -> Any:
        """The function's answer, perhaps awaitable, or what it raised."""
        try:
            return self.function(values)
        except Exception as error:  # like graphql-core: whatever a function raises is the error of its field
            return error


def place(number: int, row: Row, needs: Sequence[str]) -> Pieces:
    """What the statement writes for the field of this number."""
    pieces: list[Piece] = [f"{PLACE}[{number}"]
    for name in needs:
        value = cast(row[name], Text) if isinstance(row.table.c[name].type, AS_TEXT) else row[name]
        pieces += [",", *json_of(value, Format(Kind.TEXT, nullable=True))]
    return [*pieces, f"]{PLACE}"]


def _is_readable(type_: TypeEngine[Any] | None) -> bool:
    if isinstance(type_, ARRAY):
        return isinstance(type_.item_type, PLAIN)
    if isinstance(type_, TypeDecorator):
        return _is_readable(type_.impl_instance)
    return isinstance(type_, (*PLAIN, *(kind for kind, _ in READINGS)))


class Computing:
    """The text of one record or root field: cut at its places, with the answers for them."""

    def __init__(self, text: bytes, fields: Sequence[Computed]) -> None:
        self._pieces = text.split(PLACE.encode())
        places = orjson.loads(b"[%b]" % b",".join(self._pieces[1::2]))
        self._fields = [fields[number] for number, *_ in places]
        self.answers = [field.answer(values) for field, (_, *values) in zip(self._fields, places, strict=True)]

    def text(self) -> bytes:
        """The text with all answers in their places; raises whatever is wrong with one of them."""
        answers = zip(self._fields, self.answers, strict=True)
        return self._filled([written(completed(field.leaf, answer)) for field, answer in answers])

    def tree(self, type_name: str, selected: Sequence[Selected]) -> Any:
        """The object, list or null, with the answers as they are for graphql-core to complete."""
        tree = exactly(self._filled([b"%d" % number for number in range(len(self.answers))]))
        self._put(tree, selected)
        return Answer(tree, type_name) if isinstance(tree, dict) else tree

    def _filled(self, values: Sequence[bytes]) -> bytes:
        pieces = list(self._pieces)
        pieces[1::2] = values
        return b"".join(pieces)

    def _put(self, value: Any, selected: Sequence[Selected]) -> None:
        for each in value if isinstance(value, list) else [] if value is None else [value]:
            for item in selected:
                if item.refused is None and isinstance(item.field.source, Python):
                    each[item.key] = self.answers[each[item.key]]
                elif item.children:
                    self._put(each[item.key], item.children)


async def settle(computings: Sequence[Computing]) -> None:
    """Await the answers that are awaitable, all at once."""
    waiting = [
        (computing.answers, number)
        for computing in computings
        for number, answer in enumerate(computing.answers)
        if isinstance(answer, Awaitable)
    ]
    if waiting:
        found = await asyncio.gather(*(answers[number] for answers, number in waiting), return_exceptions=True)
        for (answers, number), answer in zip(waiting, found, strict=True):
            answers[number] = answer


def completed(type_: GraphQLOutputType, value: Any) -> Any:
    """A leaf's value as graphql-core completes it; raises where that would be an error, or is not for sure."""
    if isinstance(type_, GraphQLNonNull):
        done = completed(type_.of_type, value)
        if done is None:
            raise TypeError("null where it must not be")
        return done
    if value is None:
        return None
    if isinstance(value, Exception):
        raise value
    if isinstance(type_, GraphQLList):
        if not isinstance(value, list | tuple):
            raise TypeError("perhaps no list")
        return [completed(type_.of_type, each) for each in value]
    assert isinstance(type_, GraphQLLeafType)
    done = type_.coerce_output_value(value)
    if done is None:
        raise TypeError("no value")
    return done


def exactly(text: str | bytes) -> Any:
    """JSON read to be written again: no digit of a number changes."""
    return json.loads(text, parse_float=_fragment, parse_int=_integer)


def _integer(digits: str) -> Any:
    number = int(digits)
    return number if number in LONGS else _fragment(digits)


def _fragment(digits: str) -> orjson.Fragment:
    return orjson.Fragment(digits)


def written(value: Any) -> bytes:
    """A completed value as JSON; exact decimals inside a value of free form are numbers."""
    return orjson.dumps(value, default=_number)


def _number(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    raise TypeError(f"{type(value).__name__} is no JSON")
