"""How fast reads are, against hand-written SQL, PostGraphile and idiomatic resolvers: `make bench`.

All contestants run side by side on the same database and take turns in short bursts, so that a busy moment of the
machine hits all of them. Throughput is the median over the rounds; p99 is over all requests.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import uvloop

from hub import migrations
from hub.embedded import start_engines
from hub.passwords import hashed
from tests.benchmarks import contestants
from tests.benchmarks.contestants import PASSWORD, Contestant
from tests.benchmarks.data import Scale, fill
from tests.benchmarks.load import burst, once
from tests.benchmarks.operations import OPERATIONS, TENANT, Operation
from tests.benchmarks.report import write_reads

DATABASE = "bench"
USER = """
INSERT INTO users (tenant_id, id, username, name, password_hash, language, level, permissions, credential_version)
VALUES ($1, 1, 'bench', '', $2, 'en', 1, '{}', 1)
"""


@dataclass(slots=True)
class Measured:
    """One contestant on one operation with so many connections."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


Results = dict[tuple[str, int, str], Measured]
"""Operation, connections, contestant → what was measured."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the whole data: 100,000 products, 100,000 orders …")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=300, help="at most, in one burst")
    parser.add_argument("--seconds", type=float, default=1.5, help="at most, for one burst")
    parser.add_argument("--tools", type=Path, help="a folder where PostGraphile stays installed")
    parser.add_argument("--node", default="node", help="node 22 or newer, for PostGraphile")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    scale = Scale() if arguments.full else Scale().divided(10)
    uvloop.run(_main(arguments, scale))


async def _main(arguments: argparse.Namespace, scale: Scale) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crossdock-bench-")))
        engines = stack.enter_context(start_engines(folder / "data", throwaway=True))
        sockets, port = str(engines.sockets), 5432
        administrator = await asyncpg.connect(host=sockets, port=port, user="postgres", database="postgres")
        await administrator.execute(f"CREATE DATABASE {DATABASE}")
        await administrator.close()
        url = engines.app_url("postgres", database=DATABASE)
        await migrations.upgrade(url)
        await _prepare(sockets, scale)
        tools = arguments.tools or folder
        tools.mkdir(parents=True, exist_ok=True)
        servers = [
            stack.enter_context(contestants.hub(url, engines.redis_url)),
            stack.enter_context(contestants.uvicorn("the floor", "floor", url)),
            stack.enter_context(contestants.uvicorn("idiomatic Strawberry", "idiomatic", url)),
            stack.enter_context(contestants.postgraphile(tools, arguments.node, sockets, DATABASE)),
        ]
        results = await _measure([each for each in servers if each is not None], arguments)
    text = _report(results, scale, arguments)
    sys.stdout.write(text)
    if arguments.write:
        write_reads(text)


async def _prepare(sockets: str, scale: Scale) -> None:
    """The data, a user who may read, and what PostGraphile needs."""
    connection = await asyncpg.connect(host=sockets, user="postgres", database=DATABASE)
    await fill(connection, scale)
    await connection.execute(USER, TENANT, await hashed(PASSWORD))
    for statement in contestants.COMPUTED:
        await connection.execute(statement)
    await connection.close()


async def _measure(servers: list[Contestant], arguments: argparse.Namespace) -> Results:
    results: Results = {}
    for operation in OPERATIONS:
        for server in servers:
            await _check(server, operation)
            await burst(server.target(operation), connections=16, requests=200, seconds=2.0)
    for round_ in range(arguments.rounds):
        for operation in OPERATIONS:
            for connections in (1, 16):
                for server in servers[round_ % len(servers) :] + servers[: round_ % len(servers)]:
                    done = await burst(
                        server.target(operation),
                        connections=connections,
                        requests=arguments.requests,
                        seconds=arguments.seconds,
                    )
                    measured = results.setdefault((operation.name, connections, server.name), Measured())
                    measured.rates.append(done.per_second)
                    measured.latencies += done.latencies
        sys.stderr.write(f"round {round_ + 1} of {arguments.rounds}\n")
    return results


async def _check(server: Contestant, operation: Operation) -> None:
    """An answer that is wrong is fast for nothing."""
    answer = json.loads(await once(server.target(operation)))
    if answer.get("errors"):
        raise RuntimeError(f"{server.name}, {operation.name}: {answer['errors']}")
    sizes = [len(root["nodes"]) for root in answer["data"].values() if isinstance(root, dict)]
    if min(sizes) < 3:
        raise RuntimeError(f"{server.name}, {operation.name}: {sizes} records")


def _report(results: Results, scale: Scale, arguments: argparse.Namespace) -> str:
    lines = [
        "# Performance",
        "",
        "Measured by `make bench` (`tests/benchmarks`): every contestant in one process on one machine, on the same",
        f"database, in turns. {platform.machine()}, {os.cpu_count()} cores shared by PostgreSQL, the servers and the",
        f"load; Python {platform.python_version()}. {scale.tenants} tenants with {scale.products:,} products,",
        f"{scale.stock_items:,} stock items, {scale.orders:,} orders with {scale.order_lines:,} lines,",
        f"{scale.nirs:,} NIRs. {arguments.rounds} rounds.",
        "",
        "- *this hub*: over HTTP, with authentication and row-level security on;",
        "- *the floor*: a bare ASGI route with asyncpg and SQL written by hand that builds the JSON, without either;",
        "- *PostGraphile 5*: without policies, stock totals by a computed column;",
        "- *idiomatic Strawberry*: resolvers, SQLAlchemy's ORM and a DataLoader for each relation, without either.",
        "",
        "`× floor` is the throughput as a share of the floor's in the same run.",
        "",
    ]
    for operation in OPERATIONS:
        lines += [
            f"## {operation.name}",
            "",
            "| connections | | requests/s | × floor | p50 ms | p99 ms |",
            "|---|---|---|---|---|---|",
        ]
        for connections in (1, 16):
            floor = results[operation.name, connections, "the floor"].rate
            for (name, at, server), measured in results.items():
                if (name, at) == (operation.name, connections):
                    times = f"{measured.quantile(0.5) * 1e3:.2f} | {measured.quantile(0.99) * 1e3:.2f}"
                    lines.append(f"| {at} | {server} | {measured.rate:,.0f} | {measured.rate / floor:.2f} | {times} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
