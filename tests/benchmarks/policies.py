"""What row-level security costs: the hub's own statements as `hub_app`, and as a superuser whom no policy binds.

Two connections with the same settings in turns, one statement after the other; no server, no HTTP.
"""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from tests.benchmarks.operations import OPERATIONS
from tests.benchmarks.plans import SETTINGS, Planning
from tests.benchmarks.site import Site
from tests.benchmarks.turns import Effort, Measured, Pair

TURNS = 3
"""The rounds are so many times as many and as short as those over HTTP."""


async def measure_policies(site: Site, planning: Planning, effort: Effort) -> list[Pair]:
    async with AsyncExitStack() as stack:
        bound = await site.connect(**SETTINGS, role="hub_app")
        stack.push_async_callback(bound.close)
        free = await site.connect(**SETTINGS)
        stack.push_async_callback(free.close)
        return [
            await _compared(f"{operation.name}: policies", planning, operation.hub, (bound, free), effort)
            for operation in OPERATIONS
        ]


async def _compared(
    name: str,
    planning: Planning,
    query: str,
    connections: tuple[asyncpg.Connection, asyncpg.Connection],
    effort: Effort,
) -> Pair:
    plan = planning.plan(planning.planner.prepare(query))
    statements = [await connection.prepare(plan.sql) for connection in connections]
    arguments = planning.arguments(plan)
    answers = [await statement.fetchrow(*arguments) for statement in statements]
    if answers[0] != answers[1]:
        raise RuntimeError(f"{name}: the answers differ")
    sides = [Measured(), Measured()]
    for number in range(effort.rounds * TURNS):
        for side in (0, 1) if number % 2 else (1, 0):
            await _run(statements[side], arguments, sides[side], effort)
    return Pair(name, "the same statement, policies bypassed", *sides)


async def _run(statement: PreparedStatement, arguments: Sequence[Any], measured: Measured, effort: Effort) -> None:
    started, count = time.perf_counter(), 0
    while count < effort.requests and time.perf_counter() - started < effort.seconds / TURNS:
        before = time.perf_counter()
        await statement.fetchrow(*arguments)
        measured.latencies.append(time.perf_counter() - before)
        count += 1
    measured.rates.append(count / (time.perf_counter() - started))
