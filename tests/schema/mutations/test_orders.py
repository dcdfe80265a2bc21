"""Orders through the schema: reservations, picking, validation, and refusals by line."""

import asyncio
from typing import Any

import pytest

from hub.context import Level
from tests.schema.mutations import stages
from tests.schema.mutations.desks import RESULTS, Desk, caller

STATE = "order { status lines { nodes { quantity reservedQuantity pickedQuantity } } }"


def of(answer: dict[str, Any]) -> tuple[str, list[tuple[str, str, str]]]:
    order = answer["order"]
    lines = [(n["quantity"], n["reservedQuantity"], n["pickedQuantity"]) for n in order["lines"]["nodes"]]
    return order["status"], lines


def wanted(number: str, quantity: Any, **line: Any) -> dict[str, Any]:
    return {"externalOrderId": number, "lines": [{"productCode": "LAMP", "quantity": quantity} | line]}


async def test_new_order_reserves_what_is_free_and_waits_for_the_rest(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)

    covered = await desk.made("orderAdd", wanted("WEB-1", "7.5"), STATE)
    waiting = await desk.made("orderAdd", wanted("WEB-2", 4), STATE)
    empty = await desk.made("orderAdd", {"externalOrderId": "WEB-3"}, STATE)

    assert of(covered) == ("ACTIVE", [("7.5", "7.5", "0")])
    assert of(waiting) == ("WAITING_FOR_SUPPLY", [("4", "2.5", "0")])
    assert of(empty) == ("IN_PROGRESS", [])
    await desk.room.balance()


async def test_order_without_validation_is_picked_at_once(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)

    made = await desk.made("orderAdd", wanted("WEB-1", 4) | {"requiresValidation": False}, STATE)

    assert of(made) == ("VALIDATED", [("4", "0", "4")])
    assert await desk.room.stock(1) == [("A-01", None, 6, 0)]


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        ({"quantity": 0}, "quantity", "INVALID"),
        ({"productCode": "NONE"}, "productCode", "NOT_FOUND"),
        ({"productCode": None}, "productCode", "INVALID"),
        ({"locationCode": "B-01"}, "locationCode", "NOT_FOUND"),
        ({"externalLineId": "1"}, "externalLineId", "INVALID"),
    ],
)
async def test_wrong_line_is_named_by_its_place(desk: Desk, line: dict[str, Any], field: str, code: str) -> None:
    await stages.stock(desk)
    lines = [{"productCode": "LAMP", "quantity": 1, "externalLineId": "1"}]

    order = {"externalOrderId": "WEB-1", "lines": [*lines, {"productCode": "LAMP", "quantity": 1} | line]}

    assert await desk.refused("orderAdd", order) == (f"lines[1].{field}", code)
    assert await desk.world.value("SELECT count(*) FROM orders") == 0


async def test_wrong_requirement_and_company_are_named(desk: Desk) -> None:
    order = {"externalOrderId": "WEB-1"}

    nameless = {"requirements": [{"name": "gift", "value": "yes"}, {"name": " ", "value": "x"}]}
    assert await desk.refused("orderAdd", order | nameless) == ("requirements[1].name", "INVALID")
    assert await desk.refused("orderAdd", order | {"company": {"cui": "RO1"}}) == ("company.name", "INVALID")
    unknown = {"company": {"companyId": desk.id("Company", 99)}}
    assert await desk.refused("orderAdd", order | unknown) == ("company.companyId", "NOT_FOUND")


async def test_company_of_an_order_is_found_or_made(desk: Desk) -> None:
    await stages.company(desk, "c-1")
    company = "order { company { name type externalReference } }"

    found = await desk.made(
        "orderAdd", {"externalOrderId": "1", "company": {"externalReference": "c-1", "name": "ignored"}}, company
    )
    made = await desk.made("orderAdd", {"externalOrderId": "2", "company": {"name": "New", "cui": "RO9"}}, company)

    assert found["order"]["company"]["name"] == "Atelier Verde"
    assert made["order"]["company"] == {"name": "New", "type": "CLIENT", "externalReference": None}


