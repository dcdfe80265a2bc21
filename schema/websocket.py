"""GraphQL over WebSocket, protocol `graphql-transport-ws`: handshake, streams, close codes. No GraphQL in here."""

import asyncio
import logging
from contextlib import aclosing
from typing import Any

import orjson
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from hub.context import Scope
from hub.endings import end
from hub.errors import Invalid, NotAllowed, Unauthenticated, Unavailable
from schema.context import RequestContext, Services
from schema.credentials import RECHECK_EVERY, authorization_of, caller_of, still_allowed
from schema.errors import presented
from schema.execution import Executor
from schema.peer import peer_of
from schema.request import GraphQLRequest, decoded, request_of

log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"
LONGEST_ID = 255


class Closed(Exception):
    """The protocol demands that this side closes the socket."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocketEndpoint:
    """The ASGI application behind `/graphql` for WebSockets."""

    def __init__(self, services: Services, executor: Executor) -> None:
        self._services = services
        self._executor = executor

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        offered = scope.get("subprotocols", [])
        if PROTOCOL not in offered:
            # A client hears the close code only when its handshake succeeds with a protocol it offered.
            await socket.accept(subprotocol=offered[0] if offered else None)
            await socket.close(4406, "Subprotocol not acceptable")
            return
        await socket.accept(subprotocol=PROTOCOL)
        await Conversation(socket, self._services, self._executor).run()


class Conversation:
    """One socket from its handshake to its end."""

    def __init__(self, socket: WebSocket, services: Services, executor: Executor) -> None:
        self._socket = socket
        self._services = services
        self._executor = executor
        self._peer = peer_of(socket.scope, services.settings)
        self._caller: Scope | None = None
        self._initialised = False
        self._acknowledged = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Returns when the socket is closed, whoever closed it; nothing is left running then."""
        try:
            await self._converse()
        except Closed as closed:
            await self._close(closed.code, closed.reason)
        except WebSocketDisconnect:
            log.debug("a socket was closed by its client")
        except Exception:
            log.exception("a socket failed")
            await self._close(1011, "Internal error")
        finally:
            await self._end_all()

    async def _converse(self) -> None:
        try:
            async with asyncio.timeout(self._services.settings.init_timeout.total_seconds()):
                while not self._acknowledged:
                    await self._handle(await self._receive())
        except TimeoutError as error:
            raise Closed(4408, "Connection initialisation timeout") from error
        self._watch = asyncio.create_task(self._watch_rights())
        while True:
            await self._handle(await self._receive())

    async def _receive(self) -> dict[str, Any]:
        event = await self._socket.receive()
        if event["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(event.get("code", 1006))
        text = event.get("text")
        if text is None:
            raise Closed(4400, "Messages must be text")
        try:
            message = decoded(text)
        except Invalid as error:
            raise Closed(4400, error.message) from error
        if not isinstance(message, dict) or not isinstance(message.get("type"), str):
            raise Closed(4400, "Messages must be objects with a type")
        return message

    async def _handle(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connection_init":
                await self._initialise(_payload_of(message))
            case "ping":
                _payload_of(message)
                await self._send({"type": "pong"})
            case "pong":
                _payload_of(message)
            case "subscribe":
                self._subscribe(message)
            case "complete":
                operation = self._operations.pop(_id_of(message), None)
                if operation is not None:
                    operation.cancel()
            case other:
                raise Closed(4400, f"Unknown message type {other[:40]}")

    async def _initialise(self, payload: dict[str, Any]) -> None:
        if self._initialised:
            raise Closed(4429, "Too many initialisation requests")
        self._initialised = True
        given = payload.get("authorization") or payload.get("Authorization")
        headers = [given.encode()] if isinstance(given, str) else authorization_of(self._socket.scope)
        try:
            self._caller = await caller_of(self._services.authenticator, headers, self._peer)
        except (Unauthenticated, NotAllowed) as error:
            raise Closed(4403, "Forbidden") from error
        except Unavailable as error:
            raise Closed(1013, "Try again later") from error
        self._acknowledged = True
        await self._send({"type": "connection_ack"})

    def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._acknowledged:
            raise Closed(4401, "Unauthorized")
        identity, most = _id_of(message), self._services.settings.socket_subscriptions
        if identity in self._operations:
            raise Closed(4409, f"Subscriber for {identity[:60]} already exists")
        if len(self._operations) >= most:
            raise Closed(4429, f"Too many subscriptions, at most {most} on one socket")
        try:
            request = request_of(message.get("payload"))
        except Invalid as error:
            raise Closed(4400, str(error)) from error
        self._operations[identity] = asyncio.create_task(self._operate(identity, request))

    async def _operate(self, identity: str, request: GraphQLRequest) -> None:
        context = RequestContext(services=self._services, caller=self._caller, peer=self._peer)
        try:
            await self._answer(identity, request, context)
        except WebSocketDisconnect:
            log.debug("a socket went away while an answer was on its way")
        except Exception as error:  # the caller must hear of it, whatever it is
            await self._error(identity, [presented(error, context.request_id)])
        finally:
            if self._operations.get(identity) is asyncio.current_task():
                del self._operations[identity]

    async def _answer(self, identity: str, request: GraphQLRequest, context: RequestContext) -> None:
        prepared = self._executor.prepare(request, context)
        if prepared.operation is None:
            await self._error(identity, prepared.errors)
            return
        if prepared.kind == "subscription":
            async with aclosing(self._executor.stream(prepared, context)) as answers:
                async for answer in answers:
                    await self._next(identity, answer)
        else:
            reply = await self._executor.execute(prepared, context)
            if reply.errors:
                await self._error(identity, reply.errors)
                return
            await self._next(identity, reply.body)
        await self._send({"id": identity, "type": "complete"})

    async def _watch_rights(self) -> None:
        """Close the socket when the caller's right has ended, or when nobody can tell any more."""
        try:
            while True:
                await asyncio.sleep(RECHECK_EVERY)
                if not await still_allowed(self._services.authenticator, self._caller):
                    break
        except Exception:
            log.exception("the rights behind a socket cannot be looked at")
            await self._close(1011, "Internal error")
        else:
            await self._close(4403, "Forbidden")

    async def _next(self, identity: str, answer: bytes) -> None:
        message = b'{"id":' + orjson.dumps(identity) + b',"type":"next","payload":' + answer + b"}"
        await self._socket.send_text(message.decode())

    async def _error(self, identity: str, errors: list[dict[str, Any]]) -> None:
        await self._send({"id": identity, "type": "error", "payload": errors})

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(orjson.dumps(message).decode())

    async def _close(self, code: int, reason: str) -> None:
        await self._end_operations()
        if self._socket.application_state is WebSocketState.CONNECTED:
            # A close reason holds at most 123 bytes.
            await self._socket.close(code, reason.encode()[:123].decode(errors="ignore"))

    async def _end_operations(self) -> None:
        await end(self._operations.values())

    async def _end_all(self) -> None:
        if self._watch is not None:
            await end([self._watch])
        await self._end_operations()


def _id_of(message: dict[str, Any]) -> str:
    identity = message.get("id")
    if not isinstance(identity, str) or not 0 < len(identity) <= LONGEST_ID:
        raise Closed(4400, f"The message needs an id of 1 to {LONGEST_ID} characters")
    return identity


def _payload_of(message: dict[str, Any]) -> dict[str, Any]:
    payload = message.get("payload")
    if payload is not None and not isinstance(payload, dict):
        raise Closed(4400, "The payload must be an object")
    return payload or {}
