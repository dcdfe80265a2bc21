"""GoMag as `connectors/gomag.py` meets it: its envelope, its forms of lists and numbers, its limits and its clock."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connectors.sandbox.catalogue import CATEGORIES
from connectors.sandbox.forms import json_field
from connectors.sandbox.leak import Leak
from connectors.sandbox.shop import Clock, Order, Product, Unit, now, open_shop, random_order

ZONE = ZoneInfo("Europe/Bucharest")
STATUSES = {
    "1": "Comandă nouă",
    "2": "În procesare",
    "3": "Confirmată",
    "4": "Facturată",
    "5": "Livrată",
    "6": "Anulată",
    "7": "Returnată",
    "8": "În picking",
    "9": "Pregătită de curier",
}
NO_DATA: dict[str, object] = {"error": "404", "message": ["NO DATA"]}
DONE: dict[str, object] = {"error": "200", "message": ["OK"]}


class GomagSandbox:
    """One shop behind GoMag's API."""

    title = "GoMag"
    paths: Mapping[str, str] = {
        "products": "product/read",
        "orders": "order/read",
        "stock": "product/inventory",
        "order_statuses": "order/status/json",
        "check": "order/status/read",
    }
    faults: tuple[str, ...] = ("credentials", "malformed", "duplicate", "shift")
    mappings: Mapping[str, str] = {
        "outboundTakeoverStatusId": "1",
        "outboundPickingStatusId": "3",
        "outboundCompletedStatusId": "9",
        "returnCompletedStatusId": "7",
        "outboundDeletedStatusId": "6",
        "outboundReturnedStatusId": "7",
    }

    def __init__(
        self,
        *,
        seed: int | None = None,
        products: int = 90,
        orders: int = 60,
        key: str = "sandbox-key",
        shop_url: str = "https://magazin.exemplu.test",
        rate: float = 20,
        burst: float = 60,
        clock: Clock = now,
    ) -> None:
        self.rng = random.Random(seed)
        self.clock = clock
        self.shop = open_shop(self.rng, products=products, orders=orders, statuses=list(STATUSES), at=clock())
        self._key, self._shop_url = key, shop_url
        self._leaks = {"Read": Leak(rate, burst), "Write": Leak(rate, burst)}

    def settings(self, url: str) -> dict[str, str]:
        """What the hub's connection to this sandbox needs."""
        return {"applicationId": self._key, "applicationUrl": self._shop_url, "apiUrl": url}

    def routes(self) -> list[Route]:
        calls: tuple[tuple[str, str, Any], ...] = (
            ("GET", "order/read", self._orders),
            ("GET", "order/status/read", self._statuses),
            ("POST", "order/status", self._set_status),
            ("POST", "order/note/add", self._add_note),
            ("GET", "product/read", self._products),
            ("POST", "product/inventory", self._set_stock),
        )
        return [
            Route(f"/api/v1/{path}/json", self._guarded(method, call), methods=[method]) for method, path, call in calls
        ]

    def new_order(self) -> Order:
        return random_order(self.shop, self.rng, self.clock())

    def _guarded(self, method: str, call: Any) -> Any:
        async def endpoint(request: Request) -> Response:
            admitted, limits = self._admit("Read" if method == "GET" else "Write")
            if not admitted:
                return JSONResponse({"error": "429", "message": "Too many requests"}, 429, limits)
            refusal = self._refusal(request)
            body = refusal or call(request, await json_field(request, "data"))
            return JSONResponse(body, headers=limits)

        return endpoint

    def _admit(self, kind: str) -> tuple[bool, dict[str, str]]:
        leak = self._leaks[kind]
        admitted = leak.admit()
        values = {"": leak.per_second, "-Burst": leak.burst, "-Remaining": leak.remaining}
        return admitted, {f"Api-RateLimit-{kind}{name}": f"{value:g}" for name, value in values.items()}

    def _refusal(self, request: Request) -> dict[str, object] | None:
        headers = request.headers
        given = headers.get("apishop", "").removeprefix("https://").removeprefix("http://")
        if "apikey" not in headers:
            return {"error": 100, "message": "Missing Api User"}
        if headers["apikey"] != self._key or _fault(request) == "credentials":
            return {"error": 101, "message": f"Invalid Api Key {headers['apikey']}"}
        if given != self._shop_url.removeprefix("https://").removeprefix("http://"):
            return {"error": 102, "message": ["Invalid Api Shop"]}
        if headers.get("user-agent", "").startswith(("Postman", "python-httpx")) or "user-agent" not in headers:
            return {"error": 103, "message": ["Invalid User Agent"]}
        return None

    def _orders(self, request: Request, _: Any) -> dict[str, object]:
        if _fault(request) == "shift":
            self.new_order()
        query = request.query_params
        statuses = [status for status in query.get("statusIds", "").split(",") if status]
        found = [
            order
            for order in reversed(self.shop.orders)
            if query.get("id", str(order.id)) == str(order.id)
            and query.get("number", order.number) == order.number
            and (not statuses or order.status_id in statuses)
            and query.get("updated", "") <= _local(order.updated_at)[:10]
            and query.get("startDate", "") <= _local(order.placed_at)[:10] <= query.get("endDate", "9999")
            and query.get("date", _local(order.placed_at)[:10]) == _local(order.placed_at)[:10]
        ]
        return _listing(request, "orders", found, _order)

    def _products(self, request: Request, _: Any) -> dict[str, object]:
        query = request.query_params
        versions = query.get("addVersions") == "true"
        found = [
            product
            for product in reversed(self.shop.products)
            if query.get("id", str(product.id)) in {str(unit.id) for unit in (product, *product.units)}
            and query.get("sku", product.sku) in {unit.sku for unit in (product, *product.units)}
            and query.get("updated", "") <= _local(product.updated_at)[:10]
        ]
        return _listing(request, "products", found, lambda product: _product(product, versions))

    def _statuses(self, *_: Any) -> dict[str, object]:
        return {id_: {"id": id_, "name": name, "color": "#fff"} for id_, name in STATUSES.items()}

    def _set_status(self, _: Request, data: Any) -> dict[str, object]:
        wanted = data.get("orders") if isinstance(data, dict) else None
        changed = [self.set_status(one) for one in wanted if isinstance(one, dict)] if isinstance(wanted, list) else []
        return DONE if any(changed) else NO_DATA

    def set_status(self, change: Mapping[str, object]) -> bool:
        """{order, status} by internal id and numeric status, both whole numbers: any other form is not understood."""
        order_id, status = change.get("order"), change.get("status")
        if type(order_id) is not int or type(status) is not int or str(status) not in STATUSES:
            return False
        if (order := self.shop.order(order_id)) is None:
            return False
        order.status_id, order.updated_at = str(status), self.clock()
        return True

    def _add_note(self, _: Request, data: Any) -> dict[str, object]:
        note = data if isinstance(data, dict) else {}
        order = self.shop.order(_number(str(note.get("id") or note.get("order_id")), 0))
        if order is None:
            return NO_DATA
        order.notes.append(str(note.get("note", "")))
        return DONE

    def _set_stock(self, _: Request, data: Any) -> dict[str, object]:
        if not isinstance(data, list) or len(data) > 100:
            return {"error": "400", "message": ["data must be a list of at most 100 lines"]}
        lines = [line for line in data if isinstance(line, dict) and "sku" in line]
        unknown = [line["sku"] for line in lines if not self._stocked(line)]
        if len(unknown) == len(data):
            return NO_DATA
        return {"error": "200", "message": [f"SKU {sku}: produsul nu a fost gasit" for sku in unknown]}

    def _stocked(self, line: Mapping[str, Any]) -> bool:
        try:
            quantity = Decimal(str(line["stock"]))
        except (KeyError, InvalidOperation):
            return False
        return quantity.is_finite() and self.shop.set_stock(str(line["sku"]), quantity, self.clock())


