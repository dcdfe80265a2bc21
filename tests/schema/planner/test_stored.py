"""REST shapes: exact numbers, Z times, the order asked for, one tenant."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ColumnElement, FromClause, Select, func, insert, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from hub.db import Database
from hub.models.orders import Order, OrderLine
from hub.models.products import Product
from hub.models.stock import Location, Warehouse
from hub.models.tenants import Tenant
from schema.planner.fields import column, constant, lateral, many, one, reads, sql, via
from schema.planner.stored import Condition, Stored
from schema.rest.filters import above, equal, named_by, one_of, unequal
from tests.schema.planner import world


@reads(Location)
class Place:
    code: str
    warehouse: str = via("warehouse_id", "name")


@reads(OrderLine)
class Line:
    productName: str = via("product_id", "name")
    quantity: Decimal
    place: Place | None = one("location_id")
    warehouseCode: str | None = via("location_id", "warehouse_id", "code")


def line_totals(order: FromClause) -> Select[Any, Any]:
    line = OrderLine.__table__.alias()  # type: ignore[attr-defined]
    return select(func.coalesce(func.sum(line.c.quantity), 0).label("total"), func.count().label("number")).where(
        line.c.tenant_id == order.c.tenant_id, line.c.order_id == order.c.id
    )


def line_numbers(order: FromClause) -> ColumnElement[Any]:
    line = OrderLine.__table__.alias()  # type: ignore[attr-defined]
    numbers = select(func.array_agg(aggregate_order_by(line.c.id, line.c.id.desc())))
    return numbers.where(line.c.tenant_id == order.c.tenant_id, line.c.order_id == order.c.id).scalar_subquery()


@reads(Order)
class Info:
    orderId: int = column(name="id")
    status: int
    warehouseCode: str = via("warehouse_id", "code")
    dateAdded: datetime = column(name="created_at")
    validated: date | None = column(name="validated_at")
    paper: date | None = column(name="validated_at", day_format="DD.MM.YYYY")
    comment: str | None
    isReady: bool = sql(lambda o: o.c.status.in_([2, 7]))
    total: Decimal = lateral(line_totals, "total")
    number: int = lateral(line_totals, "number")
    lines: list[Line] = many("order_id", order=("-position", "product_id.name"))
    numbers: list[int] = sql(line_numbers)
    kind: str = constant('it\'s "ORDER"')


class Simple:
    """Added below by `reads`, to be sure that a decorator is all it needs."""

    orderId: int = column(name="id")
    externalOrderId: str = column(name="external_order_id")


@reads(Product)
class Article:
    id: int


ORDERS = Stored(Info)
SIMPLE = Stored(reads(Order)(Simple))
ARTICLES = Stored(Article)
SCOPE = world.scope(1)
LONG = "L" * 128
"""As long as a product's code may be."""

NUMBERS = st.integers(0, 6)
READS = st.fixed_dictionaries(
    {
        "ids": st.lists(NUMBERS, max_size=4),
        "names": st.lists(NUMBERS, max_size=4),
        "warehouses": st.lists(st.sampled_from(["MAIN", "main", "OTHER"]), max_size=2),
        "status": st.none() | NUMBERS,
        "not_status": st.none() | NUMBERS,
        "after": st.none() | NUMBERS,
        "limit": st.none() | st.integers(1, 4),
        "offset": st.integers(0, 3),
    }
)
"""Filters of orders, each given or not; the order `n` has the id and status `n` and the name `Wn`."""


def conditions(read: dict[str, Any]) -> list[Condition]:
    return [
        *one_of(Order.id, read["ids"]),
        *one_of(Order.external_order_id, [f"W{n}" for n in read["names"]]),
        *named_by(Order.warehouse_id, Warehouse, Warehouse.code, read["warehouses"]),
        *equal(Order.status, read["status"]),
        *([] if read["not_status"] is None else unequal(Order.status, read["not_status"])),
        *([] if read["after"] is None else above(Order.id, read["after"])),
    ]


def fits(n: int, read: dict[str, Any]) -> bool:
    return (
        (not read["ids"] or n in read["ids"])
        and (not read["names"] or n in read["names"])
        and (not read["warehouses"] or "MAIN" in read["warehouses"])
        and read["status"] in (None, n)
        and read["not_status"] != n
        and (read["after"] is None or n > read["after"])
    )


@pytest.fixture(scope="module", autouse=True)
async def rows(database: Database) -> None:
    async with database.system_work() as session:
        session.add_all([Tenant(slug="a", name="A"), Tenant(slug="b", name="B")])
    moment = datetime(2026, 3, 1, 9, 30, 0, 999_999, tzinfo=UTC)
    for tenant_id in (1, 2):
        values: list[tuple[Any, dict[str, Any]]] = [
            (Warehouse, {"id": 1, "code": "MAIN", "name": "Main"}),
            (Location, {"id": 1, "warehouse_id": 1, "code": "A-01", "name": "a"}),
            (Product, {"id": 1, "name": 'Țeavă "Ø20"\n', "code": "T"}),
            (Product, {"id": 2, "name": "Bec", "code": "B"}),
            (Product, {"id": 3, "name": "Lung", "code": LONG}),
        ]
        for id_ in range(1, 6):
            values.append(
                (
                    Order,
                    {"id": id_, "external_order_id": f"W{id_}", "warehouse_id": 1, "status": id_, "created_at": moment},
                )
            )
        lines = [
            (1, 1, 0, "2.5000", 1),
            (2, 1, 1, "10.0000", None),
            (3, 2, 1, "0.0001", None),
            (4, 1, 1, "99999999999999.9999", None),
        ]
        for id_, product_id, position, quantity, location_id in lines:
            line = {"id": id_, "order_id": 1, "product_id": product_id, "position": position}
            values.append((OrderLine, line | {"quantity": Decimal(quantity), "location_id": location_id}))
        async with database.unit_of_work(world.scope(tenant_id)) as work:
            for table, row in values:
                await work.session.execute(insert(table).values(tenant_id=tenant_id, **row))


