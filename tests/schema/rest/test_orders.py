"""`/api/order` as the outside uses it: exact answers, the order of errors, and nothing changed by a refusal."""

import asyncio
from typing import Any

import pytest

from tests.schema.rest.houses import House

LINES = [{"productModel": "LED-9W", "quantity": 2.5, "externalLineId": "1", "locationCode": "A-01"}]


async def receive(house: House, quantity: float, code: str = "LED-9W", location: str = "A-01") -> None:
    number = await house.value("SELECT count(*) FROM nirs")
    lines = [{"code": code, "quantity": quantity, "locationCode": location}]
    await house.add("nir", externalReference=f"IN-{number}", validationRequired=False, nirProducts=lines)


@pytest.fixture
async def stocked(house: House) -> House:
    """18 pieces of LED-9W in A-01."""
    await house.add("product", name="Bec LED 9W", code="LED-9W", weight=0.08)
    await receive(house, 18)
    return house


async def add(house: House, number: str = "WEB-1", quantity: float | None = None, **fields: Any) -> dict[str, Any]:
    lines = [{"productModel": "LED-9W", "quantity": quantity}] if quantity else []
    return await house.add("order", **{"externalOrderId": number, "orderProducts": lines} | fields)


async def read(house: House, **filters: Any) -> list[dict[str, Any]]:
    return list((await house.post("/api/order/read", filters, user="viewer")).data)


async def numbers(house: House, **filters: Any) -> list[str]:
    return [order["externalOrderId"] for order in await read(house, **filters)]


async def move(house: House, order_id: int, *statuses: int) -> None:
    for status in statuses:
        answer = await house.patch("/api/order/update-status", {"orderId": order_id, "status": status})
        assert [order["status"] for order in answer.data] == [status]


async def remaining(house: House, *, physical: bool = False) -> Any:
    answer = await house.post("/api/stock/remaining-stock/1", {"includeReservations": physical})
    return answer.data[0]["remainingQuantity"]


async def test_the_example_of_the_contract(stocked: House) -> None:
    request = {
        "externalOrderId": "WEB-20017",
        "warehouseId": 1,
        "orderType": 1,
        "validationRequired": 1,
        "company": {"name": "Atelier Verde SRL", "cui": "RO9911", "externalReference": "c-88"},
        "orderProducts": LINES,
    }

    (order,) = (await stocked.put("/api/order/add", request)).data

    assert order.pop("dateAdded").endswith("Z")
    assert list(order.items()) == list(
        {
            "orderId": 1,
            "externalOrderId": "WEB-20017",
            "thirdPartyReference": None,
            "warehouseId": 1,
            "warehouseName": "Main",
            "warehouseCode": "MAIN",
            "status": 2,
            "orderType": 1,
            "requiresValidation": True,
            "isReady": True,
            "picked": False,
            "comment": None,
            "awbExternalLink": None,
            "invoiceExternalLink": None,
            "numberOfEnvelopes": None,
            "numberOfPackages": None,
            "totalWeight": 0.2,
            "fulfilledWeight": 0,
            "orderProducts": [
                {
                    "orderProductId": 1,
                    "productId": 1,
                    "productName": "Bec LED 9W",
                    "productCode": "LED-9W",
                    "productModel": "LED-9W",
                    "externalLineId": "1",
                    "quantity": 2.5,
                    "reservedQuantity": 2.5,
                    "pickedQuantity": 0,
                    "locationCode": "A-01",
                }
            ],
            "orderRequirements": [],
            "companyThirdPartyReference": None,
            "companyExternalReference": "c-88",
            "companyId": 1,
            "companyName": "Atelier Verde SRL",
        }.items()
    )
    (done,) = (
        await stocked.patch(
            "/api/order/update-status",
            {"orderId": 1, "status": 3, "awbExternalLink": "https://courier.example/awb/1"},
        )
    ).data
    assert (done["status"], done["picked"], done["fulfilledWeight"]) == (3, True, 0.2)
    assert done["awbExternalLink"] == "https://courier.example/awb/1"
    assert done["orderProducts"][0] | {"reservedQuantity": 0, "pickedQuantity": 2.5} == done["orderProducts"][0]
    assert await remaining(stocked, physical=True) == 15.5


