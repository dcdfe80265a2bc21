"""`/api/transfer`, `/api/transfer-product`: reserve at the source, move once, release when given up."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from tests.hub.services.stockrooms import A01, A02
from tests.schema.rest.houses import House

ADD = "/api/transfer-product/add-transfer-product"


def line(product_id: int, quantity: Any = 4, **more: Any) -> dict[str, Any]:
    scan = {"productId": product_id, "quantity": quantity, "sourceLocationCode": "A-01"}
    return scan | {"destinationLocationCode": "A-02"} | more


async def opened(house: House, product_id: int, quantity: Any = 4, **more: Any) -> tuple[int, int]:
    reply = await house.post(ADD, line(product_id, quantity, **more))
    assert reply.status == 200, reply.body
    return reply.body["documentId"], reply.body["transferProductId"]


async def status_of(house: House, transfer_id: int) -> int:
    return int(await house.room.world.value("SELECT status FROM transfers WHERE id = :id", id=transfer_id))


async def test_adding_reserves_and_tells_the_ids(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 18, batch="B7", expires="2028-12-31")

    reply = await house.post(ADD, line(product, batchCode="B7"))

    assert reply.body == {
        "message": f"Product added to transfer {reply.body['documentId']}",
        "status": 200,
        "documentId": 1,
        "transferProductId": 1,
    }
    assert await house.room.stock(product) == [("A-01", "B7", Decimal(18), Decimal(4))]
    assert await status_of(house, 1) == 2
    await house.room.balance()


async def test_the_same_product_again_makes_another_line(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)
    transfer, first = await opened(house, product)

    _, second = await opened(house, product, 6, documentId=transfer)

    assert second != first
    assert await house.room.stock(product) == [("A-01", None, Decimal(10), Decimal(10))]


async def test_validation_moves_everything_and_keeps_what_the_goods_are(house: House) -> None:
    world = house.room.world
    batched, piece = await world.add_product("LED"), await world.add_product("TV", requires_serial_number=True)
    await house.room.receive(batched, 18, batch="B7", expires="2028-12-31")
    await house.room.receive(piece, 2, serials=("S1", "S2"))
    received = await world.value("SELECT min(received_at) FROM stock_items")
    transfer, _ = await opened(house, batched, batchCode="B7")
    await opened(house, piece, 1, sn="S2", documentId=transfer)

    reply = await house.post(f"/api/transfer/validate-transfer/{transfer}")

    assert reply.body == {"message": f"Transfer {transfer} validated", "status": 200}
    assert await house.room.stock(batched) == [("A-01", "B7", Decimal(14), Decimal(0)), ("A-02", "B7", Decimal(4), 0)]
    assert await house.room.stock(piece) == [("A-01", "S1", Decimal(1), Decimal(0)), ("A-02", "S2", Decimal(1), 0)]
    assert await world.value("SELECT max(received_at) FROM stock_items WHERE batch_id IS NOT NULL") == received
    assert await status_of(house, transfer) == 3
    await house.room.balance()


async def test_a_second_validation_never_moves_twice(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 18)
    transfer, _ = await opened(house, product)
    path = f"/api/transfer/validate-transfer/{transfer}"

    replies = await asyncio.gather(*(house.post(path) for _ in range(5)))

    assert sorted(reply.status for reply in replies) == [200, 409, 409, 409, 409]
    assert await house.room.stock(product) == [
        ("A-01", None, Decimal(14), Decimal(0)),
        ("A-02", None, Decimal(4), Decimal(0)),
    ]
    await house.room.balance()


async def test_two_transfers_never_promise_the_same_goods(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)

    replies = await asyncio.gather(*(house.post(ADD, line(product, 3)) for _ in range(8)))

    assert sorted(reply.status for reply in replies) == [200] * 3 + [409] * 5
    assert await house.room.stock(product) == [("A-01", None, Decimal(10), Decimal(9))]
    assert await house.room.world.value("SELECT count(*) FROM transfers") == 3
    await house.room.balance()


async def test_only_what_is_free_at_the_source_can_be_promised(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 3, A01)
    await house.room.receive(product, 50, A02)

    (await house.post(ADD, line(product))).refused(409, "stock insufficient")
    (await house.post(ADD, line(product, 1, batchCode="nowhere"))).refused(409, "batchCode")
    (await house.post(ADD, line(product, 1, sn="nowhere"))).refused(409)
    (await house.post(ADD, line(product, 1, ssccCode="nowhere"))).refused(409)

    assert await house.room.world.value("SELECT count(*) FROM transfers") == 0


async def test_removing_the_last_line_releases_and_reopens(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)
    transfer, first = await opened(house, product)
    _, second = await opened(house, product, documentId=transfer)
    path = "/api/transfer-product/delete-transfer-product"

    assert (await house.delete(f"{path}/{first}")).status == 200
    assert await status_of(house, transfer) == 2
    reply = await house.delete(f"{path}/{second}")

    assert reply.body == {"message": f"Product removed from transfer {transfer}", "status": 200}
    assert await status_of(house, transfer) == 1
    assert await house.room.stock(product) == [("A-01", None, Decimal(10), Decimal(0))]
    (await house.delete(f"{path}/{second}")).refused(404, "transferProductId")
    (await house.post(f"/api/transfer/validate-transfer/{transfer}")).refused(409)
    await house.room.balance()


async def test_a_validated_transfer_takes_no_lines(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)
    transfer, added = await opened(house, product)
    await house.post(f"/api/transfer/validate-transfer/{transfer}")

    (await house.post(ADD, line(product, documentId=transfer))).refused(409)
    (await house.delete(f"/api/transfer-product/delete-transfer-product/{added}")).refused(409)
    (await house.delete(f"/api/transfer/delete-transfer/{transfer}")).refused(409)


@pytest.mark.parametrize("before", [1, 2, 3, 0, 5])
async def test_a_status_by_hand_is_cancel_or_close(house: House, before: int) -> None:
    allowed = {1: {0}, 2: {0}, 3: {5}, 0: set(), 5: set()}[before]
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 100)
    for target in range(9):
        transfer, added = await opened(house, product, 1)
        if before == 1:
            await house.delete(f"/api/transfer-product/delete-transfer-product/{added}")
        if before in (3, 5):
            await house.post(f"/api/transfer/validate-transfer/{transfer}")
        if before in (0, 5):
            await house.post(f"/api/transfer/change-transfer-status/{transfer}/{before}")

        reply = await house.post(f"/api/transfer/change-transfer-status/{transfer}/{target}")

        assert reply.status == (200 if target in allowed | {before} else 409), (target, reply.body)
        assert await status_of(house, transfer) == (target if reply.status == 200 else before)
    await house.room.balance()


async def test_cancelling_and_deleting_release(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)
    canceled, _ = await opened(house, product)
    deleted, _ = await opened(house, product)

    await house.post(f"/api/transfer/change-transfer-status/{canceled}/0")
    reply = await house.delete(f"/api/transfer/delete-transfer/{deleted}")

    assert reply.body == {"message": f"Transfer {deleted} deleted", "status": 200}
    assert await house.room.stock(product) == [("A-01", None, Decimal(10), Decimal(0))]
    (await house.delete(f"/api/transfer/delete-transfer/{deleted}")).refused(404)
    assert (await house.delete(f"/api/transfer/delete-transfer/{canceled}")).status == 200
    await house.room.balance()


async def test_what_is_wrong_is_named(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)

    (await house.post(ADD, line(product, destinationLocationCode="A-01"))).refused(400, "destinationLocationCode")
    (await house.post(ADD, line(product, 2, sn="S1"))).refused(400, "quantity")
    pieces = await house.room.world.add_product("TV", requires_serial_number=True)
    (await house.post(ADD, line(pieces, 1.5))).refused(400, "quantity")
    (await house.post(ADD, line(product, sourceLocationCode="Z"))).refused(404, "sourceLocationCode")
    (await house.post(ADD, line(product, destinationLocationCode="Z"))).refused(404, "destinationLocationCode")
    (await house.post(ADD, line(999))).refused(404, "productId")
    (await house.post(ADD, line(product, documentId=999))).refused(404, "documentId")
    (await house.post("/api/transfer/validate-transfer/999")).refused(404)
    (await house.post("/api/transfer/validate-transfer/x")).refused(400, "transferId")
    (await house.post("/api/transfer/change-transfer-status/1/9")).refused(400, "transferStatus")
    (await house.post("/api/transfer/change-transfer-status/1/two")).refused(400, "transferStatus")
    assert await house.room.world.value("SELECT count(*) FROM transfers") == 0


async def test_goods_of_a_locked_batch_stay_where_they_are(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10, batch="B7")
    await house.room.world.run("UPDATE batches SET locked = true")

    (await house.post(ADD, line(product, batchCode="B7"))).refused(409, "stock insufficient")


async def test_each_step_is_remembered_and_told(house: House) -> None:
    product = await house.room.world.add_product("LED")
    await house.room.receive(product, 10)
    transfer, _ = await opened(house, product)
    await house.post(f"/api/transfer/validate-transfer/{transfer}")
    await house.post(f"/api/transfer/change-transfer-status/{transfer}/5")

    steps = await house.room.world.rows(
        "SELECT status_before, status_after, actor FROM document_changes WHERE document_kind = 'transfer' ORDER BY id"
    )
    kinds = await house.room.world.rows("SELECT kind FROM events WHERE topic = 'transfer' ORDER BY id")

    assert [(step["status_before"], step["status_after"]) for step in steps] == [(None, 2), (2, 3), (3, 5)]
    assert {step["actor"] for step in steps} == {"integrator"}
    assert [event["kind"] for event in kinds] == ["added", "moved", "moved"]
