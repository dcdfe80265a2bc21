"""What only GoMag does: its envelope, its forms, its clock. Everything else is in the contract."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from connectors import gomag
from hub.errors import NeedsAttention, RateLimited, RecordRejected, RemoteError, Retryable
from hub.ports import HttpAnswer, HttpRequest, Limit, Outcome, PushResult, Vendor
from hub.records import (
    CategoryRecord,
    CompanyRecord,
    OrderLineRecord,
    OrderRecord,
    ProductRecord,
    ProductRef,
    StatusChange,
    StockLevel,
)
from tests.connectors.bench import Bench, Memory, on_bench

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = "gm-key-1"
CONFIG = gomag.Config.model_validate({"applicationId": KEY, "applicationUrl": "www.magazin.test/"})
ORDER: dict[str, Any] = {
    "id": "811",
    "number": "10311",
    "date": "2026-03-02 09:14:05",
    "updated": "2026-03-02 09:20:41",
    "status": "Comanda NEW",
    "statusId": "1",
    "total": "269.97",
    "currency": "RON",
    "shipping": {"firstname": "Ioana", "lastname": "Șerban", "city": "Cluj-Napoca", "company": ""},
    "billing": {
        "firstname": "Ioana",
        "lastname": "Șerban",
        "phone": "0722000111",
        "email": "ioana@exemplu.test",
        "country": "Romania",
        "region": "Cluj",
        "city": "Cluj-Napoca",
        "address": "Str. Lungă 5",
        "company": {"name": "Șerban SRL", "code": "RO1234567", "registrationNo": "J12/34/2019", "bank": "", "iban": ""},
    },
    "items": [{"id": "16044", "type": "product", "sku": "AB-44", "name": "Lampă", "quantity": "3", "price": "83.33"}],
}


class Scripted:
    """A sender that gives prepared answers and keeps the requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[HttpRequest] = []

    async def send(self, request: HttpRequest) -> HttpAnswer:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, HttpAnswer):
            return answer
        return HttpAnswer(200, {}, answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def written(self) -> list[Any]:
        return [json.loads(request.form["data"]) for request in self.requests if request.form]


def vendor(http: Any, **more: Any) -> Vendor:
    return Vendor(**{"config": CONFIG, "http": http, "state": Memory(), "now": NOON, **more})


def page(*orders: dict[str, Any], pages: int = 1) -> dict[str, Any]:
    return {"total": str(len(orders)), "page": "1", "pages": pages, "orders": {order["id"]: order for order in orders}}


async def fetched(http: Any, checkpoint: dict[str, Any] | None = None) -> list[Any]:
    return [order async for part in gomag.fetch_orders(vendor(http), checkpoint or {}) for order in part.payloads]


def mapped(**changes: Any) -> OrderRecord:
    return gomag.map_order(vendor(None), {**ORDER, **changes})


# --- settings


@pytest.mark.parametrize(
    "settings",
    [
        {"applicationId": "", "applicationUrl": "x.ro"},
        {"applicationId": "cheie secretă", "applicationUrl": "x.ro"},
        {"applicationId": "k", "applicationUrl": ""},
        {"applicationId": "k", "applicationUrl": "https://x.ro/\nHost: y"},
        {"applicationId": "k", "applicationUrl": "x.ro", "apiUrl": "ftp://x"},
        {"applicationId": "k", "applicationUrl": "x.ro", "apiUrl": "https://u:p@x.ro"},
        {"applicationId": "k", "applicationUrl": "x.ro", "unknown": "1"},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        gomag.Config.model_validate(settings)

    assert "cheie" not in str(refused.value)


async def test_calls_carry_key_shop_and_address() -> None:
    http = Scripted(page(), {"error": "200"})
    await fetched(http)
    await gomag.push_stock(vendor(http), [StockLevel(product_id=1, code="A", quantity=Decimal(1))])

    read, write = http.requests
    assert read.url == "https://api.gomag.ro/api/v1/order/read/json"
    assert read.headers == write.headers == {"Apikey": KEY, "ApiShop": "https://www.magazin.test"}
    assert (read.method, read.limit, read.params) == ("GET", "read", {"page": "1", "limit": "100"})
    assert (write.method, write.limit) == ("POST", "write")
    assert write.url == "https://api.gomag.ro/api/v1/product/inventory/json"
    assert KEY not in repr(read)


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "http://127.0.0.1:1/", "http://127.0.0.1:1/api/v1/"])
async def test_the_api_address_may_end_in_any_form(address: str) -> None:
    http = Scripted(page())
    config = CONFIG.model_copy(update={"api_url": address})

    await anext(gomag.fetch_orders(vendor(http, config=config), {}))

    assert http.requests[0].url == "http://127.0.0.1:1/api/v1/order/read/json"


# --- envelope


@pytest.mark.parametrize("error", ["absent", None, "", 0, "0", 200, "200", False])
async def test_success_is_written_as_an_error_too(error: Any) -> None:
    body = page(ORDER) if error == "absent" else {**page(ORDER), "error": error}

    assert await fetched(Scripted(body)) == [ORDER]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": 100, "message": "Missing Api User"}, NeedsAttention),
        ({"error": "199", "message": ["?"]}, NeedsAttention),
        ({"error": "300", "message": "?"}, NeedsAttention),
        ({"error": True}, NeedsAttention),
        ({"error": "429"}, RateLimited),
        ({"error": 428}, RateLimited),
        ({"error": "500", "message": {"a": "b"}}, Retryable),
        (b"<html>", Retryable),
        (b"", Retryable),
        (b"42", Retryable),
        (b"null", Retryable),
        (b'"orders"', Retryable),
        ({"status": "maintenance"}, Retryable),
        ({"total": "3", "page": 1, "pages": 1}, Retryable),
        (HttpAnswer(401, {}, b"{}"), NeedsAttention),
        (HttpAnswer(403, {}, b"<html>"), NeedsAttention),
        (HttpAnswer(404, {}, b"<html>"), NeedsAttention),
        (HttpAnswer(408, {}, b""), Retryable),
        (HttpAnswer(400, {}, b"{}"), NeedsAttention),
        (HttpAnswer(302, {}, b"moved"), Retryable),
    ],
)
async def test_a_refusal_is_told_by_what_to_do_next(body: Any, expected: type[RemoteError]) -> None:
    with pytest.raises(expected) as refused:
        await fetched(Scripted(body))

    assert type(refused.value) is expected


