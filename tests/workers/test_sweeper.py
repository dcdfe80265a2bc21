"""What time or accident left behind is put right by scans of the database."""

from datetime import timedelta

from hub.services import orders
from hub.services.order_drafts import OrderDraft, OrderLineDraft
from hub.sync import runs
from tests.hub.sync.bench import Bench
from tests.hub.sync.test_intake_orders import orders as orders_of
from tests.hub.sync.test_intake_orders import stocked
from workers import sweeper


async def test_a_run_whose_worker_died_is_free_again_under_a_new_slice(bench: Bench) -> None:
    (run_id,) = await bench.start("products")
    await bench.world.run(
        "UPDATE sync_runs SET state = 'RUNNING', lease_owner = 'dead', lease_until = now() - interval '1 second'"
    )

    given = await sweeper.give_back_leases(bench.database)

    run = await bench.run(run_id)
    assert given >= 1
    assert (run["state"], run["lease_owner"], run["slice"]) == ("RUNNING", None, 1)


async def test_a_cancelled_run_whose_worker_died_is_ended(bench: Bench) -> None:
    (run_id,) = await bench.start("products")
    await bench.world.run(
        "UPDATE sync_runs SET state = 'RUNNING', lease_owner = 'dead', lease_until = now() + interval '1 minute'"
    )
    await bench.database.write(
        bench.scope, lambda work: runs.cancel(work, run_id=run_id, registry=bench.outside.registry)
    )
    still = (await bench.run(run_id))["state"]
    await bench.world.run("UPDATE sync_runs SET lease_until = now() - interval '1 second'")

    await sweeper.end_cancelled_runs(bench.outside)

    assert (still, (await bench.run(run_id))["state"]) == ("RUNNING", "CANCELED")


async def test_orders_that_wait_for_a_product_come_in_when_somebody_adds_it(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("9", 1))
    await bench.sync("orders")
    await bench.world.add_product("SKU-9")

    await sweeper.retry_waiting_records(bench.outside)

    assert [row["number"] for row in await orders_of(bench)] == ["N1"]


async def test_orders_that_wait_for_goods_are_served_when_goods_came(bench: Bench) -> None:
    product_id = await bench.world.add_product("A")
    draft = OrderDraft(external_order_id="W", lines=[OrderLineDraft(product_id=product_id, quantity=3)])
    await bench.database.write(bench.scope, lambda work: orders.add(work, orders=[draft]))
    waiting = await bench.world.value("SELECT status FROM orders")
    await bench.add_stock(product_id, 3)

    await sweeper.recheck_waiting_orders(bench.database)

    assert (waiting, await bench.world.value("SELECT status FROM orders")) == (6, 2)


async def test_every_chore_can_be_done_at_any_time(bench: Bench) -> None:
    await stocked(bench, "1")

    for chore in sweeper.chores_of(bench.outside, timedelta(days=30)):
        await chore.work()
        await chore.work()
