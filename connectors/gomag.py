"""GoMag (e-commerce): products and orders in, stock and order statuses out, by polling its public API v1.

The vendor's own documentation could not be read: what no public client proves is marked `ASSUMED:`.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field

from connectors import paging
from connectors.answers import credentials_refused, opened
from connectors.fields import Node, encode_json, key_at, local_moments, members, mentioned, texts
from connectors.settings import HTTP_ADDRESS, SETTINGS, SHOP_ADDRESS, HeaderSecret
from hub.errors import NeedsAttention, RateLimited, Retryable
from hub.ports import (
    Connector,
    Direction,
    HttpRequest,
    JsonObject,
    Limit,
    Outcome,
    Page,
    PushResult,
    Stream,
    SystemType,
    Vendor,
)
from hub.records import (
    CategoryRecord,
    CompanyRecord,
    OrderLineRecord,
    OrderRecord,
    Payload,
    ProductRecord,
    ProductRef,
    StatusChange,
    StockLevel,
)

ZONE = ZoneInfo("Europe/Bucharest")  # ASSUMED: times carry no offset and the platform is Romanian
PAGE_SIZE = 100
STOCK_LINES = 100  # ASSUMED: the size of a page; no limit is known
STOCK_FIELD = "stock"  # ASSUMED: as in reads; one client writes `quantity` instead
BUSY = frozenset({428, 429})


class Config(BaseModel):
    """The settings of one shop. ASSUMED: of its API's two values the "application ID" is the key, the URL the shop."""

    model_config = SETTINGS

    application_id: HeaderSecret = Field(
        title="Application ID",
        description="The API key from the shop's administration (sent as Apikey).",
        json_schema_extra={"secret": True},
    )
    application_url: str = Field(
        title="Application URL",
        description="The shop's address, for example https://www.magazin.ro (sent as ApiShop).",
        pattern=SHOP_ADDRESS,
    )
    api_url: str = Field(
        default="https://api.gomag.ro",
        title="API URL",
        description="The address of GoMag's API. Change it for the older form on the shop's own domain, or for tests.",
        pattern=HTTP_ADDRESS,
    )


