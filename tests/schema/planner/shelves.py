"""A schema full of fields that Python computes: of all types, from all kinds of columns, right and wrong, at once and
later. Its rows are those of `world`."""

import asyncio
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

import strawberry
from graphql import GraphQLError
from sqlalchemy import literal_column
from sqlalchemy.dialects.postgresql import JSONB
from strawberry.scalars import JSON
from strawberry.schema.config import StrawberryConfig

from hub.context import Level
from hub.errors import Conflict
from hub.models.nirs import NirLine
from hub.models.products import Category
from hub.models.products import Product as ProductRow
from hub.models.syncs import Event
from hub.models.views import ORDERS_BY_DAY
from schema.graph import build_schema
from schema.planner.execute import Planner
from schema.planner.fields import Right, any_record, column, every, lookup, many, one, python, reads, sql, summed
from schema.planner.nodes import read_nodes
from schema.planner.types import NAMES, Connection, Node, Owned, complete, root
from schema.scalars import SCALARS, Long
from schema.summaries import OrderGroup, OrderSummaryFilter

build_schema()  # the names of the real schema's types are taken before those of this one


@strawberry.enum
class Season(Enum):
    COLD = 1
    WARM = 2


NAMES["Season"] = Season


def described(*names: str) -> Callable[[Any], str]:
    """Type and value of each column."""
    return lambda row: "; ".join(f"{type(getattr(row, name)).__name__} {getattr(row, name)!r}" for name in names)