async def test_the_example_of_the_documentation(house: House) -> None:
    await house.add("product", name="ABC", code="ABC-123")
    line = {"productModel": "ABC-123", "quantity": 2, "externalLineId": "L1", "locationCode": "A-01"}

    order = await house.add(
        "order",
        externalOrderId="WEB-1001",
        warehouseId=1,
        orderType=1,
        validationRequired=1,
        company={"name": "Client SRL", "cui": "RO123"},
        orderProducts=[line],
    )

    assert (order["status"], order["isReady"], order["companyName"]) == (6, False, "Client SRL")


async def test_a_number_is_read_as_the_text_that_was_sent(house: House) -> None:
    body = b'{"externalOrderId": 20017.50, "orderRequirements": [{"name": "floor", "value": 3}]}'

    answer = await house.send("PUT", "/api/order/add", body, Content_Type="application/json")

    assert answer.data[0]["externalOrderId"] == "20017.50"
    assert answer.data[0]["orderRequirements"] == [{"name": "floor", "value": "3"}]


async def test_without_validation_a_covered_order_is_done_at_once(stocked: House) -> None:
    done = await add(stocked, "WEB-1", 10, validationRequired=0)
    waiting = await add(stocked, "WEB-2", 10, validationRequired=False)

    assert [(order["status"], order["requiresValidation"]) for order in (done, waiting)] == [(3, False), (6, False)]
    assert await remaining(stocked, physical=True) == 8
    await receive(stocked, 5)
    (completed,) = (await stocked.post("/api/order/check-orders-in-waiting-for-supply")).data
    assert (completed["orderId"], completed["status"]) == (waiting["orderId"], 3)
    assert (await stocked.post("/api/order/check-orders-in-waiting-for-supply", {})).data == []
    assert await remaining(stocked, physical=True) == 3


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"externalOrderId": None}, 400, "externalOrderId: is required"),
        ({"externalOrderId": " "}, 400, "externalOrderId"),
        ({"externalOrderId": "x" * 256}, 400, "externalOrderId"),
        ({"orderType": 3}, 400, "orderType"),
        ({"validationRequired": 2}, 400, "validationRequired"),
        ({"validationRequired": "1"}, 400, "validationRequired"),
        ({"numberOfPackages": -1}, 400, "numberOfPackages"),
        ({"comment": "x" * 4001}, 400, "comment"),
        ({"orderProducts": {}}, 400, "orderProducts"),
        ({"orderProducts": [{"productModel": "LED-9W"}]}, 400, "orderProducts[0].quantity"),
        ({"orderProducts": [{"productModel": "LED-9W", "quantity": 0}]}, 400, "orderProducts[0].quantity"),
        ({"orderProducts": [{"productModel": "LED-9W", "quantity": 1.00001}]}, 400, "orderProducts[0].quantity"),
        ({"orderProducts": [{"productModel": "LED-9W", "quantity": "1"}]}, 400, "orderProducts[0].quantity"),
        ({"orderProducts": [{"quantity": 1}]}, 400, "orderProducts[0].productModel"),
        ({"orderProducts": [LINES[0], LINES[0]]}, 400, "orderProducts[1].externalLineId"),
        ({"orderProducts": [{"productModel": "LED-9W", "productId": 2, "quantity": 1}]}, 400, "productModel"),
        ({"orderRequirements": [{"name": "x"}]}, 400, "orderRequirements[0].value"),
        ({"company": {"cui": "RO1"}}, 400, "company.name"),
        ({"company": {"companyId": "1"}}, 400, "company.companyId"),
        ({"company": {"name": "X", "phone": "0" * 256}}, 400, "company.phone"),
        ({"warehouseId": 77}, 404, "warehouseId"),
        ({"company": {"companyId": 77, "name": "X"}}, 404, "company.companyId"),
        ({"orderProducts": [{"productModel": "NONE", "quantity": 1}]}, 404, "orderProducts[0].productModel"),
        ({"orderProducts": [{"productId": 77, "quantity": 1}]}, 404, "orderProducts[0].productId"),
        ({"orderProducts": [LINES[0] | {"locationCode": "B-01"}]}, 404, "orderProducts[0].locationCode"),
        ({"orderProducts": [{"productModel": "OLD", "quantity": 1}]}, 409, "OLD is inactive"),
        ({"externalOrderId": "TAKEN"}, 409, "externalOrderId: TAKEN already exists"),
        ({"thirdPartyReference": "t"}, 409, "thirdPartyReference: t already exists"),
        ({"externalOrderId": "TAKEN", "warehouseId": 77}, 404, "warehouseId"),
        ({"externalOrderId": "TAKEN", "warehouseId": 77, "orderType": 0}, 400, "orderType"),
    ],
)
async def test_an_order_that_cannot_be_changes_nothing(
    stocked: House, change: dict[str, Any], status: int, words: str
) -> None:
    for code in ("OTHER", "OLD"):
        await stocked.add("product", name=code, code=code, active=code != "OLD")
    await add(stocked, "TAKEN", thirdPartyReference="t")
    request = {"externalOrderId": "WEB-1", "orderProducts": LINES, "company": {"name": "New"}} | change

    (await stocked.put("/api/order/add", request)).refused(status, words)

    assert await numbers(stocked) == ["TAKEN"]
    assert (await stocked.post("/api/company/read")).data == []
    assert await remaining(stocked) == 18


