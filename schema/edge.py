"""What holds for every answer over HTTP: it has a request id, it comes in time, and what breaks is masked."""

import asyncio
import random
from collections.abc import Iterable
from typing import Any

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from hub.settings import Settings
from schema.errors import refusal

PIECES = 4
"""Each piece of a body has this part of the time of the whole."""
REQUEST_ID = b"x-request-id"
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
)


class Edge:
    """The outermost middleware. Inside, `scope["state"]["request_id"]` is the request's id."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._body_seconds = settings.body_timeout.total_seconds()

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = _Call(receive, send, request_id_of(scope["headers"]), self._body_seconds)
        scope.setdefault("state", {})["request_id"] = call.request_id
        try:
            await self._app(scope, call.receive, call.send)
        except Exception as error:
            if call.answered:
                raise
            await _broken(error, call.request_id)(scope, receive, call.send)
            return
        if call.late and not call.answered:
            late = PlainTextResponse("the request body did not arrive in time", 408, {"Connection": "close"})
            await late(scope, receive, call.send)


def request_id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The caller's `X-Request-Id` when it is short and plain, else a new one."""
    given = next((value for name, value in headers if name == REQUEST_ID), b"")
    if 0 < len(given) <= 64 and given.replace(b"-", b"").isalnum():
        return given.decode()
    return f"{random.getrandbits(128):032x}"


class _Call:
    def __init__(self, receive: Receive, send: Send, request_id: str, body_seconds: float) -> None:
        self._receive = receive
        self._send = send
        self._body_seconds = body_seconds
        self._deadline: float | None = None
        self._complete = False
        self.request_id = request_id
        self.late = False
        self.answered = False

    async def receive(self) -> Message:
        """A body must keep coming and be complete in time; then whoever reads it is told that the caller has gone."""
        if self._complete:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._deadline = self._deadline or now + self._body_seconds
        try:
            async with asyncio.timeout_at(min(self._deadline, now + self._body_seconds / PIECES)):
                message: Any = await self._receive()
        except TimeoutError:
            self.late = self._complete = True
            return {"type": "http.disconnect"}
        self._complete = not message.get("more_body", False)
        return message  # type: ignore[no-any-return]

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.answered = True
            headers = list(message.get("headers", ()))
            said = {name for name, _ in headers}
            headers += [each for each in ((REQUEST_ID, self.request_id.encode()), *SECURITY) if each[0] not in said]
            message = {**message, "headers": headers}
        await self._send(message)


def _broken(error: Exception, request_id: str) -> Response:
    return Response(refusal(error, request_id), 500, media_type="application/json")
