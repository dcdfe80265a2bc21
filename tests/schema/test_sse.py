"""GraphQL over Server-Sent Events: distinct connections that live through silence and end with the caller's right."""

import asyncio
from typing import Any

import pytest

from schema.execution import Stream
from schema.sse import EventStream
from tests.schema.served import Served, payloads, within

FOLLOW = "subscription { notifications { cursor notification { title } } }"
ADD = "mutation ($t: String!) { notificationAdd(input: {title: $t, message: $t}) { userErrors { code } } }"
EVENTS = {"Accept": "text/event-stream"}


async def test_events_come_one_by_one_and_a_client_that_leaves_leaves_nothing_behind(served: Served) -> None:
    async with served.events(FOLLOW) as stream:
        await served.eventually_followed_by(1)
        for title in ("one", "two"):
            await served.ask(ADD, t=title)
            payload = await within(stream)
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
    async with served.events(query) as stream:
        told = [await within(stream), await within(stream)]

    assert told[0]["errors"][0]["extensions"]["code"] == "INVALID" and told[1] is None


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
