"""GraphQL over Server-Sent Events: distinct connections that live through silence and end with the caller's right."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from hub.db import Database
from schema.execution import Stream
from schema.sse import EventStream
from tests.schema.served import PATIENCE, Served, furnished

FOLLOW = "subscription { notifications { cursor notification { title } } }"
ADD = "mutation ($t: String!) { notificationAdd(input: {title: $t, message: $t}) { userErrors { code } } }"
EVENTS = {"Accept": "text/event-stream"}


@asynccontextmanager
async def following(served: Served, query: str = FOLLOW, *, user: str = "admin") -> AsyncIterator[AsyncIterator[Any]]:
    """The payloads of a stream as they come; None when the hub says that it is complete."""
    async with (
        served.http(user) as http,
        http.stream("POST", "/graphql", json={"query": query}, headers=EVENTS) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Accel-Buffering"] == "no"
        assert answer.headers["X-Request-Id"]
        yield payloads(answer)


async def payloads(answer: httpx.Response) -> AsyncIterator[Any]:
    kind = ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            kind = value.strip()
        elif field == "data":
            yield json.loads(value) if kind == "next" else None


async def following_one(stream: AsyncIterator[Any]) -> Any:
    async with asyncio.timeout(PATIENCE):
        return await anext(stream)


async def test_events_come_one_by_one_and_a_client_that_leaves_leaves_nothing_behind(served: Served) -> None:
    async with following(served) as stream:
        await served.eventually_followed_by(1)
        for title in ("one", "two"):
            await served.ask(ADD, t=title)
            payload = await following_one(stream)
            assert payload["data"]["notifications"]["notification"] == {"title": title}
    await served.eventually_followed_by(0)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_is_one_event_and_the_end(served: Served, method: str) -> None:
    asked = {"query": "{ __typename }"}
    async with served.http() as http:
        options: dict[str, Any] = {"params": asked} if method == "GET" else {"json": asked}
        answer = await http.request(method, "/graphql", headers=EVENTS, **options)

    told = [payload async for payload in payloads(answer)]
    assert [payload and payload["data"] for payload in told] == [{"__typename": "Query"}, None]


async def test_a_subscription_over_plain_json_is_not_acceptable(served: Served) -> None:
    async with served.http() as http:
        answer = await http.post("/graphql", json={"query": FOLLOW}, headers={"Accept": "application/json"})

    assert answer.status_code == 406 and answer.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


async def test_a_bad_cursor_is_told_in_the_stream(served: Served) -> None:
    query = 'subscription { notifications(after: "nonsense") { cursor } }'
    async with following(served, query) as stream:
        told = [await following_one(stream), await following_one(stream)]

    assert told[0]["errors"][0]["extensions"]["code"] == "INVALID" and told[1] is None


async def test_a_right_that_ends_ends_the_stream(database: Database, served: Served) -> None:
    hub = await furnished(database, served.services, served.port)
    async with following(hub, user="viewer") as stream:
        await hub.eventually_followed_by(1)
        await hub.change_user("viewer", active=False)

        payload, end = await following_one(stream), await following_one(stream)

    assert payload["errors"][0]["extensions"]["code"] == "FORBIDDEN" and end is None
    await hub.eventually_followed_by(0)


async def sent(answers: Stream, *, allowed: int) -> list[bytes]:
    """What a stream writes to a silent connection; its rights are looked at every hundredth of a second."""
    looks = iter([True] * allowed + [False])
    written: list[bytes] = []

    async def still_allowed() -> bool:
        return next(looks)

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            written.append(message["body"])

    async def receive() -> Any:
        await asyncio.Event().wait()

    await EventStream(answers, still_allowed, "id", every=0.01)({"type": "http"}, receive, send)
    return written


async def test_silence_is_broken_by_comments() -> None:
    closed = False

    async def silent() -> Stream:
        nonlocal closed
        try:
            await asyncio.Event().wait()
            yield b""
        finally:
            closed = True

    written = await sent(silent(), allowed=7)

    assert written[:3] == [b":\n\n"] * 3 and b"FORBIDDEN" in written[3] and closed


async def test_rights_are_looked_at_however_busy_the_stream_is() -> None:
    async def busy() -> Stream:
        while True:
            yield b"{}"
            await asyncio.sleep(0)

    written = await sent(busy(), allowed=3)

    assert b"FORBIDDEN" in written[-2] and written[-1].startswith(b"event: complete")
