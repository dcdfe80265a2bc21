"""Physical stock: the ledger explains every balance, and no balance falls below zero or below what is reserved."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from hub.db import Database, UnitOfWork
from hub.errors import Conflict, Invalid
from hub.queries.stock import Need
from hub.services.bookings import Issue, issue
from hub.services.stock import Movement, apply
from tests.hub.services.stockrooms import A01, A02, B01, MAIN, SOUTH, Stockroom, new_stockroom

D = Decimal


@pytest.fixture
async def room(database: Database) -> AsyncIterator[Stockroom]:
    room = await new_stockroom(database)
    yield room
    await room.balance()


async def test_goods_received_twice_at_one_place_are_one_item(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")

    await room.receive(lamp, "2.5")
    await room.receive(lamp, 4)

    assert await room.stock(lamp) == [("A-01", None, D("6.5"), D(0))]
    ledger = await room.world.rows("SELECT quantity, actor, document_kind FROM stock_movements ORDER BY id")
    assert [(row["quantity"], row["actor"], row["document_kind"]) for row in ledger] == [
        (D("2.5"), "paula", "nir"),
        (D(4), "paula", "nir"),
    ]


async def test_an_item_taken_to_zero_is_gone(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 3)

    await room.take(lamp, 3)

    assert await room.stock(lamp) == []


async def test_taking_more_than_there_is_is_refused_by_name(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")
    await room.receive(lamp, 3)

    with pytest.raises(Conflict, match=r"stock insufficient: 4 of product LAMP are to leave A-01, 3 of 3 .* free"):
        await room.take(lamp, 4)
    with pytest.raises(Conflict, match=r"stock insufficient: 1 of product LAMP are to leave A-02, 0 of 0"):
        await room.take(lamp, 1, A02)

    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]


async def test_one_shortage_refuses_the_whole_set(room: Stockroom) -> None:
    lamp, bulb = await room.world.add_product("LAMP"), await room.world.add_product("BULB")
    await room.receive(lamp, 3)
    document = {"document_kind": "order", "document_id": 1, "location_id": A01}

    with pytest.raises(Conflict, match="BULB"):
        await room.do(
            apply,
            [
                Movement(product_id=lamp, quantity=D(-1), **document),
                Movement(product_id=bulb, quantity=D(-1), **document),
            ],
        )

    assert await room.stock(lamp) == [("A-01", None, D(3), D(0))]


async def test_parallel_takers_never_share_a_piece(room: Stockroom) -> None:
    lamp, bulb = await room.world.add_product("LAMP"), await room.world.add_product("BULB")
    await room.receive(lamp, 10)
    await room.receive(bulb, 10)
    both = [
        Movement(product_id=product, location_id=A01, quantity=D(-1), document_kind="order", document_id=1)
        for product in (bulb, lamp)
    ]

    ended = await asyncio.gather(
        *(room.do(apply, both[:: 1 if n % 2 else -1]) for n in range(25)), return_exceptions=True
    )

    assert sum(isinstance(end, Conflict) for end in ended) == 15
    assert [end for end in ended if end is not None and not isinstance(end, Conflict)] == []
    assert await room.stock(lamp) == await room.stock(bulb) == []


async def test_parallel_receipts_at_a_new_place_add_up(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")

    await asyncio.gather(*(room.receive(lamp, 1, batch="B7", expires="2030-01-01") for _ in range(20)))

    assert await room.stock(lamp) == [("A-01", "B7", D(20), D(0))]


async def test_a_serial_number_is_in_one_place_only(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await room.receive(drill, 2, serials=("S1", "S2"))

    for location in (A01, A02):
        with pytest.raises(Conflict, match="serial number S2 of product DRILL is already in stock"):
            await room.receive(drill, 2, location, serials=("S3", "S2"))

    assert [item[1] for item in await room.stock(drill)] == ["S1", "S2"]


async def test_parallel_receipts_of_one_serial_number_book_it_once(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)

    ended = await asyncio.gather(
        *(room.receive(drill, 1, (A01, A02)[n % 2], serials=("S1",)) for n in range(8)), return_exceptions=True
    )

    assert sum(isinstance(end, Conflict) for end in ended) == 7
    assert len(await room.stock(drill)) == 1


async def test_a_piece_can_change_its_place_in_one_set(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    [piece] = await room.receive(drill, 1, serials=("S1",))
    move = {"product_id": drill, "serial_number": "S1", "document_kind": "transfer", "document_id": 1}

    await room.do(
        apply,
        [
            Movement(location_id=A02, quantity=D(1), **move),
            Movement(location_id=A01, quantity=D(-1), **move),
        ],
    )

    assert piece.serial_number == "S1"
    assert await room.stock(drill) == [("A-02", "S1", D(1), D(0))]


@pytest.mark.parametrize(
    ("flags", "goods", "field"),
    [
        ({"requires_batch_code": True}, {}, "batchCode"),
        ({"requires_production_date": True}, {"batch": "B"}, "productionDate"),
        ({"requires_expiration_date": True}, {"batch": "B", "made": "2026-01-01"}, "expirationDate"),
        ({"requires_batch_details": True}, {"batch": "B"}, "expirationDate"),
        ({"requires_serial_number": True}, {}, "snList"),
        ({"requires_serial_number": True}, {"serials": ("S1",)}, "snList"),
        ({"requires_serial_number": True}, {"serials": ("S1", "S1")}, "snList"),
        ({}, {"serials": ("S1",)}, "snList"),
    ],
)
async def test_goods_without_what_their_product_asks_for_are_refused(
    room: Stockroom, flags: dict[str, bool], goods: dict[str, object], field: str
) -> None:
    product = await room.world.add_product("X", **flags)

    with pytest.raises(Invalid) as refusal:
        await room.receive(product, 2, **goods)  # type: ignore[arg-type]

    assert refusal.value.field == f"nirProducts[0].{field}"
    assert await room.stock(product) == []


async def test_pieces_are_whole(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)

    with pytest.raises(Invalid, match="whole number"):
        await room.receive(drill, "1.5", serials=("S1",))


async def test_the_dates_of_a_batch_stay_as_first_received(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK", requires_batch_code=True, requires_expiration_date=True)
    await room.receive(milk, 5, batch="B7", expires="2030-01-01")

    with pytest.raises(Conflict, match="batch B7 is known with 2030-01-01, not 2031-01-01"):
        await room.receive(milk, 5, batch="B7", expires="2031-01-01")
    await room.receive(milk, 1, batch="B7")
    await room.receive(milk, 1, batch="B7", made="2026-01-01")
    with pytest.raises(Conflict, match="2026-01-01"):
        await room.receive(milk, 1, batch="B7", made="2026-02-02")

    assert await room.stock(milk) == [("A-01", "B7", D(7), D(0))]


async def test_goods_without_batch_code_are_kept_apart_by_their_dates(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK", requires_expiration_date=True)

    await room.receive(milk, 2, expires="2030-01-01")
    await room.receive(milk, 3, expires="2030-01-01")
    await room.receive(milk, 4, expires="2031-01-01")

    rows = await room.world.rows(
        "SELECT i.quantity, b.code, b.expiration_date::text AS day FROM stock_items i "
        "JOIN batches b ON b.tenant_id = i.tenant_id AND b.id = i.batch_id ORDER BY 3"
    )
    assert [(row["quantity"], row["code"], row["day"]) for row in rows] == [
        (D(5), None, "2030-01-01"),
        (D(4), None, "2031-01-01"),
    ]


async def test_issuing_takes_what_expires_first_and_never_what_is_elsewhere(room: Stockroom) -> None:
    milk = await room.world.add_product("MILK")
    await room.receive(milk, 2, batch="LATE", expires="2031-01-01")
    await room.receive(milk, 2, A02, batch="SOON", expires="2030-01-01")
    await room.receive(milk, 2)
    await room.receive(milk, 9, B01)

    need = Need(product_id=milk, warehouse_id=MAIN, quantity=D(3))
    await room.do(issue, [Issue(need=need, document_kind="production", document_id=1)])

    assert await room.stock(milk) == [
        ("A-01", "LATE", D(1), D(0)),
        ("A-01", None, D(2), D(0)),
        ("B-01", None, D(9), D(0)),
    ]
    with pytest.raises(Conflict, match="stock insufficient: 4 of product MILK needed from MAIN, 3 free"):
        short = Need(product_id=milk, warehouse_id=MAIN, quantity=D(4))
        await room.do(issue, [Issue(need=short, document_kind="production", document_id=1)])


async def test_what_changed_is_told_once_per_unit_of_work(room: Stockroom) -> None:
    lamp = await room.world.add_product("LAMP")

    async def twice(work: UnitOfWork) -> None:
        for location in (A01, B01):
            await apply(
                work,
                [Movement(product_id=lamp, location_id=location, quantity=D(1), document_kind="nir", document_id=1)],
            )

    await room.do(twice)

    events = await room.world.rows("SELECT topic, kind, subject_id FROM events")
    assert events == [{"topic": "stock", "kind": "changed", "subject_id": lamp}]
    summary = await room.world.rows("SELECT warehouse_id, quantity FROM stock_deltas ORDER BY 1")
    assert [(row["warehouse_id"], row["quantity"]) for row in summary] == [(MAIN, D(1)), (SOUTH, D(1))]
