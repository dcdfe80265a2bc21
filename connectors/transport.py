"""Sends one connection's requests: paced, guarded, bounded in time and size, and translated into the hub's errors.

Secrets stay out of messages and records: no query, no header, and known secret values are masked wherever they occur.
"""

import asyncio
import json
import math
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from importlib.metadata import version
from urllib.parse import quote, quote_plus, urlencode

import httpcore
import httpx

from connectors.fields import encode_json
from connectors.guard import open_client as open_client
from hub.errors import NeedsAttention, RateLimited, RemoteError, Retryable
from hub.ports import HttpAnswer, HttpRequest, Limit, RateBudget

USER_AGENT = f"Crossdock/{version('crossdock')}"
MAX_ANSWER_BYTES = 64 * 2**20
MAX_KEPT_BYTES = 64 * 2**10
MAX_HOPS = 4
CONNECT_SECONDS = 10.0
LONGEST_WAIT = timedelta(days=1)
MASK = "•••"
STRAY = "look for stray characters in the connection's settings"
KEEP_NOTHING = b"(not kept)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One call as it may be shown to an operator: no query, no headers, secrets masked, bodies cut to `MAX_KEPT_BYTES`.

    `status` is None when no complete answer came; `error` then says why.
    """

    method: str
    url: str
    started_at: datetime
    duration: timedelta
    status: int | None
    error: str
    sent_bytes: int
    received_bytes: int
    request_body: bytes
    answer_body: bytes


OnExchange = Callable[[Exchange], None]


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """The `HttpSender` of one connection over a client shared by all; `longest` bounds whatever a request asks for."""

    client: httpx.AsyncClient
    budget: RateBudget
    limits: Mapping[str, Limit] = field(default_factory=lambda: {"default": Limit()})
    busy: frozenset[int] = frozenset({429})
    secrets: tuple[str, ...] = field(default=(), repr=False)
    on_exchange: OnExchange | None = None
    longest: timedelta = timedelta(seconds=120)
    max_bytes: int = MAX_ANSWER_BYTES
    clock: Callable[[], datetime] = utc_now

    async def send(self, request: HttpRequest) -> HttpAnswer:
        """See `hub.ports.HttpSender`; a redirect is followed for reads inside the same origin only."""
        limit = self.limits[request.limit]
        built = self._build(request)
        for _ in range(MAX_HOPS):
            await self.budget.take(limit)
            answer = await self._exchange(built, request)
            await self._correct(limit, answer)
            if not 300 <= answer.status < 400 or "location" not in answer.headers:
                self._raise_for_status(built, request, answer)
                return answer
            built = self._redirected(built, answer)
        raise NeedsAttention(f"{built.url.host} redirects in a circle", hint="correct the address in the settings")

    def _build(self, request: HttpRequest) -> httpx.Request:
        content, kind = _body(request)
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json, */*;q=0.5", **kind, **request.headers}
        seconds = min(request.timeout, self.longest).total_seconds()
        try:
            url = httpx.URL(request.url)
            if request.params:
                url = url.copy_merge_params(dict(request.params))
            built = self.client.build_request(
                request.method,
                url,
                headers=headers,
                content=content,
                timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS)),
            )
        except (httpx.InvalidURL, ValueError) as error:
            raise NeedsAttention(
                f"the address or a header cannot be sent ({type(error).__name__})",
                hint=STRAY,
            ) from None  # the cause holds the value, which may be a secret
        if built.url.scheme not in ("http", "https") or not built.url.host or built.url.userinfo:
            raise NeedsAttention(
                "the address must be http:// or https:// with a host and without a user name",
                hint="correct the address in the connection's settings",
            )
        return built

    async def _exchange(self, built: httpx.Request, request: HttpRequest) -> HttpAnswer:
        clock = asyncio.get_running_loop().time
        started_at, began = self.clock(), clock()
        outcome: HttpAnswer | RemoteError
        try:
            async with asyncio.timeout(min(request.timeout, self.longest).total_seconds()):
                outcome = await self._receive(built)
        except (TimeoutError, httpcore.TimeoutException, httpx.DecodingError) as error:
            outcome = Retryable(f"{_named(built)}: no whole answer in time or form ({type(error).__name__})")
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            outcome = _network_failure(built, error)
        except RemoteError as error:
            outcome = error
        self._report(built, request, outcome, started_at, timedelta(seconds=clock() - began))
        if isinstance(outcome, RemoteError):
            raise outcome
        return outcome

    async def _receive(self, built: httpx.Request) -> HttpAnswer:
        response = await self.client.send(built, stream=True)
        try:
            chunks, size = [], 0
            async for chunk in response.aiter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > self.max_bytes:
                    raise NeedsAttention(
                        f"{_named(built)}: the answer is larger than {self.max_bytes} bytes", hint="narrow the filters"
                    )
        finally:
            await response.aclose()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(response.status_code, headers, b"".join(chunks))

    async def _correct(self, limit: Limit, answer: HttpAnswer) -> None:
        rate = _number(answer.headers.get(limit.rate_header or ""))
        remaining = _number(answer.headers.get(limit.remaining_header or ""))
        if answer.status in self.busy:
            remaining = 0.0
        if rate is not None or remaining is not None:
            await self.budget.correct(limit, remaining=remaining, per_second=rate or None)

    def _raise_for_status(self, built: httpx.Request, request: HttpRequest, answer: HttpAnswer) -> None:
        if answer.status in request.judged:
            return
        wait = retry_after(answer.headers, self.clock())
        if answer.status in self.busy or (answer.status == 503 and wait is not None):
            raise RateLimited(f"{_named(built)} asks to slow down (HTTP {answer.status})", retry_after=wait)
        if answer.status >= 500:
            raise Retryable(f"{_named(built)} failed with HTTP {answer.status}")

    def _redirected(self, built: httpx.Request, answer: HttpAnswer) -> httpx.Request:
        try:
            target = built.url.join(answer.headers["location"])
        except httpx.InvalidURL:
            target = httpx.URL()
        same = (target.scheme, target.host, target.port) == (built.url.scheme, built.url.host, built.url.port)
        if built.method not in ("GET", "HEAD") or not same or target.userinfo:
            raise NeedsAttention(
                f"{_named(built)} redirects to {target.scheme}://{target.host}, which is not followed",
                hint="enter the final address in the connection's settings",
            )
        return self.client.build_request(built.method, target, headers=built.headers, extensions=built.extensions)

    def _report(
        self,
        built: httpx.Request,
        request: HttpRequest,
        outcome: HttpAnswer | RemoteError,
        started_at: datetime,
        took: timedelta,
    ) -> None:
        if self.on_exchange is None:
            return
        received = outcome.content if isinstance(outcome, HttpAnswer) else b""
        masked = partial(mask, secrets=(*self.secrets, *request.secrets))
        self.on_exchange(
            Exchange(
                method=built.method,
                url=masked(str(built.url.copy_with(query=None, fragment=None))),
                started_at=started_at,
                duration=took,
                status=outcome.status if isinstance(outcome, HttpAnswer) else None,
                error=masked(outcome.message) if isinstance(outcome, RemoteError) else "",
                sent_bytes=len(built.content),
                received_bytes=len(received),
                request_body=KEEP_NOTHING if request.private else _kept(built.content, masked),
                answer_body=KEEP_NOTHING if request.private else _kept(received, masked),
            )
        )


def mask(text: str, *, secrets: Iterable[str]) -> str:
    """The text without the secrets, however they are written."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]):
            text = text.replace(form, MASK)
    return text


