"""Checks values against the columns they go to, so that every door refuses the same things by the field's name."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, Numeric, String, Table

from hub.errors import Invalid

LARGEST = Decimal(10) ** 14
STEP = Decimal("0.0001")
_LONG = 1 << 63
_INT = 1 << 31
_CURRENCY = re.compile("[A-Z]{3}")
_UNFIT = re.compile("[\x00\ud800-\udfff]")


@cache
def camel(name: str) -> str:
    """third_party_reference → thirdPartyReference: a column as callers write it."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def is_id(value: Any) -> bool:
    """True for a number that a 64-bit id may have; others designate nothing."""
    return isinstance(value, int) and -_LONG <= value < _LONG


def checked(
    table: Table, values: Mapping[str, Any], *, keys: Collection[str] = (), signed: Collection[str] = ()
) -> dict[str, Any]:
    """The values as the table stores them; `Invalid` for the first that it cannot, or should not, hold.

    Decimals are not negative unless they are `signed`. Texts that are mandatory or `keys` must not be blank.
    """
    return {
        name: _checked(table.columns[name], value, key=name in keys, signed=name in signed)
        for name, value in values.items()
    }


def text(value: Any, *, field: str, longest: int, blank: bool = True) -> str:
    """A text that PostgreSQL can hold."""
    if not isinstance(value, str):
        raise Invalid("must be a text", field=field)
    if len(value) > longest:
        raise Invalid(f"is longer than {longest} characters", field=field)
    if _UNFIT.search(value):
        raise Invalid("must not contain U+0000 or a lone surrogate", field=field)
    if not blank and not value.strip():
        raise Invalid("must not be blank", field=field)
    return value


def decimal(value: Any, *, field: str, above: Decimal | None = None, signed: bool = False) -> Decimal:
    """An exact number of at most 14 digits before the point and 4 after it; from 0, or above `above`, or `signed`."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Invalid("must be a decimal number", field=field)
    number = Decimal(value)
    if not number.is_finite() or abs(number) >= LARGEST:
        raise Invalid("has more than 14 digits before the point", field=field)
    if number != number.quantize(STEP):
        raise Invalid("has more than 4 decimals", field=field)
    if above is not None and number <= above:
        raise Invalid(f"must be greater than {above}", field=field)
    if number < 0 and not signed:
        raise Invalid("must not be negative", field=field)
    return number


def currency(value: Any, *, field: str) -> str:
    """A currency's code: three capital letters."""
    if not isinstance(value, str) or not _CURRENCY.fullmatch(value):
        raise Invalid("must be a currency code of three capital letters", field=field)
    return value


def _checked(column: Column[Any], value: Any, *, key: bool, signed: bool) -> Any:
    field = camel(column.name)
    if value is None:
        if not column.nullable:
            raise Invalid("is mandatory and cannot be cleared", field=field)
        return None
    kind = column.type
    if isinstance(kind, String):
        return text(value, field=field, longest=kind.length or 1 << 20, blank=bool(column.nullable) and not key)
    if isinstance(kind, Numeric):
        return decimal(value, field=field, signed=signed)
    if isinstance(kind, Boolean):
        return _typed(value, bool, field, "must be true or false")
    if isinstance(kind, Integer):
        return _integer(value, field, _LONG if isinstance(kind, BigInteger) else _INT)
    if isinstance(kind, Date):
        return _typed(value, date, field, "must be a date")
    return value


def _typed(value: Any, wanted: type, field: str, message: str) -> Any:
    if not isinstance(value, wanted):
        raise Invalid(message, field=field)
    return value


def _integer(value: Any, field: str, limit: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("must be a whole number", field=field)
    if not -limit <= value < limit:
        raise Invalid("is out of range", field=field)
    return value
