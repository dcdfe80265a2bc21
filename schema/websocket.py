"""GraphQL over WebSocket, protocol `graphql-transport-ws`: handshake, streams, close codes. No GraphQL in here."""

import asyncio
import logging
from contextlib import aclosing
from typing import Any

import orjson
from graphql import GraphQLError
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from hub.context import Scope
from hub.errors import HubError, Invalid, NotAllowed, Unauthenticated, Unavailable
from schema.context import RequestContext, Services
from schema.credentials import authorization_of, caller_of
from schema.errors import presented
from schema.execution import Executor, Prepared
from schema.peer import peer_of
from schema.request import decoded, request_of

log = logging.getLogger(__name__)

PROTOCOL = "graphql-transport-ws"
INIT_TIMEOUT = 10.0
RECHECK_EVERY = 4.0
SUBSCRIPTION_LIMIT = 100


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
        self._acknowledged = False
        self._initialised = False
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._watch: asyncio.Task[None] | None = None

    async def run(self) -> None:
        try:
            async with asyncio.timeout(INIT_TIMEOUT):
                while not self._acknowledged:
                    await self._handle(await self._receive())
            self._watch = asyncio.create_task(self._watch_rights())
            while True:
                await self._handle(await self._receive())
        except TimeoutError:
            await self._close(4408, "Connection initialisation timeout")
        except Closed as closed:
            await self._close(closed.code, closed.reason)
        except WebSocketDisconnect:
            log.debug("a socket was closed by its client")
        finally:
            tasks = [*self._operations.values(), *([self._watch] if self._watch else [])]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

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
                await self._initialise(message.get("payload"))
            case "ping":
                _check_payload(message)
                await self._send({"type": "pong"})
            case "pong":
                _check_payload(message)
            case "subscribe":
                self._subscribe(message)
            case "complete":
                operation = self._operations.pop(_id_of(message), None)
                if operation is not None:
                    operation.cancel()
            case other:
                raise Closed(4400, f"Unknown message type {other[:40]}")

    async def _initialise(self, payload: Any) -> None:
        if self._initialised:
            raise Closed(4429, "Too many initialisation requests")
        self._initialised = True
        if payload is not None and not isinstance(payload, dict):
            raise Closed(4400, "The payload of connection_init must be an object")
        given = (payload or {}).get("authorization") or (payload or {}).get("Authorization")
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
        identity = _id_of(message)
        if identity in self._operations:
            raise Closed(4409, f"Subscriber for {identity[:60]} already exists")
        if len(self._operations) >= SUBSCRIPTION_LIMIT:
            raise Closed(4429, f"Too many subscriptions, at most {SUBSCRIPTION_LIMIT} on one socket")
        if not isinstance(message.get("payload"), dict):
            raise Closed(4400, "The payload of subscribe must be an object")
        self._operations[identity] = asyncio.create_task(self._operate(identity, message["payload"]))

    async def _operate(self, identity: str, payload: dict[str, Any]) -> None:
        context = RequestContext(services=self._services, caller=self._caller, peer=self._peer)
        try:
            prepared = self._executor.prepare(request_of(payload), context)
            if prepared.refused is not None:
                await self._error(identity, prepared.errors)
                return
            await self._stream(identity, prepared, context)
        except HubError as error:
            await self._error(identity, [presented(error, context.request_id)])
        except WebSocketDisconnect:
            log.debug("a socket went away while an answer was on its way")
        except Exception as error:
            masked = GraphQLError("", original_error=error)
            await self._error(identity, [presented(masked, context.request_id)])
        finally:
            if self._operations.get(identity) is asyncio.current_task():
                del self._operations[identity]

    async def _stream(self, identity: str, prepared: Prepared, context: RequestContext) -> None:
        head = b'{"id":' + orjson.dumps(identity) + b',"type":"next","payload":'
        async with aclosing(self._executor.stream(prepared, context)) as answers:
            async for answer in answers:
                if answer is None:
                    continue  # a sign of life for transports without pings
                await self._socket.send_text((head + answer + b"}").decode())
        await self._send({"id": identity, "type": "complete"})

    async def _error(self, identity: str, errors: list[dict[str, Any]]) -> None:
        await self._send({"id": identity, "type": "error", "payload": errors})

    async def _watch_rights(self) -> None:
        """Close the socket when the caller's right has ended."""
        while self._caller is not None:
            await asyncio.sleep(RECHECK_EVERY)
            try:
                valid = await self._services.authenticator.still_valid(self._caller)
            except Unavailable:
                continue  # the database is away: nothing can be read meanwhile either
            if not valid:
                await self._close(4403, "Forbidden")
                return

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send_text(orjson.dumps(message).decode())

    async def _close(self, code: int, reason: str) -> None:
        if self._socket.application_state is WebSocketState.CONNECTED:
            # A close reason holds at most 123 bytes.
            await self._socket.close(code, reason.encode()[:123].decode(errors="ignore"))


def _id_of(message: dict[str, Any]) -> str:
    identity = message.get("id")
    if not isinstance(identity, str) or not identity:
        raise Closed(4400, "The message needs an id")
    return identity


def _check_payload(message: dict[str, Any]) -> None:
    if message.get("payload") is not None and not isinstance(message["payload"], dict):
        raise Closed(4400, "The payload must be an object")
