"""Summaries are folded base and appended changes together, by what the caller names."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

from hub.db import Database
from hub.models import orders, stock
from hub.summaries import fold
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask


def rows(tenant_id: int, *tables: Any) -> list[dict[str, Any]]:
    held = world._Tenant(tenant_id).rows
    return [row for table in tables for row in held[table]]


async def test_stock_is_summed_by_tenant_and_warehouse(ask: Ask) -> None:
    document = "{ stockSummary(groupBy: [WAREHOUSE]) { tenant { slug } warehouse { code } quantity reservedQuantity } }"

    found = (await ask(document, scope=world.scope(1, 2)))["data"]["stockSummary"]

    expected = []
    for tenant_id, slug in ((1, "acme"), (2, "birch")):
        for warehouse_id, code in ((1, "MAIN"), (2, "BACK")):
            parts = [
                row
                for row in rows(tenant_id, stock.StockTotal, stock.StockDelta)
                if row["warehouse_id"] == warehouse_id
            ]
            expected.append((slug, code, sum(row["quantity"] for row in parts), sum(row["reserved"] for row in parts)))
    assert [
        (row["tenant"]["slug"], row["warehouse"]["code"], Decimal(row["quantity"]), Decimal(row["reservedQuantity"]))
        for row in found
    ] == expected


async def test_orders_are_counted_by_what_is_named(ask: Ask) -> None:
    document = """query ($by: [OrderGroup!], $filter: OrderSummaryFilter) {
        orderSummary(groupBy: $by, filter: $filter) { status day warehouse { internalId } orders } }"""
    counted: dict[Any, int] = defaultdict(int)
    for row in rows(1, orders.OrderSummary, orders.OrderDelta):
        counted[row["status"], row["day"].isoformat()] += row["orders"]
    names = ["CANCELED", "IN_PROGRESS", "ACTIVE", "VALIDATED", "VALIDATED_WITH_DIFFERENCES", "CLOSED"]

    by_both = (await ask(document, by=["DAY", "STATUS"]))["data"]["orderSummary"]
    whole = (await ask(document))["data"]["orderSummary"]
    one_day = (await ask(document, filter={"day": {"eq": "2026-01-01"}, "status": {"eq": "CLOSED"}}))["data"]

    assert {(names.index(row["status"]), row["day"]): row["orders"] for row in by_both} == dict(counted)
    assert whole == [{"status": None, "day": None, "warehouse": None, "orders": sum(counted.values())}]
    assert one_day["orderSummary"][0]["orders"] == counted[5, "2026-01-01"]


async def test_folding_changes_no_sum(ask: Ask, full: Database) -> None:
    document = "{ stockSummary(groupBy: [WAREHOUSE]) { warehouse { code } quantity reservedQuantity } }"
    counted = "{ orderSummary(groupBy: [STATUS, DAY, WAREHOUSE]) { status day warehouse { code } orders } }"
    before = [await ask(document), await ask(counted)]

    assert await fold(full) == 3

    assert [await ask(document), await ask(counted)] == before