async def test_words_of_the_shop_are_shown_without_the_key() -> None:
    with pytest.raises(NeedsAttention, match="Invalid Api Key •••") as refused:
        await fetched(Scripted({"error": 101, "message": [f"Invalid Api Key {KEY}"]}))

    assert KEY not in str(refused.value)


@pytest.mark.parametrize(
    "nothing",
    [
        {"total": "0", "page": 1, "pages": 0, "orders": []},
        {"total": 0, "orders": {}},
        {"total": "0"},
        [],
        {"error": "404", "message": ["NO DATA"]},
    ],
)
async def test_nothing_is_an_empty_page_with_a_checkpoint(nothing: Any) -> None:
    (part,) = [part async for part in gomag.fetch_orders(vendor(Scripted(nothing)), {})]

    assert not part.payloads and part.checkpoint["since"]


@pytest.mark.parametrize("orders", [{"811": ORDER}, [ORDER], {"811": {**ORDER, "id": None}}])
async def test_orders_come_as_object_or_list(orders: Any) -> None:
    assert await fetched(Scripted({"total": 1, "pages": "1", "orders": orders})) == [ORDER]


async def test_a_page_may_hold_what_is_no_order() -> None:
    body = {"total": 3, "pages": 1, "orders": {"1": "?", "2": None, "811": ORDER}}

    assert await fetched(Scripted(body)) == ["?", None, ORDER]


# --- reading changes


async def test_later_reads_ask_for_the_day_before_the_cursor() -> None:
    http = Scripted(page(), page())
    await fetched(http, {"since": "2026-03-02T07:20:41+00:00"})
    await fetched(http, {"since": "2026-03-01T22:30:00+00:00"})

    assert [request.params["updated"] for request in http.requests] == ["2026-03-01", "2026-03-01"]


async def test_orders_of_every_status_are_read() -> None:
    orders = [{**ORDER, "id": str(n), "statusId": str(n)} for n in range(9)]
    http = Scripted(page(*orders))

    assert len(await fetched(http)) == 9
    assert "statusIds" not in http.requests[0].params


async def test_an_order_is_read_whatever_time_of_change_it_carries() -> None:
    times = ("2026-03-02 09:20:41", "2026-03-02 08:00:00", "2019-01-01 00:00:00", "0000-00-00 00:00:00", "", None)
    orders = [{**ORDER, "id": str(n), "updated": text} for n, text in enumerate(times)]

    assert await fetched(Scripted(page(*orders)), {"since": "2026-03-02T07:20:41+00:00"}) == orders