async def test_the_company_of_an_order_is_found_or_made(house: House) -> None:
    company = {"name": "Verde", "externalReference": "e", "thirdPartyReference": "t", "cui": "RO1", "type": "SUPPLIER"}
    known = (await house.add("company", **company))["companyId"]
    sought = [
        {"companyId": known, "name": "ignored"},
        {"externalReference": "e", "name": "ignored"},
        {"thirdPartyReference": "t", "externalReference": "unknown"},
        {"cui": "RO1"},
    ]

    found = [await add(house, f"W-{n}", company=company) for n, company in enumerate(sought)]
    new = await add(house, "W-9", company={"name": "Rosu", "cui": "RO2", "address": "Str. 1"})

    assert {order["companyId"] for order in found} == {known}
    assert {order["companyThirdPartyReference"] for order in found} == {"t"}
    companies = (await house.post("/api/company/read")).data
    assert [(one["name"], one["type"]) for one in companies] == [("Verde", "SUPPLIER"), ("Rosu", "CLIENT")]
    assert new["companyName"] == "Rosu"
    assert companies[1]["address"] == "Str. 1"


async def test_reading_filters_and_pages(stocked: House, other_house: House) -> None:
    await add(stocked, "A", 1, company={"name": "X", "externalReference": "c-1"}, thirdPartyReference="t-1")
    await add(stocked, "B", orderType=2)
    await add(stocked, "C", 100, warehouseId=2)

    assert await numbers(stocked) == ["A", "B", "C"]
    assert await numbers(stocked, orderIds=[3, 1, 77]) == ["A", "C"]
    assert await numbers(stocked, externalOrderIds=["B", "b", "nothing"]) == ["B"]
    assert await numbers(stocked, companyExternalReferences=["c-1", "c-2"]) == ["A"]
    assert await numbers(stocked, warehouseIds=[1], statuses=[1, 6]) == ["B"]
    assert await numbers(stocked, statuses=[2, 6, 99]) == ["A", "C"]
    assert await numbers(stocked, orderType=2) == ["B"]
    assert await numbers(stocked, orderType=7) == []
    assert await numbers(stocked, thirdPartyReferenceIds=["t-1"], statuses=[]) == ["A"]
    assert await numbers(stocked, page=2, limit=2) == ["C"]
    assert await numbers(stocked, page=3, limit=2) == []
    assert await numbers(other_house) == []
    (await stocked.post("/api/order/read", {"page": 0})).refused(400, "page")


async def update(house: House, fields: dict[str, Any], **targets: Any) -> Any:
    return await house.post("/api/order/update", targets | {"updateFields": fields})


