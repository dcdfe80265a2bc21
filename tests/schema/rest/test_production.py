"""`/api/production`: components go out of free stock, the product comes in, once."""

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from hub.services.production import batch_code_of
from tests.hub.services.stockrooms import A01, A02, RECEPTION
from tests.schema.rest.houses import House


async def ordered(house: House, product: int, quantity: Any = 2, **more: Any) -> int:
    body = {"productId": product, "quantity": quantity, "thirdPartyReference": f"p-{product}"} | more
    (added,) = (await house.put("/api/production/add", body)).data
    return int(added["productionOrderId"])


def closing(id_: int) -> str:
    return f"/api/production/close-simplified-production/order/{id_}"


async def test_an_order_is_added_without_touching_stock(house: House) -> None:
    lamp, bulb = await house.room.world.add_product("LAMP"), await house.room.world.add_product("BULB")
    await house.room.receive(bulb, 10)

    (added,) = (
        await house.put(
            "/api/production/add",
            {"productId": lamp, "quantity": 2, "thirdPartyReference": "p-1", "comment": "rush"}
            | {"components": [{"code": "BULB", "quantity": 4.5}, {"productId": bulb, "code": "BULB", "quantity": 1}]},
        )
    ).data

    assert added.pop("dateAdded").endswith("Z")
    component = {"productId": bulb, "productCode": "BULB", "productName": "Product BULB"}
    assert added == {
        "productionOrderId": 1,
        "thirdPartyReference": "p-1",
        "productId": lamp,
        "productName": "Product LAMP",
        "productCode": "LAMP",
        "quantity": 2,
        "producedQuantity": 0,
        "warehouseId": 1,
        "status": 2,
        "comment": "rush",
        "dateClosed": None,
        "batchCode": None,
        "components": [component | {"quantity": 4.5}, component | {"quantity": 1}],
    }
    assert await house.room.stock(bulb) == [("A-01", None, Decimal(10), Decimal(0))]


async def test_closing_books_the_product_in_and_the_components_out(house: House) -> None:
    lamp, bulb = await house.room.world.add_product("LAMP"), await house.room.world.add_product("BULB")
    await house.room.receive(bulb, 3, A01)
    await house.room.receive(bulb, 3, A02)
    id_ = await ordered(house, lamp, components=[{"code": "BULB", "quantity": 4}])

    (closed,) = (await house.post(closing(id_))).data

    assert (closed["status"], closed["producedQuantity"], closed["batchCode"]) == (5, 2, None)
    assert closed["dateClosed"].endswith("Z")
    assert await house.room.stock(lamp) == [("RECEPTION", None, Decimal(2), Decimal(0))]
    assert sum(item[2] for item in await house.room.stock(bulb)) == 2
    await house.room.balance()


async def test_closing_again_is_refused_however_many_ask_at_once(house: House) -> None:
    lamp = await house.room.world.add_product("LAMP")
    id_ = await ordered(house, lamp)

    replies = await asyncio.gather(*(house.post(closing(id_)) for _ in range(4)))

    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409]
    assert await house.room.stock(lamp) == [("RECEPTION", None, Decimal(2), Decimal(0))]


async def test_a_component_that_is_short_stops_everything(house: House) -> None:
    world = house.room.world
    lamp, bulb, wire = [await world.add_product(code) for code in ("LAMP", "BULB", "WIRE")]
    await house.room.receive(bulb, 10)
    await house.room.receive(wire, 5)
    await house.room.order("WEB-1", ("WIRE", 3))
    id_ = await ordered(house, lamp, components=[{"code": "BULB", "quantity": 4}, {"code": "WIRE", "quantity": 3}])

    (await house.post(closing(id_))).refused(409, "stock insufficient")

    assert await house.room.stock(bulb) == [("A-01", None, Decimal(10), Decimal(0))]
    assert await house.room.stock(lamp) == []
    await house.room.balance(orders=True)


async def test_a_product_with_batches_gets_a_generated_one(house: House) -> None:
    lamp = await house.room.world.add_product("LAMP", requires_batch_code=True)
    id_ = await ordered(house, lamp)
    today = datetime.now(UTC).date()

    (closed,) = (await house.post(closing(id_), {"locationCode": "A-02"})).data

    assert closed["batchCode"] == f"P{id_}-{today:%Y%m%d}"
    assert await house.room.stock(lamp) == [("A-02", closed["batchCode"], Decimal(2), Decimal(0))]


