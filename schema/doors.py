"""uvicorn's protocols with the limits of time and size that they lack; they stand before any of our code runs."""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from hub.settings import Settings

HEAD_BYTES = 64 * 1024
MOST_PIPELINED = 16
MOST_FRAGMENTS = 1_000


def guarded(settings: Settings) -> tuple[type["GuardedHttp"], type["GuardedSocket"]]:
    """The protocol classes for uvicorn, with the times of these settings."""
    times = {
        "head_seconds": settings.head_timeout.total_seconds(),
        "stall_seconds": settings.stall_timeout.total_seconds(),
    }
    return type("Http", (GuardedHttp,), dict(times)), type("Socket", (GuardedSocket,), dict(times))


class TooMuch(Exception):
    """Raised inside the parser, which turns it into 400 and closes the connection."""


class _Stall:
    """Cuts off a reader that takes nothing: what waits for it is memory."""

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, transport.abort)

    def over(self) -> None:
        self._timer.cancel()


class GuardedHttp(HttpToolsProtocol):
    """A connection on which nothing is under way must bring a whole request head in time, and no endless one."""

    head_seconds = 10.0
    stall_seconds = 30.0
    _timer: asyncio.TimerHandle | None = None
    _stall: _Stall | None = None
    _upgraded = False
    _unfinished = 0
    _head = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        self._flows()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._upgraded or self.transport.is_closing():
            return
        answered = self.cycle is None or self.cycle.response_complete
        if self._timer is None and answered:
            self._expect_head()  # the rest of a body that nobody wants, or empty lines
        elif self._timer is not None and not (self.cycle is not None and self.cycle.more_body):
            self._unfinished += len(data)
            if self._unfinished > HEAD_BYTES:
                self.send_400_response("The request head is too large.")

    def handle_websocket_upgrade(self) -> None:
        self._upgraded = True
        super().handle_websocket_upgrade()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if len(self.pipeline) >= MOST_PIPELINED:
            raise TooMuch
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

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = _Stall(self.transport, self.stall_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._flows()

    def _flows(self) -> None:
        if self._stall is not None:
            self._stall.over()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > HEAD_BYTES:
            raise TooMuch

    def _expect_head(self) -> None:
        self._head_is_here()
        self._unfinished = 0
        self._timer = self.loop.call_later(self.head_seconds, self._too_slow)

    def _head_is_here(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()


class GuardedSocket(WebSocketsSansIOProtocol):
    """A WebSocket whose peer reads what it is sent, and that is not drowned in pings or crumbs."""

    stall_seconds = 30.0
    _stall: _Stall | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._flows()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stall = _Stall(self.transport, self.stall_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._flows()

    def handle_ping(self) -> None:
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()  # a pong for somebody who does not read: dropped

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MOST_FRAGMENTS:
            self.conn.fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    def _flows(self) -> None:
        if self._stall is not None:
            self._stall.over()
