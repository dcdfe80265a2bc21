"""A planner over the real schema and a database with three tenants."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from hub.context import Scope
from hub.db import Database
from schema.graph import build_schema
from schema.planner.execute import Planner, Request
from tests.schema.planner import world

Ask = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(scope="session")
def planner() -> Planner:
    return Planner(build_schema())


@pytest.fixture(scope="module")
async def full(database: Database) -> AsyncIterator[Database]:
    """The module's database with `world` in it."""
    await world.build(database)
    yield database


def asking(planner: Planner, database: Database, *, context: Any = None) -> Ask:
    """A function that executes a query and decodes the answer; the caller is a viewer of tenant 1 unless told."""

    async def ask(
        document: str, /, *, scope: Scope | None = None, by_fallback: bool = False, **variables: Any
    ) -> dict[str, Any]:
        request = Request(
            operation=planner.prepare(document),
            scope=scope or world.scope(1),
            database=database,
            variables=variables,
            request_id="r",
            context=context,
        )
        answer: dict[str, Any] = json.loads(await planner.execute(request, by_fallback=by_fallback))
        return answer

    return ask


@pytest.fixture(scope="module")
def ask(planner: Planner, full: Database) -> Ask:
    return asking(planner, full)