def _kept(body: bytes, masked: Callable[[str], str]) -> bytes:
    text = masked(body.decode("utf-8", "surrogateescape"))  # masked before it is cut: no half of a secret stays
    return text.encode("utf-8", "surrogateescape")[:MAX_KEPT_BYTES]


def _body(request: HttpRequest) -> tuple[bytes, Mapping[str, str]]:
    if request.json is not None:
        return encode_json(request.json).encode(), {"Content-Type": "application/json"}
    if request.form is not None:
        return urlencode(request.form, errors="replace").encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    return request.content or b"", {}


def _named(built: httpx.Request) -> str:
    return f"{built.method} {built.url.scheme}://{built.url.netloc.decode('ascii', 'replace')}"


def _network_failure(built: httpx.Request, error: Exception) -> RemoteError:
    if isinstance(error, httpcore.LocalProtocolError):
        return NeedsAttention(f"{_named(built)}: a header cannot be sent", hint=STRAY)
    reason = error.__cause__ or error.__context__
    if isinstance(reason, ssl.SSLCertVerificationError):
        return NeedsAttention(
            f"{_named(built)}: the certificate is not accepted ({reason.verify_message})",
            code="TLS",
            hint="the certificate must be valid for this name and signed by a known authority",
        )
    if isinstance(reason, ssl.SSLError) and not isinstance(reason, ssl.SSLEOFError):
        return NeedsAttention(
            f"{_named(built)}: no TLS connection ({reason.reason})",
            code="TLS",
            hint="check http or https, and the port, in the connection's settings",
        )
    return Retryable(f"{_named(built)}: no or cut answer ({type(error).__name__})")


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def retry_after(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long the answer asks to wait: seconds or a date, at most a day."""
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is None:
        try:
            moment = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now).total_seconds()
    return min(timedelta(seconds=max(0.0, min(seconds, 1e8))), LONGEST_WAIT)