async def test_update_replaces_lines_and_reserves_anew(desk: Desk) -> None:
    await stages.order(desk)

    changed = await desk.made(
        "orderUpdate",
        {"order": {"externalOrderId": "WEB-1"}}
        | {"lines": [{"productCode": "LAMP", "quantity": 1}, {"productCode": "LAMP", "quantity": 20}]},
        STATE,
    )
    untouched = await desk.made("orderUpdate", {"order": {"externalOrderId": "WEB-1"}, "comment": "x"}, STATE)
    emptied = await desk.made("orderUpdate", {"order": {"externalOrderId": "WEB-1"}, "lines": None}, STATE)

    assert of(changed) == of(untouched) == ("WAITING_FOR_SUPPLY", [("1", "1", "0"), ("20", "9", "0")])
    assert of(emptied) == ("IN_PROGRESS", [])
    await desk.room.balance()


async def test_picked_order_lets_only_its_remarks_change(desk: Desk) -> None:
    order = {"order": {"id": await stages.picked_order(desk)}}

    assert await desk.refused("orderUpdate", order | {"lines": []}) == ("lines", "CONFLICT")
    assert await desk.refused("orderUpdate", order | {"requiresValidation": False}) == (
        "requiresValidation",
        "CONFLICT",
    )
    assert await desk.refused("orderDelete", order) == ("order", "CONFLICT")
    await desk.made("orderUpdate", order | {"comment": "late", "numberOfPackages": 2})


async def test_picking_is_started_by_the_caller_and_given_up_again(desk: Desk) -> None:
    order = {"order": {"id": await stages.order(desk)}}
    picker = "order { status pickerUsername }"

    started = await desk.made("orderPickingStart", order, picker, scope=desk.picker)
    again = await desk.made("orderPickingStart", order, picker)
    given_up = await desk.made("orderStatusUpdate", order | {"status": "ACTIVE"}, picker)

    assert started["order"] == again["order"] == {"status": "IN_PICKING", "pickerUsername": "paula"}
    assert given_up["order"] == {"status": "ACTIVE", "pickerUsername": None}


async def test_validation_books_out_what_was_picked_and_releases_the_rest(desk: Desk) -> None:
    order_id = await stages.order(desk)
    await desk.made("orderPickingStart", {"order": {"id": order_id}})
    pick = {"lineId": await stages.order_line(desk, order_id), "quantity": 3}

    validation = {"order": {"id": order_id}, "picks": [pick], "numberOfPackages": 2, "numberOfEnvelopes": 1}
    made = await desk.made("orderValidate", validation, STATE)

    assert of(made) == ("VALIDATED_WITH_DIFFERENCES", [("4", "0", "3")])
    assert await desk.room.stock(1) == [("A-01", None, 7, 0)]
    assert await desk.refused("orderValidate", validation) == ("order", "CONFLICT")
    await desk.room.balance()


async def test_wrong_pick_is_named_by_its_place(desk: Desk) -> None:
    order_id = await stages.order(desk)
    await desk.made("orderPickingStart", {"order": {"id": order_id}})
    pick = {"lineId": await stages.order_line(desk, order_id), "quantity": 1}

    async def refused(**wrong: Any) -> tuple[str | None, str]:
        return await desk.refused("orderValidate", {"order": {"id": order_id}, "picks": [pick, pick | wrong]})

    assert await refused(quantity="0") == ("picks[1].quantity", "INVALID")
    assert await refused(locationCode="B-01") == ("picks[1].locationCode", "NOT_FOUND")
    assert await refused(lineId=desk.id("OrderLine", 99)) == ("picks[1].lineId", "NOT_FOUND")
    assert await refused(batchCode="none") == ("picks[1].batchCode", "NOT_FOUND")


async def test_forbidden_step_is_a_conflict_of_the_order(desk: Desk) -> None:
    order = {"order": {"externalOrderId": "WEB-1"}}
    await stages.order(desk)

    assert await desk.refused("orderStatusUpdate", order | {"status": "CLOSED"}) == ("status", "CONFLICT")
    await desk.made("orderCancel", order)
    assert await desk.refused("orderPickingStart", order) == ("order", "CONFLICT")