async def test_the_cursor_is_the_moment_at_which_reading_began() -> None:
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    (part,) = [part async for part in gomag.fetch_orders(vendor(Scripted(page(ORDER)), now=now), {})]

    assert part.checkpoint == {"since": "2026-03-02T09:00:00+00:00"}


async def test_products_with_variants_come_as_their_variants() -> None:
    variants = {"21": {"sku": "T-R", "price": "50", "stock": 2}, "22": {"id": 22, "sku": "T-A", "name": "Tricou, alb"}}
    shirt = {"id": "20", "sku": "T", "name": {"ro": "Tricou", "en": "Shirt"}, "price": 49, "vat": "21", "enabled": "1"}
    body = {
        "total": 2,
        "pages": 1,
        "products": [{**shirt, "versions": variants}, {**shirt, "id": "30", "versions": []}],
    }
    http = Scripted(body)

    (part,) = [part async for part in gomag.fetch_products(vendor(http), {})]

    red, white, plain = (gomag.map_product(vendor(None), unit) for unit in part.payloads)
    assert http.requests[0].params["addVersions"] == "true"
    assert [(p.external_key, p.code, p.name) for p in (red, white, plain)] == [
        ("21", "T-R", "Tricou"),
        ("22", "T-A", "Tricou, alb"),
        ("30", "T", "Tricou"),
    ]
    assert [(p.selling_price, p.vat_percentage) for p in (red, white)] == [(50, 21), (49, 21)]
    assert gomag.SPEC.streams[0].key(part.payloads[0]) == "21"  # type: ignore[misc]


async def test_an_order_read_alone_is_the_one_that_was_asked_for() -> None:
    other = {**ORDER, "id": "812"}

    assert await gomag.fetch_order(vendor(Scripted(page(other, ORDER))), "811") == ORDER
    assert await gomag.fetch_order(vendor(Scripted(page(other))), "811") is None
    assert await gomag.fetch_order(vendor(Scripted({"error": "404", "message": "NO DATA"})), "811") is None


# --- mapping


def test_the_documented_order_maps_whole() -> None:
    assert mapped() == OrderRecord(
        external_key="811",
        number="10311",
        status_id="1",
        lines=(
            OrderLineRecord(
                product=ProductRef(external_key="16044", code="AB-44"), quantity=Decimal(3), external_line_id="811:1"
            ),
        ),
        company=CompanyRecord(
            name="Șerban SRL",
            cui="RO1234567",
            reg_no="J12/34/2019",
            address="Str. Lungă 5, Cluj-Napoca, Cluj, Romania",
            phone="0722000111",
            email="ioana@exemplu.test",
        ),
        placed_at=datetime(2026, 3, 2, 7, 14, 5, tzinfo=UTC),
        updated_at=datetime(2026, 3, 2, 7, 20, 41, tzinfo=UTC),
    )


def test_numbers_may_stand_for_text() -> None:
    assert (
        mapped(id=811, number=10311, statusId=1, items={"0": {**ORDER["items"][0], "id": 16044, "quantity": 3}})
        == mapped()
    )


def test_lines_that_are_no_goods_are_left_out_and_keep_their_place() -> None:
    goods = ORDER["items"][0]
    lines = mapped(items={"5": goods, "6": {"type": "service", "name": "Ambalaj"}, "7": {**goods, "type": ""}}).lines

    assert [line.external_line_id for line in lines] == ["811:1", "811:3"]


