"""Single records come in when somebody calls for them: a trigger, a retry, a deletion outside."""

import asyncio
from typing import Any

import pytest

from hub.context import Grant, Level, Scope
from hub.errors import Conflict, NotAllowed, NotFound, Retryable
from hub.services import order_moves
from hub.sync import exceptions, inbox, retries
from tests.hub.sync.bench import Bench
from tests.hub.sync.test_engine import raising
from tests.hub.sync.test_intake_orders import orders, stocked
from tests.hub.sync.vendor import CODE

MESSAGES = "SELECT topic, state, message, attempts FROM inbox ORDER BY id"


async def receive(bench: Bench, topic: str, key: str, payload: Any = None) -> int:
    return await bench.database.write(
        bench.scope, lambda work: inbox.receive(work, code=CODE, topic=topic, key=key, payload=payload)
    )


async def work_on(bench: Bench, message_id: int) -> dict[str, Any]:
    await inbox.work_on_message(bench.outside, tenant_id=bench.world.tenant_id, message_id=message_id)
    return (await bench.world.rows(MESSAGES))[-1]


async def retry(bench: Bench, exception_id: int) -> dict[str, Any]:
    await bench.database.write(bench.scope, lambda work: inbox.retry_exception(work, exception_id=exception_id))
    return await work_on(bench, await bench.world.value("SELECT max(id) FROM inbox"))


