"""The types of the REST contract as markers for pydantic fields: what each accepts, and how it is described in OpenAPI.

They read what `schema.rest.json_text.parse` yields, so a number is still the text that was sent.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from schema.rest.json_text import Numeral, decimal_text, shown

LONGEST_NUMERAL = 400
LONGEST_LIST = 5000
INTEGER_DIGITS = 14
DECIMALS = 4
JsonSchema = dict[str, Any]


def wrong(message: str) -> PydanticCustomError:
    """The refusal of one value; the field's path is put in front of it later."""
    return PydanticCustomError("refused", "{message}", {"message": message})


def nullable(schema: JsonSchema) -> JsonSchema:
    """The same, or null. Choices and formats stay beside the one type they belong to: many readers want them so."""
    if "type" not in schema or "enum" in schema or (schema["type"] == "string" and "format" in schema):
        return {"anyOf": [schema, {"type": "null"}]}
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*types, "null"]}


class Kind:
    """A marker that reads one value and describes itself; `Annotated[str, TextKind(64)]`."""

    __slots__ = ()

    def read(self, value: Any) -> Any:
        raise NotImplementedError

    def describe(self) -> JsonSchema:
        raise NotImplementedError

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.read)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        return self.describe()


@dataclass(frozen=True, slots=True)
class TextKind(Kind):
    """A text of at most `longest` characters; a number stands for its own digits; `blank` allows only white space."""

    longest: int = 255
    blank: bool = True

    def read(self, value: Any) -> str:
        text = value.text if isinstance(value, Numeral) else value
        if not isinstance(text, str):
            raise wrong("must be a text")
        if len(text) > self.longest:
            raise wrong(f"is longer than {self.longest} characters")
        if "\x00" in text or not _encodable(text):
            raise wrong("must not contain U+0000 or a lone surrogate")
        if not self.blank and not text.strip():
            raise wrong("must not be blank")
        return text

    def describe(self) -> JsonSchema:
        visible: JsonSchema = {} if self.blank else {"pattern": r"\S"}
        return {"type": ["string", "number"], "maxLength": self.longest, **visible}


@dataclass(frozen=True, slots=True)
class IntegerKind(Kind):
    """A whole number from `low` to `high`; 1.0 counts as whole."""

    low: int
    high: int
    bits: int = 64

    def read(self, value: Any) -> int:
        number = _number(value, "must be a whole number")
        if number != number.to_integral_value():
            raise wrong("must be a whole number")
        if not -(1 << self.bits - 1) <= number < 1 << self.bits - 1:
            raise wrong(f"does not fit in {self.bits} bits")
        if number < self.low:
            raise wrong(f"must be at least {self.low}")
        if number > self.high:
            raise wrong(f"must be at most {self.high}")
        return int(number)

    def describe(self) -> JsonSchema:
        limits: JsonSchema = {}
        if self.low > -(1 << self.bits - 1):
            limits["minimum"] = self.low
        if self.high < (1 << self.bits - 1) - 1:
            limits["maximum"] = self.high
        return {"type": "integer", "format": f"int{self.bits}", **limits}


@dataclass(frozen=True, slots=True)
class DecimalKind(Kind):
    """An exact number with at most 4 decimals and 14 digits before the point, within its bounds."""

    low: Decimal | None = None
    high: Decimal | None = None
    above: Decimal | None = None

    def read(self, value: Any) -> Decimal:
        number = _number(value, "must be a number")
        if abs(number) >= Decimal(10) ** INTEGER_DIGITS:
            raise wrong(f"has more than {INTEGER_DIGITS} digits before the point")
        if number != (rounded := number.quantize(Decimal(1).scaleb(-DECIMALS))):
            raise wrong(f"has more than {DECIMALS} decimals")
        if self.above is not None and not rounded > self.above:
            raise wrong(f"must be greater than {decimal_text(self.above)}")
        if self.low is not None and rounded < self.low:
            raise wrong(f"must be at least {decimal_text(self.low)}")
        if self.high is not None and rounded > self.high:
            raise wrong(f"must be at most {decimal_text(self.high)}")
        return rounded

    def describe(self) -> JsonSchema:
        bounds = {"minimum": self.low, "maximum": self.high, "exclusiveMinimum": self.above}
        described = {"type": "number", **{name: int(bound) for name, bound in bounds.items() if bound is not None}}
        widest: JsonSchema = {} if self.high is not None else {"exclusiveMaximum": 10**INTEGER_DIGITS}
        return {**described, **widest, "multipleOf": 10**-DECIMALS}


@dataclass(frozen=True, slots=True)
class FlagKind(Kind):
    """true or false; `bits` also allows 1 and 0."""

    bits: bool = False

    def read(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if not self.bits:
            raise wrong("must be true or false")
        if isinstance(value, Numeral) and value.text in ("0", "1", "0.0", "1.0"):
            return value.text.startswith("1")
        raise wrong("must be 1 or 0")

    def describe(self) -> JsonSchema:
        return {"enum": [0, 1, False, True]} if self.bits else {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class DayKind(Kind):
    """A day of the calendar as `yyyy-MM-dd`, or `dd.MM.yyyy` when `dotted`."""

    dotted: bool = False

    def read(self, value: Any) -> date:
        wanted = "dd.MM.yyyy" if self.dotted else "yyyy-MM-dd"
        found = (_DOTTED if self.dotted else _DASHED).fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise wrong(f"must be a date written {wanted}")
        try:
            return date(int(found["year"]), int(found["month"]), int(found["day"]))
        except ValueError:
            raise wrong(f"{value} is not a day of the calendar") from None

    def describe(self) -> JsonSchema:
        if self.dotted:
            return {"type": "string", "format": "dd.MM.yyyy", "examples": ["01.03.2026"]}
        return {"type": "string", "format": "date"}


@dataclass(frozen=True, slots=True)
class ChoiceKind(Kind):
    """One of a few words, written exactly, or in any case when `folded`."""

    choices: tuple[str, ...]
    folded: bool = False

    def read(self, value: Any) -> str:
        if isinstance(value, str):
            for choice in self.choices:
                if value == choice or (self.folded and value.lower() == choice.lower()):
                    return choice
        raise wrong(f"must be one of {', '.join(self.choices)}")

    def describe(self) -> JsonSchema:
        return {"type": "string", "enum": list(self.choices)}


@dataclass(frozen=True, slots=True)
class RefusedKind(Kind):
    """A field that must not be sent at all; `hint` says what to do instead."""

    hint: str

    def read(self, value: Any) -> None:
        raise wrong(f"cannot be set here: {self.hint}")

    def describe(self) -> JsonSchema:
        return {"not": {}, "description": self.hint}


@dataclass(frozen=True, slots=True)
class ListKind:
    """A list of at most `longest` elements; its first wrong element is told, not all of them."""

    longest: int = LONGEST_LIST

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return {**handler(source), "max_length": self.longest, "fail_fast": True}


_DASHED = re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})")
_DOTTED = re.compile(r"(?P<day>[0-9]{2})\.(?P<month>[0-9]{2})\.(?P<year>[0-9]{4})")


def _number(value: Any, message: str) -> Decimal:
    if not isinstance(value, Numeral):
        raise wrong(message)
    if len(value.text) > LONGEST_NUMERAL:
        raise wrong(f"{shown(value.text, 20)} has too many digits")
    number = Decimal(value.text)
    if not number:
        return Decimal(0)
    if not -LONGEST_NUMERAL < number.adjusted() < 30:
        raise wrong(f"{shown(value.text, 20)} is out of range")
    return number


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
