import asyncio
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from hub.context import Actor, Grant, Level, Permission, Scope
from hub.db import Database
from hub.errors import Conflict, HubError, Invalid, NotAllowed, NotFound
from hub.services import companies, nirs
from hub.services.companies import CompanyDraft
from hub.services.nirs import NirDraft
from hub.services.outcomes import Effect
from hub.services.receipt_lines import CountDraft, ReceiptLineDraft
from tests.hub.services.stockrooms import SOUTH, Stockroom, new_stockroom

SOON = date(2028, 12, 31)


@pytest.fixture
async def room(database: Database) -> Stockroom:
    return await new_stockroom(database)


def line(code: str, quantity: str | int = 1, **fields: Any) -> ReceiptLineDraft:
    return ReceiptLineDraft(code=code, quantity=Decimal(quantity), **fields)


def count(code: str | None = None, quantity: str | int = 1, **fields: Any) -> CountDraft:
    return CountDraft(code=code, quantity=Decimal(quantity), **fields)


async def add(room: Stockroom, *lines: ReceiptLineDraft, reference: str = "IN-1", **fields: Any) -> int:
    draft = NirDraft(external_reference=reference, lines=lines, **fields)
    (id_,) = await room.do(nirs.add, nirs=[draft])
    return int(id_)


async def update(room: Stockroom, id_: int, **changes: Any) -> None:
    await room.do(nirs.update, nir_id=id_, changes=changes)


async def status(room: Stockroom, id_: int) -> int:
    return int(await room.world.value("SELECT status FROM nirs WHERE id = :id", id=id_))


async def lines_of(room: Stockroom, id_: int) -> list[tuple[str, Decimal, Decimal]]:
    rows = await room.world.rows(
        "SELECT p.code, l.quantity, l.validated_quantity FROM nir_lines l JOIN products p USING (tenant_id) "
        "WHERE p.id = l.product_id AND l.nir_id = :id ORDER BY l.position",
        id=id_,
    )
    return [(row["code"], row["quantity"], row["validated_quantity"]) for row in rows]


async def history(room: Stockroom, id_: int) -> list[tuple[int | None, int]]:
    rows = await room.world.rows(
        "SELECT status_before, status_after FROM document_changes WHERE document_kind = 'nir' AND document_id = :id "
        "ORDER BY id",
        id=id_,
    )
    return [(row["status_before"], row["status_after"]) for row in rows]


async def add_supplier(room: Stockroom, type: str = "SUPPLIER") -> int:
    (id_,) = await room.do(companies.add, companies=[CompanyDraft(name="Lumen", type=type)])
    return int(id_)


async def test_a_nir_without_lines_is_in_progress_and_with_lines_active(room: Stockroom) -> None:
    led = await room.world.add_product("LED")

    empty = await add(room, reference="empty")
    full = await add(room, line("LED", 20), reference="full")

    assert (await status(room, empty), await status(room, full)) == (1, 2)
    assert await room.stock(led) == []
    assert await history(room, full) == [(None, 2)]


async def test_goods_of_a_nir_without_validation_are_booked_at_once(room: Stockroom) -> None:
    led = await room.world.add_product("LED", requires_batch_code=True)
    drill = await room.world.add_product("DRILL", requires_serial_number=True)

    nir = await add(
        room,
        line("LED", 20, location_code="A-01", batch_code="B7", expiration_date=SOON),
        line("DRILL", 2, serial_numbers=("S1", "S2")),
        validation_required=False,
    )

    assert await status(room, nir) == 3
    assert await room.stock(led) == [("A-01", "B7", Decimal(20), Decimal(0))]
    assert await room.stock(drill) == [
        ("RECEPTION", "S1", Decimal(1), Decimal(0)),
        ("RECEPTION", "S2", Decimal(1), Decimal(0)),
    ]
    assert [row[1:] for row in await lines_of(room, nir)] == [(Decimal(20), Decimal(20)), (Decimal(2), Decimal(2))]
    assert await history(room, nir) == [(None, 3)]
    scans = await room.world.rows("SELECT serial_number, quantity, user_id, username FROM scans ORDER BY id")
    assert [(scan["serial_number"], scan["quantity"]) for scan in scans] == [(None, 20), ("S1", 1), ("S2", 1)]
    assert {(scan["user_id"], scan["username"]) for scan in scans} == {(7, "paula")}
    (row,) = await room.world.rows("SELECT validated_by, validated_by_id, validated_at FROM nirs")
    assert (row["validated_by"], row["validated_by_id"]) == ("paula", 7)
    assert row["validated_at"] is not None
    await room.balance()