async def test_update_replaces_lines_and_reserves_again(stocked: House) -> None:
    await add(stocked, "WEB-1", 18)
    changes = {
        "orderProducts": [{"productModel": "LED-9W", "quantity": 20}],
        "orderRequirements": [{"name": "door", "value": "blue"}],
        "comment": "c",
        "company": {"name": "New"},
    }

    (order,) = (await update(stocked, changes, externalOrderIds=["WEB-1"])).data

    assert (order["status"], order["comment"], order["companyName"]) == (6, "c", "New")
    assert [(line["quantity"], line["reservedQuantity"]) for line in order["orderProducts"]] == [(20, 18)]
    cleared = {"orderProducts": None, "orderRequirements": None, "comment": None, "company": None}
    (order,) = (await update(stocked, cleared, orderIds=[1])).data
    assert (
        order
        | {
            "status": 1,
            "comment": None,
            "companyId": None,
            "orderProducts": [],
            "orderRequirements": [],
        }
        == order
    )
    assert await remaining(stocked) == 18


async def test_several_targets_are_one_set_without_duplicates(house: House) -> None:
    for number in "ABC":
        await add(house, number, thirdPartyReference=f"t-{number}")

    answer = await update(
        house, {"comment": "x"}, orderIds=[2, 1, 2], externalOrderIds=["A"], thirdPartyReferenceIds=["t-B"]
    )

    assert [order["externalOrderId"] for order in answer.data] == ["A", "B"]
    assert (await update(house, {}, orderIds=[3])).data[0]["comment"] is None


@pytest.mark.parametrize(
    ("fields", "targets", "status", "words"),
    [
        (None, {"orderIds": [1]}, 400, "updateFields"),
        ({}, {}, 400, "order"),
        ({}, {"orderIds": [], "externalOrderIds": []}, 400, "order"),
        ({"status": 3}, {"orderIds": [1]}, 400, "updateFields.status"),
        ({"externalOrderId": None}, {"orderIds": [1]}, 400, "externalOrderId"),
        ({"warehouseId": None}, {"orderIds": [1]}, 400, "warehouseId"),
        ({"orderType": 0}, {"orderIds": [77]}, 400, "orderType"),
        ({"externalOrderId": "N"}, {"orderIds": [1, 2]}, 400, "externalOrderId"),
        ({"thirdPartyReference": "n"}, {"orderIds": [1], "externalOrderIds": ["B"]}, 400, "thirdPartyReference"),
        ({"comment": "x"}, {"orderIds": [1, 77]}, 404, "77"),
        ({"comment": "x"}, {"orderIds": [1], "externalOrderIds": ["NONE"]}, 404, "NONE"),
        ({"comment": "x", "warehouseId": 77}, {"orderIds": [1]}, 404, "warehouseId"),
        ({"comment": "x", "externalOrderId": "B"}, {"orderIds": [1]}, 409, "B already exists"),
        ({"comment": "x"}, {"orderIds": [1, 3]}, 409, "CANCELED"),
        ({}, {"orderIds": [3]}, 409, "CANCELED"),
    ],
)
async def test_an_update_that_cannot_be_changes_nothing(
    house: House, fields: Any, targets: dict[str, Any], status: int, words: str
) -> None:
    for number in "ABC":
        await add(house, number)
    await move(house, 3, 0)

    (await update(house, fields, **targets)).refused(status, words)

    assert [order["comment"] for order in await read(house)] == [None, None, None]


async def test_own_keys_again_are_no_conflict(house: House) -> None:
    await add(house, "A", thirdPartyReference="t")

    same = {"externalOrderId": "A", "thirdPartyReference": "t"}

    assert (await update(house, same, thirdPartyReferenceIds=["t"])).data[0]["externalOrderId"] == "A"


@pytest.mark.parametrize("status", [3, 5, 7, 8])
async def test_after_picking_only_words_and_links_change(stocked: House, status: int) -> None:
    await add(stocked, "A", 2)
    await move(stocked, 1, *{3: (3,), 5: (3, 5), 7: (7,), 8: (3, 8)}[status])
    words = {
        "comment": "c",
        "awbExternalLink": "https://a",
        "invoiceExternalLink": "https://i",
        "numberOfPackages": 2,
        "numberOfEnvelopes": 1,
        "thirdPartyReference": "t",
    }

    (order,) = (await update(stocked, words, orderIds=[1])).data

    assert order | words == order
    for field, value in (("orderProducts", []), ("orderType", 2), ("warehouseId", 2), ("externalOrderId", "B")):
        (await update(stocked, {field: value, "comment": "no"}, orderIds=[1])).refused(409, field)
    assert (await read(stocked))[0]["comment"] == "c"


