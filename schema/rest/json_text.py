"""JSON in and out without loss: numbers keep their text on the way in and their exact value on the way out."""

import json
import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from hub.errors import Invalid

MOST_COMMAS = 1_000_000
"""A body of the largest size with nothing but tiny values would fill the memory; no real one comes near this."""
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WRITING = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as it was written; the declared type of the field decides what it becomes."""

    text: str


_numeral = lru_cache(maxsize=1024)(Numeral)


def numeral_or_text(text: str) -> "Numeral | str":
    """What a value of a query string stands for: it has no quotes to tell numbers from texts."""
    return Numeral(text) if _NUMBER.fullmatch(text) else text


def parse(raw: bytes) -> Any:
    """The value of a JSON text; raise `Invalid` for anything RFC 8259 does not allow, and for repeated names."""
    if raw.count(b",") > MOST_COMMAS:
        raise Invalid("the body holds too many values", hint="send fewer records at once")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the body is not UTF-8 (byte {error.start})") from error
    try:
        return _READER.decode(text)
    except json.JSONDecodeError as error:
        raise Invalid(f"the body is not JSON: {error.msg} at line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise Invalid("the body is nested too deeply") from error


def write(value: Any) -> bytes:
    """JSON text: decimals exact and without trailing zeros, times in UTC ending in Z; `bytes` are JSON text already."""
    return orjson.dumps(value, default=_plain, option=_WRITING)


def decimal_text(value: Decimal) -> str:
    """21, 12.5, 0: never 21.0000, 2.1E+1 or -0."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def shown(text: str, longest: int = 60) -> str:
    """A caller's own words inside a message: shortened, and always something that can be encoded."""
    cut = text if len(text) <= longest else text[: longest - 1] + "…"
    return cut.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(decimal_text(value))
    if isinstance(value, bytes):
        return orjson.Fragment(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _no_constant(name: str) -> Any:
    raise Invalid(f"the body is not JSON: {name} is not a number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise Invalid("is given twice in one object", field=shown(twice))
    return found


_READER = json.JSONDecoder(
    parse_int=_numeral, parse_float=_numeral, parse_constant=_no_constant, object_pairs_hook=_object
)