async def test_a_repeated_reference_is_a_conflict_and_books_nothing_again(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    await add(room, line("LED", 5), validation_required=False)

    with pytest.raises(Conflict, match="externalReference: IN-1 already exists"):
        await add(room, line("LED", 5), validation_required=False)

    assert await room.stock(led) == [("RECEPTION", None, Decimal(5), Decimal(0))]


async def test_equal_adds_at_once_book_once(room: Stockroom) -> None:
    led = await room.world.add_product("LED")

    outcomes = await asyncio.gather(
        *(add(room, line("LED", 5), validation_required=False) for _ in range(6)), return_exceptions=True
    )

    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 5
    assert await room.stock(led) == [("RECEPTION", None, Decimal(5), Decimal(0))]
    await room.balance()


@pytest.mark.parametrize(
    ("flags", "fields", "named"),
    [
        ({"requires_batch_code": True}, {}, "batchCode"),
        ({"requires_production_date": True}, {"expiration_date": SOON}, "productionDate"),
        ({"requires_expiration_date": True}, {"production_date": date(2026, 1, 1)}, "expirationDate"),
        ({"requires_batch_details": True}, {"batch_code": "B"}, "expirationDate"),
        ({"requires_serial_number": True}, {}, "snList"),
        ({"requires_serial_number": True}, {"serial_numbers": ("S1", "S1")}, "snList"),
        ({"requires_serial_number": True}, {"quantity": "1.5", "serial_numbers": ("S1",)}, "quantity"),
    ],
)
async def test_traceability_is_asked_for_when_goods_are_booked(
    room: Stockroom, flags: dict[str, bool], fields: dict[str, Any], named: str
) -> None:
    goods = await room.world.add_product("GOODS", **flags)
    announced = line("GOODS", **({"quantity": 2} | fields))

    with pytest.raises(Invalid) as refusal:
        await add(room, announced, validation_required=False)

    assert refusal.value.field == f"nirProducts[0].{named}"
    assert await room.world.value("SELECT count(*) FROM nirs") == 0
    nir = await add(room, announced)
    with pytest.raises(Invalid):
        await update(room, nir, requires_validation=False)
    assert (await status(room, nir), await room.stock(goods)) == (2, [])


async def test_a_known_batch_keeps_its_dates(room: Stockroom) -> None:
    led = await room.world.add_product("LED", requires_batch_code=True)
    await add(room, line("LED", 1, batch_code="B", expiration_date=SOON), reference="1", validation_required=False)

    with pytest.raises(Conflict, match="batch B"):
        await add(
            room,
            line("LED", 1, batch_code="B", expiration_date=date(2029, 1, 1)),
            reference="2",
            validation_required=False,
        )
    await add(room, line("LED", 1, batch_code="B"), reference="3", validation_required=False)

    assert await room.stock(led) == [("RECEPTION", "B", Decimal(2), Decimal(0))]


async def test_a_serial_number_in_stock_cannot_come_again(room: Stockroom) -> None:
    drill = await room.world.add_product("DRILL", requires_serial_number=True)
    await add(room, line("DRILL", serial_numbers=("S1",)), reference="1", validation_required=False)

    with pytest.raises(Conflict, match="S1"):
        await add(room, line("DRILL", serial_numbers=("S1",)), reference="2", validation_required=False)

    assert len(await room.stock(drill)) == 1
    await room.balance()


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"quantity": 0}, "nirProducts[0].quantity"),
        ({"quantity": "-1"}, "nirProducts[0].quantity"),
        ({"quantity": "0.00001"}, "nirProducts[0].quantity"),
        ({"purchase_price": Decimal(-1)}, "nirProducts[0].purchasePrice"),
        ({"batch_code": "x" * 65}, "nirProducts[0].batchCode"),
        ({"batch_code": " "}, "nirProducts[0].batchCode"),
        ({"serial_numbers": ("",)}, "nirProducts[0].snList"),
        ({"external_line_id": ""}, "nirProducts[0].externalLineId"),
        ({"production_date": date(2029, 1, 1), "expiration_date": SOON}, "nirProducts[0].expirationDate"),
    ],
)
async def test_bad_lines_are_refused_by_path(room: Stockroom, fields: dict[str, Any], path: str) -> None:
    await room.world.add_product("LED")

    with pytest.raises(Invalid) as refusal:
        await add(room, line("LED", **fields))

    assert refusal.value.field == path


