"""The part of docs/performance.md about reads."""

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass

from tests.benchmarks import unseen
from tests.benchmarks.contestants import FLOOR, HUB, IDIOMATIC, POSTGRAPHILE
from tests.benchmarks.data import Scale
from tests.benchmarks.operations import OPERATIONS, Operation
from tests.benchmarks.turns import Effort, Measured, Pair, Results
from tests.benchmarks.unseen import CORE, RUNS, Costs

IDIOMATIC_GOAL = 20
SLOWEST_GOAL = 1.5
MEMORY_GOAL = 200
INTRODUCTION = """
- *this hub*: over HTTP, with authentication and row-level security on;
- *the floor*: a bare ASGI route, asyncpg with its pool and prepared statements as they come, and SQL written by hand
  that builds the same JSON by `json_build_object`; the same tables and indexes, no authentication, no policies, no
  summaries;
- *PostGraphile 5*: without policies; stock totals by a computed column, stock by warehouse by a view over stock items;
- *idiomatic Strawberry*: resolvers, SQLAlchemy's ORM and a DataLoader for each relation, without either.

Their answers are compared field by field before anything is measured. Throughput is the median over the rounds,
p50 and p99 are over all requests.
"""
LEFT_OUT = """
PostGraphile was left out of this run: it could not be installed.
"""
RATIOS = """
## Ratios

The hub's throughput as a multiple of the others' in the same run, and its p99 as a multiple of the floor's.

| operation | connections | × floor | × PostGraphile | × idiomatic | p99 ÷ floor's |
|---|---|---|---|---|---|
"""
MEMORY = f"""
## Memory

Resident memory of the server's process in MiB; goal for the hub: less than {MEMORY_GOAL}. Documents, plans and
prepared statements that the hub remembers are bounded in number and size; the last row is after more than it remembers.

| | after the run | at most |
|---|---|---|
"""
VARIATIONS = """
## Variations

Each against a stated partner, in turns, the same answer from both: over HTTP and 16 connections; *policies*: the hub's
own statement by asyncpg over one connection, as the role `hub_app` and as a superuser, with the same settings.

| | requests/s | against | its requests/s | ratio | p99 ÷ its p99 |
|---|---|---|---|---|---|
"""
UNSEEN = f"""
## A document never seen before

In one process and in turns with graphql-core's own `parse` and `validate` of the same document; names and aliases
differ each time. Medians in milliseconds; `×` is the median of the ratios of single documents, its goal
{unseen.GOAL} or less. *First run*: what the statement's first execution takes longer than its second, because
PostgreSQL plans it then; not counted.

| | graphql-core: parse | validate | the hub: parse, measure, validate | plan | PREPARE | × graphql-core | first run |
|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that a server's process holds, and held at most."""

    name: str
    now: int
    most: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that was measured."""

    results: Results
    memory: Sequence[Memory]
    pairs: Sequence[Pair]
    unseen: Sequence[Costs]


def page(outcome: Outcome, scale: Scale, effort: Effort) -> str:
    left_out = all(server != POSTGRAPHILE for _, _, server in outcome.results)
    parts = [_heading(scale, effort), INTRODUCTION, LEFT_OUT if left_out else "", RATIOS, *_ratios(outcome.results)]
    for operation in OPERATIONS:
        parts += _operation(operation, outcome.results)
    parts += [
        MEMORY,
        *(f"| {each.name} | {_mebibytes(each.now)} | {_mebibytes(each.most)} |\n" for each in outcome.memory),
    ]
    parts += [VARIATIONS, *map(_pair, outcome.pairs), UNSEEN, *map(_costs, outcome.unseen)]
    return "".join(parts)


def _heading(scale: Scale, effort: Effort) -> str:
    return f"""# Performance

Measured by `make bench` (`tests/benchmarks`): every contestant in one process on one machine, on the same
database, in turns. {platform.machine()}, {os.cpu_count()} cores shared by PostgreSQL, the servers and the
load; Python {platform.python_version()}. {scale.tenants} tenants with {scale.products:,} products,
{scale.stock_items:,} stock items, {scale.orders:,} orders with {scale.order_lines:,} lines,
{scale.nirs:,} NIRs. {effort.rounds} rounds.
"""


def _ratios(results: Results) -> list[str]:
    lines = []
    for operation in OPERATIONS:
        for connections in _connections(operation, results):
            by = _contestants(operation, connections, results)
            slowest = by[HUB].quantile(0.99) / by[FLOOR].quantile(0.99)
            goals = [f"≥ {operation.floor_goal:g}", f"≥ {operation.goal:g}", f"≥ {IDIOMATIC_GOAL}", f"≤ {SLOWEST_GOAL}"]
            told = [f"{by[HUB].rate / by[FLOOR].rate:.2f}", _multiple(by, POSTGRAPHILE), _multiple(by, IDIOMATIC)]
            told.append(f"{slowest:.2f}")
            cells = [f"{each} (goal {goal})" for each, goal in zip(told, goals, strict=True)]
            cells = told if connections == 1 else cells  # the goals are meant for a busy hub
            lines.append(f"| {operation.name} | {connections} | {' | '.join(cells)} |\n")
    return lines


def _multiple(by: dict[str, Measured], other: str) -> str:
    return f"{by[HUB].rate / by[other].rate:.1f}" if other in by else "–"


def _operation(operation: Operation, results: Results) -> list[str]:
    lines = [
        f"\n## {operation.name}\n\n",
        "| connections | | requests/s | × floor | p50 ms | p99 ms |\n",
        "|---|---|---|---|---|---|\n",
    ]
    for connections in _connections(operation, results):
        by = _contestants(operation, connections, results)
        for server, measured in by.items():
            times = f"{measured.quantile(0.5) * 1e3:.2f} | {measured.quantile(0.99) * 1e3:.2f}"
            share = measured.rate / by[FLOOR].rate
            lines.append(f"| {connections} | {server} | {measured.rate:,.0f} | {share:.2f} | {times} |\n")
    return lines


def _connections(operation: Operation, results: Results) -> list[int]:
    return sorted({connections for name, connections, _ in results if name == operation.name})


def _contestants(operation: Operation, connections: int, results: Results) -> dict[str, Measured]:
    """In the order in which they were started."""
    wanted = (operation.name, connections)
    return {server: measured for (*contest, server), measured in results.items() if tuple(contest) == wanted}


def _mebibytes(size: int) -> str:
    return f"{size / 2**20:.0f}" if size else "not told"


def _pair(pair: Pair) -> str:
    subject, partner = pair.subject, pair.partner
    ratios = f"{subject.rate / partner.rate:.2f} | {subject.quantile(0.99) / partner.quantile(0.99):.2f}"
    return f"| {pair.what} | {subject.rate:,.0f} | {pair.against} | {partner.rate:,.0f} | {ratios} |\n"


def _costs(costs: Costs) -> str:
    parts = [f"{costs.median(part) * 1e3:.2f}" for part in (*CORE, *unseen.HUB)]
    first, second = (costs.median(run) for run in RUNS)
    return f"| {costs.name} | {' | '.join(parts)} | {costs.ratio:.1f} | {(first - second) * 1e3:.2f} |\n"
