"""What every connector must do, run against its sandbox over real HTTP; `test_contract.py` collects it."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from connectors.registry import REGISTRY
from hub.errors import NeedsAttention, RateLimited, RecordRejected, RemoteError, Retryable
from hub.ports import Direction, Outcome, Stream, Vendor
from hub.records import OrderRecord, StatusChange, StockLevel
from tests.connectors.bench import CASES, Bench, on_bench
from tests.connectors.mutations import JUNK, damaged

INBOUND = [(code, s.name) for code, spec in REGISTRY.items() for s in spec.streams if s.direction is Direction.IN]
PUSHES = ["order_statuses", "stock"]


@pytest.fixture(scope="module", params=sorted(REGISTRY))
async def bench(request: pytest.FixtureRequest, client: httpx.AsyncClient) -> AsyncIterator[Bench]:
    async with on_bench(request.param, client, **CASES[request.param].many) as bench:
        yield bench


@pytest.fixture(autouse=True)
def no_leftovers(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "bench" in request.fixturenames:
        bench: Bench = request.getfixturevalue("bench")
        bench.running.book.pending.clear()
        bench.running.book.calls.clear()
        bench.exchanges.clear()


def inbound(bench: Bench) -> list[str]:
    return [stream.name for stream in bench.spec.streams if stream.direction is Direction.IN]


def test_every_connector_has_a_case() -> None:
    assert CASES.keys() == REGISTRY.keys()


# --- what it says of itself


def test_settings_explain_themselves(bench: Bench) -> None:
    for name, field in bench.spec.config.model_fields.items():
        assert field.title and field.description, name
        assert re.fullmatch(r"[a-z]+([A-Z][a-z0-9]*)*", field.alias or name)


def test_secrets_are_declared_and_never_shown(bench: Bench) -> None:
    marked = {
        field.alias or name
        for name, field in bench.spec.config.model_fields.items()
        if (field.json_schema_extra or {}).get("secret")  # type: ignore[union-attr]
    }
    config = bench.config()
    hidden = [value for _, value in config if isinstance(value, SecretStr)]

    assert marked == bench.spec.secrets and len(hidden) == len(marked) > 0
    for secret in hidden:
        assert secret.get_secret_value() not in repr(config) + str(config) + config.model_dump_json()


def test_missing_settings_are_named_without_values(bench: Bench) -> None:
    given_ = bench.sandbox.settings(bench.running.url)
    required = [field.alias for field in bench.spec.config.model_fields.values() if field.is_required()]

    assert required
    for name in required:
        with pytest.raises(ValidationError) as refusal:
            bench.spec.config.model_validate({key: value for key, value in given_.items() if key != name})
        assert str(name) in str(refusal.value)
        assert not any(value in str(refusal.value) for key, value in given_.items() if key in bench.spec.secrets)


def test_the_address_can_be_pointed_at_a_sandbox(bench: Bench) -> None:
    assert bench.running.url in bench.sandbox.settings(bench.running.url).values()


def test_streams_are_whole(bench: Bench) -> None:
    names = Counter(stream.name for stream in bench.spec.streams)
    used = {stream.option for stream in bench.spec.streams} - {None}

    assert max(names.values()) == 1
    assert used == set(bench.spec.options)
    for stream in bench.spec.streams:
        ways = (stream.fetch, stream.map, stream.key) if stream.direction is Direction.IN else (stream.push,)
        assert stream.title and stream.batch > 0 and all(ways)


def test_products_come_before_documents(bench: Bench) -> None:
    assert inbound(bench)[0] == "products" or "products" not in inbound(bench)


# --- reading


async def test_check_says_one_line(bench: Bench) -> None:
    line = await bench.spec.check(bench.vendor())

    assert line and "\n" not in line


@pytest.mark.parametrize("name", ["check", *PUSHES])
async def test_refused_credentials_need_attention_and_stay_secret(
    bench: Bench, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    bench.fault(name, "credentials")

    with pytest.raises(NeedsAttention) as refusal:
        await use(bench, name)

    shown = f"{refusal.value}{refusal.value.__cause__}{bench.exchanges}{caplog.text}"
    assert not any(secret in shown for secret in bench.transport.secrets)


async def use(bench: Bench, name: str, **transport: Any) -> Any:
    """Use a stream once, or the check."""
    vendor = bench.vendor(**transport)
    if name == "check":
        return await bench.spec.check(vendor)
    if name not in PUSHES:
        return await bench.pages(name, vendor=vendor)
    push = bench.stream(name).push
    assert push is not None
    return await push(vendor, [change(bench) if name == "order_statuses" else level(bench)])


def change(bench: Bench, status: str | None = None) -> StatusChange:
    key = bench.case.order_key(bench.sandbox.shop.orders[0])
    return StatusChange(document="order", external_key=key, status_id=status or bench.case.status)


def level(bench: Bench, quantity: str = "7") -> StockLevel:
    unit = next(bench.sandbox.shop.units())[1]
    return StockLevel(product_id=1, code=unit.sku, sku=unit.sku, external_key=str(unit.id), quantity=Decimal(quantity))


async def test_every_record_comes_exactly_once(bench: Bench) -> None:
    for name in inbound(bench):
        pages = await bench.pages(name)
        keys = bench.keys(name, pages)

        assert len(pages) > 2, name
        assert max(Counter(keys).values()) == 1
        assert set(keys) == bench.case.keys[name](bench.sandbox)


async def test_every_record_maps(bench: Bench) -> None:
    for name in inbound(bench):
        stream, vendor = bench.stream(name), bench.vendor()
        for page in await bench.pages(name):
            for payload in page.payloads:
                record = stream.map(vendor, payload)  # type: ignore[misc]
                assert record is None or record.external_key == stream.key(payload)  # type: ignore[misc]


async def test_a_walk_resumes_from_every_checkpoint(bench: Bench) -> None:
    for name in inbound(bench):
        pages = await bench.pages(name)

        for stop in range(1, len(pages)):
            checkpoint = json.loads(json.dumps(dict(pages[stop - 1].checkpoint)))
            resumed = await bench.pages(name, checkpoint)
            assert set(bench.keys(name, [*pages[:stop], *resumed])) == bench.case.keys[name](bench.sandbox)
            assert bench.case.position(resumed[-1].checkpoint) >= bench.case.position(pages[-1].checkpoint)


async def test_a_run_finds_what_changed_and_its_cursor_moves_on(bench: Bench) -> None:
    first = (await bench.pages("orders"))[-1].checkpoint
    order = bench.sandbox.new_order()
    order.updated_at += timedelta(seconds=2)

    pages = await bench.pages("orders", first, bench.vendor(now=datetime.now(UTC) + timedelta(seconds=5)))

    keys = bench.keys("orders", pages)
    assert bench.case.order_key(order) in keys
    assert len(keys) < len(bench.sandbox.shop.orders) / 4
    assert bench.case.position(pages[-1].checkpoint) > bench.case.position(first)


async def test_an_empty_system_is_read_and_the_cursor_moves_on(bench: Bench, client: httpx.AsyncClient) -> None:
    async with on_bench(bench.spec.code, client, orders=0, products=0) as empty:
        for name in inbound(empty):
            first = await empty.pages(name)
            later = await empty.pages(
                name, first[-1].checkpoint, empty.vendor(now=datetime.now(UTC) + timedelta(days=3))
            )

            assert not empty.keys(name, [*first, *later])
            assert bench.case.position(later[-1].checkpoint) > bench.case.position(first[-1].checkpoint)


async def test_one_record_is_read_by_its_key(bench: Bench) -> None:
    for name in inbound(bench):
        stream, vendor = bench.stream(name), bench.vendor()
        if stream.fetch_one is None:
            continue
        payload = (await bench.pages(name))[0].payloads[-1]

        found = await stream.fetch_one(vendor, stream.key(payload))  # type: ignore[misc]

        assert stream.map(vendor, found) == stream.map(vendor, payload)  # type: ignore[misc]
        assert await stream.fetch_one(vendor, "999999999") is None


# --- faults


async def test_a_malformed_record_is_rejected_alone_with_its_path(bench: Bench) -> None:
    for name in inbound(bench):
        bench.fault(name, "malformed")
        stream, vendor, rejected = bench.stream(name), bench.vendor(), []

        for page in await bench.pages(name):
            for payload in page.payloads:
                try:
                    stream.map(vendor, payload)  # type: ignore[misc]
                except RecordRejected as rejection:
                    rejected.append((stream.key(payload), rejection.field))  # type: ignore[misc]

        assert len(rejected) == 1
        assert all(rejected[0])


async def test_a_record_sent_twice_comes_once(bench: Bench) -> None:
    for name in inbound(bench):
        bench.fault(name, "duplicate", times=3)

        keys = bench.keys(name, await bench.pages(name))

        assert max(Counter(keys).values()) == 1
        assert set(keys) == bench.case.keys[name](bench.sandbox)


async def test_orders_that_arrive_while_pages_are_read_shift_nothing_away(bench: Bench) -> None:
    before = bench.case.keys["orders"](bench.sandbox)
    bench.fault("orders", "shift", skip=1, times=2)

    keys = bench.keys("orders", await bench.pages("orders"))

    assert max(Counter(keys).values()) == 1
    assert set(keys) >= before


FAULTS: dict[str, tuple[dict[str, Any], type[RemoteError]]] = {
    "garbage": ({"kind": "garbage"}, Retryable),
    "half an answer": ({"kind": "cut"}, Retryable),
    "silence": ({"kind": "hang"}, Retryable),
    "500": ({"kind": "status", "status": 500}, Retryable),
    "502": ({"kind": "status", "status": 502}, Retryable),
    "429": ({"kind": "status", "status": 429}, RateLimited),
    "401": ({"kind": "status", "status": 401}, NeedsAttention),
    "not found": ({"kind": "status", "status": 404}, NeedsAttention),
    "elsewhere": ({"kind": "status", "status": 302, "headers": {"location": "http://127.0.0.2/"}}, NeedsAttention),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_faults_are_told_by_what_to_do_next(bench: Bench, fault: str) -> None:
    options, expected = FAULTS[fault]
    patience = {"longest": timedelta(seconds=0.3)} if fault == "silence" else {}

    for name in ["check", *inbound(bench), *PUSHES]:
        bench.fault(name, **{"effect": False, "times": 3, **options})
        with pytest.raises(expected) as failure:
            await use(bench, name, **patience)
        bench.running.book.pending.clear()
        assert type(failure.value) is expected, name
        assert bench.exchanges[-1].error or bench.exchanges[-1].status


async def test_a_told_waiting_time_is_kept(bench: Bench) -> None:
    for name in ["check", *inbound(bench), *PUSHES]:
        bench.fault(name, "status", status=429, headers={"retry-after": "17"})
        with pytest.raises(RateLimited) as limited:
            await use(bench, name)
        assert limited.value.retry_after == timedelta(seconds=17)


async def test_a_failure_in_mid_walk_loses_nothing(bench: Bench) -> None:
    for name in inbound(bench):
        bench.fault(name, "cut", skip=1)
        fetch, seen, checkpoint = bench.stream(name).fetch, [], {}

        with pytest.raises(Retryable):
            async for page in fetch(bench.vendor(), {}):  # type: ignore[misc]
                seen.append(page)
                checkpoint = dict(page.checkpoint)
        seen += await bench.pages(name, checkpoint)

        assert set(bench.keys(name, seen)) == bench.case.keys[name](bench.sandbox)


# --- writing


async def test_a_status_arrives(bench: Bench) -> None:
    (result,) = await use(bench, "order_statuses")

    assert result.outcome is Outcome.DONE
    assert bench.sandbox.shop.orders[0].status_id == bench.case.status


async def test_a_lost_answer_does_not_double_a_status(bench: Bench) -> None:
    bench.fault("order_statuses", "cut")

    (result,) = await use(bench, "order_statuses")

    assert result.outcome is Outcome.DONE
    assert len(bench.calls("order_statuses")) == 1


async def test_a_status_of_an_unknown_order_is_named(bench: Bench) -> None:
    push = bench.stream("order_statuses").push
    unknown = StatusChange(document="order", external_key="999999999", status_id=bench.case.status)

    (result,) = await push(bench.vendor(), [unknown])  # type: ignore[misc]

    assert result.outcome is Outcome.UNKNOWN and result.message


async def test_stock_arrives_and_unknown_products_are_named(bench: Bench) -> None:
    unknown = StockLevel(product_id=2, code="NOT-THERE-1", sku="NOT-THERE-1", quantity=Decimal(3))
    whole, part = level(bench, "12"), StockLevel(product_id=3, code="", sku=second(bench), quantity=Decimal("2.5"))

    results = await bench.stream("stock").push(bench.vendor(), [whole, unknown, part])  # type: ignore[misc]

    assert [result.outcome for result in results] == [Outcome.DONE, Outcome.UNKNOWN, Outcome.DONE]
    assert "NOT-THERE-1" in results[1].message
    stock = {unit.sku: unit.stock for _, unit in bench.sandbox.shop.units()}
    assert stock[whole.sku or ""] == 12 and stock[part.sku or ""] == Decimal("2.5")


def second(bench: Bench) -> str:
    return [unit.sku for _, unit in bench.sandbox.shop.units()][1]


async def test_only_unknown_products_are_all_named(bench: Bench) -> None:
    levels = [StockLevel(product_id=n, code=f"NO-{n}", quantity=Decimal(1)) for n in (1, 2)]

    results = await bench.stream("stock").push(bench.vendor(), levels)  # type: ignore[misc]

    assert [result.outcome for result in results] == [Outcome.UNKNOWN] * 2


async def test_our_own_status_comes_back_as_an_echo(bench: Bench) -> None:
    stream, vendor, key = bench.stream("orders"), bench.vendor(), change(bench).external_key
    before = stream.map(vendor, await stream.fetch_one(vendor, key))  # type: ignore[misc]
    sent = change(bench, bench.sandbox.mappings["outboundDeletedStatusId"])

    await bench.stream("order_statuses").push(vendor, [sent])  # type: ignore[misc]
    after: OrderRecord = stream.map(vendor, await stream.fetch_one(vendor, key))  # type: ignore[misc]

    assert after.status_id == sent.status_id
    assert differences(before, after) <= {"status_id", "updated_at"}


def differences(one: OrderRecord, other: OrderRecord) -> set[str]:
    return {field.name for field in fields(one) if getattr(one, field.name) != getattr(other, field.name)}


async def test_our_own_stock_changes_no_product(bench: Bench) -> None:
    stream, vendor, sent = bench.stream("products"), bench.vendor(), level(bench, "41")
    before = stream.map(vendor, await stream.fetch_one(vendor, sent.external_key))  # type: ignore[misc]

    await bench.stream("stock").push(vendor, [sent])  # type: ignore[misc]

    assert stream.map(vendor, await stream.fetch_one(vendor, sent.external_key)) == before  # type: ignore[misc]


# --- mapping is total


async def test_mapping_is_total(bench: Bench) -> None:
    for name in inbound(bench):
        stream, vendor = bench.stream(name), bench.vendor()
        payloads = [page.payloads[place] for page in await bench.pages(name) for place in (0, 1, -1)]
        for payload in payloads:
            assert storable(stream.map(vendor, payload))  # type: ignore[misc]
        maps_whatever_comes(stream, vendor, payloads)


def maps_whatever_comes(stream: Stream, vendor: Vendor, payloads: list[Any]) -> None:
    @settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
    @given(payload=st.sampled_from(payloads).flatmap(damaged))
    def total(payload: Any) -> None:
        key = stream.key(payload)  # type: ignore[misc]
        try:
            record = stream.map(vendor, payload)  # type: ignore[misc]
        except RecordRejected as rejection:
            assert rejection.field and rejection.message
        else:
            assert record is None or (record.external_key == key and storable(record))

    total()


def storable(record: Any) -> bool:
    """Made of texts that PostgreSQL takes, and of numbers that are some."""
    if is_dataclass(record):
        return all(storable(getattr(record, field.name)) for field in fields(record))
    if isinstance(record, tuple):
        return all(map(storable, record))
    if isinstance(record, Decimal):
        return record.is_finite() and abs(record) < Decimal(10) ** 12
    return not isinstance(record, str) or (
        len(record) <= 5000 and "\x00" not in record and bool(record.encode() or True)
    )


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(payload=JUNK)
def test_every_payload_has_a_key_or_none(payload: Any) -> None:
    for code, name in INBOUND:
        key = REGISTRY[code].stream(name).key(payload)  # type: ignore[union-attr, misc]
        assert isinstance(key, str)
