"""Each read of REST and the GraphQL field that replaces it show the same records, value by value and in the same order.

Both faces are asked over HTTP about the same rows of a served hub. `@` in a global id stands for the tenant.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any

import pytest

from hub.settings import Settings
from schema.graph import build_schema
from schema.rest.json_text import Numeral, decimal_text, parse
from schema.rest.table import TABLE
from tests.schema.rest import faces
from tests.schema.rest.furnishing import furnished_house
from tests.schema.rest.houses import PASSWORD, House
from tests.schema.rest.twins import Twin, every, found, inside, one


@dataclass(frozen=True, slots=True)
class Read:
    """One question to REST, and where GraphQL has the answer."""

    request: str
    twin: Twin
    body: str = ""

    def __str__(self) -> str:
        return f"{self.request} {self.body}".strip()

    @property
    def route(self) -> str:
        method, _, path = self.request.partition(" ")
        methods, _ = TABLE.find(path.partition("?")[0].encode())
        return f"{method} {methods[method].template}"


def by_location(twin: Twin, quantity: str) -> Twin:
    """Stock items as REST adds them up: one row per product and location."""

    def of(data: Any) -> list[Any]:
        shown = twin.of(data)
        products = shown if isinstance(shown, list) else [shown]
        return [row for product in products for row in _places(product, quantity)]

    return Twin(twin.selection, of)


def _places(product: dict[str, Any], quantity: str) -> list[Any]:
    items = sorted(product.pop("places"), key=itemgetter("locationCode"))
    rows = []
    for (code, name), there in groupby(items, key=itemgetter("locationCode", "locationName")):
        total = sum((Decimal(item[quantity].text) for item in there), Decimal(0))
        rows.append(
            product | {"locationCode": code, "locationName": name, "remainingQuantity": Numeral(decimal_text(total))}
        )
    return rows


def alone(twin: Twin) -> Twin:
    """REST answers one record as a list of one."""
    return Twin(twin.selection, lambda data: [twin.of(data)])


def by_product(row: Any) -> int:
    return int(row["productId"].text)


READS = [
    Read("POST /api/category/read", every("categories", faces.CATEGORY)),
    Read(
        "POST /api/category/read",
        every("categories", faces.CATEGORY, 'externalReference: {in: ["pipes", "x"]}, active: true'),
        '{"externalReferences": ["pipes", "x"], "active": true}',
    ),
    Read("POST /api/measurement-unit/read", every("measurementUnits", faces.MEASUREMENT_UNIT)),
    Read(
        "POST /api/measurement-unit/read",
        every("measurementUnits", faces.MEASUREMENT_UNIT, 'code: {in: ["BUC"]}'),
        '{"codes": ["BUC"], "status": null}',
    ),
    Read("POST /api/company/read", every("companies", faces.COMPANY)),
    Read(
        "POST /api/company/read",
        every("companies", faces.COMPANY, "type: {in: [SUPPLIER, BOTH]}"),
        '{"type": "SUPPLIER"}',
    ),
    Read("GET /api/company/third-party-reference/t%2Fc/check", found('company(thirdPartyReference: "t/c")')),
    Read("GET /api/company/third-party-reference/none/check", found('company(thirdPartyReference: "none")')),
    Read("POST /api/product/read", every("products", faces.PRODUCT)),
    Read(
        "POST /api/product/read",
        every("products", faces.PRODUCT, 'categoryId: {in: ["Category:@:1"]}, sku: {eq: "S-1"}'),
        '{"categoryIds": [1], "skus": ["S-1"]}',
    ),
    Read("GET /api/product/third-party-reference/t%2Fp/check", found('product(thirdPartyReference: "t/p")')),
    Read("GET /api/product/third-party-reference/none/check", found('product(thirdPartyReference: "none")')),
    Read("POST /api/stock/remaining-stock/1", alone(one('product(id: "Product:@:1")', faces.FREE))),
    Read("POST /api/stock/remaining-stock/2", alone(one('product(code: "MILK")', faces.FREE))),
    Read(
        "POST /api/stock/remaining-stock/2",
        alone(one('product(code: "MILK")', faces.PHYSICAL)),
        '{"includeReservations": true}',
    ),
    Read(
        "POST /api/stock/remaining-stock/2",
        by_location(one('product(code: "MILK")', faces.PLACES), "freeQuantity"),
        '{"location": true}',
    ),
    Read("POST /api/stock/all?size=100", every("products", faces.FREE, "active: true")),
    Read(
        "POST /api/stock/all?size=100",
        every("products", faces.PHYSICAL),
        '{"includeReservations": true, "isActive": null}',
    ),
    Read(
        "POST /api/stock/all?size=100",
        by_location(every("products", faces.PLACES, "active: true"), "quantity"),
        '{"includeReservations": true, "location": true}',
    ),
    Read(
        "POST /api/stock/detailed-report?sortBy=productId",
        every("stock", faces.STOCK_ITEM, order=by_product),
    ),
    Read(
        "POST /api/stock/detailed-report?sortBy=productId",
        every("stock", faces.STOCK_ITEM, 'location: {code: {in: ["A-02"]}}', order=by_product),
        '{"locationCodes": ["A-02"]}',
    ),
    Read("POST /api/order/read", every("orders", faces.ORDER)),
    Read(
        "POST /api/order/read",
        every("orders", faces.ORDER, 'status: {in: [ACTIVE, VALIDATED]}, company: {externalReference: {eq: "c-1"}}'),
        '{"statuses": [2, 3], "companyExternalReferences": ["c-1"]}',
    ),
    Read(
        "POST /api/order/read",
        every("orders", faces.ORDER, "orderType: {eq: EXPENDITURE_RECEIPT}"),
        '{"orderType": 2}',
    ),
    Read("POST /api/order/order-ready", one('order(externalOrderId: "W-3")', faces.READINESS), '{"orderId": 3}'),
    Read("POST /api/order/order-ready", one('order(id: "Order:@:6")', faces.READINESS), '{"externalOrderId": "W-6"}'),
    Read("POST /api/order/picking-info", one('order(id: "Order:@:1")', faces.PICKING), '{"orderId": 1}'),
    Read("POST /api/order/picking-info", one('order(externalOrderId: "FULL")', faces.PICKING), '{"orderId": 9}'),
    Read("POST /api/nir/read", every("nirs", faces.NIR)),
    Read(
        "POST /api/nir/read",
        every("nirs", faces.NIR, 'supplier: {externalReference: {in: ["sup"]}}'),
        '{"externalClientIds": ["sup"]}',
    ),
    Read("POST /api/nir/validation-info", one('nir(externalReference: "IN-1")', faces.NIR_VALIDATION), '{"nirId": 1}'),
    Read(
        "POST /api/nir/validation-info",
        one('nir(thirdPartyReference: "t/d")', faces.NIR_VALIDATION),
        '{"externalReference": "FULL"}',
    ),
    Read("POST /api/nir/validation-info", one('nir(id: "Nir:@:2")', faces.NIR_VALIDATION), '{"nirId": 2}'),
    Read("POST /api/return/read", every("returns", faces.RETURN)),
    Read("POST /api/return/read", every("returns", faces.RETURN, "validated: true"), '{"statuses": [3, 4]}'),
    Read(
        "POST /api/return/validation-info",
        one('return(externalReference: "FULL")', faces.RETURN_VALIDATION),
        '{"externalReference": "FULL"}',
    ),
    Read("GET /api/inventory/1", one('inventory(id: "Inventory:@:1")', faces.INVENTORY)),
    Read("GET /api/inventory/2", one('inventory(id: "Inventory:@:2")', faces.INVENTORY)),
    Read("GET /api/inventory/1/delta", inside('inventory(id: "Inventory:@:1")', every("deltas", faces.DELTA))),
    Read("GET /api/purchase-order/1", one('purchaseOrder(id: "PurchaseOrder:@:1")', faces.PURCHASE_ORDER)),
    Read("POST /api/production/read", every("productionOrders", faces.PRODUCTION_ORDER)),
    Read(
        "POST /api/production/read",
        every("productionOrders", faces.PRODUCTION_ORDER, "status: {in: [CLOSED]}"),
        '{"statuses": [5]}',
    ),
    Read("POST /api/metadata/category", every("categories", faces.CATEGORY_METADATA)),
    Read("POST /api/metadata/product", every("products", faces.PRODUCT_METADATA)),
    Read("POST /api/metadata/product", every("products", faces.PRODUCT_METADATA, "active: false"), '{"active": false}'),
    Read(
        "POST /api/metadata/product/by_model",
        every("products", faces.PRODUCT_METADATA, 'code: {in: ["MILK", "FULL", "x"]}'),
        '{"models": ["MILK", "FULL", "x"]}',
    ),
    Read("POST /api/metadata/order", every("orders", faces.ORDER_METADATA)),
    Read(
        "POST /api/metadata/order",
        every("orders", faces.ORDER_METADATA, "not: {status: {eq: CANCELED}}"),
        '{"active": true}',
    ),
]


@pytest.fixture(scope="module")
async def house(door_settings: Settings) -> AsyncIterator[House]:
    """A tenant with a year of work in a served hub."""
    async with furnished_house(door_settings) as house:
        yield house


async def on_rest(house: House, read: Read) -> Any:
    """What the answer is about: its data, its content, or itself."""
    method, _, path = read.request.partition(" ")
    answer = await house.client.request(method, path, content=read.body, headers=credentials())
    assert answer.status_code == 200, answer.text
    shown = parse(answer.content)
    if isinstance(shown, dict) and "content" in shown:
        assert shown["totalElements"] == Numeral(str(len(shown["content"])))
        return shown["content"]
    return shown["data"] if isinstance(shown, dict) else shown


async def on_graphql(house: House, read: Read) -> Any:
    query = "{ " + read.twin.selection.replace(":@:", f":{house.tenant_id}:") + " }"
    answer = await house.client.post("/graphql", json={"query": query}, headers=credentials())
    shown = parse(answer.content)
    assert "errors" not in shown, shown
    return read.twin.of(shown["data"])


def credentials() -> dict[str, str]:
    return {"Authorization": f"Bearer integrator:{PASSWORD}"}


@pytest.mark.parametrize("read", READS, ids=str)
async def test_both_faces_show_the_same(house: House, read: Read) -> None:
    shown = await on_rest(house, read)

    assert shown not in ([], None)
    assert await on_graphql(house, read) == shown


def test_every_read_that_is_replaced_is_compared() -> None:
    queries = build_schema()._schema.query_type
    assert queries is not None
    replaced = {f"{route.method} {route.template}" for route in TABLE.routes if route.replaced_by in queries.fields}
    fields = {f"{route.method} {route.template}": route.replaced_by for route in TABLE.routes}

    assert {read.route for read in READS} == replaced
    assert all(read.twin.selection.startswith(f"{fields[read.route]}(") for read in READS)


async def test_every_field_is_compared_where_it_has_a_value(house: House) -> None:
    empty: dict[str, bool] = {}
    for read in READS:
        note_empty(await on_rest(house, read), read.route, empty)

    assert {name for name, always in empty.items() if always} == {
        "POST /api/metadata/category.model",
        "POST /api/metadata/product.externalReference",
        "POST /api/metadata/product/by_model.externalReference",
        "POST /api/metadata/order.model",
    }


def note_empty(value: Any, place: str, empty: dict[str, bool]) -> None:
    """Whether a place was empty in all answers so far."""
    if isinstance(value, dict):
        for name, inner in value.items():
            note_empty(inner, f"{place}.{name}", empty)
        return
    for inner in value if isinstance(value, list) else []:
        note_empty(inner, place if isinstance(inner, dict) else f"{place}[]", empty)
    empty[place] = empty.get(place, True) and value in (None, [])