async def test_values_are_written_as_rest_wants_them(database: Database) -> None:
    text = (await ORDERS.by_ids(database, SCOPE, [1])).decode()

    [order] = json.loads(text, parse_float=Decimal)
    assert order["dateAdded"] == "2026-03-01T09:30:00Z"
    assert (order["validated"], order["paper"], order["comment"]) == (None, None, None)
    assert order["isReady"] is False
    assert order["numbers"] == [4, 3, 2, 1]
    assert order["kind"] == 'it\'s "ORDER"'
    assert (order["total"], order["number"]) == (Decimal("100000000000012.5"), 4)
    assert [line["quantity"] for line in order["lines"]] == [
        Decimal("0.0001"),
        10,
        Decimal("99999999999999.9999"),
        Decimal("2.5"),
    ]
    assert '"quantity":2.5,' in text
    assert '"quantity":10,' in text
    assert order["lines"][3]["place"] == {"code": "A-01", "warehouse": "Main"}
    assert order["lines"][3]["warehouseCode"] == "MAIN"
    assert order["lines"][0]["place"] is order["lines"][0]["warehouseCode"] is None
    assert order["lines"][3]["productName"] == 'Țeavă "Ø20"\n'


async def test_all_keys_are_there_in_the_order_declared(database: Database) -> None:
    [order] = json.loads(await ORDERS.by_ids(database, SCOPE, [3]))

    assert list(order) == list(Info.__annotations__)
    assert order["lines"] == order["numbers"] == []


async def ids(answer: bytes) -> list[int]:
    return [order["orderId"] for order in json.loads(answer)]


async def test_records_come_in_the_order_of_their_ids(database: Database) -> None:
    assert await ids(await SIMPLE.by_ids(database, SCOPE, [4, 2, 99, 3])) == [4, 2, 3]
    assert await ids(await SIMPLE.by_ids(database, SCOPE, [])) == []


async def test_a_page_is_filtered_sorted_and_cut(database: Database) -> None:
    async def page(**options: Any) -> list[int]:
        return await ids(await SIMPLE.page(database, SCOPE, **options))

    assert await page() == [1, 2, 3, 4, 5]
    assert await page(limit=2, offset=1) == [2, 3]
    assert await page(limit=2, offset=5) == []
    assert await page(where=[*one_of(Order.status, [2, 4]), *unequal(Order.id, 4)]) == [2]
    assert await page(where=[*one_of(Order.status, [2, 4]), *above(Order.id, 2)]) == [4]
    assert await page(where=one_of(Order.external_order_id, ["W3", "w4"])) == [3]
    assert await page(where=named_by(Order.warehouse_id, Warehouse, Warehouse.code, ["MAIN"]), limit=1) == [1]
    assert await page(where=named_by(Order.warehouse_id, Warehouse, Warehouse.code, ["main"])) == []


async def test_a_shape_tells_whether_there_is_any(database: Database) -> None:
    assert await SIMPLE.any(database, SCOPE, where=equal(Order.external_order_id, "W2"))
    assert not await SIMPLE.any(database, SCOPE, where=equal(Order.external_order_id, "W99"))


async def test_one_record_or_none(database: Database) -> None:
    assert json.loads(await SIMPLE.one(database, SCOPE, 2) or b"") == {"orderId": 2, "externalOrderId": "W2"}
    assert await SIMPLE.one(database, SCOPE, 99) is None


async def test_a_shape_reads_one_tenant_only(database: Database) -> None:
    assert len(await ids(await SIMPLE.page(database, world.scope(2)))) == 5
    assert await SIMPLE.one(database, world.scope(3), 1) is None
    assert not await SIMPLE.any(database, world.scope(3), where=equal(Order.id, 1))


async def test_texts_longer_than_the_column_match_nothing(database: Database) -> None:
    assert await ARTICLES.any(database, SCOPE, where=equal(Product.code, LONG))
    assert await ARTICLES.any(database, SCOPE, where=one_of(Product.code, [LONG]))
    assert not await ARTICLES.any(database, SCOPE, where=equal(Product.code, LONG + "L"))
    assert not await ARTICLES.any(database, SCOPE, where=one_of(Product.code, [LONG + "L"]))


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(reads=st.lists(READS, min_size=2, max_size=4))
async def test_a_statement_kept_answers_other_values_as_one_made_for_them(
    database: Database, reads: list[dict[str, Any]]
) -> None:
    kept = Stored(Simple)
    for read in [*reads, *reversed(reads)]:
        options = {name: read[name] for name in ("limit", "offset")}

        answer = await kept.page(database, SCOPE, where=conditions(read), **options)

        expected = [n for n in range(1, 6) if fits(n, read)][read["offset"] :][: read["limit"]]
        assert await ids(answer) == expected
        assert await Stored(Simple).page(database, SCOPE, where=conditions(read), **options) == answer
        assert await kept.any(database, SCOPE, where=conditions(read)) is any(fits(n, read) for n in range(1, 6))


async def test_what_cannot_be_written_is_said_when_it_is_read(database: Database) -> None:
    class Wrong:
        orderId: complex = column(name="id")

    with pytest.raises(TypeError, match=r"Wrong.orderId: .* cannot be written as JSON"):
        await Stored(reads(Order)(Wrong)).page(database, SCOPE)
