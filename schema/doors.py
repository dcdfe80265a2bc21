"""Limits of time and size below the routes: slow or huge request heads, slow bodies, silent connections."""

import asyncio
from typing import Any

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
HEAD_BYTES = 64 * 1024
BODY_SECONDS = 60.0
PAUSE_SECONDS = 15.0


class HeadTooLarge(Exception):
    """Raised inside the parser, which turns it into 400 and closes the connection."""


class GuardedHttp(HttpToolsProtocol):
    """uvicorn's HTTP protocol with a limit for the time and the size of a request's head, which it lacks."""

    _timer: asyncio.TimerHandle | None = None
    _unfinished = 0
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is not None:
            self._unfinished += len(data)
            if self._unfinished > HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request head is too large.")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0
        self._expect_head()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head_is_here()
        super().on_headers_complete()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_BYTES:
            raise HeadTooLarge

    def _expect_head(self) -> None:
        self._head_is_here()
        self._unfinished = 0
        self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _head_is_here(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()


class BodyDeadline:
    """A body must keep coming and be complete in time; a caller that dawdles gets 408 and is cut off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        call = _Call(receive, send)
        await self._app(scope, call.receive, call.send)
        if call.late and not call.answered:
            answer = PlainTextResponse("the request body did not arrive in time", 408, {"Connection": "close"})
            await answer(scope, receive, send)


class _Call:
    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        self._deadline: float | None = None
        self._complete = False
        self.late = False
        self.answered = False

    async def receive(self) -> Message:
        if self._complete:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._deadline = self._deadline or now + BODY_SECONDS
        try:
            async with asyncio.timeout_at(min(self._deadline, now + PAUSE_SECONDS)):
                message: Any = await self._receive()
        except TimeoutError:
            self.late = self._complete = True
            return {"type": "http.disconnect"}
        self._complete = not message.get("more_body", False)
        return message  # type: ignore[no-any-return]

    async def send(self, message: Message) -> None:
        self.answered = True
        await self._send(message)