async def test_a_trigger_takes_the_document_in_as_it_is_outside(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("811", ("1", 2))

    done = await work_on(bench, await receive(bench, "orders", "811"))

    assert (done["state"], done["message"]) == ("DONE", None)
    assert [row["key"] for row in await orders(bench)] == ["811"]


async def test_the_same_trigger_waits_once(bench: Bench) -> None:
    ids = await asyncio.gather(*(receive(bench, "orders", "811") for _ in range(4)))

    assert len(set(ids)) == 1
    assert await bench.world.value("SELECT count(*) FROM inbox") == 1


async def test_what_a_vendor_sends_along_is_only_a_hint_where_the_record_can_be_asked_for(bench: Bench) -> None:
    message_id = await receive(bench, "products", "5", {"id": "5", "code": "SKU-5", "name": "Anybody could send this"})
    bench.system.product("5", name="Asked for")

    done = await work_on(bench, message_id)

    assert done["state"] == "DONE"
    assert await bench.world.value("SELECT name FROM products") == "Asked for"


async def test_an_unknown_document_is_said_to_be_unknown(bench: Bench) -> None:
    done = await work_on(bench, await receive(bench, "orders", "404"))

    assert done["state"] == "FAILED"
    assert "no record 404" in done["message"]


async def test_a_deletion_outside_cancels_what_is_not_picked(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    bench.system.order("2", ("1", 1))
    await bench.sync("orders")
    picked = await bench.world.value("SELECT id FROM orders WHERE third_party_reference = '2'")
    await bench.database.write(bench.scope, lambda work: order_moves.change_status(work, order_id=picked, status=3))

    gone = await work_on(bench, await receive(bench, "deleted:orders", "1"))
    kept = await work_on(bench, await receive(bench, "deleted:orders", "2"))

    assert (gone["state"], kept["state"]) == ("DONE", "FAILED")
    assert [row["status"] for row in await orders(bench)] == [0, 3]


async def test_a_vendor_that_does_not_answer_is_asked_again_later(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("1", 1))
    bench.system.traps["orders"] = [raising(Retryable("no answer"))]
    message_id = await receive(bench, "orders", "1")

    waiting = await work_on(bench, message_id)
    done = await work_on(bench, message_id)

    assert (waiting["state"], waiting["attempts"], waiting["message"]) == ("WAITING", 1, "no answer")
    assert done["state"] == "DONE"


async def test_nothing_is_asked_of_a_connection_that_is_switched_off(bench: Bench) -> None:
    message_id = await receive(bench, "orders", "1")
    await bench.world.run("UPDATE integrations SET active = false")

    done = await work_on(bench, message_id)

    assert done["state"] == "FAILED"
    assert "not active" in done["message"]


async def test_a_parked_record_is_taken_in_as_it_is_now_when_somebody_retries(bench: Bench) -> None:
    bench.system.product("1", name=None)
    await bench.sync("products")
    exception_id = await bench.world.value("SELECT id FROM sync_exceptions")
    bench.system.product("1", name="Mended")

    done = await retry(bench, exception_id)

    assert done["state"] == "DONE"
    assert await bench.world.value("SELECT state FROM sync_exceptions") == "RESOLVED"
    assert await bench.world.value("SELECT name FROM products") == "Mended"


async def test_a_retry_that_fails_again_stays_parked_with_the_new_reason(bench: Bench) -> None:
    bench.system.product("1", name=None)
    await bench.sync("products")
    exception_id = await bench.world.value("SELECT id FROM sync_exceptions")
    del bench.system.records["products"]["1"]

    await retry(bench, exception_id)

    (parked,) = await bench.world.rows("SELECT state, attempts, reason, message FROM sync_exceptions")
    assert (parked["state"], parked["attempts"], parked["reason"]) == ("OPEN", 2, "NOT_FOUND")
    assert "no record 1" in parked["message"]


async def test_users_retry_and_administrators_dismiss(bench: Bench) -> None:
    bench.system.product("1", name=None)
    await bench.sync("products")
    exception_id = await bench.world.value("SELECT id FROM sync_exceptions")

    def scope(level: Level) -> Scope:
        return Scope({bench.world.tenant_id: Grant(level)})

    for service, level in ((inbox.retry_exception, Level.VIEWER), (exceptions.dismiss, Level.USER)):
        with pytest.raises(NotAllowed):
            await bench.database.write(scope(level), lambda work, s=service: s(work, exception_id=exception_id))
    await bench.database.write(scope(Level.USER), lambda work: inbox.retry_exception(work, exception_id=exception_id))
    await bench.database.write(
        scope(Level.ADMINISTRATOR), lambda work: exceptions.dismiss(work, exception_id=exception_id)
    )

    assert await bench.world.value("SELECT state FROM sync_exceptions") == "DISMISSED"
    with pytest.raises(Conflict):
        await bench.database.write(bench.scope, lambda work: exceptions.dismiss(work, exception_id=exception_id))
    with pytest.raises(NotFound):
        await bench.database.write(bench.scope, lambda work: exceptions.dismiss(work, exception_id=999))


async def test_what_was_dismissed_stays_so_until_it_comes_another_way(bench: Bench) -> None:
    bench.system.product("1", name=None)
    bench.system.product("2", name=None)
    await bench.sync("products")
    first = await bench.world.value("SELECT id FROM sync_exceptions WHERE external_key = '1'")
    await bench.database.write(bench.scope, lambda work: exceptions.dismiss(work, exception_id=first))
    states = "SELECT external_key AS key, state, attempts FROM sync_exceptions ORDER BY external_key, id"

    await bench.resync()
    read_again = await bench.world.rows(states)
    bench.system.product("1", name=None, code="changed")
    await bench.sync("products")

    assert [tuple(row.values()) for row in read_again] == [("1", "DISMISSED", 1), ("2", "OPEN", 2)]
    assert [tuple(row.values()) for row in await bench.world.rows(states)] == [
        ("1", "DISMISSED", 1),
        ("1", "OPEN", 1),
        ("2", "OPEN", 2),
    ]


async def test_a_product_added_by_hand_lets_waiting_orders_in(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("9", 1))
    await bench.sync("orders")

    before = await retries.retry_waiting(bench.outside, bench.world.tenant_id, CODE)
    await bench.world.add_product("SKU-9")
    tried = await retries.retry_waiting(bench.outside, bench.world.tenant_id, CODE)

    assert (before, tried) == (0, 1)
    assert [row["number"] for row in await orders(bench)] == ["N1"]


async def test_a_record_that_keeps_waiting_is_tried_less_and_less(bench: Bench) -> None:
    await stocked(bench, "1")
    bench.system.order("1", ("9", 1))
    await bench.sync("orders")
    await bench.world.add_product("OTHER", third_party_reference="SKU-9")

    tried = [await retries.retry_waiting(bench.outside, bench.world.tenant_id, CODE) for _ in range(3)]

    assert tried == [1, 0, 0]
