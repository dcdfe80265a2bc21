"""What the hub changes reaches the outside at least once, with the effect of once, and never empties a shop unasked."""

import asyncio
from decimal import Decimal

import pytest

from hub.errors import Conflict, NeedsAttention, RecordRejected, Retryable
from hub.records import StatusChange
from hub.services import order_moves, outbox
from hub.sync import inbox, outbound_stock
from tests.hub.sync.bench import Bench
from tests.hub.sync.test_engine import raising, vanish

OUTBOX = "SELECT key, state, last_error FROM outbox ORDER BY id"


async def stocked(bench: Bench, *quantities: int, confirmed: bool = True) -> list[int]:
    """Products SKU-0, SKU-1 … with so much stock; confirmed = the shop was told of nothing yet, but may be."""
    ids = []
    for number, quantity in enumerate(quantities):
        ids.append(await bench.world.add_product(f"SKU-{number}"))
        if quantity:
            await bench.add_stock(ids[-1], quantity)
    if confirmed:
        await bench.world.run("UPDATE integrations SET stock_push_confirmed = true")
    return ids


async def told(bench: Bench, *quantities: int) -> list[int]:
    """The same, and the shop was told of all of it."""
    ids = await stocked(bench, *quantities)
    await bench.sync("stock")
    bench.system.pushed.clear()
    return ids


async def picked(bench: Bench, key: str = "1") -> int:
    """An order of the shop that was taken in and is validated now."""
    bench.system.product("9")
    await bench.sync("products")
    product_id = await bench.world.value("SELECT id FROM products WHERE code = 'SKU-9'")
    await bench.add_stock(product_id, 10)
    bench.system.order(key, ("9", 2))
    await bench.sync("orders")
    order_id: int = await bench.world.value("SELECT max(id) FROM orders")
    await bench.database.write(bench.scope, lambda work: order_moves.change_status(work, order_id=order_id, status=3))
    return order_id


async def test_the_free_quantity_at_the_moment_of_sending_is_told_once_per_product(bench: Bench) -> None:
    first, second, third = await stocked(bench, 5, 7, 9)
    await bench.add_stock(first, 1)
    await bench.world.run("UPDATE stock_items SET reserved = 3 WHERE product_id = :p", p=second)

    run = await bench.sync("stock")

    assert bench.system.stock == {"SKU-0": Decimal(6), "SKU-1": Decimal(4), "SKU-2": Decimal(9)}
    assert len(bench.system.pushed) == 3
    assert (run["state"], run["updated"], run["pages"]) == ("SUCCEEDED", 3, 2)
    assert [row["state"] for row in await bench.world.rows(OUTBOX)] == ["SENT"] * 3
    assert third


async def test_goods_in_locked_batches_are_not_told_of(bench: Bench) -> None:
    (product_id,) = await stocked(bench, 5)
    await bench.world.run(
        "INSERT INTO batches (tenant_id, id, product_id, code, locked) VALUES (:t, 1, :p, 'L', true)",
        t=bench.world.tenant_id,
        p=product_id,
    )
    await bench.world.run(
        "INSERT INTO stock_items (tenant_id, id, product_id, warehouse_id, location_id, batch_id, quantity, reserved) "
        "VALUES (:t, 99, :p, 1, 2, 1, 40, 0)",
        t=bench.world.tenant_id,
        p=product_id,
    )

    await bench.sync("stock")

    assert bench.system.stock == {"SKU-0": Decimal(5)}


async def test_a_product_without_any_booking_is_not_told_of(bench: Bench) -> None:
    ids = await stocked(bench, 5, 0)
    async with bench.database.unit_of_work(bench.scope) as work:
        await outbox.stock_changed(work, ids)

    await bench.sync("stock")

    assert bench.system.stock == {"SKU-0": Decimal(5)}
    assert [(row["state"], row["last_error"]) for row in await bench.world.rows(OUTBOX)] == [
        ("SENT", None),
        ("DROPPED", "no goods of it were ever booked"),
    ]