async def test_recheck_serves_waiting_orders_once(desk: Desk) -> None:
    await stages.product(desk)
    await desk.made("orderAdd", wanted("WEB-1", 2))
    await desk.made("nirAdd", {"externalReference": "IN", "requiresValidation": False, **lines(5)})

    first = await desk.made("ordersRecheck", {}, "orders { externalOrderId status }")
    second = await desk.made("ordersRecheck", {}, "orders { externalOrderId }")

    assert first["orders"] == [{"externalOrderId": "WEB-1", "status": "ACTIVE"}]
    assert second["orders"] == []


def lines(quantity: int) -> dict[str, Any]:
    return {"lines": [{"productCode": "LAMP", "quantity": quantity, "locationCode": "A-01"}]}


async def test_bulk_orders_reserve_in_their_order_and_a_bad_one_takes_nothing(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)
    rows = [wanted("1", 6), wanted("1", 4), wanted("2", 6), wanted("3", 1) | {"warehouseId": desk.id("Warehouse", 9)}]

    answer = await desk.change(
        "ordersAdd", {"orders": rows, "onError": "SKIP"}, f"{RESULTS} order {{ status externalOrderId }} }}"
    )

    assert [row["effect"] for row in answer["results"]] == ["ADDED", "REFUSED", "ADDED", "REFUSED"]
    assert [row["order"] and row["order"]["status"] for row in answer["results"]] == [
        "ACTIVE",
        None,
        "WAITING_FOR_SUPPLY",
        None,
    ]
    assert [e["field"] for row in answer["results"] for e in row["userErrors"]] == [
        "orders[1].externalOrderId",
        "orders[3].warehouseId",
    ]
    await desk.room.balance()


async def test_aborted_bulk_orders_reserve_nothing(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)

    answer = await desk.change("ordersAdd", {"orders": [wanted("1", 6), wanted("1", 4)]})

    assert [error["field"] for error in answer["userErrors"]] == ["orders[1].externalOrderId"]
    assert await desk.room.stock(1) == [("A-01", None, 10, 0)]
    await desk.room.balance()


async def test_fifty_identical_orders_with_a_key_reserve_once(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)
    order = wanted("WEB-1", 4) | {"idempotencyKey": "checkout-77"}

    answers = await asyncio.gather(*(desk.made("orderAdd", order, "order { id status }") for _ in range(50)))

    assert all(answer == answers[0] for answer in answers)
    assert await desk.room.stock(1) == [("A-01", None, 10, 4)]
    await desk.room.balance()


async def test_orders_that_want_more_than_there_is_never_get_it(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)
    orders = [wanted(f"WEB-{n}", 3) | {"requiresValidation": False} for n in range(12)]

    answers = await asyncio.gather(*(desk.made("orderAdd", order, STATE) for order in orders))

    states = [of(answer)[0] for answer in answers]
    assert states.count("VALIDATED") <= 3
    assert await desk.world.value("SELECT coalesce(sum(picked_quantity + reserved_quantity), 0) FROM order_lines") == 10
    await desk.room.balance()


async def test_viewer_sees_orders_but_cannot_print_them(desk: Desk) -> None:
    order_id = await stages.order(desk, lines=False)

    code = await desk.failed("orderPrint", {"order": {"id": order_id}}, scope=caller(desk.tenant_id, Level.VIEWER))

    assert code == "FORBIDDEN"
    assert await desk.world.value("SELECT count(*) FROM print_jobs") == 0


async def test_print_station_tells_what_became_of_a_job(desk: Desk) -> None:
    job = {"id": await stages.print_job(desk)}

    done = await desk.made("printJobDone", job, "printJob { state }")
    await desk.made("printJobDone", job)

    assert done["printJob"] == {"state": "DONE"}
    assert await desk.refused("printJobFailed", job | {"message": "no paper"}) == ("id", "CONFLICT")