async def test_order_ready_and_picking_info_follow_the_order(stocked: House) -> None:
    await add(stocked, "A", 3, numberOfPackages=2)
    ready = await stocked.post("/api/order/order-ready", {"externalOrderId": "A"}, user="viewer")
    assert ready.data == {"orderId": 1, "externalOrderId": "A", "isReady": True, "status": 2}
    info = {"picked": False, "numberOfPackages": 2, "numberOfEnvelopes": None, "totalWeight": 0.24}
    nobody = {"pickerId": None, "pickerUsername": None}
    assert (await stocked.post("/api/order/picking-info", {"orderId": 1}, user="viewer")).data == info | nobody

    started = await stocked.post("/api/order/start-picking", {"orderId": 1, "externalOrderId": "A"})

    somebody = {"pickerId": 2, "pickerUsername": "integrator"}
    assert started.data == info | somebody
    assert (await stocked.post("/api/order/start-picking", {"orderId": 1}, user="admin")).data == info | somebody
    await move(stocked, 1, 2)
    assert (await stocked.post("/api/order/picking-info", {"orderId": 1})).data == info | nobody
    await move(stocked, 1, 3)
    assert (await stocked.post("/api/order/picking-info", {"orderId": 1})).data == info | somebody | {"picked": True}
    (await stocked.post("/api/order/start-picking", {"orderId": 1})).refused(409, "cannot go from VALIDATED")


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("POST", "order-ready", {}),
        ("POST", "picking-info", {}),
        ("POST", "start-picking", {}),
        ("PATCH", "update-awb-link", {"awbExternalLink": "https://a"}),
        ("PUT", "print-document", {}),
    ],
)
async def test_one_order_is_named_by_either_key_or_both_when_they_agree(
    stocked: House, method: str, path: str, more: dict[str, Any]
) -> None:
    await add(stocked, "A", 1)
    await add(stocked, "B", 1)

    for key in ({"orderId": 1}, {"externalOrderId": "A"}, {"orderId": 1, "externalOrderId": "A"}):
        assert (await stocked.call(method, f"/api/order/{path}", key | more)).status == 200
    for key in (
        {"orderId": 77},
        {"externalOrderId": "NONE"},
        {"orderId": 1, "externalOrderId": "B"},
        {"orderId": 77, "externalOrderId": "A"},
        {"orderId": 1, "externalOrderId": "NONE"},
    ):
        (await stocked.call(method, f"/api/order/{path}", key | more)).refused(404, "no order")
    (await stocked.call(method, f"/api/order/{path}", more)).refused(400, "orderId")


async def test_update_status_knows_its_codes_and_its_steps(stocked: House) -> None:
    await add(stocked, "A", 2)
    for body, status, words in (
        ({"status": 3}, 400, "orderId"),
        ({"orderId": 1}, 400, "status"),
        ({"orderId": 1, "status": 9}, 400, "status"),
        ({"orderId": 1, "status": -1}, 400, "status"),
        ({"orderId": 1, "status": "3"}, 400, "status"),
        ({"orderId": 77, "status": 3}, 404, "77"),
        ({"orderId": 1, "status": 4, "awbExternalLink": "no"}, 409, "status"),
        ({"orderId": 1, "status": 5}, 409, "status"),
        ({"orderId": 1, "status": 6}, 409, "status"),
    ):
        (await stocked.patch("/api/order/update-status", body)).refused(status, words)

    same = await stocked.patch("/api/order/update-status", {"orderId": 1, "status": 2, "awbExternalLink": "https://a"})

    assert (same.data[0]["status"], same.data[0]["awbExternalLink"]) == (2, "https://a")
    await move(stocked, 1, 0)
    assert await remaining(stocked) == 18
    again = await stocked.patch("/api/order/update-status", {"orderId": 1, "status": 0, "awbExternalLink": "https://b"})
    assert again.data[0]["awbExternalLink"] == "https://b"


