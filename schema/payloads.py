"""Subscription payloads worked out once for all readers of this process who would get the same bytes."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hub.context import Scope
from schema.planner.operations import Operation

MOST = 2000
RESUME = "after"
"""The variable that differs between readers of the same stream without changing what they see."""


class SharedPayloads:
    """Finished and pending payloads, the oldest forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, asyncio.Future[bytes]] = OrderedDict()

    async def get(
        self,
        event: str,
        operation: Operation,
        variables: Mapping[str, Any],
        scope: Scope,
        work_out: Callable[[], Awaitable[bytes]],
    ) -> bytes:
        """The payload of one event; whoever asks first works it out, the others wait for it."""
        shared = {name: value for name, value in variables.items() if name != RESUME}
        rights = tuple((tenant, grant.level, grant.permissions) for tenant, grant in scope.tenants.items())
        key = (event, operation, json.dumps(shared, default=str, sort_keys=True), rights, scope.operator)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = asyncio.ensure_future(work_out())
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        # Another reader's cancellation must not take the payload from those who wait with it.
        return await asyncio.shield(known)
