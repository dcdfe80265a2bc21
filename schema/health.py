"""What operators' machines ask: is the process alive, can it serve, how is it doing. Any Host is answered."""

import hmac
import time
from collections.abc import Mapping
from functools import lru_cache

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from sqlalchemy import text
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from hub.context import Scope
from hub.db import Database
from hub.errors import HubError
from hub.events import EventFeed
from hub.settings import Settings
from schema.peer import peer_of

_BACKLOG = text("""
    SELECT 'outbox_waiting' AS name, count(*) AS value FROM outbox WHERE state = 'WAITING'
    UNION ALL SELECT 'sync_exceptions_open', count(*) FROM sync_exceptions WHERE state = 'OPEN'
    UNION ALL SELECT 'sync_runs_open', count(*) FROM sync_runs WHERE state IN ('QUEUED', 'RUNNING')
    UNION ALL SELECT 'events_unnumbered', count(*) FROM events WHERE position IS NULL
""")
BACKLOG = {
    "outbox_waiting": "Entries that wait to be sent to external systems.",
    "sync_exceptions_open": "Records that are parked until somebody or a retry resolves them.",
    "sync_runs_open": "Synchronisation runs queued or running.",
    "events_unnumbered": "Events that have no position yet.",
}


class Health:
    """The endpoints `/healthz`, `/readyz` and `/metrics`, and the counting of requests."""

    def __init__(self, database: Database, feed: EventFeed, settings: Settings) -> None:
        self._database = database
        self._feed = feed
        self._settings = settings
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "crossdock_requests", "HTTP requests by door and status.", ["door", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "crossdock_request_seconds", "Time to a complete answer, by door.", ["door"], registry=self._registry
        )

    async def alive(self, _: Request) -> Response:
        return _json(200, {"status": "alive"})

    async def ready(self, _: Request) -> Response:
        """200 when the database answers; Redis only wakes, so it is not asked."""
        try:
            async with self._database.reading(Scope({})) as connection:
                await connection.fetchval("SELECT 1")
        except HubError as error:
            return _json(503, {"status": "not ready", "reason": str(error)})
        return _json(200, {"status": "ready"})

    async def metrics(self, request: Request) -> Response:
        """Prometheus text; on loopback, or elsewhere with `Authorization: Bearer` and HUB_METRICS_TOKEN."""
        token = self._settings.metrics_token
        peer = peer_of(request.scope, self._settings)
        given = request.headers.get("authorization", "")
        # A proxy on this machine that is not declared as trusted must not open the door to everybody behind it.
        local = peer.local and "x-forwarded-for" not in request.headers
        if not (local or (token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()))):
            return _json(403, {"status": "forbidden", "reason": "metrics are for loopback, or for HUB_METRICS_TOKEN"})
        scrape = CollectorRegistry()
        scrape.register(_Snapshot(await self._backlog(), self._feed.followers))
        body = generate_latest(self._registry) + generate_latest(scrape)
        return Response(body, media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _backlog(self) -> Mapping[str, int]:
        try:
            async with self._database.system_work() as session:
                return {row.name: row.value for row in await session.execute(_BACKLOG)}
        except HubError:
            return {}  # the process's own numbers are still worth having

    def counted(self, app: ASGIApp) -> ASGIApp:
        """`app`, with its HTTP answers counted and timed."""

        @lru_cache(maxsize=512)
        def numbers(door: str, status: int) -> tuple[Counter, Histogram]:
            return self._requests.labels(door, status), self._seconds.labels(door)

        async def counting(scope: AsgiScope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            door = door_of(scope["path"])
            started = time.perf_counter()
            status = 0

            async def noted(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, noted)
            finally:
                requests, seconds = numbers(door, status)
                requests.inc()
                seconds.observe(time.perf_counter() - started)

        return counting


class _Snapshot:
    """Numbers that are read when they are asked for."""

    def __init__(self, backlog: Mapping[str, int], followers: int) -> None:
        self._backlog = backlog
        self._followers = followers

    def collect(self) -> list[Metric]:
        gauges: list[Metric] = [
            GaugeMetricFamily(f"crossdock_{name}", BACKLOG[name], value=value) for name, value in self._backlog.items()
        ]
        followers = GaugeMetricFamily("crossdock_followers", "Readers of the event log.", value=self._followers)
        return [*gauges, followers]


def door_of(path: str) -> str:
    """Which part of the hub a path belongs to; few values, whatever callers send."""
    first = path.lstrip("/").partition("/")[0]
    return first if first in ("graphql", "api", "softone", "docs", "healthz", "readyz", "metrics") else "other"


def _json(status: int, content: Mapping[str, str]) -> Response:
    return Response(orjson.dumps(content), status, media_type="application/json")
