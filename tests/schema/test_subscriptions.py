"""Live streams: nothing lost, nothing twice, the present state first, one payload for many readers."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, text

from hub.context import Scope
from hub.cursors import encode_cursor
from hub.models.syncs import SyncRun
from hub.services import notifications, orders, print_jobs
from hub.services.notifications import NotificationDraft
from tests.schema.served import Served, Socket, furnished, within

ORDERS = """subscription ($after: String, $ids: [ID!]) {
    orderChanges(after: $after, ids: $ids) { cursor kind internalId order { externalOrderId } data } }"""
STOCK = "subscription ($ids: [ID!]) { stockChanges(ids: $ids) { kind product { code totalQuantityInStock } } }"
NOTES = "subscription { notifications { notification { title } } }"
PRINTS = "subscription { printJobs { kind printJob { state documentType } } }"
EVENTS = "subscription { syncEvents { topic kind run { state } data } }"
RUN = "subscription ($id: ID!, $after: String) { syncRun(id: $id, after: $after) { cursor kind run { state } } }"


@pytest.fixture
async def shop(served: Served) -> Served:
    """A tenant of its own."""
    return await furnished(served.services, served.port)


async def happened(shop: Served, *numbers: int, topic: str = "order", **options: Any) -> None:
    async with shop.services.database.unit_of_work(Scope.of_system(shop.tenant_id)) as work:
        for number in numbers:
            work.emit(topic, "added", subject_id=number, number=number, **options)


async def supplied(shop: Served, code: str) -> int:
    """A product of which there are 5."""
    product_id = await shop.room.world.add_product(code)
    await shop.room.receive(product_id, 5)
    return product_id


async def number_of(socket: Socket) -> int:
    return int((await socket.data())["data"]["number"])


async def followed(shop: Served, socket: Socket, query: str, count: int = 1, **variables: Any) -> None:
    await socket.subscribe(query, **variables)
    await shop.eventually_followed_by(count)


async def test_changes_of_orders_are_told_with_the_order_as_it_is_now(shop: Served) -> None:
    await supplied(shop, "P")
    async with shop.socket("viewer") as socket:
        await followed(shop, socket, ORDERS)
        order_id = await shop.room.order("A-1", ("P", 2))
        added = await socket.data()
        await shop.room.do(orders.update, targets={"id": [order_id]}, changes={"comment": "soon"})
        updated = await socket.data()
        await shop.room.do(orders.delete, targets={"id": [order_id]})
        gone = await socket.data()
        while gone["kind"] != "deleted":
            gone = await socket.data()

    assert (added["kind"], added["internalId"], added["order"]) == ("added", order_id, {"externalOrderId": "A-1"})
    assert updated["order"] == {"externalOrderId": "A-1"} and updated["kind"] != "added"
    assert (gone["internalId"], gone["order"]) == (order_id, None)


async def test_a_reader_that_comes_back_misses_nothing_and_sees_nothing_twice(shop: Served) -> None:
    seen: list[int] = []
    cursor: str | None = None
    async with shop.socket() as socket:
        await followed(shop, socket, ORDERS)
        await happened(shop, *range(1, 6))
        for _ in range(3):
            told = await socket.data()
            seen.append(told["data"]["number"])
            cursor = told["cursor"]
    await happened(shop, *range(6, 9))

    async with shop.socket() as socket:
        await followed(shop, socket, ORDERS, after=cursor)
        await happened(shop, 9, 10)
        while seen[-1] != 10:
            seen.append(await number_of(socket))

    assert seen == list(range(1, 11))


async def test_the_same_stream_goes_on_over_events(shop: Served) -> None:
    start = encode_cursor({shop.tenant_id: 0})
    await happened(shop, 1, 2)
    query = f'subscription {{ orderChanges(after: "{start}") {{ data }} }}'

    async with shop.events(query) as stream:
        told = [(await within(stream))["data"]["orderChanges"]["data"]["number"] for _ in range(2)]

    assert told == [1, 2]


async def test_a_cursor_that_is_no_longer_kept_is_refused(shop: Served) -> None:
    await happened(shop, 1, 2, 3)
    start = encode_cursor({shop.tenant_id: 0})
    async with shop.socket() as socket:
        await followed(shop, socket, ORDERS, after=start)
        assert [await number_of(socket) for _ in range(3)] == [1, 2, 3]
    async with shop.services.database.system_work() as session:
        forget = text("UPDATE event_heads SET kept_from = 3 WHERE tenant_id = :id")
        await session.execute(forget, {"id": shop.tenant_id})
    async with shop.socket() as socket:
        await socket.subscribe(ORDERS, after=start)
        payload, end = await socket.next(), await socket.told()

    assert payload["errors"][0]["extensions"]["code"] == "CURSOR_EXPIRED" and end["type"] == "complete"
    await shop.eventually_followed_by(0)


@pytest.mark.parametrize("after", ["", "nonsense", "\u00e9", "x" * 10_000, "AAAA", "-1"])
async def test_a_cursor_that_is_none_is_refused(shop: Served, after: str) -> None:
    async with shop.socket() as socket:
        await socket.subscribe(ORDERS, after=after)

        assert (await socket.next())["errors"][0]["extensions"]["code"] == "INVALID"


async def test_named_records_are_told_as_they_are_before_what_changes(shop: Served) -> None:
    product = await supplied(shop, "P")
    other = await supplied(shop, "Q")
    async with shop.socket() as socket:
        await followed(shop, socket, STOCK, ids=[f"Product:{shop.tenant_id}:{product}"])
        first = await socket.data()
        await shop.room.take(other, 1)
        await shop.room.take(product, 2)
        second = await socket.data()

    assert first == {"kind": "snapshot", "product": {"code": "P", "totalQuantityInStock": "5"}}
    assert second == {"kind": "changed", "product": {"code": "P", "totalQuantityInStock": "3"}}


@pytest.mark.parametrize("ids", [[], ["nonsense"], ["Product:1:x"], ["Order:1:1"] * 300, ["Product:999999:1"]])
async def test_ids_that_name_nothing_to_follow_are_refused(shop: Served, ids: list[str]) -> None:
    async with shop.socket() as socket:
        await socket.subscribe(STOCK, ids=ids)

        assert (await socket.next())["errors"][0]["extensions"]["code"] in ("INVALID", "NOT_FOUND")


async def test_notifications_reach_whom_they_are_for(shop: Served) -> None:
    async with shop.socket("clerk") as clerk, shop.socket("viewer") as viewer:
        await followed(shop, clerk, NOTES)
        await followed(shop, viewer, NOTES, 2)
        for title, recipient in (("for admin", 1), ("for clerk", 2), ("for all", None)):
            draft = NotificationDraft(title=title, message="m", recipient_id=recipient)
            await shop.room.do(notifications.add, notification=draft)

        told = [(await clerk.data())["notification"]["title"] for _ in range(2)]
        assert told == ["for clerk", "for all"]
        assert (await viewer.data())["notification"]["title"] == "for all"


async def test_a_print_station_follows_its_jobs(shop: Served) -> None:
    await supplied(shop, "P")
    order_id = await shop.room.order("A-1", ("P", 2))
    async with shop.socket() as socket:
        await followed(shop, socket, PRINTS)
        job = await shop.room.do(print_jobs.queue, order_id=order_id, document_type="NOTICE")
        queued = await socket.data()
        await shop.room.do(print_jobs.done, print_job_id=job)
        done = await socket.data()

    assert queued == {"kind": "queued", "printJob": {"state": "QUEUED", "documentType": "NOTICE"}}
    assert (done["kind"], done["printJob"]["state"]) == ("done", "DONE")


async def started_run(shop: Served) -> int:
    await shop.room.world.connect("GOMAG")
    async with shop.services.database.unit_of_work(Scope.of_system(shop.tenant_id)) as work:
        run_id = await work.next_id("sync_run")
        row = {"tenant_id": shop.tenant_id, "id": run_id, "code": "GOMAG", "stream": "orders", "direction": "IN"}
        await work.session.execute(
            insert(SyncRun), [row | {"state": "RUNNING", "lease_until": datetime.now(UTC) + timedelta(hours=1)}]
        )
    return run_id


async def end_run(shop: Served, run_id: int) -> None:
    async with shop.services.database.unit_of_work(Scope.of_system(shop.tenant_id)) as work:
        await work.session.execute(text("UPDATE sync_runs SET state = 'SUCCEEDED' WHERE id = :id"), {"id": run_id})
        work.emit("sync", "run_finished", run_id=run_id, state="SUCCEEDED")


async def test_a_run_is_told_from_its_present_state_to_its_end(shop: Served) -> None:
    run_id = await started_run(shop)
    async with shop.socket() as socket, shop.socket() as events:
        await followed(shop, events, EVENTS)
        await followed(shop, socket, RUN, 2, id=f"SyncRun:{shop.tenant_id}:{run_id}")
        first = await socket.data()
        await happened(shop, 7, topic="order", run_id=run_id)
        await happened(shop, 8, topic="order")
        await end_run(shop, run_id)
        last, end = await socket.data(), await socket.told()
        told = [await events.data() for _ in range(2)]
        await socket.subscribe(RUN, id=f"SyncRun:{shop.tenant_id}:{run_id}", after=first["cursor"])
        resumed, again = await socket.data(), await socket.told()

    assert (first["kind"], first["run"]) == ("snapshot", {"state": "RUNNING"})
    assert (last["kind"], last["run"]) == ("run_finished", {"state": "SUCCEEDED"})
    assert resumed["run"] == {"state": "SUCCEEDED"} and end["type"] == again["type"] == "complete"
    assert [(event["topic"], event["kind"]) for event in told] == [("order", "added"), ("sync", "run_finished")]


@pytest.mark.parametrize("id_", ["SyncRun:{tenant}:999", "SyncRun:999999:1", "Order:{tenant}:1", "nonsense"])
async def test_a_run_that_is_none_is_refused(shop: Served, id_: str) -> None:
    async with shop.socket() as socket:
        await socket.subscribe(RUN, id=id_.format(tenant=shop.tenant_id))

        assert (await socket.next())["errors"][0]["extensions"]["code"] in ("INVALID", "NOT_FOUND")


async def test_nobody_is_told_of_another_tenant(shop: Served) -> None:
    other = await furnished(shop.services, shop.port)
    async with shop.socket() as socket:
        await followed(shop, socket, ORDERS)
        await happened(other, 1)
        await happened(shop, 2)

        assert await number_of(socket) == 2
        await socket.subscribe(
            f'subscription {{ orderChanges(tenants: ["{other.slug}"]) {{ cursor }} }}', operation="other"
        )
        assert (await socket.next())["errors"][0]["extensions"]["code"] == "NOT_FOUND"


async def test_many_readers_of_one_selection_are_told_one_payload(shop: Served) -> None:
    fresh = "subscription ($after: String) { orderChanges(after: $after) { kind data } }"
    other = "subscription { orderChanges { kind data internalId } }"
    async with AsyncExitStack() as stack:
        readers = [await stack.enter_async_context(shop.socket("viewer")) for _ in range(10)]
        for count, reader in enumerate(readers, start=1):
            await followed(shop, reader, fresh, count, after=None if count % 2 else encode_cursor({shop.tenant_id: 0}))
        different = await stack.enter_async_context(shop.socket("viewer"))
        await followed(shop, different, other, 11)
        await happened(shop, 1)
        payloads = [await reader.next() for reader in readers]
        unlike = await different.next()

    # The id is of the request for which the payload was worked out.
    assert len({payload["extensions"]["requestId"] for payload in payloads}) == 1
    assert unlike["extensions"]["requestId"] != payloads[0]["extensions"]["requestId"]


async def test_a_slow_reader_is_let_go_with_the_cursor_to_come_back_with(shop: Served) -> None:
    async with shop.socket(max_queue=1) as slow:
        await followed(shop, slow, "subscription { orderChanges { data } }")
        slow.connection.transport.pause_reading()  # type: ignore[union-attr]
        for first in range(1, 4001, 200):
            await happened(shop, *range(first, first + 200), padding="x" * 5_000)
        async with asyncio.timeout(20):
            while True:
                feed = shop.services.feed
                if any(follower.cut for follower in feed._followers):
                    break
                await asyncio.sleep(0.02)
        slow.connection.transport.resume_reading()  # type: ignore[union-attr]
        seen = []
        while "errors" not in (payload := await slow.next()):
            seen.append(payload["data"]["orderChanges"]["data"]["number"])
        [error] = payload["errors"]
        await followed(
            shop, slow, ORDERS.replace(" order { externalOrderId }", ""), after=error["extensions"]["cursor"]
        )
        assert error["extensions"]["code"] == "SLOW_CONSUMER"
        while True:
            message = await slow.told()
            if message["type"] == "next":
                break

    assert seen == list(range(1, len(seen) + 1)) and len(seen) < 4000
    assert message["payload"]["data"]["orderChanges"]["data"]["number"] == len(seen) + 1


async def test_rights_that_end_close_sockets_and_streams(shop: Served) -> None:
    async with shop.socket("viewer") as ended, shop.socket("clerk") as lowered, shop.socket("admin") as kept:
        async with shop.events(NOTES, user="viewer") as stream:
            for socket in (ended, lowered, kept):
                await socket.subscribe(NOTES)
            await shop.eventually_followed_by(4)

            await shop.change_user("viewer", active=False)
            await shop.change_user("clerk", level=1)

            assert [await ended.closed(), await lowered.closed()] == [4403, 4403]
            last, end = await within(stream), await within(stream)
        assert last["errors"][0]["extensions"]["code"] == "FORBIDDEN" and end is None
        await shop.eventually_followed_by(1)
        await kept.send(type="ping")
        assert await kept.told() == {"type": "pong"}


async def test_an_account_follows_all_its_tenants_with_one_cursor(shop: Served) -> None:
    other = await furnished(shop.services, shop.port)
    email = f"op@{shop.slug}.test"
    async with shop.services.database.system_work() as session:
        await session.execute(
            text("INSERT INTO memberships (account_id, tenant_id, level, permissions)"
                 " SELECT id, :tenant, 1, '{}' FROM accounts WHERE email = :email"),
            {"tenant": other.tenant_id, "email": email},
        )  # fmt: skip
    query = "subscription ($after: String) { orderChanges(after: $after) { cursor tenant { slug } data } }"
    cursor = encode_cursor({shop.tenant_id: 0, other.tenant_id: 0})
    seen = set()
    for tenant in (shop, other, shop):
        await happened(tenant, 1)
        async with shop.socket(email, domain="localhost") as socket:
            await socket.subscribe(query, after=cursor)
            told = await socket.data()
        cursor = told["cursor"]
        seen.add(told["tenant"]["slug"])

    assert seen == {shop.slug, other.slug}
