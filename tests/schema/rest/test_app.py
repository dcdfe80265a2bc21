"""What holds for every route: who is let in, which refusal comes first, and the envelope around all of it."""

import json
import logging
import re
from collections.abc import AsyncIterator
from ipaddress import ip_network
from typing import Any

import httpx
import pytest
from starlette.types import Message

from hub.context import Actor, Grant, Level, Permission, Scope
from hub.db import Database
from hub.errors import Conflict, Invalid, NotFound, Unavailable
from hub.settings import Settings
from schema.rest.answers import one
from schema.rest.app import create_rest
from schema.rest.bodies import LARGEST
from schema.rest.requests import Request
from schema.rest.routes import RestCall, Route, Table
from schema.rest.table import TABLE
from schema.rest.values import Long, Name
from tests.schema.rest.houses import PASSWORD, House, open_house

PREFIXES = ("/api", "/softone")


@pytest.fixture(scope="module")
async def house(database: Database) -> AsyncIterator[House]:
    """One tenant for all: nothing is written."""
    house = await open_house(database)
    yield house
    await house.client.aclose()


def path_of(route: Route[Any]) -> str:
    return re.sub(r"{\w+}", "1", route.template)


ROUTES = {f"{route.method} {route.template}": route for route in TABLE.routes}
ENVELOPE = {"error", "errorMessage", "status", "data"}


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
async def test_nothing_is_answered_before_the_credentials(house: House, route: Route[Any]) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = await house.client.request(method, path_of(route), content=b"{broken")

        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.json() == {"error": True, "errorMessage": "Invalid API KEY", "status": 401, "data": None}


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/softone/x", "/api/%FF", "/api/product/read/"])
async def test_an_unknown_path_is_401_without_and_404_with_credentials(house: House, path: str) -> None:
    assert (await house.client.get(path)).status_code == 401
    (await house.get(path)).refused(404)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
async def test_another_method_is_405_with_all_methods_of_the_path(house: House, route: Route[Any]) -> None:
    methods = {other.method for other in TABLE.routes if other.path == route.path}
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} - methods:
        answer = await house.send(method, path_of(route), b"{broken", user="viewer", Content_Type="text/plain")

        answer.refused(405)
        assert set(answer.headers["allow"].split(", ")) == methods


def needs_more(route: Route[Any], name: str) -> bool:
    grants = {"viewer": Grant(Level.VIEWER), "plain": Grant(Level.USER)}
    return not grants[name].allows(route.level, route.permission)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
async def test_rights_are_refused_before_the_body_is_looked_at(house: House, route: Route[Any]) -> None:
    for user in ("viewer", "plain"):
        answer = await house.send(route.method, path_of(route), b"{broken", user=user, Content_Type="text/plain")
        if needs_more(route, user):
            assert answer.refused(403) == "Insufficient permissions"
        else:
            answer.refused(415)


@pytest.mark.parametrize("route", ROUTES.values(), ids=list(ROUTES))
async def test_size_comes_before_type_and_type_before_content(house: House, route: Route[Any]) -> None:
    async def sent(content: Any, **headers: str) -> int:
        return (await house.send(route.method, path_of(route), content, user="admin", **headers)).status

    assert await sent(b"{broken", Content_Type="text/plain", Content_Length=str(LARGEST + 1)) == 413
    assert await sent(b"{broken", Content_Type="application/xml") == 415
    if route.body is not None:
        for content in (b"{broken", b"[]", b"null", b"1", b'"x"', b'{"a":1,"a":2}', b"\xff", b'{"a":NaN}'):
            assert await sent(content, Content_Type="APPLICATION/json ; charset=x") == 400
        assert await sent(b"[" * 100_000) == 400
        if not route.body_optional:
            assert await sent(b"") == 400


