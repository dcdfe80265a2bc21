"""Orders follow their external status as far as their own state allows; nothing is invented, nothing silently lost."""

from typing import Any

from hub.services import order_moves, supply
from hub.statuses import Status
from tests.hub.sync.bench import Bench

ORDERS = "SELECT external_order_id AS number, status, released, third_party_reference AS key FROM orders ORDER BY id"
PARKED = "SELECT external_key, reason, path, waits_for, state FROM sync_exceptions ORDER BY id"


async def stocked(bench: Bench, *keys: str, quantity: int = 100) -> None:
    """Known products with goods."""
    for key in keys:
        bench.system.product(key)
    await bench.sync("products")
    for row in await bench.world.rows("SELECT id FROM products"):
        await bench.add_stock(row["id"], quantity)


async def move(bench: Bench, status: int) -> None:
    order_id = await bench.world.value("SELECT min(id) FROM orders")
    await bench.database.write(
        bench.scope, lambda work: order_moves.change_status(work, order_id=order_id, status=status)
    )


async def orders(bench: Bench) -> list[dict[str, Any]]:
    return await bench.world.rows(ORDERS)


async def test_an_eligible_order_is_taken_in_with_everything_it_says(bench: Bench) -> None:
    await stocked(bench, "1", "2")
    bench.system.order("811", ("1", 3), ("2", 1), number="10311", buyer="Ioana Șerban", comment="soon", awb="https://a")

    run = await bench.sync("orders")

    assert (run["created"], run["parked"]) == (1, 0)
    assert await bench.world.rows(
        "SELECT o.external_order_id, o.third_party_reference, o.status, o.released, o.comment, o.awb_external_link, "
        "c.name, o.warehouse_id FROM orders o JOIN companies c ON c.tenant_id = o.tenant_id AND c.id = o.company_id"
    ) == [
        {
            "external_order_id": "10311",
            "third_party_reference": "811",
            "status": 2,
            "released": True,
            "comment": "soon",
            "awb_external_link": "https://a",
            "name": "Ioana Șerban",
            "warehouse_id": 1,
        }
    ]
    lines = await bench.world.rows(
        "SELECT p.code, l.quantity::int AS quantity, l.external_line_id AS line FROM order_lines l "
        "JOIN products p ON p.tenant_id = l.tenant_id AND p.id = l.product_id ORDER BY l.position"
    )
    assert lines == [
        {"code": "SKU-1", "quantity": 3, "line": "811:1"},
        {"code": "SKU-2", "quantity": 1, "line": "811:2"},
    ]


async def test_only_orders_in_a_takeover_status_are_taken_in(bench: Bench) -> None:
    await stocked(bench, "1")
    for key, status in (("1", "new"), ("2", "paid"), ("3", "draft"), ("4", "0"), ("5", "back")):
        bench.system.order(key, ("1", 1), status=status)

    await bench.sync("orders")

    assert [row["number"] for row in await orders(bench)] == ["N1", "N2"]
    assert await bench.world.value("SELECT sum(skipped) FROM sync_runs WHERE stream = 'orders'") == 3


async def test_an_order_that_becomes_eligible_later_is_taken_in_then(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1), status="draft")
    await bench.sync("orders")

    bench.system.order("1", status="paid")
    await bench.sync("orders")

    assert [row["number"] for row in await orders(bench)] == ["N1"]


