"""Imports as a whole: kept, taken back, interrupted, repeated."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from hub.context import Scope
from hub.db import Database
from hub.errors import Invalid, NotAllowed
from hub.importing import run as imports
from hub.importing.files import find_sources
from hub.importing.nouns import NOUNS
from hub.services import tenants
from hub.services.tenants import TenantDraft
from tests.hub.command import call
from tests.hub.importing.folders import bring, effects, everything, ndjson, product, reads, refused
from tests.hub.sync.worlds import World
from tests.schema.rest.houses import House

STOCK = {"productCode": "P-1", "locationCode": "A-01", "quantity": 10}


def order(id_: int, status: int, quantity: int = 1, **fields: Any) -> dict[str, Any]:
    line = {"orderProductId": id_ * 10, "productCode": "P-1", "quantity": quantity}
    line |= {"pickedQuantity": quantity} if status in (3, 4, 5, 8) else {}
    return {"orderId": id_, "externalOrderId": f"W-{id_}", "status": status, "orderProducts": [line]} | fields


async def provisioned(database: Database, slug: str) -> World:
    """A tenant as `hub tenant add` makes it."""
    scope = Scope({}, operator=True)
    made = await tenants.add(database, scope, tenant=TenantDraft(slug=slug, name=slug, admin_password="long enough"))
    return World(database, made.id, slug)


async def test_dry_run_tells_what_would_happen_and_changes_nothing(
    database: Database, house: House, tmp_path: Path
) -> None:
    ndjson(tmp_path, "products", [product(5, "P-1"), product(6), {"productId": 7}])
    ndjson(tmp_path, "stock", [STOCK, STOCK | {"locationCode": "nowhere"}])
    ndjson(tmp_path, "orders", [order(3, 2, 4), order(4, 3), order(5, 2, warehouseId=99)])
    before = await everything(house)

    told = await bring(database, house.tenant_id, tmp_path, dry=True)
    assert await everything(house) == before
    assert not told.written
    done = await bring(database, house.tenant_id, tmp_path)

    assert effects(told) == effects(done)
    assert told.refusals == done.refusals
    assert effects(done) == {
        "products": {"added": 2, "refused": 1},
        "stock": {"added": 1, "refused": 1},
        "orders": {"added": 2, "refused": 1},
    }
    assert refused(done) == [
        ("products.ndjson", 3, "productName"),
        ("stock.ndjson", 2, "locationCode"),
        ("orders.ndjson", 3, "warehouseId"),
    ]


async def test_strict_import_keeps_all_or_nothing(database: Database, house: House, tmp_path: Path) -> None:
    ndjson(tmp_path, "products", [product(5), product(6, "")])
    before = await reads(house)

    report = await bring(database, house.tenant_id, tmp_path, strict=True)
    assert refused(report) == [("products.ndjson", 2, "productCode")]
    assert not report.written
    assert await reads(house) == before

    ndjson(tmp_path, "products", [product(5), product(6)])
    assert (await bring(database, house.tenant_id, tmp_path, strict=True)).written
    assert [row["productId"] for row in (await reads(house))["products"]] == [5, 6]


async def test_import_goes_on_where_a_kill_stopped_it(
    database: Database, database_url: str, old: House, house: House, tmp_path: Path
) -> None:
    ndjson(tmp_path, "products", [product(number) for number in range(1, 1201)])
    goods = [{"productId": number, "locationCode": "A-01", "quantity": number} for number in range(1, 1201)]
    ndjson(tmp_path, "stock", goods)
    ndjson(tmp_path, "orders", [order(number, (2, 3, 0)[number % 3]) for number in range(1, 301)])
    slug = await house.value("SELECT slug FROM tenants WHERE id = :id", id=house.tenant_id)

    await killed(house, "SELECT count(*) FROM stock_items", database_url, slug, tmp_path)
    assert await house.value("SELECT count(*) FROM orders") < 300
    await bring(database, house.tenant_id, tmp_path)
    await bring(database, old.tenant_id, tmp_path)

    for statement in (
        "SELECT id, code FROM products ORDER BY id",
        "SELECT product_id, location_id, quantity, reserved FROM stock_items ORDER BY 1",
        "SELECT id, external_order_id, status FROM orders ORDER BY id",
        "SELECT id, order_id, quantity, reserved_quantity, picked_quantity FROM order_lines ORDER BY id",
    ):
        assert await house.room.world.rows(statement) == await old.room.world.rows(statement)
    await house.room.balance()


async def killed(house: House, look: str, database_url: str, slug: str, folder: Path) -> None:
    """Run the command until the first rows are there, then kill it without a word."""
    arguments = ("import", str(folder), "--tenant", slug, "--report", str(folder / "refused.txt"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "hub",
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        env=os.environ | servers(database_url),
    )
    while process.returncode is None and not await house.value(look):  # noqa: ASYNC110  # nothing tells of it
        await asyncio.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL


def servers(database_url: str) -> dict[str, str]:
    """The environment of a command that works on servers of its own."""
    return {"DATABASE_URL": database_url, "REDIS_URL": "redis://127.0.0.1:1", "HUB_SECRET_KEY": "0" * 64}


async def test_new_records_get_ids_beyond_the_imported_ones(database: Database, house: House, tmp_path: Path) -> None:
    await house.add("product", name="First", code="FIRST")  # this process holds ids that follow it
    ndjson(tmp_path, "products", [product(2, "P-1"), product(5), product(70)])
    ndjson(tmp_path, "orders", [order(40, 3)])
    await bring(database, house.tenant_id, tmp_path)

    assert (await house.add("product", name="Next", code="NEXT"))["productId"] > 70
    lines = [{"productModel": "P-1", "quantity": 1}]
    added = await house.add("order", externalOrderId="next", orderProducts=lines)
    assert added["orderId"] > 40
    assert added["orderProducts"][0]["orderProductId"] > 400


async def test_process_that_holds_imported_ids_takes_others(
    database_url: str, database: Database, house: House, tmp_path: Path
) -> None:
    await house.add("product", name="First", code="FIRST")
    ndjson(tmp_path, "products", [product(2), product(3)])
    elsewhere = await Database(database_url).open()
    await bring(elsewhere, house.tenant_id, tmp_path)
    await elsewhere.close()

    assert (await house.add("product", name="Next", code="NEXT"))["productId"] > 3


async def test_provisioned_places_give_way_while_nothing_uses_them(database: Database, tmp_path: Path) -> None:
    world = await provisioned(database, "fresh")
    warehouses = [{"warehouseId": 7, "warehouseCode": "MAIN"}, {"warehouseId": 1, "warehouseCode": "SOUTH"}]
    ndjson(tmp_path, "warehouses", warehouses)
    places = [(30, "A-01", 7), (31, "RECEPTION", 7), (1, "B-01", 1)]
    ndjson(
        tmp_path,
        "locations",
        [dict(zip(("locationId", "locationCode", "warehouseId"), row, strict=True)) for row in places],
    )

    report = await bring(database, world.tenant_id, tmp_path)

    assert report.refusals == []
    assert await world.rows("SELECT id, code, is_default FROM warehouses ORDER BY id") == [
        {"id": 1, "code": "SOUTH", "is_default": False},
        {"id": 7, "code": "MAIN", "is_default": True},
    ]
    assert await world.rows("SELECT id, code, warehouse_id, is_inbound FROM locations ORDER BY id") == [
        {"id": 1, "code": "B-01", "warehouse_id": 1, "is_inbound": True},
        {"id": 30, "code": "A-01", "warehouse_id": 7, "is_inbound": True},
        {"id": 31, "code": "RECEPTION", "warehouse_id": 7, "is_inbound": False},
    ]
    assert effects(await bring(database, world.tenant_id, tmp_path)) == {
        "warehouses": {"unchanged": 2},
        "locations": {"unchanged": 3},
    }


async def test_used_places_stay(database: Database, tmp_path: Path) -> None:
    world = await provisioned(database, "used")
    ndjson(tmp_path, "products", [product(1)])
    ndjson(tmp_path, "stock", [STOCK])
    await bring(database, world.tenant_id, tmp_path)
    ndjson(tmp_path, "warehouses", [{"warehouseId": 1, "warehouseCode": "CENTRAL"}])

    report = await bring(database, world.tenant_id, tmp_path)

    assert refused(report) == [("warehouses.ndjson", 1, "warehouseId")]
    assert await world.value("SELECT code FROM warehouses WHERE id = 1") == "MAIN"


async def test_marks_of_the_file_are_kept(database: Database, tmp_path: Path) -> None:
    world = await provisioned(database, "marks")
    rows = [{"warehouseId": 9, "warehouseCode": "NINE"}, {"warehouseId": 10, "warehouseCode": "TEN", "isDefault": True}]
    ndjson(tmp_path, "warehouses", rows)
    ndjson(
        tmp_path,
        "locations",
        [
            {"locationId": 90, "locationCode": "N-1", "warehouseCode": "NINE"},
            {"locationId": 91, "locationCode": "N-2", "warehouseCode": "NINE", "isInbound": True, "priority": 5},
        ],
    )

    assert (await bring(database, world.tenant_id, tmp_path)).refusals == []

    assert await world.value("SELECT string_agg(code, ',') FROM warehouses WHERE is_default") == "TEN"
    inbound = await world.rows("SELECT code FROM locations WHERE is_inbound ORDER BY code")
    assert [row["code"] for row in inbound] == ["N-2", "RECEPTION", "TEN-RECEPTION"]


async def test_changed_rows_update_and_documents_stay_as_the_hub_has_them(
    database: Database, house: House, tmp_path: Path
) -> None:
    ndjson(tmp_path, "products", [product(1, color="red"), product(2)])
    ndjson(tmp_path, "orders", [order(1, 2)])
    await bring(database, house.tenant_id, tmp_path)
    ndjson(tmp_path, "products", [product(1, color="blue"), product(2)])
    ndjson(tmp_path, "orders", [order(1, 3)])

    report = await bring(database, house.tenant_id, tmp_path)

    assert effects(report) == {"products": {"updated": 1, "unchanged": 1}, "orders": {"unchanged": 1}}
    assert (await reads(house))["products"][0]["color"] == "blue"
    assert (await reads(house))["orders"][0]["status"] == 6


@pytest.mark.parametrize(
    ("wanted", "quantity", "status", "reserved"),
    [(2, 4, 2, 4), (6, 4, 2, 4), (2, 40, 6, 10), (7, 4, 7, 4), (7, 40, 6, 10)],
)
async def test_open_orders_reserve_what_is_free(
    database: Database, house: House, tmp_path: Path, wanted: int, quantity: int, status: int, reserved: int
) -> None:
    ndjson(tmp_path, "products", [product(1)])
    ndjson(tmp_path, "stock", [STOCK])
    ndjson(tmp_path, "orders", [order(1, wanted, quantity)])

    await bring(database, house.tenant_id, tmp_path)

    [found] = (await reads(house))["orders"]
    assert (found["status"], found["orderProducts"][0]["reservedQuantity"]) == (status, reserved)
    await house.room.balance(orders=True)


async def test_order_in_picking_that_needs_no_validation_is_not_picked_twice(
    database: Database, house: House, tmp_path: Path
) -> None:
    ndjson(tmp_path, "products", [product(1)])
    ndjson(tmp_path, "stock", [STOCK])
    ndjson(tmp_path, "orders", [order(1, 7, requiresValidation=False)])

    await bring(database, house.tenant_id, tmp_path)

    assert (await reads(house))["orders"][0]["status"] == 7
    assert (await reads(house))["stock"][0]["quantity"] == 10


async def test_command_tells_counts_refusals_and_where_they_are(
    monkeypatch: pytest.MonkeyPatch, database_url: str, house: House, tmp_path: Path
) -> None:
    slug = await house.value("SELECT slug FROM tenants WHERE id = :id", id=house.tenant_id)
    folder = tmp_path / "data"
    folder.mkdir()
    ndjson(folder, "products", [product(1), product(2), product(3, "P-1")])
    report = tmp_path / "refused.ndjson"
    arguments = ("import", str(folder), "--tenant", slug, "--report", str(report))

    dry = await call(monkeypatch, *arguments, "--dry-run", **servers(database_url))
    assert (dry.code, dry.err) == (1, "")
    assert "nothing was written" in dry.out
    done = await call(monkeypatch, *arguments, **servers(database_url))

    assert done.code == 1
    assert [line.split() for line in done.out.splitlines()[:3]] == [
        ["products:", "3", "rows"],
        ["NOUN", "ADDED", "UPDATED", "UNCHANGED", "REFUSED"],
        ["products", "2", "0", "0", "1"],
    ]
    assert report.read_text() == (
        '{"file": "products.ndjson", "line": 3, "field": "productCode", "message": "P-1 already exists"}\n'
    )
    ndjson(folder, "products", [product(1), product(2)])
    assert (await call(monkeypatch, *arguments, **servers(database_url))).code == 0
    assert report.read_text() == ""
    wrong = await call(monkeypatch, "import", str(tmp_path / "none"), "--tenant", slug, **servers(database_url))
    assert (wrong.code, "does not exist" in wrong.err) == (1, True)


async def test_import_is_for_administrators(database: Database, house: House, tmp_path: Path) -> None:
    ndjson(tmp_path, "products", [product(1)])
    with pytest.raises(NotAllowed):
        await imports.run(database, house.room.scope, find_sources(tmp_path, list(NOUNS)))


def test_data_file_of_no_noun_is_refused(tmp_path: Path) -> None:
    ndjson(tmp_path, "products", [])
    ndjson(tmp_path, "produkte", [])
    with pytest.raises(Invalid, match="produkte"):
        find_sources(tmp_path, list(NOUNS))


async def test_examples_are_imported_into_a_new_tenant(database: Database) -> None:
    world = await provisioned(database, "examples")

    report = await bring(database, world.tenant_id, Path("examples/import"))

    assert report.refusals == []
    assert await world.rows("SELECT id, status FROM orders ORDER BY id") == [
        {"id": 899, "status": 5},
        {"id": 900, "status": 2},
    ]
    assert await world.value("SELECT string_agg(id::text, ' ' ORDER BY id) FROM batches WHERE code IS NOT NULL") == (
        "501 502"
    )
