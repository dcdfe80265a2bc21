"""The REST layer as one ASGI application: finds the route, keeps the order of errors, wraps the answer."""

import uuid
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from hub.context import Scope
from hub.db import Database
from hub.errors import HubError, Invalid, NotAllowed
from hub.ports import Registry
from hub.settings import Settings
from schema.peer import peer_of
from schema.rest.answers import Answer, broken, failure, refused, success
from schema.rest.auth import Authenticator, scope_of
from schema.rest.bodies import Disconnected, Refused, parsed, read_body
from schema.rest.json_text import numeral_or_text, shown
from schema.rest.requests import read_model
from schema.rest.routes import RestCall, Route, Table
from schema.rest.table import TABLE
from schema.rest.usage import Usage

REPLACED_BY = "Crossdock-Replaced-By"


class Rest:
    """ASGI application for everything below `/api` and `/softone`; enter `running()` while the process serves."""

    def __init__(
        self, database: Database, authenticator: Authenticator, settings: Settings, registry: Registry, table: Table
    ) -> None:
        self._database = database
        self._authenticator = authenticator
        self._settings = settings
        self._registry = registry
        self._table = table
        self.usage = Usage(database)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Counts the use of routes in the background."""
        return self.usage.running()

    async def __call__(self, asgi: AsgiScope, receive: Receive, send: Send) -> None:
        if asgi["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        request_id = asgi.get("state", {}).get("request_id") or uuid.uuid4().hex
        try:
            answer = await self._answer(asgi, receive, request_id)
        except Disconnected:
            return
        await _send(answer, request_id, send)

    async def _answer(self, asgi: AsgiScope, receive: Receive, request_id: str) -> Answer:
        try:
            scope = await scope_of(asgi["headers"], peer_of(asgi, self._settings), self._authenticator)
        except HubError as error:
            return refused(error, request_id)
        except Exception as error:
            return broken(error, request_id)
        raw_path = asgi.get("raw_path") or quote(asgi["path"]).encode()
        methods, found = self._table.find(raw_path)
        if not methods:
            return failure(404, f"{shown(asgi['path'])} is not a route")
        route = methods.get(asgi["method"])
        if route is None:
            allowed = ", ".join(sorted(methods))
            return failure(405, f"{asgi['method']} is not a method of this path (use {allowed})", {"Allow": allowed})
        answer = await self._call(route, scope, found, asgi, receive, request_id)
        self.usage.count(scope, route.name, failed=answer.status >= 400)
        return answer

    async def _call(
        self, route: Route[Any], scope: Scope, found: Any, asgi: AsgiScope, receive: Receive, request_id: str
    ) -> Answer:
        try:
            await self._permit(route, scope)
            raw = await read_body(asgi["headers"], receive)
            call = RestCall(
                scope=scope,
                database=self._database,
                path=route.values(found),
                query=_query(route, asgi["query_string"]),
                body=await _body(route, raw),
                registry=self._registry,
                settings=self._settings,
                request_id=request_id,
            )
            headers = {REPLACED_BY: route.replaced_by} if route.replaced_by else {}
            return success(route.answer, await route.handler(call), headers)
        except Refused as error:
            return failure(error.status, error.message)
        except HubError as error:
            return refused(error, request_id)
        except Disconnected:
            raise
        except Exception as error:
            return broken(error, request_id)

    async def _permit(self, route: Route[Any], scope: Scope) -> None:
        if not scope.allows(route.level, route.permission):
            raise NotAllowed("Insufficient permissions")
        if route.gate is not None:
            await route.gate(scope, self._database)


def create_rest(
    database: Database,
    authenticator: Authenticator,
    settings: Settings,
    registry: Registry,
    *,
    table: Table = TABLE,
) -> Rest:
    """The application to mount, unprefixed, for `/api` and `/softone`."""
    return Rest(database, authenticator, settings, registry, table)


async def _body(route: Route[Any], raw: bytes) -> Any:
    if route.body is None:
        return None
    if not raw and not route.body_optional:
        raise Invalid("a JSON object is required as the body")
    value = await parsed(raw) if raw else {}
    if not isinstance(value, dict):
        raise Invalid("the body must be a JSON object")
    return read_model(route.body, value)


def _query(route: Route[Any], query_string: bytes) -> Any:
    if route.query is None:
        return None
    values: dict[str, Any] = {}
    for name, value in parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, max_num_fields=None):
        if name in values:
            raise Invalid("is given twice in the query", field=shown(name))
        values[name] = numeral_or_text(value)
    return read_model(route.query, values)


async def _send(answer: Answer, request_id: str, send: Send) -> None:
    headers = [(b"content-type", answer.media_type.encode()), (b"x-request-id", request_id.encode())]
    headers += [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items()]
    if isinstance(answer.body, bytes):
        headers.append((b"content-length", b"%d" % len(answer.body)))
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    async with aclosing(answer.body) as pieces:
        async for piece in pieces:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