async def test_a_body_that_grows_beyond_what_it_said_is_stopped(house: House) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * (LARGEST // 16)

    answer = await house.send("POST", "/api/product/read", endless())

    answer.refused(413)


async def test_the_largest_body_is_taken(house: House) -> None:
    body = b'{"page": 1}'

    answer = await house.send("POST", "/api/product/read", body + b" " * (LARGEST - len(body)))

    assert answer.status == 200


@pytest.mark.parametrize("route", [r for r in TABLE.routes if r.parameters], ids=lambda route: route.template)
async def test_a_path_parameter_that_is_none_is_named(house: House, route: Route[Any]) -> None:
    for name, kind in route.parameters.items():
        wrong = ["x", "1.5", "%20", "1e3", "0x1", "9223372036854775808", "-9223372036854775809", "9" * 5000, "%D9%A1"]
        if "maxLength" in kind.describe():
            wrong = ["%00", "%FF", "%20", "x" * 256]
        for value in wrong:
            path = re.sub(r"{\w+}", "1", route.template.replace(f"{{{name}}}", value))
            answer = await house.call(route.method, path, user="admin")
            assert name in answer.refused(400), value


@pytest.mark.parametrize("route", [r for r in TABLE.routes if r.parameters], ids=lambda route: route.template)
async def test_an_id_that_designates_nothing_is_404(house: House, route: Route[Any]) -> None:
    if "text" in route.path:
        return
    for value in ("999", "0", "-1", "9223372036854775807", "-9223372036854775808", "0007"):
        path = re.sub(r"{status}|{transferStatus}", "0", route.template)
        answer = await house.call(route.method, re.sub(r"{\w+}", value, path), user="admin")
        answer.refused(404)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        f"integrator:{PASSWORD}",
        f"Basic integrator:{PASSWORD}",
        "Bearer integrator",
        "Bearer :",
        "Bearer integrator:",
        f"Bearer :{PASSWORD}",
        f"Bearer integrator:{PASSWORD}x",
        f"Bearer nobody:{PASSWORD}",
        f"Bearer Integrator:{PASSWORD}",
        b"Bearer integrator:\xff",
        f"Bearer integrator:{'x' * 4096}",
        "Bearer integrator@crossdock.test:secret",
    ],
)
async def test_every_wrong_credential_gets_the_same_answer(house: House, header: str | bytes) -> None:
    value = header if isinstance(header, bytes) else header.encode()

    answer = await house.client.post("/api/product/read", headers={b"Authorization": value})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json() == {"error": True, "errorMessage": "Invalid API KEY", "status": 401, "data": None}


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER    ", "Bearer \t"])
async def test_the_scheme_is_read_in_any_case(house: House, scheme: str) -> None:
    headers = {"Authorization": f"{scheme}integrator:{PASSWORD}"}

    assert (await house.client.post("/api/product/read", headers=headers)).status_code == 200


async def test_two_authorization_headers_are_none(house: House) -> None:
    twice = [("Authorization", f"Bearer integrator:{PASSWORD}")] * 2

    assert (await house.client.post("/api/product/read", headers=twice)).status_code == 401


@pytest.mark.parametrize("host", ["nobody.hub.test", "hub.test", "127.0.0.1", "elsewhere.test", ""])
async def test_a_host_without_a_tenant_looks_like_a_wrong_password(house: House, host: str) -> None:
    headers = {"Authorization": f"Bearer integrator:{PASSWORD}", "Host": host}

    answer = await house.client.post("/api/product/read", headers=headers)

    assert answer.json() == {"error": True, "errorMessage": "Invalid API KEY", "status": 401, "data": None}


async def test_the_tenant_is_found_in_any_case_and_on_any_port(house: House) -> None:
    host = house.client.base_url.host.upper() + ":8000"
    headers = {"Authorization": f"Bearer integrator:{PASSWORD}", "Host": host}

    assert (await house.client.post("/api/product/read", headers=headers)).status_code == 200


def over(house: House, client: str, **settings: Any) -> httpx.AsyncClient:
    """A client at another address, of a layer with other settings."""
    rest = create_rest(house.database, Anybody(), Settings(**settings), {})
    transport = httpx.ASGITransport(rest, client=(client, 1))
    return httpx.AsyncClient(transport=transport, base_url=house.client.base_url, headers={"Authorization": "-"})


class Anybody:
    async def by_header(self, *, host: str, header: bytes, address: str) -> Scope:
        return Scope({1: Grant(Level.USER)}, Actor("user", 1, address))


@pytest.mark.parametrize(
    ("client", "settings", "headers", "status"),
    [
        ("127.0.0.1", {}, {}, 200),
        ("::1", {}, {}, 200),
        ("::ffff:127.0.0.1", {}, {}, 200),
        ("10.0.0.9", {}, {}, 401),
        ("10.0.0.9", {}, {"X-Forwarded-Proto": "https"}, 401),
        ("10.0.0.9", {"allow_http": True}, {}, 200),
        ("10.0.0.9", {"trusted_proxies": (ip_network("10.0.0.0/8"),)}, {"X-Forwarded-Proto": "https"}, 200),
        ("10.0.0.9", {"trusted_proxies": (ip_network("10.0.0.0/8"),)}, {"X-Forwarded-Proto": "http"}, 401),
        ("10.0.0.9", {"trusted_proxies": (ip_network("10.0.0.0/8"),)}, {}, 401),
    ],
)
async def test_credentials_travel_over_https_only(
    house: House, client: str, settings: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    async with over(house, client, **settings) as http:
        answer = await http.post("/api/product/read", headers=headers)

    assert answer.status_code == status
    if status == 401:
        assert "HTTPS" in answer.json()["errorMessage"]


class Echo(Request):
    id: Long
    name: Name = "nobody"


async def echo(call: RestCall[Echo]) -> dict[str, Any]:
    if call.body.id in FAILURES:
        raise FAILURES[call.body.id]
    return {"id": call.body.id, "name": call.body.name, "path": call.path["what"]}


FAILURES: dict[int, Exception] = {
    400: Invalid("is wrong", field="id"),
    404: NotFound("is nobody", field="id"),
    409: Conflict("is taken", field="id", hint="take another"),
    500: RuntimeError("secret of the house"),
    503: Unavailable("the database does not answer"),
}
ECHO = Table(
    [Route("POST", "/api/echo/{what:text}", "Echo", echo, one(Echo), body=Echo, replaced_by="echo", level=Level.USER)]
)


@pytest.fixture
async def echoing(house: House) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_rest(house.database, Anybody(), Settings(), {}, table=ECHO))
    headers = {"Authorization": "-"}
    async with httpx.AsyncClient(transport=transport, base_url=house.client.base_url, headers=headers) as http:
        yield http


