"""What machines ask: answered for any Host, and the numbers only to those who may see them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_network

import pytest
from starlette.requests import Request

from hub.context import Scope
from hub.errors import Unavailable
from hub.settings import Settings
from schema.health import Health, door_of
from tests.schema.served import Served, furnished, serving


@pytest.mark.parametrize("host", ["", "nobody.localhost", "unknown.example", "[::1]"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_any_host_is_answered(served: Served, host: str, path: str) -> None:
    async with served.http(None, host=host) as http:
        answer = await http.get(path)

    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"]


async def test_numbers_tell_requests_and_readers(served: Served) -> None:
    async with served.http() as http, served.socket() as socket:
        await http.post("/graphql", json={"query": "{ __typename }"})
        await http.get("/nowhere/at/all")
        await socket.subscribe("subscription { orderChanges { cursor } }")
        await served.eventually_followed_by(1)
        numbers = (await http.get("/metrics")).text

    assert 'crossdock_requests_total{door="graphql",status="200"}' in numbers
    assert 'crossdock_requests_total{door="other",status="404"}' in numbers
    assert "crossdock_followers 1.0" in numbers
    assert "crossdock_outbox_waiting 0.0" in numbers


async def test_numbers_leave_the_machine_with_a_token_only(door_settings: Settings) -> None:
    settings = replace(door_settings, metrics_token="right", trusted_proxies=(ip_network("127.0.0.0/8"),))
    async with serving(settings) as (services, port):
        hub = await furnished(services, port)
        async with hub.http(None) as http:
            from_afar = {"X-Forwarded-For": "192.0.2.7"}
            answers = [
                (await http.get("/metrics", headers=from_afar | headers)).status_code
                for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer right"})
            ]

    assert answers == [403, 403, 200]


async def test_a_hub_without_its_database_is_alive_but_not_ready(served: Served) -> None:
    class Away:
        @asynccontextmanager
        async def reading(self, scope: Scope) -> AsyncIterator[None]:
            raise Unavailable("the database does not answer")
            yield

    health = Health(Away(), served.services.feed, served.services.settings)  # type: ignore[arg-type]
    request = Request({"type": "http", "headers": []})

    assert (await health.alive(request)).status_code == 200
    assert (await health.ready(request)).status_code == 503


def test_doors_are_few_whatever_callers_ask_for() -> None:
    paths = [
        "/graphql",
        "/api/order/add",
        "/softone/x",
        "/docs/rest",
        "/healthz",
        "/x" * 100,
        "/",
        "//evil",
        "/GRAPHQL",
    ]

    assert {door_of(path) for path in paths} <= {"graphql", "api", "softone", "docs", "healthz", "other"}


async def test_the_front_page_names_the_doors(served: Served) -> None:
    async with served.http(None) as http:
        page = await http.get("/")

    assert page.status_code == 200 and "/graphql" in page.text and page.headers["X-Content-Type-Options"] == "nosniff"