def test_an_order_may_be_empty_but_not_without_lines_at_all() -> None:
    assert mapped(items=[]).lines == mapped(items={}).lines == ()
    with pytest.raises(RecordRejected) as rejected:
        mapped(items=None)
    assert rejected.value.field == "items"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"id": ""}, "id"),
        ({"number": None}, "number"),
        ({"statusId": []}, "statusId"),
        ({"items": "broken"}, "items"),
        ({"items": ["broken"]}, "items[0].id"),
        ({"items": {"4": {"quantity": 1}}}, "items.4.id"),
        ({"items": [{"sku": "A", "quantity": "trei"}]}, "items[0].quantity"),
        ({"items": [{"sku": "A", "quantity": 0}]}, "items[0].quantity"),
        ({"items": [{"sku": "A", "quantity": "-1"}]}, "items[0].quantity"),
        ({"number": "9" * 256}, "number"),
    ],
)
def test_a_rejection_names_the_path(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(RecordRejected) as rejected:
        mapped(**changes)

    assert rejected.value.field == path


@pytest.mark.parametrize("company", ["", None, [], {"name": "", "code": ""}])
def test_a_private_buyer_is_a_client_by_name(company: Any) -> None:
    buyer = mapped(billing={**ORDER["billing"], "company": company}).company

    assert buyer and (buyer.name, buyer.cui, buyer.type, buyer.external_key) == ("Ioana Șerban", None, "CLIENT", "")


def test_without_a_bill_the_delivery_names_the_buyer() -> None:
    buyer = mapped(billing="").company

    assert buyer and (buyer.name, buyer.address) == ("Ioana Șerban", "Cluj-Napoca")
    assert mapped(billing="", shipping=[]).company is None


def test_a_product_without_sku_is_known_by_its_id() -> None:
    record = gomag.map_product(vendor(None), {"id": 5, "name": "Lampă", "enabled": "0", "price": "10.50"})

    assert record == ProductRecord(
        external_key="5", code="5", name="Lampă", selling_price=Decimal("10.50"), active=False
    )


LAMPS = {"id": 3, "name": "Iluminat"}


@pytest.mark.parametrize("categories", [[LAMPS], {"3": {**LAMPS, "name": {"ro": "Iluminat"}}}, ["7", {"id": 1}, LAMPS]])
def test_the_first_category_with_a_name_counts(categories: Any) -> None:
    record = gomag.map_product(vendor(None), {"id": 5, "name": "Lampă", "categories": categories})

    assert record.category == CategoryRecord(external_key="3", name="Iluminat")


# --- writing


def change(status: str = "9", key: str = "811") -> StatusChange:
    return StatusChange(document="order", external_key=key, status_id=status)


async def push(http: Scripted, *changes: StatusChange) -> Sequence[PushResult]:
    return await gomag.push_order_statuses(vendor(http), changes or [change()])


async def test_a_status_is_written_as_whole_numbers() -> None:
    http = Scripted({"error": "200", "message": "OK"})

    assert [result.outcome for result in await push(http)] == [Outcome.DONE]
    assert http.written() == [{"orders": [{"order": 811, "status": 9}]}]


async def test_a_lost_answer_is_looked_up_before_it_is_called_lost() -> None:
    arrived = Scripted(Retryable("cut"), page({**ORDER, "statusId": 9}))
    missed = Scripted(Retryable("cut"), page(ORDER))

    assert [result.outcome for result in await push(arrived)] == [Outcome.DONE]
    with pytest.raises(Retryable, match="cut"):
        await push(missed)
    assert len(arrived.written()) == len(missed.written()) == 1


async def test_a_request_to_slow_down_is_not_a_lost_answer() -> None:
    http = Scripted(RateLimited("slow"))

    with pytest.raises(RateLimited):
        await push(http)
    assert len(http.requests) == 1


async def test_an_unknown_order_and_an_unknown_status_are_told_apart() -> None:
    refusal = {"error": "404", "message": ["NO DATA"]}
    results = [*await push(Scripted(refusal, page())), *await push(Scripted(refusal, page(ORDER)))]

    assert [result.outcome for result in results] == [Outcome.UNKNOWN, Outcome.REJECTED]
    assert all("NO DATA" in result.message for result in results)


async def test_ids_that_are_no_numbers_are_not_sent() -> None:
    http = Scripted()

    results = await push(http, change(status="livrata"), change(key="WEB-1"))

    assert [result.outcome for result in results] == [Outcome.REJECTED] * 2 and not http.requests


def levels(**quantities: str) -> list[StockLevel]:
    return [
        StockLevel(product_id=n, code=f"c{n}", sku=sku, quantity=Decimal(quantity))
        for n, (sku, quantity) in enumerate(quantities.items())
    ]


async def test_stock_is_absolute_by_sku_and_whole_where_it_is_whole() -> None:
    http = Scripted({"error": "200"})
    without_sku = StockLevel(product_id=9, code="D", quantity=Decimal(0))

    await gomag.push_stock(vendor(http), [*levels(A="12.0000", B="2.5", C="-4"), without_sku])

    (request,) = http.requests
    lines = '{"sku":"A","stock":12},{"sku":"B","stock":2.5},{"sku":"C","stock":0},{"sku":"D","stock":0}'
    assert request.form == {"data": f"[{lines}]"}


@pytest.mark.parametrize(
    ("message", "unknown"),
    [
        ([], set()),
        ("OK", set()),
        (["AB-4"], {"AB-4"}),
        (["Sku AB-4 nu exista", "Sku AB-44: NO DATA"], {"AB-4", "AB-44"}),
        ("Produse inexistente: AB-44,X", {"AB-44", "X"}),
        ({"X": "not found"}, {"X"}),
    ],
)
async def test_the_message_names_what_is_unknown(message: Any, unknown: set[str]) -> None:
    sent = levels(**{"AB-4": "1", "AB-44": "2", "X": "3"})

    results = await gomag.push_stock(vendor(Scripted({"error": "200", "message": message})), sent)

    outcomes = {level.sku for level, result in zip(sent, results, strict=True) if result.outcome is Outcome.UNKNOWN}
    assert outcomes == unknown


async def test_a_refused_batch_is_refused_line_by_line() -> None:
    sent = levels(A="1", B="2")

    nothing = await gomag.push_stock(vendor(Scripted({"error": "404", "message": ["NO DATA"]})), sent)
    refused = await gomag.push_stock(vendor(Scripted({"error": "301", "message": "Bad"})), sent)

    assert [result.outcome for result in nothing] == [Outcome.UNKNOWN] * 2
    assert [result.outcome for result in refused] == [Outcome.REJECTED] * 2


# --- check


async def test_the_check_names_mapped_statuses_that_the_shop_does_not_have() -> None:
    statuses = {"1": {"id": "1", "name": "Nouă"}, "9": {"id": 9, "name": "Gata"}}
    mappings = {"outboundTakeoverStatusId": "1, 4", "outboundCompletedStatusId": "9", "outboundDeletedStatusId": "0"}
    for body in (statuses, {"statuses": statuses}, {"error": "200", "statuses": list(statuses.values())}):
        assert await gomag.check(vendor(Scripted(body), mappings=mappings)) == (
            "GoMag answers: 2 order statuses; the shop does not know status 4"
        )


async def test_an_answer_without_statuses_is_no_proof() -> None:
    with pytest.raises(NeedsAttention):
        await gomag.check(vendor(Scripted({"status": "ok"})))


# --- against the sandbox


@pytest.fixture(scope="module")
async def bench(client: httpx.AsyncClient) -> AsyncIterator[Bench]:
    async with on_bench("GOMAG", client, orders=120, products=20) as bench:
        yield bench


class Budget:
    """Keeps what the transport learns from the shop."""

    def __init__(self) -> None:
        self.learnt: list[tuple[str, float | None, float | None]] = []

    async def take(self, limit: Limit) -> None: ...

    async def correct(self, limit: Limit, *, remaining: float | None, per_second: float | None) -> None:
        self.learnt.append((limit.name, remaining, per_second))


async def test_reads_and_writes_follow_their_own_headers(client: httpx.AsyncClient) -> None:
    async with on_bench("GOMAG", client, rate=0.001, burst=3, products=4) as slow:
        budget = Budget()
        for _ in range(2):
            await slow.pages("orders", vendor=slow.vendor(budget=budget))
        await gomag.push_stock(slow.vendor(budget=budget), levels(A="1"))
        with pytest.raises(RateLimited):
            await slow.pages("orders", vendor=slow.vendor(budget=budget))
            await slow.pages("orders", vendor=slow.vendor(budget=budget))

    assert budget.learnt == [
        ("read", 2, 0.001),
        ("read", 1, 0.001),
        ("write", 2, 0.001),
        ("read", 0, 0.001),
        ("read", 0, 0.001),
    ]


async def test_a_write_whose_answer_never_came_is_not_repeated(bench: Bench) -> None:
    order = bench.sandbox.shop.orders[-1]
    bench.fault("order_statuses", "hang")

    results = await gomag.push_order_statuses(
        bench.vendor(longest=timedelta(seconds=1.5)), [change("4", key=str(order.id))]
    )

    assert results[0].outcome is Outcome.DONE and order.status_id == "4"
    assert len(bench.calls("order_statuses")) == 1


async def test_orders_deleted_while_pages_are_read_hide_no_other(bench: Bench) -> None:
    shop, seen = bench.sandbox.shop, set()
    async for part in gomag.fetch_orders(bench.vendor(), {}):
        seen |= {gomag.record_key(order) for order in part.payloads}
        if len(seen) == 100:
            del shop.orders[-10:]

    assert seen >= {str(order.id) for order in shop.orders}