class Refused(Exception):
    """GoMag understood and said no: its code and its words."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{code} {words}")
        self.code = code


async def _call(vendor: Vendor, action: str, params: Mapping[str, str] | None = None, data: Any = None) -> Any:
    """A read, or with `data` a write: one form field that holds JSON."""
    config: Config = vendor.config
    key = config.application_id.get_secret_value()
    shop = config.application_url.rstrip("/")
    answer = await vendor.http.send(
        HttpRequest(
            method="GET" if data is None else "POST",
            url=f"{config.api_url.rstrip('/').removesuffix('/api/v1')}/api/v1/{action}/json",
            headers={"Apikey": key, "ApiShop": shop if "://" in shop else f"https://{shop}"},
            params=params or {},
            form=None if data is None else {"data": encode_json(data)},
            limit="read" if data is None else "write",
        )
    )
    return _agreed(opened(answer, "GoMag"), answer.status, key)


def _agreed(body: Any, status: int, key: str) -> Any:
    """The body, unless it is a refusal. GoMag refuses with HTTP 200, and calls success an error too: "200"."""
    error = Node(body)["error"]
    code = "" if error.empty else str(error.value).strip()
    if code in ("", "0", "200"):
        if status < 400:
            return body
        code = str(status)
    words = "; ".join(texts(Node(body)["message"].value)).replace(key, "•••")[:500]
    number = Node(code).count_or_none() or 0
    if 100 <= number < 200:  # ASSUMED: 100 was seen; the others of its kind mean the same
        raise credentials_refused("GoMag", f"{code} {words}")
    if number in BUSY:
        raise RateLimited(f"GoMag asks to slow down ({code})")
    if 500 <= number < 600:
        raise Retryable(f"GoMag failed: {code} {words}")
    raise Refused(code, words)


async def _read(vendor: Vendor, resource: str, params: Mapping[str, str]) -> paging.Listing:
    """One page of orders or products."""
    try:
        body = await _call(vendor, f"{resource}/read", params)
    except Refused as refused:
        if refused.code == "404":  # ASSUMED: NO DATA may answer a search too
            return paging.Listing(records=(), total=0)
        raise NeedsAttention(f"GoMag refuses to read {resource}s: {refused}") from None
    if isinstance(body, list):
        return paging.Listing(records=body)
    total = Node(body)["total"].count_or_none()
    if f"{resource}s" not in body and total != 0:
        raise Retryable(f"GoMag's answer holds no {resource}s")
    pages = Node(body)["pages"].count_or_none()
    return paging.Listing(records=members(body.get(f"{resource}s")), pages=pages, total=total)


record_key = key_at("id")


def _fetch(vendor: Vendor, checkpoint: JsonObject, resource: str, fixed: Mapping[str, str]) -> paging.Pages:
    """What GoMag calls changed in the days since the cursor. All of it, for `updated` of an order may be older than
    the order itself is for us (an import, a clock): what the hub knows already costs it a comparison.
    """

    async def read(page: int, since: datetime | None) -> paging.Listing:
        params = {**fixed, "page": str(page), "limit": str(PAGE_SIZE)}
        if since:  # ASSUMED: the filter counts whole days
            params["updated"] = f"{(since - paging.DOUBT).astimezone(ZONE):%Y-%m-%d}"
        return await _read(vendor, resource, params)

    return paging.changes(read, checkpoint, now=vendor.now, key=record_key, size=PAGE_SIZE, changed=None)


def fetch_orders(vendor: Vendor, checkpoint: JsonObject) -> paging.Pages:
    """Every changed order, whatever its status: new ones, and what became of those taken in before."""
    return _fetch(vendor, checkpoint, "order", {})


async def fetch_products(vendor: Vendor, checkpoint: JsonObject) -> AsyncIterator[Page]:
    """Every changed product; one with variants comes as its variants."""
    async with aclosing(_fetch(vendor, checkpoint, "product", {"addVersions": "true"})) as pages:
        async for page in pages:
            yield replace(page, payloads=[unit for product in page.payloads for unit in _units(product)])


def _units(product: Any) -> list[Any]:
    """What is stored and sold: the product, or its variants, each with the product under `product`."""
    if not isinstance(product, Mapping):
        return [product]
    bare = {name: value for name, value in product.items() if name not in ("versions", "variations")}
    variants = members(product.get("versions")) or members(product.get("variations"))
    # ASSUMED: a product with variants is sold through them alone
    return [{**one, "product": bare} if isinstance(one, Mapping) else one for one in variants] or [bare]


async def fetch_order(vendor: Vendor, external_key: str) -> Any | None:
    """One order by its internal id; the filter is checked, for GoMag ignores what it does not know."""
    listing = await _read(vendor, "order", {"id": external_key})
    return next((order for order in listing.records if record_key(order) == external_key), None)


async def fetch_product(vendor: Vendor, external_key: str) -> Any | None:
    """One product or variant by its id."""
    listing = await _read(vendor, "product", {"id": external_key, "addVersions": "true"})
    units = (unit for product in listing.records for unit in _units(product))
    return next((unit for unit in units if record_key(unit) == external_key), None)


def map_product(_: Vendor, payload: Payload) -> ProductRecord:
    """A product or variant; what a variant does not say itself its product says."""
    unit = Node(payload)
    parent = unit["product"]

    def either(name: str) -> Node:
        return parent[name] if unit[name].empty and not parent[name].empty else unit[name]

    key, sku = unit["id"].key(), unit["sku"].key_or_none()
    return ProductRecord(
        external_key=key,
        code=sku or key,
        sku=sku,
        name=either("name").translated("ro"),
        category=_category(either("categories")),
        vat_percentage=either("vat").decimal_or_none(),
        selling_price=either("price").decimal_or_none(),
        active=unit["enabled"].flag(True) and parent["enabled"].flag(True),
    )


def _category(categories: Node) -> CategoryRecord | None:
    """The first category that says its id and name."""
    for category in categories.entries():  # ASSUMED: a list, or an object, of {id, name}
        if not category["id"].empty and not category["name"].empty:
            return CategoryRecord(external_key=category["id"].key(), name=category["name"].translated("ro"))
    return None


def map_order(_: Vendor, payload: Payload) -> OrderRecord:
    """An order in whatever status; lines that are not goods are left out."""
    order = Node(payload)
    key = order["id"].key()
    placed, changed = (local_moments(order[name].value, ZONE) for name in ("date", "updated"))
    return OrderRecord(
        external_key=key,
        number=order["number"].key(),
        status_id=order["statusId"].key(),
        lines=tuple(_lines(order["items"], key)),
        company=_buyer(order),
        placed_at=placed[0] if placed else None,
        updated_at=changed[0] if changed else None,
    )


def _lines(items: Node, order_key: str) -> Iterator[OrderLineRecord]:
    if items.value is None:
        raise items.rejected("is missing")
    for position, item in enumerate(items.entries(), start=1):
        if item["type"].value == "service":
            continue
        product = ProductRef(external_key=item["id"].key_or_none(), code=item["sku"].key_or_none())
        if product.external_key is None and product.code is None:
            raise item["id"].rejected("is missing, and so is the sku")
        quantity = item["quantity"].decimal()
        if quantity <= 0:
            raise item["quantity"].rejected("must be greater than 0")
        # ASSUMED: lines have no id of their own, so their place names them
        yield OrderLineRecord(product=product, quantity=quantity, external_line_id=f"{order_key}:{position}")


def _buyer(order: Node) -> CompanyRecord | None:
    """The company of the bill, else the person; GoMag gives neither an id."""
    bill = order["shipping"] if order["billing"].empty else order["billing"]
    company = bill["company"]
    firm = (company["name"] if isinstance(company.value, Mapping) else company).text()
    person = " ".join(filter(None, (bill["firstname"].text(), bill["lastname"].text())))
    if not (firm or person):
        return None
    address = (bill[name].text() for name in ("address", "city", "region", "zipcode", "country"))
    return CompanyRecord(
        name=firm or person,
        cui=company["code"].text(),
        reg_no=company["registrationNo"].text(),  # ASSUMED: this name and the next two
        bank=company["bank"].text(),
        iban=company["iban"].text(),
        address=", ".join(filter(None, address)) or None,
        phone=bill["phone"].text(),
        email=bill["email"].text(),
    )


async def push_stock(vendor: Vendor, levels: Sequence[StockLevel]) -> Sequence[PushResult]:
    """Free quantities by sku, absolute, so that repeating them is harmless."""
    skus = [level.sku or level.code for level in levels]
    amounts = [max(level.quantity, Decimal(0)) for level in levels]
    data = [{"sku": sku, STOCK_FIELD: amount} for sku, amount in zip(skus, amounts, strict=True)]
    try:
        answer = await _call(vendor, "product/inventory", data=data)
    except Refused as refused:
        outcome = Outcome.UNKNOWN if refused.code == "404" else Outcome.REJECTED
        return [PushResult(outcome=outcome, message=f"GoMag: {refused}")] * len(levels)
    # ASSUMED: unknown skus are named in the message while the others are applied
    words = list(texts(Node(answer)["message"].value))
    unknown = PushResult(outcome=Outcome.UNKNOWN, message=f"GoMag: {'; '.join(words)[:500]}")
    return [unknown if mentioned(sku, words) else PushResult(outcome=Outcome.DONE) for sku in skus]


async def push_order_statuses(vendor: Vendor, changes: Sequence[StatusChange]) -> Sequence[PushResult]:
    """Set statuses one call each. ASSUMED: how a list fares in part is not known."""
    return [await _push_status(vendor, change) for change in changes]


async def _push_status(vendor: Vendor, change: StatusChange) -> PushResult:
    if not (change.external_key.isdecimal() and change.status_id.isdecimal()):
        return PushResult(outcome=Outcome.REJECTED, message="GoMag's order and status ids are whole numbers")
    data = {"orders": [{"order": int(change.external_key), "status": int(change.status_id)}]}
    try:
        await _call(vendor, "order/status", data=data)
    except RateLimited:
        raise
    except Retryable:
        order = Node(await fetch_order(vendor, change.external_key))
        if str(order["statusId"].value) != change.status_id:
            raise
    except Refused as refused:
        known = refused.code != "404" or await fetch_order(vendor, change.external_key) is not None
        outcome = Outcome.REJECTED if known else Outcome.UNKNOWN
        return PushResult(outcome=outcome, message=f"GoMag: {refused}")
    return PushResult(outcome=Outcome.DONE)


async def check(vendor: Vendor) -> str:
    """Read the shop's statuses: proves key, shop and the right to orders, and that the mapped statuses exist."""
    try:
        body = Node(await _call(vendor, "order/status/read"))
    except Refused as refused:
        raise NeedsAttention(f"GoMag refuses to read the order statuses: {refused}") from None
    known = {record_key(status) for status in members(body["statuses"].value or body.value)} - {""}
    if not known:
        raise NeedsAttention("the answer holds no order statuses", hint="check the API URL in the settings")
    strange = sorted({status for name in SPEC.mappings for status in vendor.takeover(name)} - known - {"0"})
    note = f"; the shop does not know status {', '.join(strange)}" if strange else ""
    return f"GoMag answers: {len(known)} order statuses{note}"