async def test_line_keys_are_unique_within_a_nir(room: Stockroom) -> None:
    await room.world.add_product("LED")

    with pytest.raises(Invalid, match=r"nirProducts\[1\].externalLineId"):
        await add(room, line("LED", external_line_id="1"), line("LED", external_line_id="1"))


async def test_unknown_names_are_not_found(room: Stockroom) -> None:
    await room.world.add_product("LED")

    for lines, fields in (
        ([line("NONE")], {}),
        ([line("LED", location_code="Z-99")], {}),
        ([line("LED", location_code="B-01")], {}),  # a location of the other warehouse
        ([], {"warehouse_id": 99}),
        ([], {"supplier_id": 99}),
        ([], {"purchase_order_ids": [99]}),
    ):
        with pytest.raises(NotFound):
            await add(room, *lines, **fields)
    assert await add(room, line("LED", location_code="B-01"), warehouse_id=SOUTH)


async def test_a_client_cannot_supply(room: Stockroom) -> None:
    client, both = await add_supplier(room, "CLIENT"), await add_supplier(room, "BOTH")

    with pytest.raises(Invalid, match="supplierId"):
        await add(room, supplier_id=client)
    assert await add(room, supplier_id=both)


async def test_an_update_replaces_lines_and_follows_with_the_status(room: Stockroom) -> None:
    await room.world.add_product("LED")
    await room.world.add_product("TUBE")
    supplier = await add_supplier(room)
    nir = await add(room, line("LED", 3, external_line_id="1"), comment="first")

    await update(room, nir, lines=[line("TUBE", 4, external_line_id="1")], supplier_id=supplier, comment=None)
    assert await lines_of(room, nir) == [("TUBE", Decimal(4), Decimal(0))]
    (row,) = await room.world.rows("SELECT supplier_id, comment, status FROM nirs")
    assert row == {"supplier_id": supplier, "comment": None, "status": 2}

    await update(room, nir, lines=[])
    assert await status(room, nir) == 1
    await update(room, nir, lines=[line("LED")])
    assert await history(room, nir) == [(None, 2), (2, 1), (1, 2)]