async def test_the_output_is_described_by_the_caller(house: House) -> None:
    lamp = await house.room.world.add_product("LAMP", requires_batch_code=True, requires_expiration_date=True)
    await house.room.receive(lamp, 1, RECEPTION, batch="B1", expires="2030-01-31")
    first, second = await ordered(house, lamp), await ordered(house, lamp, thirdPartyReference="p-2")
    third = await ordered(house, lamp, thirdPartyReference="p-3")

    (await house.post(closing(first))).refused(400, "expirationDate")
    (await house.post(closing(first), {"batchCode": "B1", "expirationDate": "2031-01-31"})).refused(409, "B1")
    (await house.post(closing(first), {"locationCode": "Z"})).refused(404, "locationCode")
    (await house.post(closing(first), {"locationCode": "B-01"})).refused(404, "locationCode")
    await house.post(closing(second), {"batchCode": "B1"})
    await house.post(
        closing(third), {"batchCode": "B2", "expirationDate": "2031-01-31", "productionDate": "2030-12-01"}
    )

    assert await house.room.stock(lamp) == [
        ("RECEPTION", "B1", Decimal(3), Decimal(0)),
        ("RECEPTION", "B2", Decimal(2), Decimal(0)),
    ]


async def test_pieces_with_serial_numbers_cannot_be_produced_this_way(house: House) -> None:
    tv = await house.room.world.add_product("TV", requires_serial_number=True)

    (await house.post(closing(await ordered(house, tv)))).refused(409, "serial")


async def test_what_is_wrong_is_named(house: House) -> None:
    lamp, bulb = await house.room.world.add_product("LAMP"), await house.room.world.add_product("BULB")
    good = {"productId": lamp, "quantity": 2, "thirdPartyReference": "p-1"}

    async def refused(status: int, word: str, **more: Any) -> None:
        (await house.put("/api/production/add", good | more)).refused(status, word)

    await refused(404, "productId", productId=99)
    await refused(404, "warehouseId", warehouseId=99)
    await refused(400, "components[0].productId", components=[{"quantity": 1}])
    await refused(400, "components[0].code", components=[{"productId": bulb, "code": "LAMP", "quantity": 1}])
    await refused(404, "components[1].code", components=[{"code": "BULB", "quantity": 1}, {"code": "X", "quantity": 1}])
    await refused(400, "components[0].quantity", components=[{"code": "BULB", "quantity": 0}])
    assert (await house.put("/api/production/add", good)).status == 200
    await refused(409, "thirdPartyReference")
    (await house.post(closing(99))).refused(404)
    assert await house.value("SELECT count(*) FROM production_orders") == 1


async def test_reading_filters_and_pages(house: House) -> None:
    lamp, tv = await house.room.world.add_product("LAMP"), await house.room.world.add_product("TV")
    ids = [await ordered(house, lamp, thirdPartyReference=f"p-{n}") for n in range(3)]
    ids.append(await ordered(house, tv, thirdPartyReference="t", warehouseId=2))
    await house.post(closing(ids[1]))

    async def found(**filters: Any) -> list[int]:
        body = (await house.post("/api/production/read", filters, user="viewer")).data
        return [row["productionOrderId"] for row in body]

    assert await found() == ids
    assert [row["productionOrderId"] for row in (await house.post("/api/production/read")).data] == ids
    assert await found(productIds=[lamp], statuses=[2]) == [ids[0], ids[2]]
    assert await found(thirdPartyReferenceIds=["p-1", "t", "nobody"]) == [ids[1], ids[3]]
    assert await found(warehouseIds=[2], productionOrderIds=ids) == [ids[3]]
    assert await found(warehouseIds=[], productIds=None) == ids
    assert await found(page=2, limit=3) == [ids[3]]
    assert await found(page=9, limit=3) == []


@pytest.mark.parametrize(
    ("template", "code"),
    [
        ("P{productionOrderId}-{yyyyMMdd}", "P7-20260301"),
        ("{yy}{MM}{dd}/{productionOrderId}", "260301/7"),
        ("{yyyy} {unknown}", "2026 {unknown}"),
    ],
)
def test_batch_codes_follow_the_tenants_format(template: str, code: str) -> None:
    assert batch_code_of(template, 7, datetime(2026, 3, 1, tzinfo=UTC).date()) == code