async def test_the_same_order_again_changes_nothing(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    await bench.sync("orders")
    before = await bench.world.rows("SELECT * FROM orders")

    bench.system.put("orders", "1", seen="again")
    run = await bench.sync("orders")

    assert (run["fetched"], run["unchanged"]) == (1, 1)
    assert await bench.world.rows("SELECT * FROM orders") == before


async def test_changed_lines_replace_the_lines_and_their_reservations(bench: Bench) -> None:
    await stocked(bench, "1", "2")
    bench.system.order("1", ("1", 5))
    await bench.sync("orders")

    bench.system.order("1", ("1", 2), ("2", 7))
    run = await bench.sync("orders")

    assert run["updated"] == 1
    assert await bench.world.rows(
        "SELECT p.code, i.reserved::int AS reserved FROM stock_items i "
        "JOIN products p ON p.tenant_id = i.tenant_id AND p.id = i.product_id ORDER BY p.code"
    ) == [{"code": "SKU-1", "reserved": 2}, {"code": "SKU-2", "reserved": 7}]


async def test_a_change_of_an_order_in_picking_is_an_exception(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 5))
    await bench.sync("orders")
    await move(bench, 7)

    bench.system.order("1", ("1", 6))
    run = await bench.sync("orders")

    assert (run["updated"], run["parked"]) == (0, 1)
    assert (await bench.world.rows(PARKED))[0]["reason"] == "NOT_EDITABLE"
    assert await bench.world.value("SELECT quantity::int FROM order_lines") == 5


async def test_an_order_in_picking_may_still_be_given_its_waybill(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 5))
    await bench.sync("orders")
    await move(bench, 7)

    bench.system.order("1", awb="https://awb.test/1", buyer="New Name")
    run = await bench.sync("orders")

    assert (run["updated"], run["parked"]) == (1, 0)
    assert await bench.world.value("SELECT awb_external_link FROM orders") == "https://awb.test/1"


async def test_deleted_outside_means_cancelled_here_unless_picked(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    bench.system.order("2", ("1", 1))
    await bench.sync("orders")
    await move(bench, 3)

    for key in "12":
        bench.system.order(key, status="0")
    run = await bench.sync("orders")

    assert [row["status"] for row in await orders(bench)] == [3, 0]
    assert (run["updated"], run["parked"]) == (1, 1)
    assert await bench.world.value("SELECT sum(reserved)::int FROM stock_items") == 0


async def test_returned_outside_means_returned_here_when_picked(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    bench.system.order("2", ("1", 1))
    await bench.sync("orders")
    await move(bench, 3)

    for key in "12":
        bench.system.order(key, status="back")
    run = await bench.sync("orders")

    assert [row["status"] for row in await orders(bench)] == [8, 2]
    assert run["parked"] == 1


async def test_who_bought_first_gets_the_goods_however_the_system_lists_its_orders(bench: Bench) -> None:
    await stocked(bench, "1", quantity=5)
    bench.system.page_size = 10
    bench.system.order("813", ("1", 4), placed="2026-03-02T09:00:02+00:00")
    bench.system.order("999", ("1", 4), placed="2026-03-02T09:00:01+00:00")
    bench.system.order("1000", ("1", 4), placed="2026-03-02T09:00:01+00:00")
    bench.system.order("812", ("1", 4))

    await bench.sync("orders")

    assert [(row["key"], row["status"]) for row in await orders(bench)] == [
        ("999", Status.ACTIVE),
        ("1000", Status.WAITING_FOR_SUPPLY),
        ("813", Status.WAITING_FOR_SUPPLY),
        ("812", Status.WAITING_FOR_SUPPLY),
    ]

    await bench.add_stock(await bench.world.value("SELECT id FROM products"), 4)
    await bench.database.write(bench.scope, supply.recheck)

    served = [row["key"] for row in await orders(bench) if row["status"] == Status.ACTIVE]
    assert served == ["999", "1000"]


async def test_an_order_waits_for_the_status_that_allows_picking(bench: Bench) -> None:
    await bench.remap(outboundPickingStatusId="ready")
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    await bench.sync("orders")
    held = (await orders(bench))[0]["released"]

    bench.system.order("1", status="ready")
    run = await bench.sync("orders")

    assert (held, (await orders(bench))[0]["released"], run["updated"]) == (False, True, 1)


async def test_an_order_waits_for_an_unknown_product_and_comes_in_by_itself(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1), ("9", 2))
    await bench.sync("orders")
    waiting = await bench.world.rows(PARKED)
    missing = await orders(bench)

    bench.system.product("9")
    await bench.sync("products")

    assert waiting == [
        {
            "external_key": "1",
            "reason": "UNKNOWN_PRODUCT",
            "path": "lines[1].product",
            "waits_for": "SKU-9",
            "state": "OPEN",
        }
    ]
    assert missing == []
    assert [row["number"] for row in await orders(bench)] == ["N1"]
    assert (await bench.world.rows(PARKED))[0]["state"] == "RESOLVED"


async def test_a_number_taken_by_another_document_is_an_exception(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1), number="SAME")
    bench.system.order("2", ("1", 1), number="SAME")

    run = await bench.sync("orders")

    assert (run["created"], run["parked"]) == (1, 1)
    (parked,) = await bench.world.rows(PARKED)
    assert (parked["external_key"], parked["reason"], parked["path"]) == ("2", "CONFLICT", "externalOrderId")