async def test_an_update_can_validate_at_once(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    nir = await add(room, line("LED", 3))

    await update(room, nir, requires_validation=False)

    assert (await status(room, nir), await history(room, nir)) == (3, [(None, 2), (2, 3)])
    assert await room.stock(led) == [("RECEPTION", None, Decimal(3), Decimal(0))]
    with pytest.raises(Conflict):
        await update(room, nir, comment="too late")


async def test_a_nir_that_moves_to_another_warehouse_takes_new_lines_along(room: Stockroom) -> None:
    await room.world.add_product("LED")
    nir = await add(room, line("LED", 3, location_code="A-01"))

    with pytest.raises(Conflict, match="A-01"):
        await update(room, nir, warehouse_id=SOUTH)
    await update(room, nir, warehouse_id=SOUTH, lines=[line("LED", 3, location_code="B-01")])

    assert await room.world.value("SELECT warehouse_id FROM nirs") == SOUTH


async def test_a_terminal_validation_books_what_was_counted(room: Stockroom) -> None:
    led = await room.world.add_product("LED", requires_batch_code=True)
    nir = await add(room, line("LED", 10, batch_code="B1"))

    await room.do(
        nirs.validate,
        nir_id=nir,
        counts=[
            count("LED", 6, location_code="A-01", sscc="00340"),
            count("LED", 4, location_code="A-02", batch_code="B2", expiration_date=SOON),
        ],
    )

    assert await status(room, nir) == 3
    assert await room.stock(led) == [("A-01", "B1", Decimal(6), 0), ("A-02", "B2", Decimal(4), 0)]
    scans = await room.world.rows("SELECT quantity, sscc FROM scans ORDER BY id")
    assert [tuple(scan.values()) for scan in scans] == [(Decimal(6), "00340"), (Decimal(4), None)]
    await room.balance()


@pytest.mark.parametrize("quantity", [9, 11])
async def test_another_quantity_is_a_difference(room: Stockroom, quantity: int) -> None:
    led = await room.world.add_product("LED")
    nir = await add(room, line("LED", 10))

    await room.do(nirs.validate, nir_id=nir, counts=[count("LED", quantity)])

    assert await status(room, nir) == 4
    assert await lines_of(room, nir) == [("LED", Decimal(10), Decimal(quantity))]
    assert await room.stock(led) == [("RECEPTION", None, Decimal(quantity), Decimal(0))]


async def test_a_line_that_did_not_come_is_a_difference(room: Stockroom) -> None:
    await room.world.add_product("LED")
    await room.world.add_product("TUBE")
    nir = await add(room, line("LED", 10), line("TUBE", 1))

    await room.do(nirs.validate, nir_id=nir, counts=[count("LED", 10)])

    assert await status(room, nir) == 4
    assert await lines_of(room, nir) == [("LED", 10, 10), ("TUBE", 1, 0)]


async def test_counts_of_a_product_fill_its_lines_in_order(room: Stockroom) -> None:
    await room.world.add_product("LED")
    nir = await add(room, line("LED", 4), line("LED", 6))

    await room.do(nirs.validate, nir_id=nir, counts=[count("LED", 7), count("LED", 5)])

    assert await lines_of(room, nir) == [("LED", 4, 4), ("LED", 6, 8)]


async def test_a_product_that_nobody_announced_gets_its_own_line(room: Stockroom) -> None:
    await room.world.add_product("LED")
    tube = await room.world.add_product("TUBE")
    nir = await add(room, line("LED", 4))

    await room.do(nirs.validate, nir_id=nir, counts=[count("LED", 4), count("TUBE", 2), count("TUBE", 1)])

    assert await status(room, nir) == 4
    assert await lines_of(room, nir) == [("LED", 4, 4), ("TUBE", 3, 3)]
    assert await room.stock(tube) == [("RECEPTION", None, Decimal(3), Decimal(0))]


async def test_parallel_validations_book_once(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    nir = await add(room, line("LED", 10))

    outcomes = await asyncio.gather(
        *(room.do(nirs.validate, nir_id=nir, counts=[count("LED", 10)]) for _ in range(5)),
        update_or_refusal(room, nir),
        return_exceptions=True,
    )

    assert sum(outcome == nir for outcome in outcomes) == 1
    assert sum(isinstance(outcome, Conflict) for outcome in outcomes) == 5
    assert await room.stock(led) == [("RECEPTION", None, Decimal(10), Decimal(0))]
    assert await room.world.value("SELECT count(*) FROM scans") == 1
    await room.balance()


async def update_or_refusal(room: Stockroom, nir: int) -> int:
    await update(room, nir, requires_validation=False)
    return nir


async def test_bad_counts_are_refused(room: Stockroom) -> None:
    await room.world.add_product("LED")
    await room.world.add_product("TUBE")
    nir = await add(room, line("LED", 10))
    (line_id,) = (row["id"] for row in await room.world.rows("SELECT id FROM nir_lines"))

    bad: Sequence[tuple[list[CountDraft], type[HubError]]] = (
        ([], Invalid),
        ([count(quantity=1)], Invalid),
        ([count("LED", 0)], Invalid),
        ([count("TUBE", 1, line_id=line_id)], Invalid),
        ([count(line_id=999)], NotFound),
        ([count("NONE")], NotFound),
        ([count("LED", location_code="B-01")], NotFound),
    )
    for counts, kind in bad:
        with pytest.raises(kind):
            await room.do(nirs.validate, nir_id=nir, counts=counts)
    assert await status(room, nir) == 2
    assert await room.do(nirs.validate, nir_id=nir, counts=[count(line_id=line_id, quantity=10)]) == nir


async def test_validation_at_the_terminal_needs_its_permission(room: Stockroom) -> None:
    await room.world.add_product("LED")
    nir = await add(room, line("LED", 10))
    scope = Scope({room.tenant_id: Grant(Level.USER)}, Actor("user", 8, "without"))

    with pytest.raises(NotAllowed):
        await room.database.write(scope, lambda work: nirs.validate(work, nir_id=nir, counts=[count("LED", 10)]))
    allowed = Scope({room.tenant_id: Grant(Level.USER, frozenset({Permission.PROCESS_NIRS}))})
    await room.database.write(allowed, lambda work: nirs.validate(work, nir_id=nir, counts=[count("LED", 10)]))


async def test_open_nirs_can_be_cancelled_and_deleted(room: Stockroom) -> None:
    await room.world.add_product("LED")
    nir = await add(room, line("LED"), reference="a")
    validated = await add(room, line("LED"), reference="b", validation_required=False)

    assert await room.do(nirs.cancel, ids=[nir]) == [nir]
    assert await room.do(nirs.cancel, ids=[nir]) == [nir]
    assert await history(room, nir) == [(None, 2), (2, 0)]
    for refused in (
        room.do(nirs.cancel, ids=[validated]),
        update(room, nir, comment="x"),
        room.do(nirs.validate, nir_id=nir, counts=[count("LED")]),
        room.do(nirs.delete, targets={"id": [nir, validated]}),
    ):
        with pytest.raises(Conflict):
            await refused

    assert await room.do(nirs.delete, targets={"external_reference": ["a"]}) == [nir]
    with pytest.raises(NotFound):
        await room.do(nirs.delete, targets={"id": [nir]})
    assert await add(room, reference="a") > validated


async def test_reference_and_packaging_can_be_corrected_in_every_status(room: Stockroom) -> None:
    await room.world.add_product("LED")
    nir = await add(room, line("LED"), reference="a", validation_required=False)
    await add(room, reference="b")

    await room.do(nirs.update_external_reference, nir_id=nir, external_reference="a")
    await room.do(nirs.update_external_reference, nir_id=nir, external_reference="c")
    await room.do(nirs.update_packaging_type, nir_id=nir, packaging_type="pallet")
    with pytest.raises(Conflict, match="b already exists"):
        await room.do(nirs.update_external_reference, nir_id=nir, external_reference="b")
    with pytest.raises(Invalid):
        await room.do(nirs.update_packaging_type, nir_id=nir, packaging_type="x" * 65)

    (row,) = await room.world.rows("SELECT external_reference, packaging_type, search FROM nirs WHERE id = :id", id=nir)
    assert row == {"external_reference": "c", "packaging_type": "pallet", "search": "c"}


async def test_id_and_reference_must_mean_the_same_nir(room: Stockroom) -> None:
    first, _ = await add(room, reference="a"), await add(room, reference="b")

    assert await room.do(nirs.find_one, nir_id=first, external_reference="a") == first
    with pytest.raises(NotFound):
        await room.do(nirs.find_one, nir_id=first, external_reference="b")
    with pytest.raises(Invalid):
        await room.do(nirs.find_one)


async def test_a_validated_nir_moves_its_purchase_order(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    supplier = await add_supplier(room)
    await room.world.run(
        "INSERT INTO purchase_orders (tenant_id, id, ordered_on, supplier_id, warehouse_id, status) "
        "VALUES (:tenant, 1, '2026-03-01', :supplier, 1, 2)",
        tenant=room.tenant_id,
        supplier=supplier,
    )
    await room.world.run(
        "INSERT INTO purchase_order_lines (tenant_id, id, purchase_order_id, product_id, quantity, received_quantity) "
        "VALUES (:tenant, 1, 1, :product, 10, 0)",
        tenant=room.tenant_id,
        product=led,
    )

    await add(room, line("LED", 4), reference="1", purchase_order_ids=[1], validation_required=False)
    assert await room.world.value("SELECT status FROM purchase_orders") == 4
    rest = await add(room, line("LED", 6), reference="2", purchase_order_ids=[1])
    await room.do(nirs.validate, nir_id=rest, counts=[count("LED", 6)])

    assert await room.world.value("SELECT status FROM purchase_orders") == 5
    assert await room.world.value("SELECT received_quantity FROM purchase_order_lines") == 10


async def test_one_bad_nir_never_stops_the_others(room: Stockroom) -> None:
    led = await room.world.add_product("LED")
    drafts = [
        NirDraft(external_reference="1", lines=[line("LED", 1)], validation_required=False),
        NirDraft(external_reference="2", lines=[line("NONE", 1)]),
        NirDraft(external_reference="1"),
        NirDraft(external_reference=" "),
        NirDraft(external_reference="3", lines=[line("LED", 2)], validation_required=False),
    ]

    outcomes = await room.do(nirs.add_each, nirs=drafts)

    assert [outcome.effect for outcome in outcomes] == [
        Effect.ADDED,
        Effect.REFUSED,
        Effect.REFUSED,
        Effect.REFUSED,
        Effect.ADDED,
    ]
    assert [type(outcome.error) for outcome in outcomes[1:4]] == [NotFound, Conflict, Invalid]
    assert await room.stock(led) == [("RECEPTION", None, Decimal(3), Decimal(0))]
    await room.balance()
