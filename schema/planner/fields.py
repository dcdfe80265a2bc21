"""How a field says where it comes from. The declaration is the whole implementation of a read: no resolver follows.

    @reads(models.products.Product, filter=ProductFilter, order=ProductOrder)
    class Product(Node, Owned):
        code: str = column("The short code printed on labels.")
        category: Category | None = one("category_id", "Where it stands in the catalogue.")
        margin: Decimal | None = sql(lambda p: p.c.selling_price - p.c.purchase_price, "Selling less purchase price.")
        quantity: Decimal = lateral(stock_totals, "quantity", "Pieces on all locations.")
        stock: Connection[StockItem] = many("product_id", "By location, batch and serial number.")
        label: str = python(lambda p: f"{p.code} · {p.name}", "For pickers.", needs=("code", "name"))

A class under a Strawberry interface becomes a GraphQL type, a plain class the shape of a REST answer (`stored.py`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, FromClause, Select, Table
from sqlalchemy.sql.elements import SQLCoreOperations

from hub.context import Level, Permission

Expression = ColumnElement[Any] | SQLCoreOperations[Any]
Ordering = tuple[str, ...] | Callable[[FromClause], Sequence[Expression]]
"""Columns (`"-created_at"` descending, `"location_id.code"` through a reference), or a function of the row."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Right:
    """What a caller needs, in every tenant asked for."""

    level: Level
    permission: Permission | None = None


VIEWER = Right(Level.VIEWER)
ADMINISTRATOR = Right(Level.ADMINISTRATOR)


def needed(right: Right) -> str:
    """For people: the same words as `Scope.require`."""
    return right.level.name if right.permission is None else f"{right.level.name} with {right.permission.value}"


@dataclass(frozen=True, slots=True)
class Column:
    """The column of the given name, of the field's own name when None."""

    name: str | None = None


@dataclass(frozen=True, slots=True)
class Via:
    """A column of a record reached through references: all names but the last are foreign keys."""

    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Constant:
    value: Any


@dataclass(frozen=True, slots=True)
class Identity:
    """The record's global id."""


@dataclass(frozen=True, slots=True)
class Sql:
    """An expression over the row."""

    expression: Callable[[FromClause], Expression]


@dataclass(frozen=True, slots=True)
class Lateral:
    """A column of a one-row sub-select over the row; fields naming the same function share it."""

    rows: Callable[[FromClause], Select[Any]]
    name: str


@dataclass(frozen=True, slots=True)
class One:
    """The record whose `to` equals this row's `key`, in the same tenant."""

    key: str
    to: str = "id"


@dataclass(frozen=True, slots=True)
class Many:
    """The records whose `key` equals this row's `to`, in the same tenant."""

    key: str
    to: str = "id"
    order: Ordering = ()
    where: Callable[[FromClause], Expression] | None = None


@dataclass(frozen=True, slots=True)
class Python:
    """A function of the row; `needs` names the columns it sees."""

    function: Callable[[Any], Any]
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Every:
    """A root field: the records of all tenants asked for."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """A root field: the one record with the key that is given; `keys` are unique columns within a tenant."""

    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Summed:
    """A root field: sums over the records of all tenants asked for, grouped as the caller says."""


@dataclass(frozen=True, slots=True)
class AnyRecord:
    """A root field: the record of a global id, whatever its type."""


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a connection: `edges`, `nodes`, `pageInfo`, `totalCount` and what is in them."""

    name: str


@dataclass(frozen=True, slots=True)
class Foreign:
    """A field with a resolver of its own: nothing the planner knows."""


Value = Column | Via | Constant | Identity | Sql | Lateral
Root = Every | Lookup | Summed | AnyRecord
Source = Value | One | Many | Python | Root | Part | Foreign


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What stands at the class attribute until `reads` takes the class apart."""

    source: Source
    description: str = ""
    by: Right | None = None
    day_format: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reads:
    """What a class reads: the table, the right it needs, and the filter and order its connections take."""

    table: Table
    by: Right = VIEWER
    filter: type[Any] | None = None
    order: Any = None
    groups: Any = None
    """For summaries: the enum of columns they can be grouped by."""
    sums: tuple[str, ...] = ()


def column(
    description: str = "", *, name: str | None = None, by: Right | None = None, day_format: str | None = None
) -> Any:
    """The column `name`; REST shapes may write a date as `DD.MM.YYYY` (the pattern of `to_char`)."""
    return Declared(source=Column(name), description=description, by=by, day_format=day_format)


def via(*path: str, description: str = "", by: Right | None = None) -> Any:
    """A field of a referenced record, flat: `via("location_id", "warehouse_id", "code")`."""
    return Declared(source=Via(path), description=description, by=by)


def constant(value: Any, description: str = "") -> Any:
    return Declared(source=Constant(value), description=description)


def identity(description: str) -> Any:
    return Declared(source=Identity(), description=description)


def sql(expression: Callable[[FromClause], Expression], description: str = "", *, by: Right | None = None) -> Any:
    """`expression` receives the row's alias; sub-selects in it must compare `tenant_id` as well."""
    return Declared(source=Sql(expression), description=description, by=by)


def lateral(
    rows: Callable[[FromClause], Select[Any]], name: str, description: str = "", *, by: Right | None = None
) -> Any:
    """A column of a sub-select that always has one row."""
    return Declared(source=Lateral(rows, name), description=description, by=by)


def one(key: str, description: str = "", *, to: str = "id", by: Right | None = None) -> Any:
    return Declared(source=One(key, to), description=description, by=by)


def many(
    key: str,
    description: str = "",
    *,
    to: str = "id",
    order: Ordering = (),
    where: Callable[[FromClause], Expression] | None = None,
    by: Right | None = None,
) -> Any:
    """Child records; without `order` by id."""
    return Declared(source=Many(key, to, order, where), description=description, by=by)


def python(
    function: Callable[[Any], Any], description: str = "", *, needs: tuple[str, ...] = (), by: Right | None = None
) -> Any:
    return Declared(source=Python(function, needs), description=description, by=by)


def every(description: str) -> Any:
    """A root field with a connection of all records."""
    return Declared(source=Every(), description=description)


def lookup(*keys: str, description: str) -> Any:
    """A root field with one record, found by its global id or by one of `keys`."""
    return Declared(source=Lookup(keys), description=description)


def summed(description: str) -> Any:
    """A root field with sums."""
    return Declared(source=Summed(), description=description)


def any_record(description: str) -> Any:
    """A root field with the record of a global id."""
    return Declared(source=AnyRecord(), description=description)


def reads(
    table: Any,
    *,
    by: Right = VIEWER,
    filter: type[Any] | None = None,
    order: Any = None,
    groups: Any = None,
    sums: tuple[str, ...] = (),
) -> Callable[[type[T]], type[T]]:
    """Declare that each instance of the class is one row of `table`, a SQLModel class or a view."""
    source = table if isinstance(table, Table) else table.__table__
    what = Reads(table=source, by=by, filter=filter, order=order, groups=groups, sums=sums)

    def declare(cls: type[T]) -> type[T]:
        cls.__reads__ = what  # type: ignore[attr-defined]
        if any(hasattr(base, "__strawberry_definition__") for base in cls.__mro__[1:]):
            from schema.planner.types import graph_type

            return graph_type(cls)
        return cls

    return declare
