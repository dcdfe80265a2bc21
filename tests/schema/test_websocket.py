"""graphql-transport-ws as its specification wants it; every malformed message closes the socket with its own code."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import websockets

from hub.context import Scope
from hub.settings import Settings
from tests.schema.served import PASSWORD, Served, furnished, serving

FOLLOW = "subscription { orderChanges { cursor } }"
INIT = {"type": "connection_init"}


def subscribe(id: Any = "1", query: Any = FOLLOW, **payload: Any) -> dict[str, Any]:
    return {"id": id, "type": "subscribe", "payload": {"query": query, **payload}}


@pytest.mark.parametrize(
    "text",
    ["not json", "42", "null", "[]", "{}", '{"type": 42}', '{"type": "nonsense"}', '{"type": "ping", "payload": 42}',
     '{"type": "pong", "payload": []}', '{"type": "connection_init", "payload": []}', '{"type": "next", "id": "1"}',
     '{"type": "start", "id": "1"}', '{"type": "ping", "type": "ping"}', '{"type": "ping", "payload": {"a": NaN}}',
     '{"type": "ping", "payload": {"a": "\\ud800"}}', "[" * 5_000, "9" * 5_000, '{"a":' * 200 + "1" + "}" * 200,
     '{"type": "complete"}', b"\x01\x02"],
    ids=lambda text: str(text)[:40],
)  # fmt: skip
async def test_a_malformed_message_is_4400(served: Served, text: str | bytes) -> None:
    async with served.connected() as socket:
        await socket.connection.send(text)

        assert await socket.closed() == 4400


@pytest.mark.parametrize(
    "message",
    [subscribe(id=None), subscribe(id=1), subscribe(id=""), subscribe(id="x" * 300), subscribe(query=None),
     subscribe(query=1), subscribe(variables=[]), subscribe(operationName=1), subscribe(extensions="x"),
     {"id": "1", "type": "subscribe"}, {"id": "1", "type": "subscribe", "payload": []},
     {"id": "1", "type": "subscribe", "payload": None}, {"id": "1", "type": "subscribe", "payload": "{a}"}],
    ids=lambda message: json.dumps(message)[:60],
)  # fmt: skip
async def test_a_malformed_subscribe_is_4400(served: Served, message: dict[str, Any]) -> None:
    async with served.socket() as socket:
        await socket.send(**message)

        assert await socket.closed() == 4400


async def test_subscribing_before_the_handshake_is_4401(served: Served) -> None:
    async with served.connected() as socket:
        await socket.send(**subscribe())

        assert await socket.closed() == 4401


@pytest.mark.parametrize(
    "credentials", ["Bearer admin:wrong", "Bearer nobody:x", "nonsense", "Bearer \x01:x", "é" * 5_000]
)
async def test_wrong_credentials_are_4403(served: Served, credentials: str) -> None:
    async with served.connected() as socket:
        await socket.send(**INIT, payload={"authorization": credentials})

        assert await socket.closed() == 4403


@pytest.mark.parametrize("protocol", ["graphql-ws", "nonsense"])
async def test_another_subprotocol_is_4406(served: Served, protocol: str) -> None:
    async with served.connected(protocol=protocol) as socket:
        assert await socket.closed() == 4406


async def test_a_socket_that_never_shakes_hands_is_4408(door_settings: Settings) -> None:
    async with serving(replace(door_settings, init_timeout=timedelta(seconds=1))) as (services, port):
        hub = await furnished(services, port)
        async with hub.connected() as socket:
            await socket.send(type="ping")
            assert await socket.told() == {"type": "pong"}
            assert await socket.closed() == 4408


async def test_an_id_in_use_is_4409(served: Served) -> None:
    async with served.socket() as socket:
        await socket.send(**subscribe())
        await socket.send(**subscribe())

        assert await socket.closed() == 4409
    await served.eventually_followed_by(0)


async def test_a_second_handshake_is_4429(served: Served) -> None:
    async with served.socket() as socket:
        await socket.send(**INIT)

        assert await socket.closed() == 4429


async def test_a_thousand_subscriptions_are_4429_and_leave_nothing_behind(served: Served) -> None:
    async with served.socket() as socket:
        with pytest.raises(websockets.ConnectionClosed):
            for number in range(1_000):
                await socket.send(**subscribe(id=str(number)))
            await socket.connection.wait_closed()
            await socket.send(type="ping")

        assert socket.connection.close_code == 4429
    await served.eventually_followed_by(0)


async def test_a_message_that_is_too_large_closes_the_socket(served: Served) -> None:
    async with served.socket() as socket:
        await socket.connection.send('{"type": "ping", "payload": {"a": "' + "x" * 3_000_000 + '"}}')

        assert await socket.closed() == 1009


async def test_crumbs_close_the_socket(served: Served) -> None:
    async def crumbs() -> Any:
        for _ in range(5_000):
            yield "x"

    async with served.socket() as socket:
        with pytest.raises(websockets.ConnectionClosed):
            await socket.connection.send(crumbs())
            await socket.connection.wait_closed()
            await socket.send(type="ping")
        assert socket.connection.close_code == 1009


async def test_pings_are_answered_before_and_after_the_handshake(served: Served) -> None:
    async with served.connected() as socket:
        await socket.send(type="ping", payload={"a": 1})
        assert await socket.told() == {"type": "pong"}
        await socket.send(type="pong")
        await socket.send(**INIT, payload=None)
        assert (await socket.told())["type"] == "connection_ack"


async def test_queries_and_mutations_have_one_answer(served: Served) -> None:
    async with served.socket() as socket:
        await socket.subscribe("{ __typename }", operation="q")
        answer, end = await socket.told(), await socket.told()
        await socket.subscribe(
            'mutation { notificationAdd(input: {title: "a", message: "b"}) { userErrors { code } } }', id="m"
        )
        mutated, _ = await socket.told(), await socket.told()

    assert (answer["id"], answer["type"], answer["payload"]["data"]) == ("q", "next", {"__typename": "Query"})
    assert end == {"id": "q", "type": "complete"}
    assert mutated["payload"]["data"] == {"notificationAdd": {"userErrors": []}}


@pytest.mark.parametrize(
    "query",
    ["{", "", "{ nothing }", "{ products(first: 0) { nodes { id } } }", "subscription { orderChanges { nothing } }",
     "subscription { a: orderChanges { cursor } b: orderChanges { cursor } }",
     "subscription ($a: [String!]!) { orderChanges(tenants: $a) { cursor } }", "{a" * 500 + "}" * 500],
)  # fmt: skip
async def test_what_is_not_executed_is_an_error_and_the_socket_lives(served: Served, query: str) -> None:
    async with served.socket() as socket:
        await socket.subscribe(query)
        refused = await socket.told()
        await socket.subscribe("{ __typename }")
        answer = await socket.told()

    assert refused["type"] == "error" and all(error["extensions"]["code"] for error in refused["payload"])
    assert answer["type"] == "next"


async def test_a_stranger_may_only_log_in(served: Served) -> None:
    async with served.socket(None) as socket:
        await socket.subscribe(FOLLOW, operation="1")
        refused = await socket.told()
        await socket.subscribe(
            f'mutation {{ login(input: {{login: "viewer", password: "{PASSWORD}"}}) {{ username }} }}', id="2"
        )
        answer = await socket.told()

    assert (refused["type"], refused["payload"][0]["extensions"]["code"]) == ("error", "UNAUTHENTICATED")
    assert answer["payload"]["data"] == {"login": {"username": "viewer"}}


async def test_a_session_token_opens_a_socket_and_its_end_closes_it(served: Served) -> None:
    authenticator = served.services.authenticator
    session = await authenticator.login(host=served.host, login="viewer", password=PASSWORD, address="127.0.0.1")
    async with served.connected() as socket:
        await socket.send(**INIT, payload={"authorization": f"Bearer {session.token}"})
        assert (await socket.told())["type"] == "connection_ack"

    scope = await authenticator.by_token(host=served.host, token=session.token)
    assert await authenticator.still_valid(scope)
    assert not await authenticator.still_valid(replace(scope, expires_at=1))


async def test_completing_leaves_no_listener_and_frees_the_id(served: Served) -> None:
    async with served.socket() as socket:
        for _ in range(3):
            await socket.subscribe(FOLLOW)
            await served.eventually_followed_by(1)
            await socket.send(id="1", type="complete")
            await served.eventually_followed_by(0)


async def test_a_socket_that_is_gone_leaves_no_listener(served: Served) -> None:
    async with served.socket() as polite, served.socket() as rude:
        for number in range(5):
            await polite.subscribe(FOLLOW, operation=str(number))
            await rude.subscribe(FOLLOW, operation=str(number))
        await served.eventually_followed_by(10)
        rude.connection.transport.abort()
        await served.eventually_followed_by(5)
    await served.eventually_followed_by(0)


async def test_a_reader_that_takes_nothing_is_cut_off(door_settings: Settings) -> None:
    async with serving(replace(door_settings, stall_timeout=timedelta(seconds=1))) as (services, port):
        hub = await furnished(services, port)
        async with hub.socket(max_queue=1, close_timeout=0.1) as deaf:
            await deaf.subscribe("subscription { notifications { notification { message } data } }")
            await hub.eventually_followed_by(1)
            deaf.connection.transport.pause_reading()
            async with asyncio.timeout(30):
                while services.feed.followers:
                    async with services.database.unit_of_work(Scope.of_system(hub.tenant_id)) as work:
                        for _ in range(20):
                            work.emit("notification", "added", padding="x" * 100_000)
                    await asyncio.sleep(0.05)
