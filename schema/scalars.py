"""The scalars of the schema: exact decimals, 64-bit integers, aware times, days. How they are written and read."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NewType

import strawberry
from graphql import FloatValueNode, GraphQLError, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

Long = NewType("Long", int)
"""A whole number of 64 bits: internal ids, positions."""

LARGEST = 2**63 - 1
EXPONENTS = range(-12, 19)
"""The decimal exponents a quantity, price or product of both can have."""


def _read_long(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise GraphQLError(f"Long cannot be {value!r}")
    try:
        number = int(value) if not isinstance(value, Decimal) or value == value.to_integral_value() else None
    except (ValueError, InvalidOperation, OverflowError) as error:
        raise GraphQLError(f"Long cannot be {str(value)[:40]!r}") from error
    if number is None or abs(number) > LARGEST:
        raise GraphQLError(f"Long cannot be {str(value)[:40]!r}")
    return number


def _read_decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal | float):
        raise GraphQLError(f"Decimal cannot be {value!r}")
    try:
        number = Decimal(value if isinstance(value, int | Decimal) else str(value))
    except InvalidOperation as error:
        raise GraphQLError(f"Decimal cannot be {str(value)[:40]!r}") from error
    if not number.is_finite() or (number and number.adjusted() not in EXPONENTS) or len(number.as_tuple().digits) > 40:
        raise GraphQLError(f"Decimal cannot be {str(value)[:40]!r}")
    return number


def _read_moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise GraphQLError(f"DateTime cannot be {str(value)[:40]!r}; write 2026-03-01T09:30:00Z") from error
    if moment.tzinfo is None:
        raise GraphQLError(f"DateTime {value!r} lacks its zone; write 2026-03-01T09:30:00Z")
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise GraphQLError(f"DateTime cannot be {value!r}") from error


def _read_day(value: Any) -> date:
    if isinstance(value, str) and len(value) == 10:
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise GraphQLError(f"Date cannot be {str(value)[:40]!r}; write 2026-03-01")


def write_decimal(value: Any) -> str:
    """No exponent, no trailing zeros: "12.5"."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text


def write_moment(value: Any) -> str:
    """UTC with `Z`, fractions of a second as far as they go: "2026-03-01T09:30:00Z"."""
    if not isinstance(value, datetime):
        return str(value)
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def _literal(read: Any, *kinds: type[ValueNode]) -> Any:
    def parse(node: ValueNode, _variables: dict[str, Any] | None = None) -> Any:
        if not isinstance(node, kinds):
            raise GraphQLError("a literal of another kind is wanted", node)
        return read(node.value)  # type: ignore[attr-defined]

    return parse


def _scalar(name: str, description: str, write: Any, read: Any, *literals: type[ValueNode]) -> ScalarDefinition:
    definition = strawberry.scalar(
        name=name,
        description=description,
        serialize=write,
        parse_value=read,
        parse_literal=_literal(read, *literals),
    )
    assert isinstance(definition, ScalarDefinition)
    return definition


SCALARS: Mapping[object, ScalarDefinition] = {
    Long: _scalar(
        "Long", "A whole number of 64 bits, as a JSON number.", int, _read_long, IntValueNode, StringValueNode
    ),
    Decimal: _scalar(
        "Decimal",
        'An exact decimal, written as a string without trailing zeros: "12.5". Strings and numbers are accepted.',
        write_decimal,
        _read_decimal,
        IntValueNode,
        FloatValueNode,
        StringValueNode,
    ),
    datetime: _scalar(
        "DateTime",
        'A point in time in UTC (RFC 3339): "2026-03-01T09:30:00Z". Any zone is accepted, none is not.',
        write_moment,
        _read_moment,
        StringValueNode,
    ),
    date: _scalar("Date", 'A calendar day: "2026-03-01".', str, _read_day, StringValueNode),
}
"""For `StrawberryConfig(scalar_map=…)`."""
