"""Faults on demand: "the next N requests whose path contains X do Y". Also keeps the list of calls that came in."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Message, Receive, Scope, Send

OWN_KINDS = ("garbage", "cut", "hang", "slow", "status")
"""What this module does itself; a sandbox adds kinds that it alone can do (a malformed record, a shifted page …)."""


@dataclass(slots=True, kw_only=True)
class Fault:
    """`garbage` a proxy's page instead of the answer · `cut` the connection ends in mid-body · `hang` no answer ·
    `slow` the answer after `seconds` · `status` an empty answer with `status` and `headers`.

    cut, hang and slow let the request take effect; the others do not, unless `effect`.
    """

    path: str
    kind: str
    times: int = 1
    skip: int = 0
    """Requests to let pass before."""
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 1.0
    effect: bool | None = None

    @property
    def takes_effect(self) -> bool:
        return self.kind in ("cut", "hang", "slow") if self.effect is None else self.effect


@dataclass(slots=True)
class Book:
    """The faults still to come and the calls that came in."""

    pending: list[Fault] = field(default_factory=list)
    calls: deque[Mapping[str, str]] = field(default_factory=lambda: deque(maxlen=1000))

    def due(self, path: str) -> Fault | None:
        """The fault for a request to this path, counted down."""
        for fault in self.pending:
            if fault.path in path:
                if fault.skip:
                    fault.skip -= 1
                    return None
                fault.times -= 1
                if fault.times <= 0:
                    self.pending.remove(fault)
                return fault
        return None


class Faults:
    """ASGI middleware around a sandbox; the fault of a request stands in its scope under `fault`."""

    def __init__(self, app: ASGIApp, book: Book) -> None:
        self.app = app
        self.book = book

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self.app(scope, receive, send)
            return
        query = scope["query_string"].decode("ascii", "replace")
        self.book.calls.append({"method": scope["method"], "path": scope["path"], "query": query})
        fault = self.book.due(scope["path"])
        scope["fault"] = fault
        if fault is None or fault.kind not in OWN_KINDS:
            await self.app(scope, receive, send)
            return
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        if fault.takes_effect:
            await self.app(scope, receive, keep)
        await _misbehave(fault, answer, receive, send)


async def _misbehave(fault: Fault, answer: list[Message], receive: Receive, send: Send) -> None:
    body = b"".join(message.get("body", b"") for message in answer[1:])
    match fault.kind:
        case "hang":
            while (await receive())["type"] != "http.disconnect":
                pass
        case "cut":
            await send(answer[0])
            await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        case "slow":
            await asyncio.sleep(fault.seconds)
            for message in answer:
                await send(message)
        case "garbage":
            await _answer(send, 200, {"content-type": "text/html"}, b"<html><body>Revenim imediat.</body></html>")
        case _:
            await _answer(send, fault.status, fault.headers, b"")


async def _answer(send: Send, status: int, headers: Mapping[str, str], body: bytes) -> None:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": body})
