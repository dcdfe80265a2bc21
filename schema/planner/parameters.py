"""The bind parameters of a plan: which value of which request goes where."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ARRAY, BigInteger, BindParameter, Integer, Numeric, String, Text, bindparam
from sqlalchemy.types import TypeEngine

from hub.errors import Invalid
from schema.planner.arguments import Slot, filled

Convert = Callable[[Any], Any]
SCOPE_TENANT = Slot(("", "tenant"))
"""The id of the caller's only tenant."""
SCOPE_TENANTS = Slot(("", "tenants"))
"""The ids of all tenants asked for."""
WANTED_IDS = Slot(("", "ids"))
"""The ids of the records to be read back."""


@dataclass(frozen=True, slots=True)
class Binding:
    """A value of the plan: a constant, or slots to be filled, and what is done to it before it is sent."""

    value: Any
    convert: Convert | None

    def argument(self, variables: Mapping[str, Any]) -> Any:
        value = filled(self.value, variables)
        if self.convert is not None:
            value = self.convert(value)
        return value if not isinstance(value, str) else clean(value)


class Parameters:
    """Gives out bind parameters and keeps what they stand for."""

    def __init__(self) -> None:
        self.bindings: dict[str, Binding] = {}

    def bind(self, value: Any, type_: TypeEngine[Any], convert: Convert | None = None) -> BindParameter[Any]:
        name = f"p{len(self.bindings) + 1}"
        self.bindings[name] = Binding(value, convert)
        return bindparam(name, type_=wide(type_), required=True)

    def array(self, values: Any, type_: TypeEngine[Any], convert: Convert | None = None) -> BindParameter[Any]:
        name = f"p{len(self.bindings) + 1}"
        self.bindings[name] = Binding(values, convert or clean_all)
        return bindparam(name, type_=ARRAY(wide(type_)), required=True)

    def tenant(self) -> BindParameter[Any]:
        return self.bind(SCOPE_TENANT, BigInteger())

    def ids(self) -> BindParameter[Any]:
        return self.array(WANTED_IDS, BigInteger())

    def tenants(self) -> BindParameter[Any]:
        return self.array(SCOPE_TENANTS, BigInteger())


def wide(type_: TypeEngine[Any]) -> TypeEngine[Any]:
    """The type without its limits: a cast to VARCHAR(5) would cut, one to NUMERIC(18, 4) round, what is compared."""
    if isinstance(type_, String):
        return Text()
    if isinstance(type_, Integer):
        return BigInteger()
    return Numeric() if isinstance(type_, Numeric) else type_


def clean(text: str) -> str:
    """Raise `Invalid` for what PostgreSQL cannot hold as text."""
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise Invalid("U+0000 and lone surrogates are not text")
    return text


def clean_all(values: Sequence[Any]) -> list[Any]:
    return [clean(value) if isinstance(value, str) else value for value in values]
