"""A bounded memory of what was worked out before: the least recently used goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """At most `entries` values of together at most `weight`; a heavier one is not kept at all."""

    def __init__(self, *, entries: int, weight: int) -> None:
        self._entries = entries
        self._weight = weight
        self._held = 0
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    @property
    def weight(self) -> int:
        return self._held

    def get(self, key: K) -> V | None:
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: K, value: V, weight: int) -> None:
        if key in self._values:
            self._held -= self._values.pop(key)[1]
        if weight > self._weight:
            return
        self._values[key] = (value, weight)
        self._held += weight
        while len(self._values) > self._entries or self._held > self._weight:
            _, (_, dropped) = self._values.popitem(last=False)
            self._held -= dropped
