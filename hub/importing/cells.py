"""Turns what a file holds into what a column holds; the column's own type says how."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, Column, Date, DateTime, Integer, Numeric, String
from sqlalchemy.dialects.postgresql import ARRAY

from hub.errors import Invalid
from hub.importing.files import parse_json

LARGEST_ID = (1 << 53) - 1
"""Ids travel through JSON: beyond this, readers lose digits."""
_LARGEST_INTEGER = 1 << 63
_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_DOTTED_DAY = re.compile(r"([0-9]{2})\.([0-9]{2})\.([0-9]{4})")
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def value_for(column: Column[Any], given: Any, *, field: str, textual: bool) -> Any:
    """The value as Python has it; ranges and lengths are not looked at. Raises `Invalid` naming `field`."""
    if given is None:
        return None
    for kind, read in _READERS:
        if isinstance(column.type, kind):
            return read(given, field, textual)
    raise TypeError(f"nothing reads a {column.type!r}")


def id_for(given: Any, *, field: str, textual: bool) -> int | None:
    """An id of the old system."""
    if given is None:
        return None
    id_: int = _integer(given, field, textual)
    if not 1 <= id_ <= LARGEST_ID:
        raise Invalid(f"must be from 1 to {LARGEST_ID}", field=field)
    return id_


def list_for(given: Any, *, field: str, textual: bool) -> list[Any]:
    """A list: JSON's own, or a cell that holds one as JSON; null is an empty one."""
    if given is None:
        return []
    if textual:
        try:
            given = parse_json(given)
        except (ValueError, RecursionError) as error:
            raise Invalid("must be a JSON list", field=field) from error
    if not isinstance(given, list):
        raise Invalid("must be a list", field=field)
    return given


def _text(given: Any, field: str, textual: bool) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | Decimal):
        raise Invalid("must be a text", field=field)
    return str(given)


def _decimal(given: Any, field: str, textual: bool) -> Decimal:
    if textual and _DECIMAL.fullmatch(given):
        return Decimal(given)
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        raise Invalid("must be a decimal number with a point", field=field)
    return Decimal(given)


def _integer(given: Any, field: str, textual: bool) -> int:
    if textual and _INTEGER.fullmatch(given):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int | Decimal):
        raise Invalid("must be a whole number", field=field)
    number: int | Decimal = given
    if not -_LARGEST_INTEGER < number < _LARGEST_INTEGER:
        raise Invalid("is out of range", field=field)
    if number != int(number):
        raise Invalid("must be a whole number", field=field)
    return int(number)


def _flag(given: Any, field: str, textual: bool) -> bool:
    flag = _FLAGS.get(given.lower()) if textual else given
    if not isinstance(flag, bool):
        raise Invalid("must be true or false", field=field)
    return flag


def _day(given: Any, field: str, textual: bool) -> date:
    if isinstance(given, str):
        try:
            if match := _DAY.fullmatch(given):
                return date(*map(int, match.groups()))
            if match := _DOTTED_DAY.fullmatch(given):
                return date(*map(int, reversed(match.groups())))
        except ValueError:
            pass
    raise Invalid("must be a day, written yyyy-MM-dd", field=field)


def _moment(given: Any, field: str, textual: bool) -> datetime:
    try:
        moment = datetime.fromisoformat(given)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise Invalid("must be a time in UTC, written yyyy-MM-ddTHH:mm:ssZ", field=field) from error


def _texts(given: Any, field: str, textual: bool) -> list[str]:
    items = list_for(given, field=field, textual=textual)
    return [_text(item, f"{field}[{position}]", False) for position, item in enumerate(items)]


_READERS: tuple[tuple[type, Callable[[Any, str, bool], Any]], ...] = (
    (ARRAY, _texts),
    (Numeric, _decimal),
    (Boolean, _flag),
    (Integer, _integer),
    (DateTime, _moment),
    (Date, _day),
    (String, _text),
)