async def test_the_echo_of_what_the_hub_sent_is_dropped(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    await bench.sync("orders")
    await move(bench, 3)

    await bench.sync("order_statuses")
    before = await bench.world.rows("SELECT * FROM orders")
    run = await bench.sync("orders")

    assert bench.system.statuses == {"1": "shipped"}
    assert (run["fetched"], run["unchanged"], run["parked"]) == (1, 1, 0)
    assert await bench.world.rows("SELECT * FROM orders") == before


async def test_an_order_deleted_here_is_not_taken_in_again_in_silence(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    await bench.sync("orders")
    await bench.world.run("DELETE FROM reservations")
    await bench.world.run("DELETE FROM order_lines")
    await bench.world.run("DELETE FROM orders")

    bench.system.order("1", ("1", 2))
    run = await bench.sync("orders")

    assert (run["created"], run["parked"]) == (0, 1)
    assert (await bench.world.rows(PARKED))[0]["reason"] == "GONE"


async def test_private_buyers_without_a_key_are_the_same_company(bench: Bench) -> None:
    await stocked(bench, "1")
    for key in "12":
        bench.system.order(key, ("1", 1), buyer="Ioana Șerban", phone="0722")

    await bench.sync("orders")

    assert await bench.world.value("SELECT count(*) FROM companies") == 1


async def test_a_goods_receipt_is_announced_changed_and_cancelled(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.put("nirs", "5", number="R5", status="announced", lines=[["1", 4]], supplier="Lamps Ltd")
    await bench.sync("nirs")
    bench.system.put("nirs", "5", lines=[["1", 6]])
    await bench.sync("nirs")
    changed = await bench.world.rows(
        "SELECT n.status, n.third_party_reference AS key, c.type, l.quantity::int AS quantity FROM nirs n "
        "JOIN companies c ON c.tenant_id = n.tenant_id AND c.id = n.supplier_id "
        "JOIN nir_lines l ON l.tenant_id = n.tenant_id AND l.nir_id = n.id"
    )

    bench.system.put("nirs", "5", status="0")
    run = await bench.sync("nirs")

    assert changed == [{"status": 2, "key": "5", "type": "SUPPLIER", "quantity": 6}]
    assert run["updated"] == 1
    assert await bench.world.value("SELECT status FROM nirs") == 0


async def test_a_receipt_that_is_received_outside_is_booked_at_once(bench: Bench) -> None:
    await stocked(bench, "1", quantity=1)
    bench.system.put("nirs", "5", number="R5", status="announced", lines=[["1", 4]], validated=True)

    await bench.sync("nirs")

    assert await bench.world.value("SELECT status FROM nirs") == 3
    assert await bench.world.value("SELECT sum(quantity)::int FROM stock_items") == 5


async def test_a_receipt_that_is_none_of_our_business_leaves_no_trace(bench: Bench) -> None:
    bench.system.put("nirs", "5", number="R5", status="draft", lines=[["1", 4]], supplier="Lamps Ltd")

    run = await bench.sync("nirs")

    assert (run["skipped"], run["parked"]) == (1, 0)
    assert await bench.world.value("SELECT count(*) FROM companies") == 0
