"""Below HTTP: heads that are slow, endless or nonsense, bodies that dawdle, callers that never read."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.settings import Settings
from schema.doors import HEAD_BYTES
from tests.schema.served import PATIENCE, Served, furnished, serving

POST = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
QUERY = b'{"query": "{ __typename }"}'
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
async def hurried(door_settings: Settings) -> AsyncIterator[Served]:
    """A hub with little patience."""
    second = timedelta(seconds=1)
    settings = replace(door_settings, head_timeout=second, body_timeout=2 * second, stall_timeout=second)
    async with serving(settings) as (services, port):
        yield await furnished(services, port)


async def said(hub: Served, *pieces: bytes, pause: float = 0.0) -> bytes:
    """All that the hub answers to these bytes until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    listening = asyncio.create_task(_heard(reader))
    try:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        return await asyncio.wait_for(listening, PATIENCE)
    finally:
        writer.transport.abort()


async def _heard(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(65_536):
            answer += chunk
    return answer


async def lives(hub: Served) -> bool:
    return bool(await hub.ask("{ __typename }"))


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\x00" * 100,
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: abc\r\n\r\n",
        POST + b"Content-Length: 99999999999999999999999\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + QUERY,
        POST + b"Content-Length: 27\r\nTransfer-Encoding: chunked\r\n\r\n" + QUERY,
        CHUNKED + b"zz\r\n" + QUERY + b"\r\n0\r\n\r\n",
        CHUNKED + b"-1\r\nx\r\n0\r\n\r\n",
        CHUNKED + b"ffffffffffffffffff\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHo st: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        GET.replace(b"/healthz", b"/" + b"x" * (HEAD_BYTES + 1)),
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 1_000_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",
        GET * 200,
    ],
    ids=range(19),
)
async def test_nonsense_ends_the_connection_and_nothing_else(hurried: Served, nonsense: bytes) -> None:
    answer = await said(hurried, nonsense)

    statuses = {line.split()[1] for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")}
    assert not {status for status in statuses if status >= b"5"}, answer[:500]
    assert await lives(hurried)


async def test_a_body_longer_or_shorter_than_it_says_is_refused(hurried: Served) -> None:
    short = await said(hurried, POST + b"Content-Length: 99\r\n\r\n" + QUERY)
    long = await said(hurried, POST + b"Content-Length: 5\r\n\r\n" + QUERY)

    assert short.startswith(b"HTTP/1.1 408 ") and b"x-request-id" in short.lower()
    assert long.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"G"],
        [b"\r\n"],
        [b"GET /healthz HTTP/1.1\r\n", b"X: y\r\n", b"X: y\r\n", b"X: y\r\n"],
        [GET],
        [GET, b"\r\n"],
        [GET, b"GET /hea"],
        [b"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n", b"x", b"x"],
    ],
    ids=["silent", "letter", "line", "slow", "kept", "kept line", "kept letters", "unwanted body"],
)
async def test_a_connection_on_which_nothing_comes_is_closed(hurried: Served, pieces: list[bytes]) -> None:
    await said(hurried, *pieces, pause=0.3)  # returns because the hub hangs up

    assert await lives(hurried)


async def test_a_body_that_dawdles_is_answered_with_408(hurried: Served) -> None:
    begun = POST + b"Content-Length: 27\r\n\r\n"
    rest = f"PUT /api/product/add HTTP/1.1\r\nHost: {hurried.host}\r\nAuthorization: {hurried.bearer('admin')}\r\n"
    answers = await asyncio.gather(
        said(hurried, begun),
        said(hurried, begun, *(bytes([byte]) for byte in QUERY[:9]), pause=0.3),
        said(hurried, rest.encode() + b"Content-Length: 50\r\n\r\n"),
    )

    assert [answer[:13] for answer in answers] == [b"HTTP/1.1 408 "] * 3


async def test_a_caller_that_reads_nothing_is_cut_off(hurried: Served) -> None:
    schema = "{ __schema { types { name description fields { name description args { name description } } } } }"
    body = b'{"query": "' + schema.encode() + b'"}'
    head = f"POST /graphql HTTP/1.1\r\nHost: {hurried.host}\r\nAuthorization: {hurried.bearer('admin')}\r\n"
    request = head.encode() + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    reader, writer = await asyncio.open_connection("127.0.0.1", hurried.port, limit=1_000)
    try:
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(PATIENCE):
                while True:  # answers are asked for and never taken, until the hub has had enough
                    writer.write(request)
                    await writer.drain()
                    await asyncio.sleep(0.02)
        assert reader
    finally:
        writer.transport.abort()

    assert await lives(hurried)


async def test_many_idle_connections_disturb_nobody(hurried: Served) -> None:
    connections = [await asyncio.open_connection("127.0.0.1", hurried.port) for _ in range(200)]

    assert await lives(hurried)

    for reader, writer in connections:
        async with asyncio.timeout(PATIENCE):
            assert await reader.read() == b""
        writer.close()
