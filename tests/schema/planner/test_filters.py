"""Filters keep exactly the records that answer all questions with yes."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from schema.planner.operations import Refused
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask

PRODUCTS = """
query ($filter: ProductFilter) { products(filter: $filter, first: 250) { totalCount nodes {
  id internalId code sku name active sellingPrice totalFreeQuantity updatedAt category { id name }
} } }"""
Product = dict[str, Any]


async def codes(ask: Ask, filter: dict[str, Any]) -> list[str]:
    page = (await ask(PRODUCTS, filter=filter))["data"]["products"]
    assert page["totalCount"] == len(page["nodes"])
    return [node["code"] for node in page["nodes"]]


CASES: list[tuple[dict[str, Any], Callable[[Product], bool]]] = [
    ({}, lambda p: True),
    ({"code": {"eq": "P-003"}}, lambda p: p["code"] == "P-003"),
    ({"code": {"eq": "p-003"}}, lambda p: False),
    ({"code": {"in": ["P-003", "P-004", "no"]}}, lambda p: p["code"] in ("P-003", "P-004")),
    ({"code": {"in": []}}, lambda p: False),
    ({"code": {"startsWith": "P-01"}}, lambda p: p["code"].startswith("P-01")),
    ({"code": {"startsWith": ""}}, lambda p: True),
    ({"code": {"startsWith": "P-0", "in": ["P-001", "Q"]}}, lambda p: p["code"] == "P-001"),
    ({"sku": {"isNull": True}}, lambda p: p["sku"] is None),
    ({"sku": {"isNull": False}}, lambda p: p["sku"] is not None),
    ({"sku": {"isNull": None, "eq": None}}, lambda p: True),
    ({"active": False}, lambda p: not p["active"]),
    ({"active": None}, lambda p: True),
    ({"internalId": {"gt": 3, "lte": 5}}, lambda p: p["internalId"] in (4, 5)),
    ({"internalId": {"in": [2**62, 7]}}, lambda p: p["internalId"] == 7),
    ({"sellingPrice": {"gte": "1.00", "lt": 10}}, lambda p: _within(p["sellingPrice"], 1, 10)),
    ({"freeQuantity": {"gt": "0"}}, lambda p: Decimal(p["totalFreeQuantity"]) > 0),
    ({"id": {"in": ["Product:1:3", "Product:1:4"]}}, lambda p: p["internalId"] in (3, 4)),
    ({"id": {"in": ["Product:2:3"]}}, lambda p: False),
    ({"categoryId": {"eq": "Category:1:2"}}, lambda p: _category(p) == "Category:1:2"),
    ({"categoryId": {"isNull": True}}, lambda p: p["category"] is None),
    ({"category": {"id": {"eq": "Category:1:2"}}}, lambda p: _category(p) == "Category:1:2"),
    ({"category": {}}, lambda p: p["category"] is not None),
    ({"not": {"sku": {"eq": "sku 3"}}}, lambda p: p["sku"] != "sku 3"),
    ({"not": {}}, lambda p: False),
    ({"or": []}, lambda p: False),
    ({"and": []}, lambda p: True),
    (
        {"or": [{"code": {"eq": "P-001"}}, {"sku": {"eq": "sku 2"}}]},
        lambda p: p["code"] == "P-001" or p["sku"] == "sku 2",
    ),
    ({"and": [{"active": True}, {"not": {"active": True}}]}, lambda p: False),
    ({"search": "bec"}, lambda p: p["name"].startswith("Bec")),
    ({"search": "LED be"}, lambda p: p["name"].startswith("Bec")),
    ({"search": "TEAVA"}, lambda p: p["name"].startswith("Țeavă")),
    ({"search": "κλειδι"}, lambda p: p["name"].startswith("Κλειδί")),
    ({"search": "p-003"}, lambda p: p["code"] == "P-003"),
    ({"search": "ed"}, lambda p: False),
    ({"search": "bec cheese"}, lambda p: False),
    ({"search": "  "}, lambda p: True),
    ({"search": "-"}, lambda p: False),
    ({"search": "%"}, lambda p: False),
]


def _within(value: str | None, low: int, high: int) -> bool:
    return value is not None and low <= Decimal(value) < high


def _category(product: Product) -> str | None:
    return product["category"]["id"] if product["category"] else None


@pytest.mark.parametrize(("filter", "keeps"), CASES, ids=[str(case[0]) for case in CASES])
async def test_a_filter_keeps_what_it_says(ask: Ask, filter: dict[str, Any], keeps: Callable[[Product], bool]) -> None:
    everything = (await ask(PRODUCTS))["data"]["products"]["nodes"]

    found = await codes(ask, filter)

    assert found == [product["code"] for product in everything if keeps(product)]


async def test_most_cases_keep_some_and_drop_some(ask: Ask) -> None:
    everything = (await ask(PRODUCTS))["data"]["products"]["nodes"]

    kept = [sum(map(keeps, everything)) for _, keeps in CASES]

    assert sum(0 < count < len(everything) for count in kept) > len(CASES) // 2


async def test_literals_and_variables_ask_the_same(ask: Ask) -> None:
    written = """{ products(filter: {or: [{code: {in: ["P-001", "P-002"]}}, {search: "bec"}], active: true}) {
        nodes { code } } }"""
    found = (await ask(written))["data"]["products"]["nodes"]

    names = {"or": [{"code": {"in": ["P-001", "P-002"]}}, {"search": "bec"}], "active": True}

    assert [node["code"] for node in found] == await codes(ask, names)


async def test_a_document_is_found_by_its_lines_and_its_state(ask: Ask) -> None:
    document = """query ($filter: OrderFilter) { orders(first: 50, filter: $filter) { nodes {
        id status orderType lines(first: 50) { nodes { product { code } } } } } }"""
    orders = (await ask(document))["data"]["orders"]["nodes"]
    wanted = next(order["lines"]["nodes"][0]["product"]["code"] for order in orders if order["lines"]["nodes"])

    by_line = (await ask(document, filter={"lines": {"product": {"code": {"eq": wanted}}}}))["data"]["orders"]["nodes"]
    by_state = await ask(document, filter={"status": {"in": ["ACTIVE", "CLOSED"]}, "orderType": {"eq": "CLIENT_ORDER"}})

    codes_of = {order["id"]: [line["product"]["code"] for line in order["lines"]["nodes"]] for order in orders}
    assert [order["id"] for order in by_line] == [id_ for id_, held in codes_of.items() if wanted in held]
    assert [order["id"] for order in by_state["data"]["orders"]["nodes"]] == [
        order["id"]
        for order in orders
        if order["status"] in ("ACTIVE", "CLOSED") and order["orderType"] == "CLIENT_ORDER"
    ]


@pytest.mark.parametrize(
    ("filter", "said"),
    [
        ({"id": {"eq": "41"}}, "'41' is no global id"),
        ({"id": {"eq": "Company:1:4"}}, "is the id of a Company, not of a Product"),
        ({"id": {"eq": "Product:1:99999999999999999999"}}, "no global id"),
        ({"code": {"eq": "a\0b"}}, "are not text"),
        ({"code": {"in": ["\ud800"]}}, "are not text"),
        ({"search": "\ud800"}, "are not text"),
    ],
)
async def test_what_cannot_be_asked_is_refused(ask: Ask, filter: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        await ask(PRODUCTS, filter=filter)


async def test_the_words_follow_the_text(ask: Ask, full: Any) -> None:
    async def found(text: str) -> list[str]:
        page = await ask(PRODUCTS, filter={"search": text}, scope=world.scope(3))
        return [node["code"] for node in page["data"]["products"]["nodes"]]

    async with full.unit_of_work(world.scope(3)) as work:
        await (await work.session.connection()).exec_driver_sql(
            "UPDATE products SET search = E'zebra x/9' WHERE tenant_id = 3 AND id = 5"
        )
    assert await found("zeb 9") == ["P-004"]

    async with full.unit_of_work(world.scope(3)) as work:
        await (await work.session.connection()).exec_driver_sql(
            "UPDATE products SET search = 'lion' WHERE tenant_id = 3 AND id = 5"
        )
    assert await found("zebra") == []
    assert await found("LION") == ["P-004"]

    async with full.unit_of_work(world.scope(3)) as work:
        connection = await work.session.connection()
        for id_, text in ((998, "quagga quagga"), (997, "")):
            await connection.exec_driver_sql(
                f"INSERT INTO categories (tenant_id, id, name, search) VALUES (3, {id_}, '', '{text}')"
            )
        words = "SELECT word FROM search_words WHERE tenant_id = 3 AND noun = 'categories' AND record_id > 900"
        assert list((await connection.exec_driver_sql(words)).scalars()) == ["quagga"]
        await connection.exec_driver_sql("DELETE FROM categories WHERE tenant_id = 3 AND id > 900")
        assert list((await connection.exec_driver_sql(words)).scalars()) == []
