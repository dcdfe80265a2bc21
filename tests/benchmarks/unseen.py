"""What a document costs that was never seen before, against graphql-core's own parse and validate of the same one.

In one process, in turns. Names and aliases differ each time, so that nothing remembered helps: not the hub's documents
and plans, not PostgreSQL's statements.
"""

import re
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement
from graphql import GraphQLSchema, parse, validate

from tests.benchmarks.operations import OPERATIONS, Operation
from tests.benchmarks.plans import SETTINGS, Planning
from tests.benchmarks.site import Site

GOAL = 6
DOCUMENTS_A_CONNECTION = 25
"""So that the statements of the ones before are not in the way."""
ALIASED = re.compile(r"\b(name|code|quantity)\b")
CORE = ("core parse", "core validate")
HUB = ("parse, measure, validate", "plan", "PREPARE")
RUNS = ("first run", "second run")
"""PostgreSQL plans a prepared statement when it runs for the first time: told, not counted."""


@dataclass(slots=True)
class Costs:
    """Seconds of each part, for each document of one kind."""

    name: str
    parts: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        before = time.perf_counter()
        yield
        self.parts.setdefault(part, []).append(time.perf_counter() - before)

    def median(self, part: str) -> float:
        return statistics.median(self.parts[part])

    @property
    def ratio(self) -> float:
        """The median over the documents: both took their turn at the same one in the same moment."""
        pairs = zip(self._together(HUB), self._together(CORE), strict=True)
        return statistics.median(hub / core for hub, core in pairs)

    def _together(self, parts: Sequence[str]) -> list[float]:
        """Of each document, the sum of these parts."""
        return [sum(times) for times in zip(*(self.parts[part] for part in parts), strict=True)]


def fresh(operation: Operation, number: int) -> str:
    """The operation under another name, with fields under other names."""
    return f"query Unseen{number} " + ALIASED.sub(rf"\g<1>{number}: \g<1>", operation.hub)


async def measure_unseen(site: Site, planning: Planning, documents: int) -> list[Costs]:
    """So many documents of each operation."""
    costs = [Costs(operation.name) for operation in OPERATIONS]
    for first in range(0, documents, DOCUMENTS_A_CONNECTION):
        connection = await site.connect(**SETTINGS, role="hub_app")
        kept = []
        for number in range(first, min(first + DOCUMENTS_A_CONNECTION, documents)):
            for operation, cost in zip(OPERATIONS, costs, strict=True):
                source = fresh(operation, number)
                if number % 2:
                    _by_core(planning.planner.schema, source, cost)
                kept.append(await _by_hub(connection, planning, source, cost))
                if not number % 2:
                    _by_core(planning.planner.schema, source, cost)
        await connection.close()
    return costs


def _by_core(schema: GraphQLSchema, source: str, cost: Costs) -> None:
    with cost.timed("core parse"):
        document = parse(source)
    with cost.timed("core validate"):
        errors = validate(schema, document)
    assert not errors, errors


async def _by_hub(connection: asyncpg.Connection, planning: Planning, source: str, cost: Costs) -> PreparedStatement:
    with cost.timed("parse, measure, validate"):
        operation = planning.planner.prepare(source)
    with cost.timed("plan"):
        plan = planning.plan(operation)
    with cost.timed("PREPARE"):
        statement = await connection.prepare(plan.sql)
    arguments = planning.arguments(plan)
    for run in RUNS:
        with cost.timed(run):
            await statement.fetchrow(*arguments)
    return statement
