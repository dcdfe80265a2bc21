"""GraphQL over HTTP: POST and GET for operations, Server-Sent Events for streams. Only the protocol, no GraphQL."""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from starlette.datastructures import Headers, QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from hub.errors import HubError, Invalid, NotAllowed, Unauthenticated, Unavailable
from schema.context import RequestContext, Services
from schema.credentials import authorization_of, caller_of
from schema.errors import refusal
from schema.execution import Executor, Stream, status_of
from schema.peer import peer_of
from schema.request import GraphQLRequest, decoded, request_of

log = logging.getLogger(__name__)

JSON = "application/json"
RESPONSE_JSON = "application/graphql-response+json"
EVENTS = "text/event-stream"
BODY_LIMIT = 2 * 1024 * 1024
METHODS = "GET, POST"


class BadRequest(Exception):
    """A refusal on the level of HTTP."""

    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = Invalid(message, code="BAD_REQUEST")
        self.headers = headers


class GraphQLEndpoint:
    """The ASGI application behind `/graphql` for HTTP."""

    def __init__(self, services: Services, executor: Executor) -> None:
        self._services = services
        self._executor = executor

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        request_id = request_id_of(request.headers)
        try:
            response = await self._answer(request, request_id)
        except BadRequest as refused:
            response = Response(
                refusal(refused.error, request_id), refused.status, {"Allow": METHODS} | refused.headers, JSON
            )
        except ClientDisconnect:
            return
        response.headers["X-Request-Id"] = request_id
        await response(scope, receive, send)

    async def _answer(self, request: Request, request_id: str) -> Response:
        if request.method not in ("GET", "POST"):
            raise BadRequest(405, f"{request.method} is not offered here")
        media_type = negotiated(request.headers.get("accept", ""))
        try:
            context = await self._context(request, request_id)
            prepared = self._executor.prepare(await _read(request), context)
        except Unauthenticated as error:
            return Response(refusal(error, request_id), 401, {"WWW-Authenticate": "Bearer"}, _plain(media_type))
        except NotAllowed as error:
            return Response(refusal(error, request_id), 403, media_type=_plain(media_type))
        except Unavailable as error:
            return Response(refusal(error, request_id), 503, {"Retry-After": "1"}, _plain(media_type))
        except Invalid as error:
            return Response(refusal(error, request_id), 400, media_type=_plain(media_type))
        if prepared.refused is not None:
            status = status_of(False, strict=media_type != JSON)
            return Response(prepared.refused, status, media_type=_plain(media_type))
        if request.method == "GET" and prepared.kind == "mutation":
            raise BadRequest(405, "mutations are not offered over GET", Allow="POST")
        if media_type == EVENTS:
            return _events(self._executor.stream(prepared, context))
        if prepared.kind == "subscription":
            raise BadRequest(406, f"subscriptions need a WebSocket or Accept: {EVENTS}")
        reply = await self._executor.execute(prepared, context)
        return Response(reply.body, status_of(reply.executed, strict=media_type != JSON), media_type=media_type)

    async def _context(self, request: Request, request_id: str) -> RequestContext:
        peer = peer_of(request.scope, self._services.settings)
        caller = await caller_of(self._services.authenticator, authorization_of(request.scope), peer)
        return RequestContext(services=self._services, caller=caller, peer=peer, request_id=request_id)


def negotiated(accept: str) -> str:
    """The media type of the answer; `application/json` when the caller does not care."""
    offers: list[tuple[float, int, str]] = []
    for position, part in enumerate(accept.split(",")):
        name, *parameters = (piece.strip().lower() for piece in part.split(";"))
        quality = next((_quality(p[2:]) for p in parameters if p.startswith("q=")), 1.0)
        chosen = {"*/*": JSON, "application/*": JSON, "text/*": EVENTS, "": JSON}.get(name, name)
        if quality > 0 and chosen in (JSON, RESPONSE_JSON, EVENTS):
            offers.append((-quality, position, chosen))
    if not offers:
        raise BadRequest(406, f"answers are {RESPONSE_JSON}, {JSON} or {EVENTS}")
    return min(offers)[2]


def _quality(text: str) -> float:
    try:
        return min(1.0, max(0.0, float(text)))
    except ValueError:
        return 0.0


def request_id_of(headers: Headers) -> str:
    """The caller's `X-Request-Id` when it is short and plain, else a new one."""
    given = headers.get("x-request-id", "")
    return given if 0 < len(given) <= 64 and given.isascii() and given.replace("-", "").isalnum() else uuid.uuid4().hex


async def _read(request: Request) -> GraphQLRequest:
    if request.method == "GET":
        return _from_query(request.query_params)
    content_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().removeprefix("charset=").strip('" ')
    if content_type.strip().lower() != JSON or charset not in ("", "utf-8", "utf8"):
        raise BadRequest(415, f"the body must be {JSON} in UTF-8", Accept=JSON)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise BadRequest(413, f"the body is larger than {BODY_LIMIT} bytes")
    if not body:
        raise BadRequest(400, "the body is missing")
    return request_of(decoded(bytes(body)))


def _from_query(parameters: QueryParams) -> GraphQLRequest:
    message: dict[str, Any] = {name: parameters[name] for name in ("query", "operationName") if name in parameters}
    for name in ("variables", "extensions"):
        if parameters.get(name):
            message[name] = decoded(parameters[name])
    return request_of(message)


def _plain(media_type: str) -> str:
    return JSON if media_type == EVENTS else media_type


def _events(stream: Stream) -> Response:
    """The distinct-connections mode of GraphQL over SSE."""
    return StreamingResponse(
        _framed(stream), media_type=EVENTS, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    )


async def _framed(stream: Stream) -> AsyncIterator[bytes]:
    yield b":\n\n"
    try:
        async with aclosing(stream) as answers:
            async for answer in answers:
                yield b":\n\n" if answer is None else b"event: next\ndata: " + answer + b"\n\n"
    except HubError as error:
        yield b"event: next\ndata: " + refusal(error, "") + b"\n\n"
    yield b"event: complete\ndata:\n\n"