async def test_a_lost_answer_is_told_again_and_changes_nothing(bench: Bench) -> None:
    await stocked(bench, 5)
    bench.system.traps["stock"] = [raising(Retryable("the answer was lost"))]

    waiting = await bench.sync("stock")
    put_back = await bench.world.rows(OUTBOX)
    await bench.world.run("UPDATE sync_runs SET not_before = NULL")
    await bench.slice(waiting["id"])

    assert put_back == [{"key": "1", "state": "WAITING", "last_error": "the answer was lost"}]
    assert bench.system.stock == {"SKU-0": Decimal(5)}
    assert len(bench.system.pushed) == 2
    assert (await bench.run(waiting["id"]))["state"] == "SUCCEEDED"


async def test_a_worker_that_dies_in_mid_push_leaves_the_entry_to_the_next(bench: Bench) -> None:
    await stocked(bench, 5)
    (run_id,) = await bench.start("stock")
    died = asyncio.Event()

    async def hang() -> None:
        died.set()
        await asyncio.Event().wait()

    bench.system.traps["stock"] = [lambda: hang()]
    first = asyncio.create_task(bench.slice(run_id))
    await died.wait()
    stuck = await bench.world.rows(OUTBOX)
    await vanish(first, bench, run_id)
    await bench.slice(run_id)

    assert [row["state"] for row in stuck] == ["SENDING"]
    assert [row["state"] for row in await bench.world.rows(OUTBOX)] == ["SENT"]
    assert bench.system.stock == {"SKU-0": Decimal(5)}


async def test_a_change_during_the_push_is_told_after_it(bench: Bench) -> None:
    (product_id,) = await stocked(bench, 5)
    bench.system.traps["stock"] = [lambda: bench.add_stock(product_id, 2)]

    await bench.sync("stock")

    assert [level.quantity for level in bench.system.pushed] == [Decimal(5), Decimal(7)]
    assert bench.system.stock == {"SKU-0": Decimal(7)}


async def test_a_failed_push_gives_way_to_a_newer_entry(bench: Bench) -> None:
    (product_id,) = await stocked(bench, 5)

    async def change_and_fail() -> None:
        await bench.add_stock(product_id, 2)
        raise Retryable("no answer")

    bench.system.traps["stock"] = [lambda: change_and_fail()]
    await bench.sync("stock")

    assert sorted(row["state"] for row in await bench.world.rows(OUTBOX)) == ["DROPPED", "WAITING"]


async def test_unknown_and_refused_products_do_not_hold_up_the_others(bench: Bench) -> None:
    good, unknown, bad = await stocked(bench, 1, 2, 3)
    await bench.world.run("UPDATE products SET code = 'UNKNOWN' WHERE id = :i", i=unknown)
    await bench.world.run("UPDATE products SET code = 'BAD' WHERE id = :i", i=bad)

    run = await bench.sync("stock")

    states = {row["key"]: row["state"] for row in await bench.world.rows(OUTBOX)}
    assert states == {str(good): "SENT", str(unknown): "DROPPED", str(bad): "FAILED"}
    assert (run["state"], run["updated"], run["skipped"], run["parked"]) == ("SUCCEEDED", 1, 1, 1)
    assert await bench.world.rows("SELECT stream, external_key, reason FROM sync_exceptions") == [
        {"stream": "stock", "external_key": str(bad), "reason": "REJECTED"}
    ]


async def test_a_batch_refused_as_a_whole_is_told_one_by_one(bench: Bench) -> None:
    await stocked(bench, 1, 2)
    bench.system.traps["stock"] = [raising(RecordRejected("one of them is wrong"))]

    run = await bench.sync("stock")

    assert run["updated"] == 2
    assert len(bench.system.pushed) == 4


async def test_refused_credentials_put_the_entries_back_and_stop_the_connection(bench: Bench) -> None:
    await stocked(bench, 1)
    bench.system.traps["stock"] = [raising(NeedsAttention("the key was refused"))]

    await bench.sync("stock")

    assert [row["state"] for row in await bench.world.rows(OUTBOX)] == ["WAITING"]
    assert await bench.world.value("SELECT stopped_reason FROM integrations") == "the key was refused"


