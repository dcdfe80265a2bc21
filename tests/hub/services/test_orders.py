"""Orders: taken in, served, changed, moved and deleted; every refusal leaves everything as it was."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from hub.context import Actor, Grant, Level, Scope
from hub.db import Database
from hub.errors import CallerError, Conflict, Invalid, NotAllowed, NotFound
from hub.services import order_moves, orders, supply
from hub.services.buyers import BuyerDraft
from hub.services.order_drafts import OrderDraft, OrderLineDraft
from hub.services.outcomes import Effect
from tests.hub.services.stockrooms import A02, B01, SOUTH, Stockroom, new_stockroom

D = Decimal


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Stockroom]:
    room = await new_stockroom(database)
    yield room
    await room.balance(orders=True)


@pytest.fixture
async def lamp(room: Stockroom) -> int:
    return await room.world.add_product("LAMP", weight=D("0.5"))


def line(quantity: int | str = 1, code: str | None = "LAMP", **columns: Any) -> OrderLineDraft:
    return OrderLineDraft(quantity=D(quantity), product_code=code, **columns)


async def steps(room: Stockroom, order_id: int) -> list[tuple[int | None, int]]:
    rows = await room.world.rows(
        "SELECT status_before, status_after FROM document_changes WHERE document_kind = 'order' AND document_id = :id "
        "ORDER BY id",
        id=order_id,
    )
    return [(row["status_before"], row["status_after"]) for row in rows]


# --- adding -----------------------------------------------------------------------------------------------------------


async def test_a_new_order_is_1_without_lines_2_when_covered_else_6(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)

    empty = await room.order("W-1")
    covered = await room.order("W-2", ("LAMP", 3))
    waiting = await room.order("W-3", ("LAMP", 1), ("LAMP", 2))

    assert [await room.status(id_) for id_ in (empty, covered, waiting)] == [1, 2, 6]
    assert await room.lines(waiting) == [(D(1), D(1), D(0)), (D(2), D(1), D(0))]
    assert await steps(room, waiting) == [(None, 6)]


async def test_an_order_without_validation_is_picked_at_once_when_covered(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)

    done = await room.order("W-1", ("LAMP", 3), requires_validation=False)
    waiting = await room.order("W-2", ("LAMP", 3), requires_validation=False)
    empty = await room.order("W-3", requires_validation=False)

    assert [await room.status(id_) for id_ in (done, waiting, empty)] == [3, 6, 1]
    assert await room.lines(done) == [(D(3), D(0), D(3))]
    assert await room.stock(lamp) == [("A-01", None, D(2), D(2))]
    assert await steps(room, done) == [(None, 3)]


async def test_goods_come_from_the_named_location_only(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    await room.receive(lamp, 1, A02)

    order = await room.order("W-1", line(2, location_code="A-02"), line(2))

    assert await room.lines(order) == [(D(2), D(1), D(0)), (D(2), D(2), D(0))]


@pytest.mark.parametrize(
    ("draft", "error", "field"),
    [
        ({"lines": [line(0)]}, Invalid, "orderProducts[0].quantity"),
        ({"lines": [line(1, None)]}, Invalid, "orderProducts[0].productModel"),
        (
            {"lines": [line(external_line_id="a"), line(external_line_id="a")]},
            Invalid,
            "orderProducts[1].externalLineId",
        ),
        ({"lines": [line(1, "NONE"), line(-1)]}, Invalid, "orderProducts[1].quantity"),
        ({"lines": [line(1, "NONE"), line(product_id=2)]}, Invalid, "orderProducts[1].productModel"),
        ({"lines": [line(), line(1, "NONE")]}, NotFound, "orderProducts[1].productModel"),
        ({"lines": [line(product_id=77)]}, NotFound, "orderProducts[0].productId"),
        ({"lines": [line(product_id=1 << 70, code=None)]}, NotFound, "orderProducts[0].productId"),
        ({"lines": [line(location_code="B-01")]}, NotFound, "orderProducts[0].locationCode"),
        ({"lines": [line(location_code="NOWHERE")]}, NotFound, "orderProducts[0].locationCode"),
        ({"lines": [line(code="OLD"), line(location_code="NOWHERE")]}, NotFound, "orderProducts[1].locationCode"),
        ({"lines": [line(code="OLD")]}, Conflict, "orderProducts[0].productModel"),
        ({"warehouse_id": 77}, NotFound, "warehouseId"),
        ({"order_type": 3}, Invalid, "orderType"),
        ({"number_of_packages": -1}, Invalid, "numberOfPackages"),
        ({"external_order_id": " "}, Invalid, "externalOrderId"),
        ({"external_order_id": "TAKEN"}, Conflict, "externalOrderId"),
        ({"third_party_reference": "tpr"}, Conflict, "thirdPartyReference"),
        ({"external_order_id": "TAKEN", "warehouse_id": 77}, NotFound, "warehouseId"),
        ({"company": BuyerDraft(cui="RO1")}, Invalid, "company.name"),
        ({"company": BuyerDraft(company_id=77, name="x")}, NotFound, "company.companyId"),
        ({"company": BuyerDraft(name="x" * 256)}, Invalid, "company.name"),
        ({"requirements": [("", "x")]}, Invalid, "orderRequirements[0].name"),
    ],
)
async def test_an_order_that_cannot_be_is_refused_by_its_first_mistake(
    room: Stockroom, lamp: int, draft: dict[str, Any], error: type[CallerError], field: str
) -> None:
    await room.world.add_product("OTHER")
    await room.world.add_product("OLD", active=False)
    await room.order("TAKEN", third_party_reference="tpr")

    with pytest.raises(error) as refusal:
        await room.do(orders.add, orders=[OrderDraft(**{"external_order_id": "W-1"} | draft)])

    assert refusal.value.field == field
    assert await room.world.value("SELECT count(*) FROM orders") == 1
    assert await room.world.value("SELECT count(*) FROM companies") == 0


async def test_a_taken_key_is_told_as_such(room: Stockroom) -> None:
    await room.order("WEB-1")

    with pytest.raises(Conflict, match=r"^externalOrderId: WEB-1 already exists$"):
        await room.order("WEB-1")


async def test_the_same_order_added_in_parallel_exists_once(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 50)

    ended = await asyncio.gather(*(room.order("WEB-1", ("LAMP", 2)) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(end, Conflict) for end in ended) == 7
    assert await room.stock(lamp) == [("A-01", None, D(50), D(2))]


async def test_a_company_is_found_by_id_references_or_single_cui_and_used_unchanged(room: Stockroom) -> None:
    first = BuyerDraft(name="Atelier Verde", cui="RO1", external_reference="e-1", third_party_reference="t-1")
    other = BuyerDraft(name="Atelier Rosu", cui="RO2")
    ids = [await room.order(f"W-{n}", company=company) for n, company in enumerate((first, other))]
    await room.order("W-2", company=BuyerDraft(name="Another", cui="RO2", external_reference="e-2"))
    sought = [
        BuyerDraft(company_id=1, external_reference="new"),
        BuyerDraft(external_reference="e-1", third_party_reference="unknown", name="Renamed"),
        BuyerDraft(external_reference="unknown", third_party_reference="t-1"),
        BuyerDraft(cui="RO1"),
    ]

    again = [await room.order(f"X-{n}", company=company) for n, company in enumerate(sought)]
    third = await room.order("X-9", company=BuyerDraft(name="Third of two", cui="RO3"))

    found = await room.world.rows(
        "SELECT o.id, o.company_id, c.name, c.type FROM orders o JOIN companies c "
        "ON c.tenant_id = o.tenant_id AND c.id = o.company_id ORDER BY o.id"
    )
    names = {row["id"]: row["name"] for row in found}
    assert [names[id_] for id_ in (*ids, *again)] == ["Atelier Verde", "Atelier Rosu"] + ["Atelier Verde"] * 4
    assert names[third] == "Third of two"
    assert {row["type"] for row in found} == {"CLIENT"}
    assert await room.world.value("SELECT count(*) FROM companies") == 3


async def test_a_cui_of_two_companies_names_neither(room: Stockroom) -> None:
    for number in "12":
        await room.order(f"W-{number}", company=BuyerDraft(name="Twin", cui=f"RO{number}"))
    await room.world.run("UPDATE companies SET cui = 'RO1'")

    with pytest.raises(Invalid, match=r"company\.name"):
        await room.order("W-3", company=BuyerDraft(cui="RO1"))


async def test_a_set_creates_a_new_company_once(room: Stockroom) -> None:
    drafts = [
        OrderDraft(external_order_id=f"W-{n}", company=BuyerDraft(name="New", external_reference="e-1"))
        for n in range(3)
    ]

    await room.do(orders.add, orders=drafts)

    assert await room.world.value("SELECT count(*) FROM companies") == 1
    assert await room.world.value("SELECT count(DISTINCT company_id) FROM orders") == 1


@pytest.mark.parametrize("key", [{"external_reference": "e-1"}, {"third_party_reference": "t-1"}, {"cui": "RO1"}])
async def test_orders_at_the_same_time_create_a_new_company_once(room: Stockroom, key: dict[str, str]) -> None:
    await asyncio.gather(*(room.order(f"W-{n}", company=BuyerDraft(name="New", **key)) for n in range(8)))

    assert await room.world.value("SELECT count(*) FROM companies") == 1
    assert await room.world.value("SELECT count(*) FROM orders WHERE company_id IS NOT NULL") == 8


async def test_one_bad_record_does_not_stop_the_others_of_a_set(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 4)
    drafts = [
        OrderDraft(external_order_id="W-1", lines=[line(3)], company=BuyerDraft(name="A", external_reference="a")),
        OrderDraft(external_order_id="W-2", lines=[line(1, "NONE")], company=BuyerDraft(name="B")),
        OrderDraft(external_order_id="W-1", lines=[line(1)]),
        OrderDraft(external_order_id="W-4", lines=[line(3)], company=BuyerDraft(name="x" * 256)),
        OrderDraft(external_order_id="W-5", lines=[line(3)]),
    ]

    outcomes = await room.do(orders.add_orders, orders=drafts, on_error="skip")

    assert [outcome.effect for outcome in outcomes] == [
        Effect.ADDED,
        Effect.REFUSED,
        Effect.REFUSED,
        Effect.REFUSED,
        Effect.ADDED,
    ]
    assert [str(outcome.error) for outcome in outcomes if outcome.error] == [
        "orderProducts[0].productModel: product NONE does not exist",
        "externalOrderId: W-1 already exists",
        "company.name: is longer than 255 characters",
    ]
    assert await room.lines(outcomes[0].id) == [(D(3), D(3), D(0))]
    assert await room.lines(outcomes[4].id) == [(D(3), D(1), D(0))]
    assert await room.world.value("SELECT count(*) FROM companies") == 1
    added = await room.world.rows("SELECT subject_id FROM events WHERE topic = 'order' AND kind = 'added'")
    assert sorted(row["subject_id"] for row in added) == [outcomes[0].id, outcomes[4].id]


async def test_long_orders_are_taken_in_as_sets(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 3000)

    order = await room.order("W-1", *[("LAMP", 1)] * 5000)

    assert await room.status(order) == 6
    assert sum(reserved for _, reserved, _ in await room.lines(order)) == 3000


async def test_fifty_parallel_orders_for_the_last_ten_pieces(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 7)
    await room.receive(lamp, 3, A02)

    ids = await asyncio.gather(*(room.order(f"W-{n}", ("LAMP", 1)) for n in range(50)))

    states = [await room.status(id_) for id_ in ids]
    assert (states.count(2), states.count(6)) == (10, 40)
    assert sum(item[3] for item in await room.stock(lamp)) == 10


# --- changing ---------------------------------------------------------------------------------------------------------


async def change(room: Stockroom, order_id: int, **changes: Any) -> None:
    await room.do(orders.update, targets={"id": [order_id]}, changes=changes)


async def test_replaced_lines_are_reserved_again(room: Stockroom, lamp: int) -> None:
    bulb = await room.world.add_product("BULB")
    await room.receive(lamp, 5)
    await room.receive(bulb, 1)
    order = await room.order("W-1", ("LAMP", 4))

    await change(room, order, lines=[line(2, "BULB"), line(5)])

    assert await room.status(order) == 6
    assert await room.lines(order) == [(D(2), D(1), D(0)), (D(5), D(5), D(0))]
    await change(room, order, lines=[line(5)])
    assert await room.status(order) == 2
    await change(room, order, lines=[])
    assert await room.status(order) == 1
    assert await room.stock(lamp) == [("A-01", None, D(5), D(0))]
    assert await steps(room, order) == [(None, 2), (2, 6), (6, 2), (2, 1)]


async def test_another_warehouse_serves_from_its_own_stock(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    await room.receive(lamp, 1, B01)
    order = await room.order("W-1", ("LAMP", 2))

    await change(room, order, warehouse_id=SOUTH)

    assert await room.status(order) == 6
    assert await room.stock(lamp) == [("A-01", None, D(5), D(0)), ("B-01", None, D(1), D(1))]


async def test_lines_bound_to_a_location_do_not_follow_into_another_warehouse(room: Stockroom, lamp: int) -> None:
    order = await room.order("W-1", line(2, location_code="A-01"))

    with pytest.raises(Conflict, match="warehouseId"):
        await change(room, order, warehouse_id=SOUTH)
    await change(room, order, warehouse_id=SOUTH, lines=[line(2, location_code="B-01")])


async def test_dropping_the_validation_picks_what_is_covered(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2))

    await change(room, order, requires_validation=False)

    assert await room.status(order) == 3
    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]


async def test_a_change_of_words_leaves_the_reservations_alone(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2), comment="a", company=BuyerDraft(name="X"))
    lines = await room.line_ids(order)

    await change(
        room,
        order,
        comment=None,
        company=None,
        requirements=[("door", "blue")],
        external_order_id="W-2",
        third_party_reference="t",
        number_of_packages=2,
    )

    assert await room.line_ids(order) == lines
    assert await room.world.rows(
        "SELECT external_order_id, comment, company_id, third_party_reference, search, number_of_packages FROM orders"
    ) == [
        {
            "external_order_id": "W-2",
            "comment": None,
            "company_id": None,
            "third_party_reference": "t",
            "search": "w-2\nt",
            "number_of_packages": 2,
        }
    ]
    assert await room.world.rows("SELECT name, value FROM order_requirements") == [{"name": "door", "value": "blue"}]
    await change(room, order, requirements=None, external_order_id="W-2")
    assert await room.world.rows("SELECT name FROM order_requirements") == []


async def test_no_change_is_no_event(room: Stockroom) -> None:
    order = await room.order("W-1", comment="a")

    await change(room, order)
    await change(room, order, comment="a")

    assert await room.world.rows("SELECT kind FROM events") == [{"kind": "added"}]


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"external_order_id": None}, Invalid, "externalOrderId"),
        ({"warehouse_id": None}, Invalid, "warehouseId"),
        ({"order_type": None}, Invalid, "orderType"),
        ({"requires_validation": None}, Invalid, "validationRequired"),
        ({"status": 3}, Invalid, "status"),
        ({"released": True}, Invalid, "released"),
        ({"external_order_id": "W-2"}, Conflict, "externalOrderId"),
        ({"lines": [line(1, "NONE")]}, NotFound, "orderProducts[0].productModel"),
        ({"company": BuyerDraft(cui="RO1")}, Invalid, "company.name"),
    ],
)
async def test_changes_that_cannot_be_are_refused(
    room: Stockroom, changes: dict[str, Any], error: type[CallerError], field: str
) -> None:
    order = await room.order("W-1")
    await room.order("W-2")

    with pytest.raises(error) as refusal:
        await change(room, order, comment="x", **changes)

    assert refusal.value.field == field
    assert await room.world.value("SELECT count(*) FROM orders WHERE comment IS NOT NULL") == 0


async def test_a_mistake_in_the_values_is_told_before_an_unknown_target(room: Stockroom) -> None:
    with pytest.raises(Invalid, match="orderType"):
        await room.do(orders.update, targets={"id": [77]}, changes={"order_type": 9})
    with pytest.raises(NotFound, match="77"):
        await room.do(orders.update, targets={"id": [77]}, changes={})
    with pytest.raises(Invalid):
        await room.do(orders.update, targets={"id": []}, changes={})


async def test_many_orders_change_together_or_not_at_all(room: Stockroom) -> None:
    one, two = await room.order("W-1"), await room.order("W-2", third_party_reference="t")

    await room.do(orders.update, targets={"id": [one, one], "third_party_reference": ["t"]}, changes={"comment": "c"})
    with pytest.raises(NotFound):
        targets = {"id": [one], "external_order_id": ["W-2", "W-3"]}
        await room.do(orders.update, targets=targets, changes={"comment": "d"})
    with pytest.raises(Invalid, match="externalOrderId"):
        await room.do(orders.update, targets={"id": [one, two]}, changes={"external_order_id": "W-9"})

    assert await room.world.value("SELECT count(*) FROM orders WHERE comment = 'c'") == 2


async def test_a_set_of_changes_names_an_order_once(room: Stockroom, lamp: int) -> None:
    order = await room.order("W-1", ("LAMP", 1))

    outcomes = await room.do(
        orders.update_orders,
        orders=[(order, {"lines": [line(2)]}), (order, {"lines": [line(3)]}), (77, {"comment": "x"})],
        on_error="skip",
    )

    assert [outcome.effect for outcome in outcomes] == [Effect.UPDATED, Effect.REFUSED, Effect.REFUSED]
    assert await room.lines(order) == [(D(2), D(0), D(0))]


async def test_many_orders_given_one_new_company_share_it(room: Stockroom) -> None:
    ids = [await room.order("W-1"), await room.order("W-2")]

    await room.do(orders.update, targets={"id": ids}, changes={"company": BuyerDraft(name="Nameless keys")})

    assert await room.world.value("SELECT count(*) FROM companies") == 1


@pytest.mark.parametrize("status", [3, 4, 5, 7, 8])
async def test_a_picked_order_changes_only_its_words(room: Stockroom, lamp: int, status: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 9 if status == 4 else 2))
    for step in {5: (3, 5), 8: (3, 8)}.get(status, (status,)):
        await room.do(order_moves.change_status, order_id=order, status=step)

    words = {"comment": "c", "awb_external_link": "a", "invoice_external_link": "i", "number_of_packages": 1}
    await change(room, order, **words, number_of_envelopes=2, third_party_reference="t")
    for forbidden in ({"lines": []}, {"order_type": 2}, {"external_order_id": "W-9"}, {"company": None}):
        with pytest.raises(Conflict, match="cannot be changed any more"):
            await change(room, order, **forbidden)

    assert await room.world.value("SELECT comment FROM orders") == "c"


async def test_a_canceled_order_does_not_change_at_all(room: Stockroom) -> None:
    order = await room.order("W-1")
    await room.do(order_moves.cancel, order_id=order)

    for changes in ({"comment": "x"}, {}):
        with pytest.raises(Conflict, match="CANCELED"):
            await change(room, order, **changes)
    with pytest.raises(Conflict, match="CANCELED"):
        await room.do(orders.set_awb_link, order_id=order, link="https://awb")


# --- moving -----------------------------------------------------------------------------------------------------------

ALLOWED = {
    1: {1, 0},
    2: {2, 7, 3, 0},
    6: {6, 4, 0},
    7: {7, 2, 3, 0},
    3: {3, 5, 8},
    4: {4, 5, 8},
    5: {5, 8},
    8: {8},
    0: {0},
}


async def order_in(room: Stockroom, status: int) -> int:
    quantity = {1: None, 4: 9, 6: 9}.get(status, 2)
    order = await room.order("W-1", *([("LAMP", quantity)] if quantity else []))
    for step in {5: (3, 5), 8: (3, 8), 1: (), 2: (), 6: ()}.get(status, (status,)):
        await room.do(order_moves.change_status, order_id=order, status=step)
    assert await room.status(order) == status
    return order


@pytest.mark.parametrize("source", sorted(ALLOWED))
@pytest.mark.parametrize("target", range(9))
async def test_only_the_listed_steps_are_allowed(room: Stockroom, lamp: int, source: int, target: int) -> None:
    await room.receive(lamp, 5)
    order = await order_in(room, source)
    before = await room.stock(lamp)

    if target in ALLOWED[source]:
        await room.do(order_moves.change_status, order_id=order, status=target)
        assert await room.status(order) == target
    else:
        with pytest.raises(Conflict, match=f"cannot go from .* .{source}. to .* .{target}."):
            await room.do(order_moves.change_status, order_id=order, status=target)
        assert await room.status(order) == source
        assert await room.stock(lamp) == before


async def test_picking_takes_exactly_what_was_reserved(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 1, batch="SOON", expires="2030-01-01")
    await room.receive(lamp, 4)
    order = await room.order("W-1", ("LAMP", 2))

    await room.do(order_moves.change_status, order_id=order, status=3, awb_external_link="https://awb/1")

    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]
    assert await room.lines(order) == [(D(2), D(0), D(2))]
    [row] = await room.world.rows("SELECT awb_external_link, picker_id, picker_username, validated_at FROM orders")
    assert (row["awb_external_link"], row["picker_id"], row["picker_username"]) == ("https://awb/1", 7, "paula")
    assert row["validated_at"] is not None
    scans = await room.world.rows("SELECT quantity, username, user_id FROM scans ORDER BY batch_id")
    assert [(scan["quantity"], scan["username"], scan["user_id"]) for scan in scans] == [(D(1), "paula", 7)] * 2


async def test_a_waiting_order_is_validated_with_what_it_has_if_it_has_anything(room: Stockroom, lamp: int) -> None:
    order = await room.order("W-1", ("LAMP", 5), ("LAMP", 5))
    with pytest.raises(Conflict, match="nothing is reserved"):
        await room.do(order_moves.change_status, order_id=order, status=4)
    await room.receive(lamp, 7)
    await room.do(supply.recheck)

    await room.do(order_moves.change_status, order_id=order, status=4)

    assert await room.lines(order) == [(D(5), D(0), D(5)), (D(5), D(0), D(2))]
    assert await room.stock(lamp) == []


async def test_the_picker_is_who_started_and_forgotten_when_picking_is_given_up(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2))

    await room.do(order_moves.start_picking, order_id=order)
    await room.do(order_moves.start_picking, order_id=order)
    assert await room.world.rows("SELECT status, picker_username FROM orders") == [
        {"status": 7, "picker_username": "paula"}
    ]
    await room.do(order_moves.change_status, order_id=order, status=2)
    assert await room.world.rows("SELECT status, picker_id, picker_username FROM orders") == [
        {"status": 2, "picker_id": None, "picker_username": None}
    ]
    assert await room.stock(lamp) == [("A-01", None, D(5), D(2))]


async def test_the_same_status_again_only_stores_the_link(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2))
    await room.do(order_moves.change_status, order_id=order, status=3)

    await room.do(order_moves.change_status, order_id=order, status=3, awb_external_link="https://awb/2")

    assert await room.world.value("SELECT awb_external_link FROM orders") == "https://awb/2"
    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]
    with pytest.raises(Invalid):
        await room.do(order_moves.change_status, order_id=order, status=9)
    with pytest.raises(NotFound):
        await room.do(order_moves.change_status, order_id=77, status=3)


async def test_an_order_not_released_outside_is_served_but_not_picked(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    held = await room.order("W-1", ("LAMP", 2), released=False)
    direct = await room.order("W-2", ("LAMP", 2), released=False, requires_validation=False)

    for action in (
        room.do(order_moves.start_picking, order_id=held),
        room.do(order_moves.change_status, order_id=held, status=3),
    ):
        with pytest.raises(Conflict, match="not released for picking"):
            await action
    assert [await room.status(held), await room.status(direct)] == [2, 2]

    assert await room.do(order_moves.release_for_picking, order_ids=[held, direct]) == [held, direct]
    assert await room.do(order_moves.release_for_picking, order_ids=[held, direct]) == []

    assert [await room.status(held), await room.status(direct)] == [2, 3]
    await room.do(order_moves.start_picking, order_id=held)


async def test_parallel_validations_book_once(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2))

    await asyncio.gather(*(room.do(order_moves.change_status, order_id=order, status=3) for _ in range(8)))

    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]
    assert await steps(room, order) == [(None, 2), (2, 3)]


async def test_cancelling_and_validating_at_once_ends_in_one_of_both(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    for number in range(5):
        order = await room.order(f"W-{number}", ("LAMP", 1))

        ended = await asyncio.gather(
            room.do(order_moves.cancel, order_id=order),
            room.do(order_moves.change_status, order_id=order, status=3),
            return_exceptions=True,
        )

        assert sum(isinstance(end, Conflict) for end in ended) == 1
        assert await room.status(order) in (0, 3)


async def test_only_those_who_may_process_outbound_move_orders(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2))
    clerk = Scope({room.tenant_id: Grant(Level.USER)}, Actor("user", 8, "carl"))
    viewer = Scope({room.tenant_id: Grant(Level.VIEWER)}, Actor("user", 9, "vera"))

    for scope, action in (
        (clerk, lambda work: order_moves.start_picking(work, order_id=order)),
        (clerk, lambda work: order_moves.change_status(work, order_id=order, status=3)),
        (viewer, lambda work: order_moves.cancel(work, order_id=order)),
        (viewer, lambda work: orders.add(work, orders=[])),
        (viewer, lambda work: orders.update(work, targets={"id": [order]}, changes={})),
        (viewer, lambda work: orders.delete(work, targets={"id": [order]})),
        (viewer, supply.recheck),
    ):
        with pytest.raises(NotAllowed):
            await room.database.write(scope, action)


# --- supply -----------------------------------------------------------------------------------------------------------


async def test_new_stock_serves_the_oldest_order_first_and_only_on_recheck(room: Stockroom, lamp: int) -> None:
    first, second, third = [await room.order(f"W-{n}", ("LAMP", 2)) for n in (1, 2, 3)]
    await room.receive(lamp, 5)
    assert [await room.status(id_) for id_ in (first, second, third)] == [6, 6, 6]

    assert await room.do(supply.recheck) == [first, second]

    assert [await room.status(id_) for id_ in (first, second, third)] == [2, 2, 6]
    assert await room.lines(third) == [(D(2), D(1), D(0))]
    told = await room.world.rows("SELECT kind, subject_id FROM events WHERE topic = 'order' AND kind <> 'added'")
    assert sorted((row["kind"], row["subject_id"]) for row in told) == [
        ("moved", first),
        ("moved", second),
        ("updated", third),
    ]
    assert await room.do(supply.recheck) == []


async def test_recheck_of_named_orders_serves_those_alone(room: Stockroom, lamp: int) -> None:
    first, second = [await room.order(f"W-{n}", ("LAMP", 2)) for n in (1, 2)]
    await room.receive(lamp, 5)

    assert await room.do(supply.recheck, order_ids=[second]) == [second]
    assert await room.status(first) == 6
    with pytest.raises(NotFound, match="77"):
        await room.do(supply.recheck, order_ids=[first, 77])
    assert await room.do(supply.recheck, order_ids=[]) == []


async def test_the_recheck_completes_orders_without_validation(room: Stockroom, lamp: int) -> None:
    order = await room.order("W-1", ("LAMP", 2), requires_validation=False)
    await room.receive(lamp, 5)

    assert await room.do(supply.recheck) == [order]

    assert await room.status(order) == 3
    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]


# --- deleting ---------------------------------------------------------------------------------------------------------


async def test_a_deleted_order_frees_its_goods_and_its_keys(room: Stockroom, lamp: int) -> None:
    await room.receive(lamp, 5)
    order = await room.order("W-1", ("LAMP", 2), third_party_reference="t", requirements=[("a", "b")])

    assert await room.do(orders.delete, targets={"external_order_id": ["W-1"]}) == [order]

    assert await room.stock(lamp) == [("A-01", None, D(5), D(0))]
    with pytest.raises(NotFound):
        await room.do(orders.delete, targets={"id": [order]})
    assert await room.order("W-1", third_party_reference="t") != order


@pytest.mark.parametrize(("status", "allowed"), [(0, True), (1, True), (2, True), (6, True), (3, False), (7, False)])
async def test_what_is_being_picked_or_was_cannot_be_deleted(
    room: Stockroom, lamp: int, status: int, allowed: bool
) -> None:
    await room.receive(lamp, 5)
    order = await order_in(room, status)
    bystander = await room.order("W-2")

    if allowed:
        assert await room.do(orders.delete, targets={"id": [order, bystander]}) == [order, bystander]
    else:
        with pytest.raises(Conflict, match="cannot be deleted"):
            await room.do(orders.delete, targets={"id": [order, bystander]})
        assert await room.world.value("SELECT count(*) FROM orders") == 2
