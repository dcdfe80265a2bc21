"""GraphQL over Server-Sent Events, the distinct connections mode: one operation, one answer that goes on."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from hub.endings import end
from hub.errors import NotAllowed
from schema.credentials import RECHECK_EVERY
from schema.errors import refusal
from schema.execution import Stream

MEDIA_TYPE = "text/event-stream"
COMMENT = b":\n\n"
COMPLETE = b"event: complete\ndata:\n\n"
QUIET = 3
"""After so many looks at the caller's rights without an event, a comment keeps proxies from hanging up."""

Allowed = Callable[[], Awaitable[bool]]


class EventStream(Response):
    """Sends the answers until they end, the caller goes away or its right ends; nothing is left behind then."""

    media_type = MEDIA_TYPE

    def __init__(self, answers: Stream, still_allowed: Allowed, request_id: str, *, every: float = RECHECK_EVERY):
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._answers = answers
        self._still_allowed = still_allowed
        self._request_id = request_id
        self._every = every

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async with _running(self._tell(send)) as telling, _running(_gone(receive)) as gone:
            await asyncio.wait({telling, gone}, return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()

    async def _tell(self, send: Send) -> None:
        async def piece(body: bytes, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        await piece(COMMENT)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        async with _running(_pump(self._answers, queue)):
            async for answer in self._paced(queue):
                await piece(COMMENT if answer is None else _next(answer))
        await piece(COMPLETE, more=False)

    async def _paced(self, queue: asyncio.Queue[bytes | None]) -> AsyncIterator[bytes | None]:
        """The answers, and None after a while without any."""
        loop = asyncio.get_running_loop()
        look_at, quiet = loop.time() + self._every, 0
        while True:
            try:
                async with asyncio.timeout_at(look_at):
                    answer = await queue.get()
            except TimeoutError:
                look_at, quiet = loop.time() + self._every, quiet + 1
                if not await self._still_allowed():
                    yield refusal(NotAllowed("your right to this has ended"), self._request_id)
                    return
                if quiet % QUIET == 0:
                    yield None
                continue
            if answer is None:
                return
            quiet = 0
            yield answer


async def _pump(answers: Stream, queue: "asyncio.Queue[bytes | None]") -> None:
    async with aclosing(answers):
        async for answer in answers:
            await queue.put(answer)
    await queue.put(None)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


@asynccontextmanager
async def _running(work: Awaitable[None]) -> AsyncIterator["asyncio.Future[None]"]:
    task = asyncio.ensure_future(work)
    try:
        yield task
    finally:
        await end([task])


def only(answer: bytes) -> bytes:
    """The whole stream of an operation with one answer."""
    return b"".join((COMMENT, _next(answer), COMPLETE))


def _next(answer: bytes) -> bytes:
    return b"event: next\ndata: " + answer + b"\n\n"
