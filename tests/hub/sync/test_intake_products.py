"""Products come in once, whatever code they share, and a bad one never stops the others."""

from tests.hub.sync.bench import Bench

PRODUCTS = "SELECT code, name, third_party_reference FROM products ORDER BY code"


async def test_new_products_are_added_and_known_ones_counted_unchanged(bench: Bench) -> None:
    for key in "123":
        bench.system.product(key)

    first = await bench.sync("products")
    for key in "12":
        bench.system.put("products", key, touched=True)
    second = await bench.sync("products")

    assert (first["state"], first["fetched"], first["created"]) == ("SUCCEEDED", 3, 3)
    assert (second["fetched"], second["created"], second["updated"], second["unchanged"]) == (2, 0, 0, 2)
    assert await bench.world.rows(PRODUCTS) == [
        {"code": f"SKU-{key}", "name": f"Product {key}", "third_party_reference": key} for key in "123"
    ]


async def test_a_changed_product_is_changed(bench: Bench) -> None:
    bench.system.product("1")
    await bench.sync("products")

    bench.system.product("1", name="New name", price="12.34567")
    run = await bench.sync("products")

    assert (run["updated"], run["created"]) == (1, 0)
    assert await bench.world.rows("SELECT name, selling_price::text AS price FROM products") == [
        {"name": "New name", "price": "12.3457"}
    ]


async def test_a_product_the_hub_has_under_the_same_code_becomes_the_external_one(bench: Bench) -> None:
    id_ = await bench.world.add_product("SKU-1", name="Mine")
    bench.system.product("1")

    await bench.sync("products")

    assert await bench.world.rows("SELECT id, name, third_party_reference FROM products") == [
        {"id": id_, "name": "Product 1", "third_party_reference": "1"}
    ]


async def test_two_external_products_never_share_one(bench: Bench) -> None:
    bench.system.product("1", code="SAME")
    bench.system.product("2", code="SAME")

    run = await bench.sync("products")

    assert (run["created"], run["parked"]) == (1, 1)
    parked = await bench.world.rows("SELECT external_key, reason, path, state FROM sync_exceptions")
    assert parked == [{"external_key": "2", "reason": "CONFLICT", "path": "code", "state": "OPEN"}]


async def test_a_number_of_an_earlier_system_moves_to_the_product_that_has_it_now(bench: Bench) -> None:
    old = await bench.world.add_product("OLD", third_party_reference="7")
    await bench.world.run(
        "INSERT INTO external_references (tenant_id, code, stream, external_key, record_id, payload_hash) "
        "VALUES (:t, 'NEXUS', 'products', '7', :id, '')",
        t=bench.world.tenant_id,
        id=old,
    )
    bench.system.product("7", code="NEW")

    await bench.sync("products")

    found = {row["code"]: row["third_party_reference"] for row in await bench.world.rows(PRODUCTS)}
    assert found == {"OLD": None, "NEW": "7"}


async def test_records_that_cannot_be_read_are_parked_one_by_one(bench: Bench) -> None:
    bench.system.page_size = 10
    bench.system.product("1")
    bench.system.product("2", name=None)
    bench.system.product("3", name="explode")
    bench.system.product("4", code="x" * 200)
    bench.system.product("5")

    run = await bench.sync("products")

    assert (run["state"], run["created"], run["parked"]) == ("SUCCEEDED", 2, 3)
    parked = await bench.world.rows("SELECT external_key, reason, path FROM sync_exceptions ORDER BY external_key")
    assert parked == [
        {"external_key": "2", "reason": "RECORD_REJECTED", "path": "name"},
        {"external_key": "3", "reason": "MAPPING_FAILED", "path": None},
        {"external_key": "4", "reason": "INVALID", "path": "code"},
    ]


async def test_a_parked_record_is_resolved_when_it_comes_in_order(bench: Bench) -> None:
    bench.system.product("2", name=None)
    await bench.sync("products")

    bench.system.product("2", name="Mended")
    await bench.sync("products")

    assert await bench.world.rows("SELECT state, resolved_by FROM sync_exceptions") == [
        {"state": "RESOLVED", "resolved_by": "system"}
    ]


async def test_another_attempt_on_a_parked_record_is_counted_not_doubled(bench: Bench) -> None:
    for _ in range(2):
        bench.system.product("2", name=None)
        await bench.sync("products")

    assert await bench.world.rows("SELECT state, attempts FROM sync_exceptions") == [{"state": "OPEN", "attempts": 2}]


async def test_what_postgres_cannot_keep_is_parked_readably(bench: Bench) -> None:
    bench.system.product("1", name=None, note="a\x00b\ud800c", nested=[{"x": float("nan")}])

    run = await bench.sync("products")

    assert run["parked"] == 1
    payload = await bench.world.value("SELECT payload FROM sync_exceptions")
    assert (payload["note"], payload["nested"]) == ("ab?c", [{"x": "nan"}])


async def test_a_full_resynchronisation_restores_what_was_changed_here(bench: Bench) -> None:
    bench.system.product("1")
    await bench.sync("products")
    await bench.world.run("UPDATE products SET name = 'Changed here'")

    await bench.sync("products")
    unchanged = await bench.world.value("SELECT name FROM products")
    await bench.resync()

    assert unchanged == "Changed here"
    assert await bench.world.value("SELECT name FROM products") == "Product 1"