def later(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    async def answer(row: Any) -> Any:
        await asyncio.sleep(0)
        return function(row)

    return answer


def at(row: Any, *cases: Any) -> Any:
    """One of the cases, chosen by the row's id; an exception is raised."""
    case = cases[row.id % len(cases)]
    if isinstance(case, Exception):
        raise case
    return case


def failing(row: Any) -> str:
    if row.id == 2:
        raise GraphQLError("out of reach")
    return str(row.name)


def anything(row: Any) -> Any:
    return at(row, [None, 7], {"a": [1.5, Decimal("2.10"), None]}, "text", True)


DIGITS = '{"": [1.10, 1234567890123456789012345678901234567890, 1e-7, 0.10000000000000000001], "a\\u001eb": "\\\\"}'
"""What floats would lose, and text that looks like something else."""
ALL = tuple(each.name for each in ProductRow.__table__.c)  # type: ignore[attr-defined]
LINE = ("id", "quantity", "purchase_price", "batch_code", "expiration_date", "serial_numbers")
ADMINISTRATORS = Right(Level.ADMINISTRATOR)


@reads(Category)
class Shelf(Node, Owned):
    """A category with labels."""

    name: str = column("Its name.")
    label: str = python(lambda shelf: f"{shelf.id} · {shelf.name}", "For people.", needs=("id", "name"))
    loud: str = python(later(lambda shelf: f"{shelf.name}!"), "Loudly.", needs=("name",))
    fragile: str | None = python(failing, "May fail.", needs=("id", "name"))
    needed: str = python(failing, "May fail, and must not.", needs=("id", "name"))
    secret: str | None = python(lambda shelf: "hush", "For few.", by=ADMINISTRATORS)
    numbers: list[int] = python(lambda shelf: range(shelf.id), "An iterable.", needs=("id",))
    letters: list[str | None] | None = python(
        lambda shelf: at(shelf, ["a", None], (), None, ["b", ValueError("c")]), "Perhaps.", needs=("id",)
    )
    words: list[str] | None = python(lambda shelf: at(shelf, ["a"], [None], "ab", 5), "Perhaps wrong.", needs=("id",))
    exact: JSON = sql(lambda shelf: literal_column(f"'{DIGITS}'::jsonb", JSONB), "Numbers with many digits.")
    free_form: JSON | None = python(anything, "Whatever.", needs=("id",))
    goods: "Connection[Good]" = many("category_id", "What lies on it.")


@reads(ProductRow)
class Good(Node, Owned):
    """A product on a shelf."""

    code: str = column("Its code.")
    shelf: Shelf | None = one("category_id", "Where it lies.")
    tag: str = python(lambda good: f"<{good.code}>", "For labels.", needs=("code",))
    told: str = python(described(*ALL), "All its columns.", needs=ALL)
    told_later: str = python(later(described("code", "weight")), "Some of its columns.", needs=("code", "weight"))
    hidden: str | None = python(lambda good: good.code, "It sees what it needs, and this one needs nothing.")
    twice: Decimal | None = python(
        lambda good: good.purchase_price and 2 * good.purchase_price, "A number.", needs=("purchase_price",)
    )
    changed: datetime = python(lambda good: good.updated_at, "A moment.", needs=("updated_at",))
    day: date | None = python(later(lambda good: good.updated_at.date()), "A day.", needs=("updated_at",))
    large: Long = python(lambda good: 2**53 + good.id, "A large number.", needs=("id",))
    small: int | None = python(
        lambda good: at(good, 1, 2**31, "x", True, 1.5, None), "A number, or what is none.", needs=("id",)
    )
    count: int = python(lambda good: at(good, 1, 2, 3, 4, 5, None), "A number, or what must not be.", needs=("id",))
    active: bool | None = python(lambda good: at(good, good.active, None), "A flag.", needs=("id", "active"))
    season: Season | None = python(
        lambda good: at(good, Season.WARM, Season.COLD, None, "winter"), "Some have none.", needs=("id",)
    )
    refused: str | None = python(
        later(lambda good: at(good, "yes", Conflict("taken", field="code"), ValueError("masked"))), "No.", needs=("id",)
    )
    returned: str | None = python(lambda good: at(good, "yes", ValueError("masked")), "No.", needs=("id",))
    received: "list[Receipt]" = many("product_id", "When it came in.")


@reads(NirLine)
class Receipt(Node):
    """A product that came in."""

    told: str = python(described(*LINE), "Its columns.", needs=LINE)
    serials: list[str] = python(lambda line: line.serial_numbers, "An array.", needs=("serial_numbers",))
    good: Good | None = one("product_id", "What came in.")
    never: str = python(lambda line: at(line, "a", "b", "c", KeyError("d")), "May break.", needs=("id",))


@reads(Event)
class Happening(Node, Owned):
    """Something that happened."""

    told: str = python(
        described("data", "position", "occurred_at"), "Columns.", needs=("data", "position", "occurred_at")
    )
    data: JSON = column("As it was written.")
    same: JSON = python(lambda event: event.data, "As it was read.", needs=("data",))


@reads(ORDERS_BY_DAY, filter=OrderSummaryFilter, groups=OrderGroup, sums=("orders",))
class Count(Owned):
    """How many orders there are."""

    orders: Long = column("How many.")
    words: str = python(described("orders", "tenant_id", "day"), "In words.", needs=("orders", "tenant_id", "day"))


@root
class ShelfQuery:
    """Shelves."""

    shelves: Connection[Shelf] = every("All shelves.")
    shelf: Shelf | None = lookup("name", description="One shelf.")
    goods: Connection[Good] = every("All goods.")
    good: Good | None = lookup("code", description="One of them.")
    happenings: Connection[Happening] = every("All that happened.")
    counts: list[Count] = summed("Orders.")
    node: Node | None = any_record("Any record.")

    @strawberry.field(description="Something of its own.")  # type: ignore[untyped-decorator]
    def own(self, info: strawberry.Info) -> str:
        return f"own, asked with {info.context}"


@strawberry.type
class ShelfMutation:
    """Changes nothing, and answers as changes do."""

    @strawberry.mutation
    async def touch(self, info: strawberry.Info, ids: list[int]) -> list[Shelf | None]:
        found = await read_nodes(info, "Shelf", 1, ids)
        return [found.get(id_) for id_ in ids]


complete()
SCHEMA = strawberry.Schema(ShelfQuery, ShelfMutation, config=StrawberryConfig(scalar_map=SCALARS))
PLANNER = Planner(SCHEMA)
for name in ("Count", "Good", "Happening", "Receipt", "Season", "Shelf", "ShelfQuery"):
    del NAMES[name]