async def test_the_first_sending_needs_a_preview_and_a_confirmation(bench: Bench) -> None:
    await stocked(bench, 5, 0, 7, confirmed=False)
    registry = bench.outside.registry
    seen = await bench.database.write(bench.scope, lambda work: outbound_stock.preview(work, registry=registry))

    run_id = await bench.database.write(bench.scope, lambda work: outbound_stock.confirm(work, registry=registry))
    await bench.slice(run_id)

    assert (seen.products, seen.zeros) == (2, 0)
    assert [(level.code, level.quantity, level.sent) for level in seen.levels] == [
        ("SKU-0", Decimal(5), None),
        ("SKU-2", Decimal(7), None),
    ]
    assert bench.system.stock == {"SKU-0": Decimal(5), "SKU-2": Decimal(7)}


async def test_a_push_that_would_empty_a_tenth_of_the_shop_stops_and_asks(bench: Bench) -> None:
    ids = await told(bench, *([5] * 12))
    for product_id in ids[:2]:
        await bench.add_stock(product_id, -5)

    run = await bench.sync("stock")
    asked = await bench.world.value("SELECT stock_push_confirmed FROM integrations")
    with pytest.raises(Conflict, match="confirmation"):
        await bench.start("stock")
    registry = bench.outside.registry
    run_id = await bench.database.write(bench.scope, lambda work: outbound_stock.confirm(work, registry=registry))
    silent = list(bench.system.pushed)
    await bench.slice(run_id)

    assert (run["state"], run["error_code"], asked) == ("FAILED", "STOCK_PUSH_STOPPED", False)
    assert silent == []
    assert bench.system.stock["SKU-0"] == bench.system.stock["SKU-1"] == 0
    assert await bench.world.value("SELECT stopped_reason FROM integrations") is None


async def test_a_few_products_sold_out_are_told_at_once(bench: Bench) -> None:
    ids = await told(bench, *([5] * 12))
    await bench.add_stock(ids[0], -5)

    run = await bench.sync("stock")

    assert run["state"] == "SUCCEEDED"
    assert bench.system.stock["SKU-0"] == 0


async def test_quantities_that_differ_from_what_was_told_are_found(bench: Bench) -> None:
    ids = await told(bench, 5, 6)
    await bench.world.run("UPDATE stock_items SET quantity = 8 WHERE product_id = :p", p=ids[1])

    found = await bench.database.write(bench.scope, lambda work: outbound_stock.enqueue_differing(work, "SHOP"))
    await bench.sync("stock")

    assert found == 1
    assert [level.code for level in bench.system.pushed] == ["SKU-1"]


async def test_a_completed_order_is_told_under_its_own_number_and_mapped_status(bench: Bench) -> None:
    order_id = await picked(bench, "811")

    await bench.sync("order_statuses")

    assert bench.system.pushed == [
        StatusChange(document="order", external_key="811", status_id="shipped", number="N811", document_id=order_id)
    ]


async def test_a_state_without_a_mapped_status_is_not_told(bench: Bench) -> None:
    await bench.remap(outboundCompletedStatusId="")
    await picked(bench)

    run = await bench.sync("order_statuses")

    assert (run["state"], run["skipped"], bench.system.pushed) == ("SUCCEEDED", 1, [])
    dropped = (await bench.world.rows(OUTBOX))[-1]
    assert dropped["last_error"] == "no external status is mapped to order VALIDATED"


async def test_a_refused_status_is_parked_and_told_again_when_somebody_asks(bench: Bench) -> None:
    await picked(bench)
    bench.system.traps["order_statuses"] = [raising(RecordRejected("the order is locked"))]
    await bench.sync("order_statuses")
    (parked,) = await bench.world.rows("SELECT id, state, message FROM sync_exceptions")

    await bench.database.write(bench.scope, lambda work: inbox.retry_exception(work, exception_id=parked["id"]))
    bench.system.statuses.clear()
    await bench.sync("order_statuses")

    assert parked["message"] == "the order is locked"
    assert bench.system.statuses == {"1": "shipped"}
    assert await bench.world.value("SELECT state FROM sync_exceptions") == "RESOLVED"