_taken_in = partial(Stream, direction=Direction.IN, option="syncOrders", key=record_key)
_sent_out = partial(Stream, direction=Direction.OUT)

SPEC = Connector(
    code="GOMAG",
    title="GoMag",
    kind=SystemType.ECOMMERCE,
    config=Config,
    secrets=frozenset({"applicationId"}),
    options=("syncOrders", "sendStocks"),
    mappings={
        "outboundTakeoverStatusId": None,
        "outboundPickingStatusId": None,
        "outboundCompletedStatusId": None,
        "returnCompletedStatusId": None,
        "outboundDeletedStatusId": "0",
        "outboundReturnedStatusId": None,
    },
    limits=(
        Limit(name="read", rate_header="api-ratelimit-read", remaining_header="api-ratelimit-read-remaining"),
        Limit(name="write", rate_header="api-ratelimit-write", remaining_header="api-ratelimit-write-remaining"),
    ),
    busy=BUSY,
    check=check,
    streams=(
        _taken_in(name="products", title="Products", fetch=fetch_products, map=map_product, fetch_one=fetch_product),
        _taken_in(name="orders", title="Orders", fetch=fetch_orders, map=map_order, fetch_one=fetch_order),
        _sent_out(name="stock", title="Free stock", option="sendStocks", batch=STOCK_LINES, push=push_stock),
        _sent_out(name="order_statuses", title="Order statuses", batch=1, push=push_order_statuses),
    ),
)
