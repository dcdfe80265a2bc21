"""NIRs, returns, transfers, inventories, purchase and production orders through the schema."""

import asyncio
from typing import Any

import pytest

from tests.schema.mutations import stages
from tests.schema.mutations.desks import RESULTS, Desk

RECEIPT = "status lines { nodes { quantity validatedQuantity batchCode } }"
NIR = f"nir {{ {RECEIPT} scans {{ nodes {{ quantity }} }} }}"


def lines_of(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [(node["quantity"], node["validatedQuantity"]) for node in document["lines"]["nodes"]]


async def test_nir_is_booked_once_however_often_it_is_sent(desk: Desk) -> None:
    await stages.product(desk)
    lines = [{"productCode": "LAMP", "quantity": 5, "locationCode": "A-01"}]
    nir = {"externalReference": "IN-1", "requiresValidation": False, "lines": lines}

    made = await desk.made("nirAdd", nir, NIR)
    again = await desk.refused("nirAdd", nir)

    assert (made["nir"]["status"], lines_of(made["nir"])) == ("VALIDATED", [("5", "5")])
    assert again == ("externalReference", "CONFLICT")
    assert await desk.room.stock(1) == [("A-01", None, 5, 0)]


@pytest.mark.parametrize(
    ("line", "field", "code"),
    [
        ({"quantity": "-1"}, "quantity", "INVALID"),
        ({"productCode": "NONE"}, "productCode", "NOT_FOUND"),
        ({"productCode": None}, "productCode", "INVALID"),
        ({"locationCode": "nowhere"}, "locationCode", "NOT_FOUND"),
        ({"serialNumbers": [""]}, "serialNumbers", "INVALID"),
        ({"expirationDate": "2026-01-01", "productionDate": "2026-02-01"}, "expirationDate", "INVALID"),
    ],
)
async def test_wrong_line_of_a_nir_is_named_by_its_place(
    desk: Desk, line: dict[str, Any], field: str, code: str
) -> None:
    await stages.product(desk)
    good = {"productCode": "LAMP", "quantity": 1}

    refused = await desk.refused("nirAdd", {"externalReference": "IN-1", "lines": [good, good | line]})

    assert refused == (f"lines[1].{field}", code)


async def test_traceability_is_checked_when_goods_are_booked(desk: Desk) -> None:
    await stages.product(desk, requiresBatchCode=True)
    lines = {"lines": [{"productCode": "LAMP", "quantity": 1}]}

    await desk.made("nirAdd", {"externalReference": "IN-1"} | lines)
    at_once = {"externalReference": "IN-2", "requiresValidation": False} | lines

    assert await desk.refused("nirAdd", at_once) == ("lines[0].batchCode", "INVALID")
    counts = {"nir": {"externalReference": "IN-1"}, "counts": [{"productCode": "LAMP", "quantity": 1}]}
    assert await desk.refused("nirValidate", counts) == ("counts[0].batchCode", "INVALID")
    assert await desk.room.stock(1) == []


async def test_validation_of_a_nir_books_what_was_counted_with_a_scan_each(desk: Desk) -> None:
    nir_id = await stages.announced_nir(desk)
    counts = [
        {"productCode": "LAMP", "quantity": 3, "locationCode": "A-01"},
        {"productCode": "LAMP", "quantity": 1, "locationCode": "A-02"},
    ]

    validation = {"nir": {"id": nir_id}, "counts": counts}
    made = await desk.made("nirValidate", validation, NIR, scope=desk.picker)

    assert made["nir"]["status"] == "VALIDATED_WITH_DIFFERENCES"
    assert lines_of(made["nir"]) == [("5", "4")]
    assert [node["quantity"] for node in made["nir"]["scans"]["nodes"]] == ["3", "1"]
    assert await desk.refused("nirValidate", validation) == ("nir", "CONFLICT")
    assert await desk.room.stock(1) == [("A-01", None, 3, 0), ("A-02", None, 1, 0)]


async def test_nir_validated_by_many_at_once_is_booked_once(desk: Desk) -> None:
    nir_id = await stages.announced_nir(desk)
    validation = {"nir": {"id": nir_id}, "counts": [{"productCode": "LAMP", "quantity": 5}]}

    answers = await asyncio.gather(*(desk.change("nirValidate", validation) for _ in range(10)))

    assert sum(not answer["userErrors"] for answer in answers) == 1
    assert await desk.room.stock(1) == [("RECEPTION", None, 5, 0)]


async def test_update_of_a_nir_replaces_lines_and_books_when_nobody_shall_count(desk: Desk) -> None:
    nir = {"nir": {"id": await stages.announced_nir(desk)}}

    changed = await desk.made("nirUpdate", nir | {"lines": [{"productCode": "LAMP", "quantity": 7}]}, NIR)
    booked = await desk.made("nirUpdate", nir | {"requiresValidation": False}, NIR)

    assert (changed["nir"]["status"], lines_of(changed["nir"])) == ("ACTIVE", [("7", "0")])
    assert (booked["nir"]["status"], lines_of(booked["nir"])) == ("VALIDATED", [("7", "7")])
    assert await desk.refused("nirUpdate", nir | {"comment": "late"}) == ("nir", "CONFLICT")
    assert await desk.refused("nirCancel", nir) == ("nir", "CONFLICT")
    await desk.made("nirPackagingTypeUpdate", nir | {"packagingType": "boxes"})


async def test_return_brings_back_at_most_what_was_picked_and_closes_its_order(desk: Desk) -> None:
    order_id = await stages.picked_order(desk)
    back = {"companyId": await stages.company(desk), "initialExternalOrderId": "WEB-1"}

    def returned(reference: str, quantity: int) -> dict[str, Any]:
        lines = [{"productCode": "LAMP", "quantity": quantity}]
        return {"externalReference": reference, "lines": lines, "requiresValidation": False} | back

    assert await desk.refused("returnAdd", returned("RET-1", 5)) == ("lines", "CONFLICT")
    await desk.made("returnAdd", returned("RET-1", 3))
    made = await desk.made("returnAdd", returned("RET-2", 1), "return { status initialOrder { status } }")

    assert made["return"] == {"status": "VALIDATED", "initialOrder": {"status": "RETURNED"}}
    assert await desk.refused("orderStatusUpdate", {"order": {"id": order_id}, "status": "CLOSED"}) == (
        "status",
        "CONFLICT",
    )


async def test_client_of_a_return_is_named_by_id_or_reference(desk: Desk) -> None:
    first, second = await stages.company(desk, "c-1"), await stages.company(desk, "c-2")
    empty = {"externalReference": "RET-1"}

    assert await desk.refused("returnAdd", empty) == ("companyExternalReference", "INVALID")
    unknown = {"companyExternalReference": "nobody"}
    assert await desk.refused("returnAdd", empty | unknown) == ("companyExternalReference", "NOT_FOUND")
    both = {"companyId": first, "companyExternalReference": "c-2"}
    assert await desk.refused("returnAdd", empty | both) == ("companyId", "INVALID")
    await desk.made("returnAdd", empty | {"companyId": second, "companyExternalReference": "c-2"})


async def test_transfer_moves_its_goods_once(desk: Desk) -> None:
    transfer_id, _ = await stages.transfer(desk)

    answers = await asyncio.gather(*(desk.change("transferValidate", {"id": transfer_id}) for _ in range(5)))

    assert sum(not answer["userErrors"] for answer in answers) == 1
    assert {e["field"] for answer in answers for e in answer["userErrors"]} == {"id"}
    assert await desk.room.stock(1) == [("A-01", None, 6, 0), ("A-02", None, 4, 0)]


async def test_transfer_line_that_cannot_be_is_refused_by_field(desk: Desk) -> None:
    line = {"productId": await stages.stock(desk), "quantity": 4}
    line |= {"sourceLocationCode": "A-01", "destinationLocationCode": "A-02"}

    async def refused(**wrong: Any) -> tuple[str | None, str]:
        return await desk.refused("transferLineAdd", line | wrong)

    assert await refused(destinationLocationCode="A-01") == ("destinationLocationCode", "INVALID")
    assert await refused(serialNumber="s") == ("quantity", "INVALID")
    assert await refused(sourceLocationCode="nowhere") == ("sourceLocationCode", "NOT_FOUND")
    assert await refused(transferId=desk.id("Transfer", 99)) == ("transferId", "NOT_FOUND")
    assert (await refused(quantity=11))[1] == "CONFLICT"
    assert await desk.world.value("SELECT count(*) FROM transfers") == 0


async def count(desk: Desk, quantity: int, **fields: Any) -> dict[str, Any]:
    count = {"locationCode": "A-01", "productCode": "LAMP", "quantity": quantity}
    return await desk.change("inventoryCountAdd", count | fields, "inventory { id status } count { recordedQuantity }")


async def test_count_is_refused_when_the_stock_is_not_what_the_caller_believes(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)

    wrong = await count(desk, 8, recordedQuantity=9, validate=True)
    right = await count(desk, 8, recordedQuantity=10, validate=True)

    assert [(e["field"], e["code"]) for e in wrong["userErrors"]] == [("recordedQuantity", "CONFLICT")]
    assert (right["inventory"]["status"], right["count"]["recordedQuantity"]) == ("VALIDATED_WITH_DIFFERENCES", "10")
    assert await desk.room.stock(1) == [("A-01", None, 8, 0)]


async def test_of_many_counts_from_the_same_belief_one_is_made(desk: Desk) -> None:
    await stages.stock(desk, quantity=10)

    answers = await asyncio.gather(*(count(desk, 9, recordedQuantity=10, validate=True) for _ in range(10)))

    made = [answer for answer in answers if not answer["userErrors"]]
    refused = {(e["field"], e["code"]) for answer in answers for e in answer["userErrors"]}
    assert len(made) == 1
    assert refused == {("recordedQuantity", "CONFLICT")}
    assert await desk.room.stock(1) == [("A-01", None, 9, 0)]


async def test_counts_of_one_inventory_are_recorded_by_row(desk: Desk) -> None:
    inventory_id = await stages.inventory(desk)
    place = {"locationCode": "A-01", "productCode": "LAMP"}
    counts = [place | {"quantity": 2}, place | {"quantity": 1, "productCode": "NONE"}, {**place, "quantity": -1}]

    bulk = {"inventoryId": inventory_id, "counts": counts, "onError": "SKIP"}
    answer = await desk.change("inventoryCountsAdd", bulk, f"{RESULTS} count {{ quantity }} }}")

    assert [row["effect"] for row in answer["results"]] == ["ADDED", "REFUSED", "REFUSED"]
    assert [e["field"] for row in answer["results"] for e in row["userErrors"]] == [
        "counts[1].productCode",
        "counts[2].quantity",
    ]
    made = await desk.made("inventoryValidate", {"id": inventory_id}, "inventory { status }")
    assert made["inventory"] == {"status": "VALIDATED_WITH_DIFFERENCES"}
    assert await desk.room.stock(1) == [("A-01", None, 2, 0)]


async def test_purchase_order_follows_its_nirs(desk: Desk) -> None:
    purchase_order_id, _ = await stages.purchase_order(desk)
    lines = [{"productCode": "LAMP", "quantity": 3}]
    nir = {"externalReference": "IN-1", "purchaseOrderIds": [purchase_order_id], "lines": lines}

    await desk.made("nirAdd", nir | {"requiresValidation": False})

    status = "SELECT status FROM purchase_orders"
    assert await desk.world.value(status) == 4
    assert await desk.world.value("SELECT received_quantity FROM purchase_order_lines") == 3
    await desk.made("purchaseOrderClose", {"id": purchase_order_id})
    assert await desk.refused("purchaseOrderUpdate", {"id": purchase_order_id, "comment": "x"}) == ("id", "CONFLICT")


async def test_purchase_order_is_refused_by_field(desk: Desk) -> None:
    client = await stages.company(desk, "client", type="CLIENT")
    supplier = await stages.company(desk, "supplier", type="SUPPLIER")
    order = {"orderedOn": "2026-03-10", "supplierId": supplier}

    assert await desk.refused("purchaseOrderAdd", order | {"supplierId": client}) == ("supplierId", "INVALID")
    assert await desk.refused("purchaseOrderAdd", order | {"arrivalDate": "2026-03-01"}) == ("arrivalDate", "INVALID")
    unknown = {"lines": [{"productCode": "NONE", "quantity": 1}]}
    assert await desk.refused("purchaseOrderAdd", order | unknown) == ("lines[0].productCode", "NOT_FOUND")
    nir = {"nirIds": [desk.id("Nir", 99)]}
    assert await desk.refused("purchaseOrderAdd", order | nir) == ("nirIds", "NOT_FOUND")


async def test_tenant_without_purchase_orders_forbids_them(desk: Desk) -> None:
    supplier = await stages.company(desk)
    await desk.made("tenantSettingsUpdate", {"purchaseOrdersEnabled": False})

    order = {"orderedOn": "2026-03-10", "supplierId": supplier}

    assert await desk.failed("purchaseOrderAdd", order, scope=desk.admin) == "FORBIDDEN"


async def test_production_needs_all_its_components(desk: Desk) -> None:
    order = {"id": await stages.production_order(desk)}
    await desk.room.take(1, 7)

    assert (await desk.refused("productionOrderClose", order))[1] == "CONFLICT"
    await desk.made("productionOrderCancel", order)
    assert await desk.refused("productionOrderClose", order) == ("id", "CONFLICT")
    assert await desk.room.stock(2) == []