def _fault(request: Request) -> str:
    fault = request.scope.get("fault")
    return fault.kind if fault else ""


def _listing(request: Request, name: str, found: Sequence[Any], render: Any) -> dict[str, object]:
    query = request.query_params
    size = max(1, min(_number(query.get("limit"), 100), 100))
    page = max(1, _number(query.get("page"), 1))
    shown = [render(record) for record in found[size * (page - 1) : size * page]]
    head = {"total": str(len(found)), "page": str(page), "pages": -(-len(found) // size)}
    if shown and _fault(request) == "malformed":
        shown[0] = _malformed(shown[0])
    if shown and _fault(request) == "duplicate":
        return {**head, name: [shown[0], *shown]}
    return {**head, name: {str(record["id"]): record for record in shown} if shown else []}


def _malformed(record: Mapping[str, Any]) -> dict[str, Any]:
    broken = {"name": None} if "name" in record else {"items": {"0": {"sku": "AB-44", "quantity": "trei"}}}
    return {**record, **broken}


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


def _local(moment: datetime) -> str:
    return moment.astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def _order(order: Order) -> dict[str, Any]:
    """Every third order has numbers where the others have text; every second one its items in an object."""
    loose = order.id % 3 == 0
    buyer = order.buyer
    person = {
        "firstname": buyer.firstname,
        "lastname": buyer.lastname,
        "phone": buyer.phone,
        "email": buyer.email,
        "country": "Romania",
        "region": buyer.region,
        "city": buyer.city,
        "address": buyer.address,
        "zipcode": buyer.zipcode,
    }
    company = {"name": buyer.company, "code": buyer.cui, "registrationNo": buyer.reg_no, "bank": "", "iban": ""}
    items = [
        {
            "id": str(line.unit_id) if line.unit_id else "",
            "type": "product" if line.goods else "service",
            "sku": line.sku,
            "name": line.name,
            "quantity": _amount(line.quantity, loose),
            "price": _amount(line.price, loose),
            "vat": str(line.vat),
        }
        for line in order.lines
    ]
    return {
        "id": order.id if loose else str(order.id),
        "number": order.number,
        "date": _local(order.placed_at),
        "updated": _local(order.updated_at),
        "status": STATUSES.get(order.status_id, "Stearsa"),
        "statusId": int(order.status_id) if loose else order.status_id,
        "total": _amount(sum((line.quantity * line.price for line in order.lines), Decimal(0)), loose),
        "currency": "RON",
        "source": "web",
        "invoice": "",
        "payment": {"id": "2", "name": "Plata ramburs"},
        "delivery": {"id": "4", "name": "Curier rapid", "price": "19.99"},
        "carrier": {"id": "4", "name": "Curier rapid"},
        "discounts": [],
        "shipping": {**person, "company": ""},
        "billing": {**person, "company": company if buyer.company else ""},
        "items": {str(place): item for place, item in enumerate(items)} if order.id % 2 else items,
    }


def _product(product: Product, versions: bool) -> dict[str, Any]:
    loose = product.id % 3 == 0
    body = _unit(product, loose) | {
        "name": {"ro": product.name} if product.id % 20 == 0 else product.name,
        "description": "",
        "base_price": _amount(product.price, loose),
        "vat": str(product.vat),
        "categories": [{"id": str(10 + list(CATEGORIES).index(product.category)), "name": product.category}],
        "enabled": "1",
    }
    if versions and product.variants:
        body["versions"] = {str(unit.id): _unit(unit, loose) for unit in product.variants}
    return body


def _unit(unit: Unit, loose: bool) -> dict[str, Any]:
    return {
        "id": unit.id if loose else str(unit.id),
        "sku": unit.sku,
        "ean": unit.ean,
        "name": unit.name,
        "price": _amount(unit.price, loose),
        "stock": _amount(unit.stock, loose),
    }


def _amount(value: Decimal, as_number: bool) -> str | int | float:
    if not as_number:
        return str(value)
    return int(value) if value == value.to_integral_value() else float(value)
