"""What one process remembers: a bounded store of recent things, and answers shared by callers of the same moment."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, Generic, TypeVar, cast

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T")


class Recent(Generic[K, V]):
    """A dictionary of the things used last."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._entries: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: K, entry: V) -> None:
        self._entries[key] = entry
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def forget(self, key: K) -> None:
        self._entries.pop(key, None)


class Flights:
    """Lets callers that ask for the same thing at the same moment share one answer."""

    def __init__(self) -> None:
        self._running: dict[Hashable, asyncio.Future[Any]] = {}

    async def share(self, key: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The answer of `work`, or of the same work already on its way; a caller that leaves does not stop it."""
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(work())
            task.add_done_callback(lambda landed: self._land(key, landed))
        return cast(T, await asyncio.shield(task))

    def _land(self, key: Hashable, task: "asyncio.Future[Any]") -> None:
        self._running.pop(key, None)
        if not task.cancelled():
            task.exception()  # those who wait receive it; when all have left, nobody shall hear of it