async def test_a_waiting_order_validated_by_hand_takes_what_it_has(stocked: House) -> None:
    await add(stocked, "A", 20)

    (order,) = (await stocked.patch("/api/order/update-status", {"orderId": 1, "status": 4})).data

    (line,) = order["orderProducts"]
    assert (order["status"], line["quantity"], line["reservedQuantity"], line["pickedQuantity"]) == (4, 20, 0, 18)
    assert (order["totalWeight"], order["fulfilledWeight"]) == (1.6, 1.44)
    assert await remaining(stocked, physical=True) == 0
    await add(stocked, "B", 1)
    (await stocked.patch("/api/order/update-status", {"orderId": 2, "status": 4})).refused(409, "nothing is reserved")


async def test_the_awb_link_is_stored_in_every_state_but_canceled(stocked: House) -> None:
    await add(stocked, "A", 1)
    for status in (2, 7, 3, 5, 8):
        await move(stocked, 1, status)
        link = f"https://awb/{status}"
        answer = await stocked.patch("/api/order/update-awb-link", {"orderId": 1, "awbExternalLink": link})
        assert answer.data[0]["awbExternalLink"] == link
    await add(stocked, "B")
    await move(stocked, 2, 0)

    body = {"externalOrderId": "B", "awbExternalLink": "https://x"}
    (await stocked.patch("/api/order/update-awb-link", body)).refused(409, "CANCELED")
    (await stocked.patch("/api/order/update-awb-link", {"orderId": 1})).refused(400, "awbExternalLink")
    (await stocked.patch("/api/order/update-awb-link", {"orderId": 1, "awbExternalLink": " "})).refused(400)


async def test_recheck_serves_the_oldest_first_and_answers_what_changed(stocked: House) -> None:
    for number, quantity in (("A", 18), ("B", 4), ("C", 4), ("D", 1)):
        await add(stocked, number, quantity)
    await receive(stocked, 5)

    named = await stocked.post("/api/order/check-orders-in-waiting-for-supply", {"orderIds": [4]})
    assert [order["externalOrderId"] for order in named.data] == ["D"]
    everyone = await stocked.post("/api/order/check-orders-in-waiting-for-supply", {"orderIds": []})
    assert [(order["externalOrderId"], order["status"]) for order in everyone.data] == [("B", 2)]
    assert (await stocked.post("/api/order/check-orders-in-waiting-for-supply")).data == []
    (await stocked.post("/api/order/check-orders-in-waiting-for-supply", {"orderIds": [77]})).refused(404, "77")
    assert await numbers(stocked, statuses=[6]) == ["C"]


async def test_printing_is_queued(stocked: House) -> None:
    await add(stocked, "A", 1)

    job = await stocked.put("/api/order/print-document", {"orderId": 1})
    label = {"externalOrderId": "A", "documentType": "LABEL", "copies": 100}
    other = await stocked.put("/api/order/print-document", label)

    assert job.data == {"printJobId": 1, "orderId": 1, "documentType": "NOTICE", "copies": 1}
    assert other.data == {"printJobId": 2, "orderId": 1, "documentType": "LABEL", "copies": 100}
    for wrong in ({"documentType": "INVOICE"}, {"copies": 0}, {"copies": 101}, {"documentType": "notice"}):
        (await stocked.put("/api/order/print-document", {"orderId": 1} | wrong)).refused(400, next(iter(wrong)))


