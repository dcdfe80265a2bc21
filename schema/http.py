"""GraphQL over HTTP: POST and GET for operations, Server-Sent Events for streams. Only the protocol, no GraphQL."""

from collections.abc import Mapping
from email.message import Message
from functools import lru_cache, partial
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from hub.errors import CallerError, HubError, Invalid, NotAllowed, Unauthenticated, Unavailable
from schema import sse
from schema.context import RequestContext, Services
from schema.credentials import authorization_of, caller_of, still_allowed
from schema.errors import presented, refusals
from schema.execution import Executor
from schema.peer import peer_of
from schema.request import GraphQLRequest, decoded, request_of

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
EXPLAIN = "crossdock-explain"
"""The request header (`1`) with which an administrator asks for `extensions.plan`."""
OFFERED = (JSON, RESPONSE_JSON, sse.MEDIA_TYPE)
WILDCARDS = {"": JSON, "*/*": JSON, "application/*": JSON, "text/*": sse.MEDIA_TYPE}
STATUS = {Unauthenticated: 401, NotAllowed: 403, Unavailable: 503}
HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 405: {"Allow": "GET, POST"}, 503: {"Retry-After": "1"}}


class BadRequest(Invalid):
    """A refusal on the level of HTTP."""

    code = "BAD_REQUEST"

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


class GraphQLEndpoint:
    """The ASGI application behind `/graphql` for HTTP."""

    def __init__(self, services: Services, executor: Executor) -> None:
        self._services = services
        self._executor = executor

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request_id: str = request.state.request_id
        media_type = JSON
        try:
            if request.method not in ("GET", "POST"):
                raise BadRequest(405, f"{request.method} is not offered here")
            media_type = negotiated(request.headers.get("accept", ""))
            response = await self._answer(request, media_type, request_id)
        except HubError as error:
            response = refused(error, media_type, request_id)
        except ClientDisconnect:
            return
        response.headers.setdefault("Cache-Control", "no-store")
        await response(scope, receive, send)

    async def _answer(self, request: Request, media_type: str, request_id: str) -> Response:
        authenticator = self._services.authenticator
        peer = peer_of(request.scope, self._services.settings)
        caller = await caller_of(authenticator, authorization_of(request.scope), peer)
        context = RequestContext(
            services=self._services,
            caller=caller,
            peer=peer,
            explain=request.headers.get(EXPLAIN) == "1",
            request_id=request_id,
        )
        prepared = self._executor.prepare(await self._read(request), context)
        if prepared.operation is None:
            return _not_executed(prepared.errors, media_type, request_id)
        if request.method == "GET" and prepared.kind == "mutation":
            raise BadRequest(405, "mutations are not offered over GET", Allow="POST")
        if prepared.kind == "subscription":
            if media_type != sse.MEDIA_TYPE:
                raise BadRequest(406, f"subscriptions need a WebSocket or Accept: {sse.MEDIA_TYPE}")
            allowed = partial(still_allowed, authenticator, caller)
            return sse.EventStream(self._executor.stream(prepared, context), allowed, request_id)
        reply = await self._executor.execute(prepared, context)
        if reply.errors:
            return _not_executed(reply.errors, media_type, request_id)
        if media_type == sse.MEDIA_TYPE:
            return Response(sse.only(reply.body), media_type=media_type)
        return Response(reply.body, media_type=media_type)

    async def _read(self, request: Request) -> GraphQLRequest:
        if request.method == "GET":
            return _from_query(request.query_params)
        if not _is_json(request.headers.get("content-type", "")):
            raise BadRequest(415, f"the body must be {JSON} in UTF-8", Accept=JSON)
        most = self._services.settings.body_limit
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > most:
                raise BadRequest(413, f"the body is larger than {most} bytes", Connection="close")
        if not body:
            raise BadRequest(400, "the body is missing")
        return request_of(decoded(bytes(body)))


@lru_cache(maxsize=256)
def negotiated(accept: str) -> str:
    """The media type of the answer; `application/json` when the caller does not care."""
    offers: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept.split(",")):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        chosen = WILDCARDS.get(name, name)
        if quality > 0 and chosen in OFFERED:
            offers.append((-quality, position, chosen))
    if not offers:
        raise BadRequest(406, f"answers are {RESPONSE_JSON}, {JSON} or {sse.MEDIA_TYPE}")
    return min(offers)[2]


def refused(error: HubError, media_type: str, request_id: str) -> Response:
    """The answer to a request that did not get as far as an operation."""
    if isinstance(error, BadRequest):
        status, headers = error.status, HEADERS.get(error.status, {}) | error.headers
    else:
        status = next((number for kind, number in STATUS.items() if isinstance(error, kind)), 0)
        status = status or (400 if isinstance(error, CallerError) else 500)
        headers = HEADERS.get(status, {})
    return Response(refusals([presented(error, request_id)], request_id), status, headers, _plain(media_type))


def _not_executed(errors: list[dict[str, Any]], media_type: str, request_id: str) -> Response:
    """`application/json` answers 200 to what was not executed, by its tradition; all others 400."""
    status = 200 if media_type == JSON else 400
    return Response(refusals(errors, request_id), status, media_type=_plain(media_type))


def _plain(media_type: str) -> str:
    return JSON if media_type == sse.MEDIA_TYPE else media_type


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


@lru_cache(maxsize=256)
def _is_json(content_type: str) -> bool:
    """Exactly this type: browsers send others to foreign sites without asking."""
    message = Message()
    message["Content-Type"] = content_type
    charset = str(message.get_content_charset("utf-8")).replace("_", "-")
    return content_type.partition(";")[0].strip().lower() == JSON and charset in ("utf-8", "utf8")


def _from_query(parameters: Mapping[str, str]) -> GraphQLRequest:
    message: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            message[name] = decoded(parameters[name])
    return request_of(message)
