"""Subscription payloads worked out once for all readers of this process who would get the same bytes."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, VariableNode, Visitor, visit

from hub.context import Scope
from schema.planner.cache import Bounded
from schema.planner.operations import Operation

MOST = 2_000
WEIGHT = 16_000_000
"""Bytes of finished payloads that are kept."""
OVERHEAD = 300


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of one answer; with errors in it, the next reader may be luckier."""

    body: bytes
    flawed: bool = False


WorkOut = Callable[[], Awaitable[Payload]]


class SharedPayloads:
    """Finished and pending payloads by event and selection."""

    def __init__(self, *, weight: int = WEIGHT) -> None:
        self._finished: Bounded[tuple[str, bytes], bytes] = Bounded(entries=MOST, weight=weight)
        self._pending: dict[tuple[str, bytes], asyncio.Task[bytes]] = {}

    @property
    def weight(self) -> int:
        return self._finished.weight

    async def get(self, event: str, selection: bytes, work_out: WorkOut) -> bytes:
        """Whoever asks first has the payload worked out, the others wait for it."""
        key = (event, selection)
        finished = self._finished.get(key)
        if finished is not None:
            return finished
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = asyncio.create_task(self._worked_out(key, work_out))
            pending.add_done_callback(_heard)
        # A reader that goes away must not take the payload from those who wait with it.
        return await asyncio.shield(pending)

    async def _worked_out(self, key: tuple[str, bytes], work_out: WorkOut) -> bytes:
        try:
            payload = await work_out()
        finally:
            del self._pending[key]
        if not payload.flawed:
            self._finished.put(key, payload.body, len(payload.body) + OVERHEAD)
        return payload.body


def selection_of(operation: Operation, variables: Mapping[str, Any], scope: Scope) -> bytes:
    """Equal for readers who are told the same about the same event: what is selected, and with which rights.

    The arguments of the subscription itself decide which events are told, never what is told of one: readers that
    resumed at different cursors share their payloads.
    """
    used = _variables_below(operation)
    told = {name: value for name, value in variables.items() if name in used}
    rights = [(tenant, grant.level, sorted(grant.permissions)) for tenant, grant in scope.tenants.items()]
    parts = [operation.source, operation.name, told, rights, scope.operator]
    return hashlib.sha256(json.dumps(parts, default=repr, sort_keys=True).encode()).digest()


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _variables_below(operation: Operation) -> set[str]:
    """The variables used anywhere but in the arguments of the subscription."""
    found = _Variables()
    for root in operation.definition.selection_set.selections:
        if isinstance(root, FieldNode):
            for part in (*(root.directives or ()), *([root.selection_set] if root.selection_set else [])):
                visit(part, found)
        else:
            visit(root, found)
    for fragment in operation.fragments.values():
        visit(fragment, found)
    return found.names


def _heard(task: asyncio.Task[bytes]) -> None:
    """Whatever happened is told to those who wait; when all have gone, to nobody."""
    if not task.cancelled():
        task.exception()