async def test_deleting_frees_goods_and_keys_and_is_all_or_nothing(stocked: House) -> None:
    for number, quantity in (("A", 2), ("B", 30), ("C", None), ("D", None)):
        await add(stocked, number, quantity, thirdPartyReference=f"t-{number}")
    await move(stocked, 4, 0)
    await add(stocked, "E")
    delete = "/api/order/delete"

    (await stocked.delete(delete, {"orderIds": [1], "externalOrderIds": ["NONE"]})).refused(404, "NONE")
    (await stocked.delete(delete, {})).refused(400)
    (await stocked.delete(delete)).refused(400)
    body = {"orderIds": [1, 4, 1], "externalOrderIds": ["B"], "thirdPartyReferenceIds": ["t-C"]}
    assert (await stocked.delete(delete, body)).data == [1, 2, 3, 4]

    assert await numbers(stocked) == ["E"]
    assert await remaining(stocked) == 18
    (await stocked.delete(delete, {"orderIds": [1]})).refused(404)
    order = await add(stocked, "A", 1, thirdPartyReference="t-A")
    assert order["orderId"] > 5
    await move(stocked, order["orderId"], 7)
    (await stocked.delete(delete, {"orderIds": [5, order["orderId"]]})).refused(409, "cannot be deleted")
    assert await numbers(stocked) == ["E", "A"]


async def test_levels_and_permissions_are_asked_before_the_body(stocked: House) -> None:
    await add(stocked, "A", 1)
    writes = [
        ("PUT", "add"),
        ("POST", "update"),
        ("DELETE", "delete"),
        ("PUT", "print-document"),
        ("PATCH", "update-awb-link"),
        ("POST", "check-orders-in-waiting-for-supply"),
        ("POST", "start-picking"),
        ("PATCH", "update-status"),
    ]
    for method, path in writes:
        refused = await stocked.send(method, f"/api/order/{path}", b"not json", user="viewer")
        assert refused.refused(403) == "Insufficient permissions"
    for method, path in writes[-2:]:
        refused = await stocked.call(method, f"/api/order/{path}", {"orderId": 1, "status": 7}, user="plain")
        assert refused.refused(403) == "Insufficient permissions"
    for method, path in writes[:-2]:
        assert (await stocked.call(method, f"/api/order/{path}", {}, user="plain")).status != 403


async def test_nobody_reaches_the_orders_of_others(stocked: House, other_house: House) -> None:
    await add(stocked, "A", 1, company={"name": "X", "externalReference": "c"})
    key = {"orderId": 1}
    for method, path, body in (
        ("POST", "update", {"orderIds": [1], "updateFields": {}}),
        ("POST", "order-ready", {"externalOrderId": "A"}),
        ("DELETE", "delete", {"externalOrderIds": ["A"]}),
        ("PUT", "print-document", key),
        ("POST", "picking-info", key),
        ("POST", "start-picking", key),
        ("PATCH", "update-status", key | {"status": 0}),
        ("PATCH", "update-awb-link", key | {"awbExternalLink": "x"}),
        ("POST", "check-orders-in-waiting-for-supply", {"orderIds": [1]}),
        ("PUT", "add", {"externalOrderId": "A", "company": {"companyId": 1}}),
        ("PUT", "add", {"externalOrderId": "A", "orderProducts": LINES}),
    ):
        (await other_house.call(method, f"/api/order/{path}", body)).refused(404)
    assert (await add(other_house, "A", company={"externalReference": "c", "name": "Y"}))["companyName"] == "Y"
    assert (await read(stocked))[0]["status"] == 2


async def test_fifty_callers_want_the_last_pieces(stocked: House) -> None:
    orders = await asyncio.gather(*(add(stocked, f"W-{n}", 1) for n in range(50)))

    assert sum(order["status"] == 2 for order in orders) == 18
    assert await remaining(stocked) == 0
    ids = [order["orderId"] for order in orders if order["status"] == 2]
    await asyncio.gather(*(move(stocked, id_, 3) for id_ in ids * 2))
    assert await remaining(stocked, physical=True) == 0
    assert await stocked.value("SELECT sum(quantity) FROM stock_movements") == 0


async def test_unknown_methods_and_credentials(house: House) -> None:
    (await house.send("POST", "/api/order/read", Authorization="Bearer x")).refused(401, "Invalid API KEY")
    refused = await house.send("GET", "/api/order/read")
    refused.refused(405)
    assert refused.headers["Allow"] == "POST"
    (await house.send("POST", "/api/order/read", b"[]")).refused(400)
    (await house.send("PUT", "/api/order/add")).refused(400)
    (await house.put("/api/order/add", {"externalOrderId": "A", "orderProducts": [LINES[0]] * 5001})).refused(
        400, "orderProducts"
    )
