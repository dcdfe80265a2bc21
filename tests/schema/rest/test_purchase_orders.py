"""`/api/purchase-order`: ordered goods, followed through the NIRs that bring them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, text

from hub.models.companies import Company
from tests.schema.rest.houses import House

BASE = "/api/purchase-order"
_SWITCH_OFF = text("UPDATE tenants SET purchase_orders_enabled = false WHERE id = :id")


async def supplier(house: House, name: str = "Lumen SA", type_: str = "SUPPLIER") -> int:
    async with house.database.unit_of_work(house.scope) as work:
        id_ = await work.next_id("company")
        row = {"tenant_id": house.tenant_id, "id": id_, "name": name, "type": type_}
        await work.session.execute(insert(Company), [row])
    return id_


async def ordered(house: House, **more: Any) -> dict[str, Any]:
    body = {"date": "01.03.2026", "supplier": await supplier(house)} | more
    return dict((await house.post(f"{BASE}/add", body)).data)


async def with_products(house: House, *lines: tuple[str, float], **more: Any) -> int:
    id_ = int((await ordered(house, **more))["purchaseOrderId"])
    for code, quantity in lines:
        await added(house, id_, code, quantity)
    return id_


async def added(house: House, id_: int, code: str, quantity: float) -> dict[str, Any]:
    body = {"purchaseOrderId": id_, "productCode": code, "quantity": quantity}
    return dict((await house.post(f"{BASE}/add-product", body)).data)


async def delivered(house: House, *lines: tuple[str, float], validated: bool = True, number: str = "IN-1") -> int:
    body = {"externalReference": number, "validationRequired": not validated}
    products = [{"code": code, "quantity": quantity} for code, quantity in lines]
    (nir,) = (await house.put("/api/nir/add", body | {"nirProducts": products})).data
    return int(nir["nirId"])


async def read(house: House, id_: int) -> tuple[int, list[float]]:
    found = (await house.get(f"{BASE}/{id_}")).data
    return found["status"], [line["receivedQuantity"] for line in found["products"]]


async def test_a_new_one_is_answered_as_the_contract_shows_it(house: House) -> None:
    lumen = await supplier(house)

    added = (
        await house.post(
            f"{BASE}/add",
            {"date": "01.03.2026", "arrivalDate": "10.03.2026", "supplier": lumen, "documentNumber": "PO-9"},
        )
    ).data

    assert added.pop("dateAdded").endswith("Z")
    assert added == {
        "purchaseOrderId": 1,
        "date": "01.03.2026",
        "arrivalDate": "10.03.2026",
        "supplier": lumen,
        "supplierName": "Lumen SA",
        "warehouseId": 1,
        "status": 1,
        "nirs": [],
        "comment": None,
        "documentNumber": "PO-9",
        "products": [],
    }
    assert (await house.get(f"{BASE}/1")).data["documentNumber"] == "PO-9"


async def test_adding_twice_makes_two(house: House) -> None:
    assert [(await ordered(house))["purchaseOrderId"] for _ in range(2)] == [1, 2]


async def test_products_come_and_go(house: House) -> None:
    product = await house.room.world.add_product("LED")
    id_ = int((await ordered(house))["purchaseOrderId"])

    body = {"purchaseOrderId": id_, "productId": product, "quantity": 2.5, "price": 8.1}
    added = (await house.post(f"{BASE}/add-product", body)).data

    assert added["status"] == 2
    assert added["products"] == [
        {
            "id": 1,
            "purchaseOrderId": id_,
            "productId": product,
            "productCode": "LED",
            "productName": "Product LED",
            "quantity": 2.5,
            "receivedQuantity": 0,
            "price": 8.1,
        }
    ]
    removed = (await house.delete(f"{BASE}/remove-product/1")).data
    assert (removed["status"], removed["products"]) == (1, [])
    (await house.delete(f"{BASE}/remove-product/1")).refused(404)


async def test_receipts_move_the_order(house: House) -> None:
    for code in ("LED", "TV"):
        await house.room.world.add_product(code)
    first = await delivered(house, ("LED", 4), number="IN-1")
    second = await delivered(house, ("LED", 8), ("TV", 3), number="IN-2")
    id_ = await with_products(house, ("LED", 10), ("TV", 3))

    async def linked(*nirs: int) -> tuple[int, list[float]]:
        await house.patch(f"{BASE}/update", {"purchaseOrderId": id_, "nirs": list(nirs)})
        return await read(house, id_)

    assert await linked() == (2, [0, 0])
    assert await linked(first) == (4, [4, 0])
    assert await linked() == (2, [0, 0])
    assert await linked(first, second) == (5, [12, 3])
    (await house.patch(f"{BASE}/update", {"purchaseOrderId": id_, "nirs": []})).refused(409)


async def test_received_goods_fill_the_lines_in_their_order(house: House) -> None:
    await house.room.world.add_product("LED")
    nir = await delivered(house, ("LED", 7))
    id_ = await with_products(house, ("LED", 3), ("LED", 3), ("LED", 3))
    await house.patch(f"{BASE}/update", {"purchaseOrderId": id_, "nirs": [nir]})

    assert await read(house, id_) == (4, [3, 3, 1])

    more = await delivered(house, ("LED", 5), number="IN-2")
    await house.patch(f"{BASE}/update", {"purchaseOrderId": id_, "nirs": [nir, more]})

    assert await read(house, id_) == (5, [3, 3, 6])


async def test_only_validated_receipts_count_and_do_so_when_they_are(house: House) -> None:
    await house.room.world.add_product("LED")
    nir = await delivered(house, ("LED", 7), validated=False)
    id_ = await with_products(house, ("LED", 10), nirs=[nir])
    assert await read(house, id_) == (2, [0])

    await house.patch("/api/nir/update", {"nirId": nir, "updateFields": {"validationRequired": False}})

    assert await read(house, id_) == (4, [7])


async def test_a_receipt_that_is_validated_while_it_is_linked_is_never_missed(house: House) -> None:
    await house.room.world.add_product("LED")
    for round_ in range(5):
        nir = await delivered(house, ("LED", 7), validated=False, number=f"IN-{round_}")
        id_ = await with_products(house, ("LED", 7))

        replies = await asyncio.gather(
            house.patch("/api/nir/update", {"nirId": nir, "updateFields": {"validationRequired": False}}),
            house.patch(f"{BASE}/update", {"purchaseOrderId": id_, "nirs": [nir]}),
        )

        assert [reply.status for reply in replies] == [200, 200]
        assert await read(house, id_) == (5, [7])


async def test_a_closed_order_still_counts_what_arrives(house: House) -> None:
    await house.room.world.add_product("LED")
    nir = await delivered(house, ("LED", 7), validated=False)
    id_ = await with_products(house, ("LED", 10), nirs=[nir])
    await house.patch(f"{BASE}/{id_}/close")

    await house.patch("/api/nir/update", {"nirId": nir, "updateFields": {"validationRequired": False}})

    assert await read(house, id_) == (5, [7])


STEPS = {1: {0}, 2: {0, 3, 4, 5}, 3: {5}, 4: {2, 5}, 0: set(), 5: set()}


async def brought_to(house: House, status: int) -> int:
    id_ = await with_products(house, *([] if status == 1 else [("LED", 10)]))
    for step in {1: [], 2: [], 3: [3], 4: [4], 0: [0], 5: [5]}[status]:
        assert (await house.patch(f"{BASE}/{id_}/status/{step}")).status == 200
    return id_


@pytest.mark.parametrize("before", sorted(STEPS))
async def test_a_status_by_hand_follows_the_table(house: House, before: int) -> None:
    await house.room.world.add_product("LED")
    for target in range(9):
        id_ = await brought_to(house, before)

        reply = await house.patch(f"{BASE}/{id_}/status/{target}")

        assert reply.status == (200 if target in STEPS[before] | {before} else 409), target
        assert (await read(house, id_))[0] == (target if reply.status == 200 else before)


@pytest.mark.parametrize(("before", "closes"), [(0, 409), (1, 409), (2, 200), (3, 200), (4, 200), (5, 200)])
async def test_closing(house: House, before: int, closes: int) -> None:
    await house.room.world.add_product("LED")
    id_ = await brought_to(house, before)

    assert (await house.patch(f"{BASE}/{id_}/close")).status == closes


@pytest.mark.parametrize("before", sorted(STEPS))
async def test_editing_and_deleting_depend_on_the_status(house: House, before: int) -> None:
    await house.room.world.add_product("LED")
    id_ = await brought_to(house, before)
    editable = before not in (0, 5)
    expected = 200 if editable else 409

    body = {"purchaseOrderId": id_, "productCode": "LED", "quantity": 1}
    assert (await house.post(f"{BASE}/add-product", body)).status == expected
    assert (await house.patch(f"{BASE}/update", {"purchaseOrderId": id_, "comment": "x"})).status == expected
    if before != 1:
        line = await house.value("SELECT min(id) FROM purchase_order_lines")
        assert (await house.delete(f"{BASE}/remove-product/{line}")).status == expected


@pytest.mark.parametrize("before", sorted(STEPS))
async def test_only_what_received_nothing_can_be_deleted(house: House, before: int) -> None:
    await house.room.world.add_product("LED")
    id_ = await brought_to(house, before)

    reply = await house.delete(f"{BASE}/{id_}")

    if before in (0, 1, 2):
        assert reply.data == [id_]
        (await house.get(f"{BASE}/{id_}")).refused(404)
        (await house.delete(f"{BASE}/{id_}")).refused(404)
    else:
        reply.refused(409)


async def test_removing_the_last_product_of_a_partly_received_order_starts_over(house: House) -> None:
    await house.room.world.add_product("LED")
    nir = await delivered(house, ("LED", 7))
    id_ = await with_products(house, ("LED", 10), nirs=[nir])

    removed = (await house.delete(f"{BASE}/remove-product/1")).data
    again = await added(house, id_, "LED", 7)

    assert (removed["status"], again["status"]) == (1, 5)


async def test_update_sets_clears_and_leaves(house: House) -> None:
    id_ = int(
        (await ordered(house, arrivalDate="10.03.2026", comment="soon", documentNumber="PO-9"))["purchaseOrderId"]
    )
    other = await supplier(house, "Other SRL", "BOTH")

    updated = (
        await house.patch(
            f"{BASE}/update",
            {"purchaseOrderId": id_, "supplier": other, "arrivalDate": None, "comment": None, "warehouseId": 2},
        )
    ).data

    assert (updated["supplier"], updated["arrivalDate"], updated["comment"]) == (other, None, None)
    assert (updated["warehouseId"], updated["documentNumber"], updated["date"]) == (2, "PO-9", "01.03.2026")
    cleared = (await house.patch(f"{BASE}/update", {"purchaseOrderId": id_, "warehouseId": None})).data
    assert cleared["warehouseId"] == 1


async def test_what_is_wrong_is_named(house: House) -> None:
    lumen, client = await supplier(house), await supplier(house, "Client SRL", "CLIENT")
    await house.room.world.add_product("LED")
    tv = await house.room.world.add_product("TV")
    good = {"date": "10.03.2026", "supplier": lumen}

    async def refused(status: int, word: str, **more: Any) -> None:
        (await house.post(f"{BASE}/add", good | more)).refused(status, word)

    await refused(400, "arrivalDate", arrivalDate="09.03.2026")
    await refused(400, "date", date="2026-03-01")
    await refused(400, "date", date="1.3.2026")
    await refused(400, "date", date="30.02.2026")
    await refused(404, "supplier", supplier=99)
    await refused(400, "supplier", supplier=client)
    await refused(404, "nirs", nirs=[99])
    await refused(404, "warehouseId", warehouseId=99)
    assert await house.value("SELECT count(*) FROM purchase_orders") == 0

    id_ = int((await house.post(f"{BASE}/add", good)).data["purchaseOrderId"])
    update = f"{BASE}/update"
    (await house.patch(update, {"purchaseOrderId": id_, "arrivalDate": "01.03.2026"})).refused(400, "arrivalDate")
    (await house.patch(update, {"purchaseOrderId": id_, "supplier": None})).refused(400, "supplier")
    (await house.patch(update, {"purchaseOrderId": id_, "supplier": client})).refused(400, "supplier")
    (await house.patch(update, {"purchaseOrderId": 99, "comment": "x"})).refused(404, "purchaseOrderId")
    line = {"purchaseOrderId": id_, "quantity": 1}
    (await house.post(f"{BASE}/add-product", line)).refused(400, "productId")
    (await house.post(f"{BASE}/add-product", line | {"productId": tv, "productCode": "LED"})).refused(
        400, "productCode"
    )
    (await house.post(f"{BASE}/add-product", line | {"productCode": "nothing"})).refused(404, "productCode")
    (await house.post(f"{BASE}/add-product", line | {"productCode": "TV", "purchaseOrderId": 99})).refused(404)
    (await house.patch(f"{BASE}/{id_}/status/9")).refused(400, "status")
    (await house.patch(f"{BASE}/{id_}/status/open")).refused(400, "status")
    (await house.patch(f"{BASE}/{id_}/status/7")).refused(409)
    (await house.get(f"{BASE}/99")).refused(404)


async def test_the_permission_is_needed_for_reading_too(house: House) -> None:
    id_ = int((await ordered(house))["purchaseOrderId"])

    for user in ("viewer", "plain"):
        (await house.get(f"{BASE}/{id_}", user=user)).refused(403, "Insufficient permissions")
        (await house.post(f"{BASE}/add", {"date": "wrong"}, user=user)).refused(403)
    assert (await house.get(f"{BASE}/{id_}", user="admin")).status == 200


async def test_a_tenant_without_purchase_orders_is_refused(house: House) -> None:
    async with house.database.system_work() as session:
        await session.execute(_SWITCH_OFF, {"id": house.tenant_id})

    (await house.get(f"{BASE}/1")).refused(403, "Insufficient permissions")
    (await house.post(f"{BASE}/add", {})).refused(403)