async def test_a_success_is_wrapped_in_exactly_four_keys(echoing: httpx.AsyncClient) -> None:
    answer = await echoing.post("/api/echo/x", json={"id": 7})

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.text == (
        '{"error":false,"errorMessage":null,"status":200,"data":{"id":7,"name":"nobody","path":"x"}}'
    )


@pytest.mark.parametrize(
    ("status", "message"),
    [(400, "id: is wrong"), (404, "id: is nobody"), (409, "id: is taken (take another)")],
)
async def test_a_refusal_of_a_service_keeps_its_words(echoing: httpx.AsyncClient, status: int, message: str) -> None:
    answer = await echoing.post("/api/echo/x", json={"id": status})

    assert answer.status_code == status
    assert answer.json() == {"error": True, "errorMessage": message, "status": status, "data": None}


async def test_a_bug_shows_nothing_but_its_number(echoing: httpx.AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await echoing.post("/api/echo/x", json={"id": 500})

    request_id = answer.headers["x-request-id"]
    assert answer.status_code == 500
    assert answer.json().keys() == ENVELOPE
    assert request_id in answer.json()["errorMessage"] and "secret" not in answer.text
    assert request_id in caplog.text and "secret of the house" in caplog.text


async def test_a_bug_at_the_door_is_masked_too(house: House) -> None:
    class Broken:
        async def by_header(self, *, host: str, header: bytes, address: str) -> Scope:
            raise RuntimeError("secret of the door")

    transport = httpx.ASGITransport(create_rest(house.database, Broken(), Settings(), {}))
    async with httpx.AsyncClient(transport=transport, base_url=house.client.base_url) as http:
        answer = await http.post("/api/product/read", headers={"Authorization": "-"})

    assert answer.status_code == 500
    assert answer.json().keys() == ENVELOPE and "secret" not in answer.text


async def test_a_database_that_is_away_is_503(echoing: httpx.AsyncClient) -> None:
    answer = await echoing.post("/api/echo/x", json={"id": 503})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json().keys() == ENVELOPE


@pytest.mark.parametrize(
    ("path", "value"), [("a%2Fb", "a/b"), ("%C8%99i", "și"), ("a+b", "a+b"), ("a%252Fb", "a%2Fb"), ("..;x", "..;x")]
)
async def test_a_path_value_is_decoded_once(echoing: httpx.AsyncClient, path: str, value: str) -> None:
    answer = await echoing.post(f"/api/echo/{path}", json={"id": 7})

    assert answer.json()["data"]["path"] == value


async def test_the_field_of_graphql_that_does_the_same_is_named(echoing: httpx.AsyncClient) -> None:
    assert (await echoing.post("/api/echo/x", json={"id": 7})).headers["crossdock-replaced-by"] == "echo"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": ""}, {"Content-Type": "application/json;charset=utf-8"}])
async def test_json_is_understood_without_being_announced(echoing: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await echoing.post("/api/echo/x", content=b'\xef\xbb\xbf{"id": 7, "else": [{}]}', headers=headers)

    assert answer.status_code == 200


async def test_a_client_that_leaves_is_not_answered(house: House) -> None:
    rest = create_rest(house.database, Anybody(), Settings(), {}, table=ECHO)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    asgi = {"type": "http", "method": "POST", "path": "/api/echo/x", "raw_path": b"/api/echo/x", "query_string": b""}
    where = {
        "headers": [(b"authorization", b"-"), (b"content-length", b"9")],
        "client": ("127.0.0.1", 1),
        "scheme": "http",
    }
    await rest({**asgi, **where}, receive, send)

    assert sent == []


async def test_every_declared_route_is_in_the_contract() -> None:
    assert len(TABLE.routes) == 70
    assert all(route.path.startswith(PREFIXES) for route in TABLE.routes)


async def test_messages_show_what_callers_sent_without_breaking(house: House) -> None:
    answer = await house.send("POST", "/api/product/read", json.dumps({"\ud800": 1})[:-1] + ', "\\ud800": 2}')

    assert "twice" in answer.refused(400)


async def test_a_user_needs_the_permission_and_the_level() -> None:
    holds = frozenset(Permission)
    for route in TABLE.routes:
        assert Grant(Level.USER, holds).allows(route.level, route.permission)
        if route.level > Level.VIEWER:
            assert not Grant(Level.VIEWER, holds).allows(route.level, route.permission)
