"""Keyset pages: every record once and in order, whatever the order, the direction and the size."""

import base64
import json
from typing import Any

import pytest

from hub.context import Scope
from hub.search import searchable
from schema.planner.operations import Refused
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask

INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
PAGE = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  %s(orderBy: %s, first: $first, after: $after, last: $last, before: $before) {
    edges { cursor node { id %s } } INFO
  }
}
""".replace("INFO", INFO)
ALL = "{ %s(orderBy: %s, first: 250) { nodes { id %s } } }"

ORDERS = [
    ("products", "ID_DESC", "code"),
    ("products", "NAME_ASC", "name"),
    ("products", "NAME_DESC", "name"),
    ("products", "UPDATED_AT_ASC", "updatedAt"),
    ("products", "UPDATED_AT_DESC", "updatedAt"),
    ("orders", "CREATED_AT_DESC", "createdAt"),
    ("batches", "EXPIRATION_DATE_ASC", "expirationDate"),
    ("batches", "EXPIRATION_DATE_DESC", "expirationDate"),
    ("events", "POSITION_DESC", "position"),
    ("invoices", "ISSUED_ON_ASC", "issuedOn"),
    ("stockMovements", "OCCURRED_AT_DESC", "occurredAt"),
]
SCOPES = [world.scope(1), world.scope(1, 2, 3)]


async def walk(ask: Ask, field: str, order: str, shown: str, scope: Scope, size: int, *, forward: bool) -> list[Any]:
    """All nodes, page by page; checks what each page says about itself."""
    found: list[Any] = []
    cursor = None
    while True:
        paging = {"first": size, "after": cursor} if forward else {"last": size, "before": cursor}
        page = (await ask(PAGE % (field, order, shown), scope=scope, **paging))["data"][field]
        edges, info = page["edges"], page["pageInfo"]
        assert len(edges) <= size
        if edges:
            assert (info["startCursor"], info["endCursor"]) == (edges[0]["cursor"], edges[-1]["cursor"])
        nodes = [edge["node"] for edge in edges]
        found = found + nodes if forward else nodes + found
        assert info["hasPreviousPage" if forward else "hasNextPage"] is (cursor is not None)
        if not info["hasNextPage" if forward else "hasPreviousPage"]:
            return found
        cursor = info["endCursor" if forward else "startCursor"]


@pytest.mark.parametrize("scope", SCOPES, ids=["one", "several"])
@pytest.mark.parametrize(("field", "order", "shown"), ORDERS)
async def test_pages_in_both_directions_give_every_record_once(
    ask: Ask, field: str, order: str, shown: str, scope: Scope
) -> None:
    whole = (await ask(ALL % (field, order, shown), scope=scope))["data"][field]["nodes"]

    forward = await walk(ask, field, order, shown, scope, 3, forward=True)
    backward = await walk(ask, field, order, shown, scope, 4, forward=False)

    assert len({node["id"] for node in whole}) == len(whole) > 0
    assert forward == whole
    assert backward == whole


@pytest.mark.parametrize(("field", "order", "shown"), [each for each in ORDERS if "NAME" not in each[1]])
async def test_records_are_sorted_with_nulls_last(ask: Ask, field: str, order: str, shown: str) -> None:
    nodes = (await ask(ALL % (field, order, shown), scope=world.scope(1, 2, 3)))["data"][field]["nodes"]

    values = [node[shown] for node in nodes if node[shown] is not None]
    if shown.endswith("At"):
        values = [
            value.rstrip("Z").ljust(26, "0") if "." in value else value.rstrip("Z") + ".000000" for value in values
        ]

    assert order == "ID_DESC" or values == sorted(values, reverse=order.endswith("DESC"))
    assert [node[shown] is None for node in nodes] == sorted(node[shown] is None for node in nodes)


async def test_names_are_sorted_without_regard_to_case_and_accents(ask: Ask) -> None:
    nodes = (await ask(ALL % ("products", "NAME_ASC", "name code")))["data"]["products"]["nodes"]

    assert nodes == sorted(nodes, key=lambda node: searchable(node["name"], node["code"]))
    assert [node["name"][0] for node in nodes] != sorted(node["name"][0] for node in nodes)


async def test_children_are_paged_per_parent(ask: Ask) -> None:
    document = """
    query ($after: String) { orders(first: 20) { nodes { id
      all: lines(first: 250) { totalCount nodes { id position } }
      first: lines(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
      last: lines(last: 1) { nodes { id } pageInfo { hasPreviousPage } }
    } } }"""
    orders = (await ask(document))["data"]["orders"]["nodes"]

    for order in orders:
        lines = order["all"]["nodes"]
        ids = [line["id"] for line in lines]
        assert lines == sorted(lines, key=lambda line: (line["position"], int(line["id"].split(":")[2])))
        assert order["all"]["totalCount"] == len(lines)
        assert [line["id"] for line in order["first"]["nodes"]] == ids[:2]
        assert order["first"]["pageInfo"]["hasNextPage"] is (len(ids) > 2)
        assert [line["id"] for line in order["last"]["nodes"]] == ids[-1:]
        assert order["last"]["pageInfo"]["hasPreviousPage"] is (len(ids) > 1)
    assert any(len(order["all"]["nodes"]) > 2 for order in orders)


async def test_a_page_between_two_cursors(ask: Ask) -> None:
    edges = (await ask(PAGE % ("products", "CODE_ASC", "code"), first=10))["data"]["products"]["edges"]

    after, before = edges[2]["cursor"], edges[6]["cursor"]
    between = (await ask(PAGE % ("products", "CODE_ASC", "code"), first=50, after=after, before=before))["data"]

    assert [edge["node"]["code"] for edge in between["products"]["edges"]] == [f"P-{n:03}" for n in (3, 4, 5)]


async def test_a_cursor_of_another_order_is_refused(ask: Ask) -> None:
    cursor = (await ask(PAGE % ("products", "CODE_ASC", "code"), first=1))["data"]["products"]["pageInfo"]["endCursor"]

    with pytest.raises(Refused, match="no cursor of this order"):
        await ask(PAGE % ("products", "NAME_ASC", "code"), first=1, after=cursor)
    with pytest.raises(Refused, match="no cursor of this order"):
        await ask(PAGE % ("products", "CODE_ASC", "code"), scope=world.scope(1, 2), first=1, after=cursor)


@pytest.mark.parametrize("cursor", ["", "é", "AAAA", "bnVsbA", "W10", "WzFd", "eyJhIjoxfQ"])
async def test_what_is_no_cursor_is_refused(ask: Ask, cursor: str) -> None:
    with pytest.raises(Refused, match="is no cursor"):
        await ask(PAGE % ("orders", "CREATED_AT_ASC", "id"), first=1, after=cursor)


@pytest.mark.parametrize("values", [[1, 2], ["2026-03-01T09:30:00", 1], ["x", 1], ["2026-03-01T09:30:00Z", 2**64]])
async def test_a_forged_cursor_is_refused(ask: Ask, values: list[Any]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["created_at,id", *values]).encode()).decode()

    with pytest.raises(Refused, match="is no cursor"):
        await ask(PAGE % ("orders", "CREATED_AT_ASC", "id"), first=1, after=cursor)


@pytest.mark.parametrize(
    ("paging", "said"),
    [
        ({"first": 0}, "products.first: must be 1 to 250, not 0"),
        ({"first": 251}, "products.first: must be 1 to 250, not 251"),
        ({"last": -1}, "products.last: must be 1 to 250, not -1"),
        ({"first": 1, "last": 1}, "products: give first or last, not both"),
    ],
)
async def test_page_sizes_are_limited(ask: Ask, paging: dict[str, int], said: str) -> None:
    with pytest.raises(Refused, match=said):
        await ask(PAGE % ("products", "CODE_ASC", "code"), **paging)


async def test_the_count_is_of_all_pages_and_of_all_tenants(ask: Ask) -> None:
    document = '{ products(first: 1) { totalCount } some: products(tenants: ["birch"]) { totalCount } }'

    assert (await ask(document))["data"] == {"products": {"totalCount": 30}, "some": {"totalCount": 0}}
    assert (await ask(document, scope=world.scope(1, 2, 3)))["data"] == {
        "products": {"totalCount": 90},
        "some": {"totalCount": 30},
    }
