import asyncio
import gzip
import json
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

import httpx
import pytest
from pydantic import BaseModel, SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from connectors.budget import TokenBuckets
from connectors.registry import REGISTRY, transport_for
from connectors.sandbox.app import serving
from connectors.transport import MASK, USER_AGENT, Exchange, Transport, retry_after
from hub.errors import NeedsAttention, RateLimited, RemoteError, Retryable
from hub.ports import HttpRequest, Limit

SECRET = 'k3y/with+"signs"'


class Remote:
    """A server whose next answer the test chooses; it remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Response = JSONResponse({})
        self.asked: list[Request] = []
        self.bodies: list[bytes] = []

    async def reply(self, request: Request) -> Response:
        self.asked.append(request)
        self.bodies.append(await request.body())
        if request.url.path == "/echo":
            return Response(self.bodies[-1])
        if request.url.path == "/cookie":
            return Response(headers={"set-cookie": "session=1; Path=/"})
        if request.url.path == "/silence":
            await request.receive()  # nothing more comes but the end of the connection
            return Response()
        return self.answer


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[tuple[Remote, str]]:
    remote = Remote()
    route = Route("/{path:path}", remote.reply, methods=["GET", "POST", "PATCH"])
    async with serving(Starlette(routes=[route])) as url:
        yield remote, url


@pytest.fixture
def remote(served: tuple[Remote, str]) -> Remote:
    served[0].__init__()  # type: ignore[misc]
    return served[0]


@pytest.fixture
def url(served: tuple[Remote, str]) -> str:
    return served[1]


@pytest.fixture
def exchanges() -> list[Exchange]:
    return []


@pytest.fixture
def transport(client: httpx.AsyncClient, exchanges: list[Exchange]) -> Transport:
    limits = {"default": Limit(per_second=10_000, burst=10_000)}
    budget = TokenBuckets()
    return Transport(client=client, budget=budget, limits=limits, secrets=(SECRET,), on_exchange=exchanges.append)


def request(url: str, **more: Any) -> HttpRequest:
    return HttpRequest(**{"method": "GET", "url": url, **more})


async def test_an_answer_is_whole_with_small_header_names(transport: Transport, remote: Remote, url: str) -> None:
    remote.answer = Response(b"abc", 418, {"X-Number": "7"})

    answer = await transport.send(request(url))

    assert (answer.status, answer.headers["x-number"], answer.content) == (418, "7", b"abc")


async def test_the_hub_says_its_name(transport: Transport, remote: Remote, url: str) -> None:
    await transport.send(request(url))
    await transport.send(request(url, headers={"User-Agent": "special"}))

    assert [asked.headers["user-agent"] for asked in remote.asked] == [USER_AGENT, "special"]
    assert USER_AGENT.startswith("Crossdock/") and "httpx" not in USER_AGENT


async def test_bodies_travel_as_json_form_or_bytes(transport: Transport, remote: Remote, url: str) -> None:
    await transport.send(request(url, method="POST", json={"stock": Decimal("12.0"), "name": "ș"}))
    await transport.send(request(url, method="POST", form={"data": '{"a": "ș&="}'}))
    await transport.send(request(url, method="POST", content=b"<xml/>", headers={"Content-Type": "text/xml"}))

    assert json.loads(remote.bodies[0]) == {"stock": 12, "name": "ș"}
    assert remote.bodies[1] == b"data=" + quote_plus('{"a": "ș&="}').encode()
    assert remote.bodies[2] == b"<xml/>"
    kinds = [asked.headers["content-type"] for asked in remote.asked]
    assert kinds == ["application/json", "application/x-www-form-urlencoded", "text/xml"]


async def test_parameters_may_repeat_and_join_those_of_the_address(
    transport: Transport, remote: Remote, url: str
) -> None:
    await transport.send(request(f"{url}/a?fixed=1", params={"ids[]": ["1", "2"], "name": "ș"}))

    assert remote.asked[0].query_params.multi_items() == [("fixed", "1"), ("ids[]", "1"), ("ids[]", "2"), ("name", "ș")]


@pytest.mark.parametrize("status", [500, 502, 503, 504, 599])
async def test_server_faults_are_tried_again(transport: Transport, remote: Remote, url: str, status: int) -> None:
    remote.answer = Response(status_code=status)

    with pytest.raises(Retryable) as failure:
        await transport.send(request(url))

    assert not isinstance(failure.value, RateLimited)


@pytest.mark.parametrize("status", [200, 201, 204, 304, 400, 401, 404, 409, 422, 460])
async def test_other_statuses_are_answers(transport: Transport, remote: Remote, url: str, status: int) -> None:
    remote.answer = Response(status_code=status)

    assert (await transport.send(request(url))).status == status


async def test_a_connector_may_judge_an_error_itself(transport: Transport, remote: Remote, url: str) -> None:
    remote.answer = JSONResponse({"error": "method not found"}, 500)

    answer = await transport.send(request(url, judged=frozenset({500})))

    assert json.loads(answer.content) == {"error": "method not found"}


@pytest.mark.parametrize(
    ("status", "header", "wait"),
    [
        (429, {"retry-after": "30"}, timedelta(seconds=30)),
        (429, {"retry-after": "Mon, 02 Mar 2026 12:00:45 GMT"}, timedelta(seconds=45)),
        (429, {"retry-after": "Mon, 02 Mar 2026 11:00:00 GMT"}, timedelta(0)),
        (429, {"retry-after": "99999999999999"}, timedelta(days=1)),
        (429, {"retry-after": "soon"}, None),
        (429, {}, None),
        (428, {}, None),
        (503, {"retry-after": "5"}, timedelta(seconds=5)),
    ],
)
async def test_slowing_down_says_for_how_long(
    transport: Transport, remote: Remote, url: str, status: int, header: dict[str, str], wait: timedelta | None
) -> None:
    remote.answer = Response(status_code=status, headers=header)
    slow = replace(transport, busy=frozenset({428, 429}), clock=lambda: datetime(2026, 3, 2, 12, tzinfo=UTC))

    with pytest.raises(RateLimited) as limited:
        await slow.send(request(url))

    assert limited.value.retry_after == wait


def test_a_waiting_date_without_zone_is_utc() -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)

    assert retry_after({"retry-after": "Mon, 02 Mar 2026 12:00:01 -0000"}, noon) == timedelta(seconds=1)


class Budget:
    """Remembers what the transport asks and tells."""

    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    async def take(self, limit: Limit) -> None:
        self.told.append(("take", limit.name))

    async def correct(self, limit: Limit, *, remaining: float | None, per_second: float | None) -> None:
        self.told.append((limit.name, remaining, per_second))


async def test_the_budget_follows_the_answers_headers(transport: Transport, remote: Remote, url: str) -> None:
    limit = Limit(name="read", rate_header="api-rate", remaining_header="api-left")
    budget = Budget()
    paced = replace(transport, budget=budget, limits={"read": limit})
    said: list[dict[str, str]] = [{"Api-Rate": "4", "Api-Left": "9"}, {"Api-Left": "0"}, {"Api-Rate": "nan"}, {}]
    for headers in said:
        remote.answer = Response(headers=headers)
        await paced.send(request(url, limit="read"))
    remote.answer = Response(status_code=429, headers={"Api-Rate": "2"})
    with pytest.raises(RateLimited):
        await paced.send(request(url, limit="read"))

    took, corrections = [t for t in budget.told if t[0] == "take"], [t for t in budget.told if t[0] != "take"]
    assert took == [("take", "read")] * 5
    assert corrections == [("read", 9, 4), ("read", 0, None), ("read", 0, 2)]


async def test_silence_ends_in_time(transport: Transport, url: str, exchanges: list[Exchange]) -> None:
    with pytest.raises(Retryable):
        await transport.send(request(f"{url}/silence", timeout=timedelta(seconds=0.2)))
    with pytest.raises(Retryable):
        await replace(transport, longest=timedelta(seconds=0.2)).send(request(f"{url}/silence"))

    assert [exchange.status for exchange in exchanges] == [None, None] and exchanges[0].error


async def test_a_trickle_is_no_answer_either(transport: Transport, remote: Remote, url: str) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b"."
            await asyncio.sleep(0.01)

    remote.answer = StreamingResponse(trickle())

    with pytest.raises(Retryable):
        await transport.send(request(url, timeout=timedelta(seconds=0.3)))


async def test_nobody_listening_is_tried_again(transport: Transport) -> None:
    async with serving(Starlette()) as url:
        await transport.send(request(url))

    with pytest.raises(Retryable):
        await transport.send(request(url))


async def test_a_broken_encoding_is_tried_again(transport: Transport, remote: Remote, url: str) -> None:
    remote.answer = Response(b"no gzip", headers={"content-encoding": "gzip"})

    with pytest.raises(Retryable):
        await transport.send(request(url))


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_too_large_is_refused(transport: Transport, remote: Remote, url: str, compressed: bool) -> None:
    body = bytes(300_000)
    remote.answer = (
        Response(gzip.compress(body), headers={"content-encoding": "gzip"}) if compressed else Response(body)
    )

    assert len((await replace(transport, max_bytes=300_000).send(request(url))).content) == 300_000
    with pytest.raises(NeedsAttention, match="larger"):
        await replace(transport, max_bytes=299_999).send(request(url))


async def test_a_redirect_elsewhere_is_not_followed(transport: Transport, remote: Remote, url: str) -> None:
    async with serving(Starlette()) as other:
        for target in (other, other.replace("127.0.0.1", "localhost"), url.replace("http:", "https:"), "ftp://x/"):
            remote.answer = RedirectResponse(f"{target}/there?token=1")
            with pytest.raises(NeedsAttention) as refused:
                await transport.send(request(url, headers={"Apikey": SECRET}))
            assert "token" not in str(refused.value)

    assert len(remote.asked) == 4


async def test_a_redirect_inside_the_same_origin_is_followed_for_reads_only(
    transport: Transport, remote: Remote, url: str
) -> None:
    remote.answer = RedirectResponse("/echo", 301)

    assert (await transport.send(request(f"{url}/a", headers={"Apikey": "1"}))).status == 200
    assert [asked.headers["apikey"] for asked in remote.asked] == ["1", "1"]
    with pytest.raises(NeedsAttention):
        await transport.send(request(f"{url}/a", method="POST", json={}))


async def test_a_circle_of_redirects_ends(transport: Transport, remote: Remote, url: str) -> None:
    remote.answer = RedirectResponse("/again", 302)

    with pytest.raises(NeedsAttention, match="circle"):
        await transport.send(request(url))


@pytest.mark.parametrize(
    "url",
    ["ftp://erp.example/", "file:///etc/passwd", "erp.example", "http://", "http://u:p@erp.example/", "http://a:port/"],
)
async def test_only_plain_web_addresses_are_called(transport: Transport, url: str) -> None:
    with pytest.raises(NeedsAttention):
        await transport.send(request(url))


@pytest.mark.parametrize("value", ["schlüssel", "a\nb: c", "a\x00"])
async def test_a_header_that_cannot_be_sent_names_the_settings_and_not_itself(
    transport: Transport, url: str, value: str
) -> None:
    with pytest.raises(NeedsAttention) as refused:
        await transport.send(request(url, headers={"Apikey": value}))

    shown = "".join(traceback.format_exception(refused.value))
    assert value not in shown and repr(value)[1:-1] not in shown
    assert refused.value.__cause__ is None  # it would hold the value


async def test_cookies_are_not_kept(transport: Transport, remote: Remote, url: str) -> None:
    await transport.send(request(f"{url}/cookie"))
    await transport.send(request(url))

    assert "cookie" not in remote.asked[1].headers


async def test_an_exchange_is_told_without_secrets(
    transport: Transport, url: str, exchanges: list[Exchange], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    body = {"password": SECRET, "name": "Ana"}

    await transport.send(
        request(
            f"{url}/echo", method="POST", headers={"Apikey": SECRET}, params={"key": SECRET, "q": "visible"}, json=body
        )
    )
    await transport.send(request(f"{url}/echo", method="POST", form=body))
    await transport.send(request(f"{url}/echo", method="POST", content=f"<p>{SECRET}</p>".encode() + b"\xff"))

    (first, second, third), shown = exchanges, f"{exchanges}{caplog.text}"
    assert (first.method, first.url, first.status, first.error) == ("POST", f"{url}/echo", 200, "")
    assert first.sent_bytes == first.received_bytes == len(json.dumps(body, separators=(",", ":")))
    assert first.duration > timedelta(0) and first.started_at.tzinfo
    assert json.loads(first.request_body) == json.loads(first.answer_body) == {"password": MASK, "name": "Ana"}
    assert MASK in second.request_body.decode() and "Ana" in second.request_body.decode()
    assert third.request_body == f"<p>{MASK}</p>".encode() + b"\xff"
    for form in (SECRET, quote_plus(SECRET), json.dumps(SECRET)[1:-1], "visible"):
        assert form not in shown


async def test_a_session_key_is_masked_and_a_login_is_not_kept(
    transport: Transport, url: str, exchanges: list[Exchange]
) -> None:
    await transport.send(request(f"{url}/echo", method="POST", json={"clientID": "s3ss10n"}, secrets=("s3ss10n",)))
    await transport.send(request(f"{url}/echo", method="POST", json={"password": "other"}, private=True))

    assert b"s3ss10n" not in exchanges[0].request_body + exchanges[0].answer_body
    assert b"other" not in exchanges[1].request_body + exchanges[1].answer_body


async def test_a_long_body_is_cut_after_it_was_masked(
    transport: Transport, url: str, exchanges: list[Exchange]
) -> None:
    content = b"x" * (64 * 1024 - 3) + SECRET.encode()

    await transport.send(request(f"{url}/echo", method="POST", content=content))

    assert len(exchanges[0].request_body) == 64 * 1024
    assert SECRET[:3].encode() not in exchanges[0].request_body


async def test_a_secret_in_the_path_is_masked(transport: Transport, url: str, exchanges: list[Exchange]) -> None:
    simple = replace(transport, secrets=("t0ken",))

    await simple.send(request(f"{url}/hooks/t0ken"))

    assert exchanges[0].url == f"{url}/hooks/{quote_plus(MASK)}" or exchanges[0].url == f"{url}/hooks/{MASK}"


async def test_failures_are_told_too(transport: Transport, exchanges: list[Exchange]) -> None:
    for address in ("http://169.254.169.254/", "http://127.0.0.1:9/"):
        with pytest.raises(RemoteError):
            await transport.send(request(address))

    assert [exchange.status for exchange in exchanges] == [None, None]
    assert all(exchange.error for exchange in exchanges)


async def test_the_registry_masks_every_secret_of_the_settings(client: httpx.AsyncClient) -> None:
    class Shop(BaseModel):
        token: SecretStr

    class Settings(BaseModel):
        key: SecretStr
        name: str
        websites: dict[str, SecretStr]
        shops: list[Shop]

    config = Settings.model_validate({"key": "a", "name": "b", "websites": {"1": "c"}, "shops": [{"token": "d"}]})

    built = transport_for(REGISTRY["GOMAG"], config, client=client, budget=TokenBuckets())

    assert built.secrets == ("a", "c", "d")
    assert built.busy == {428, 429} and built.limits.keys() == {"read", "write"}
