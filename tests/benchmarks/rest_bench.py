"""How fast the REST routes are, against hand-written SQL behind bare ASGI routes.

`make bench-rest` runs it, `REST_BENCH` holds its options. Both contestants run side by side on the same database and
take turns in short bursts with 16 connections. Their answers are compared before anything is measured.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from hub import migrations
from hub.context import Level
from hub.embedded import start_engines
from hub.passwords import hashed
from tests.benchmarks import contestants
from tests.benchmarks.contestants import PASSWORD, Contestant
from tests.benchmarks.data import Scale, fill
from tests.benchmarks.load import Target, burst, once, request
from tests.benchmarks.operations import PRODUCTS, TENANT
from tests.benchmarks.report import REST, write_rest
from tests.benchmarks.turns import Measured

DATABASE = "bench"
CONNECTIONS = 16
SCALE = Scale(tenants=3, products=30_000, stock_items=90_000, orders=30_000, order_lines=120_000, nirs=3_000)
"""Enough products in each tenant that orders added at once seldom want the same ones."""
USER = """
INSERT INTO users (tenant_id, id, username, name, password_hash, language, level, permissions, credential_version)
VALUES ($1, 1, 'bench', '', $2, 'en', $3, '{}', 1)
"""
NEXT_IDS = """
INSERT INTO id_blocks (tenant_id, noun, next_id) SELECT tenant_id, '{noun}', max(id) + 1 FROM {noun}s GROUP BY 1
"""
WELL_STOCKED = """
SELECT p.code FROM products AS p JOIN stock_items AS i ON i.tenant_id = p.tenant_id AND i.product_id = p.id
WHERE p.tenant_id = $1 AND i.warehouse_id = 1 GROUP BY p.code HAVING sum(i.quantity - i.reserved) > 300 ORDER BY p.code
"""
LINES = 10
OWN = {"orderId", "externalOrderId", "orderProductId", "dateAdded"}
"""What differs between two orders that are the same otherwise."""

Shot = Callable[[int], Target]
"""A port → the request to send there."""


@dataclass(frozen=True, slots=True)
class Duel:
    """One route of the hub and what does the same by hand; the hub shall reach `goal` times its throughput."""

    name: str
    goal: float | None
    hub: Shot
    floor: Shot
    at_home: bool = False
    """The other side is a route of the hub as well, which answers something else."""


class Varying(Target):
    """A target that sends another request each time."""

    def __init__(self, port: int, requests: Iterator[bytes]) -> None:
        super().__init__(port, b"")
        object.__setattr__(self, "requests", requests)

    def __getattribute__(self, name: str) -> Any:
        if name == "request":
            return next(object.__getattribute__(self, "requests"))
        return object.__getattribute__(self, name)


def duels(codes: list[str]) -> tuple[Duel, ...]:
    check = "/api/product/third-party-reference/x/check"
    nothing = _hub("/api/nothing", None, status=404)
    return (
        Duel("POST /api/product/read, 100 products", 0.85, _hub("/api/product/read", {}), _floor("/products")),
        Duel("POST /api/order/read, 100 orders", 0.85, _hub("/api/order/read", {}), _floor("/orders")),
        Duel("POST /api/stock/all, 100 products", 0.85, _hub("/api/stock/all?size=100", {}), _floor("/stock")),
        Duel("GET …/third-party-reference/x/check", None, _hub(check, None), _floor("/check")),
        Duel("GET /api/nothing against the hub's /healthz", 0.8, nothing, _floor("/healthz"), at_home=True),
        Duel("GET /api/nothing, the same bytes", None, nothing, _floor("/nothing", status=404)),
        _adding(codes),
    )


def _hub(path: str, body: Any, *, status: int = 200) -> Shot:
    text = b"" if body is None else json.dumps(body).encode()
    typed = {"Content_Type": "application/json"}
    return lambda port: replace(request(path, port, body=text, **typed, **_caller(port)), status=status)


def _floor(path: str, *, status: int = 200) -> Shot:
    return lambda port: replace(request(path, port), status=status)


def _caller(port: int) -> dict[str, str]:
    return {"Host": f"t{TENANT}.localhost:{port}", "Authorization": f"Bearer bench:{PASSWORD}"}


def _adding(codes: list[str]) -> Duel:
    """Both add the same orders, one after the other, each under keys of its own."""

    def shot(path: str, prefix: str, headers: Callable[[int], dict[str, str]]) -> Shot:
        def at(port: int) -> Target:
            def put(n: int) -> bytes:
                sent = request(path, port, body=_order(f"{prefix}-{n}", n), **headers(port))
                return sent.request.replace(b"POST", b"PUT", 1)

            return Varying(port, map(put, count()))

        return at

    def _order(key: str, n: int) -> bytes:
        lines = [{"productModel": codes[(n * 7919 + i * 31) % len(codes)], "quantity": 1 + i % 2} for i in range(LINES)]
        return json.dumps({"externalOrderId": key, "company": {"companyId": 7}, "orderProducts": lines}).encode()

    return Duel(
        f"PUT /api/order/add, {LINES} lines",
        0.5,
        shot("/api/order/add", "HUB", lambda port: {"Content_Type": "application/json"} | _caller(port)),
        shot("/add", "FLOOR", lambda port: {}),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--requests", type=int, default=1000, help="at most, in one burst")
    parser.add_argument("--seconds", type=float, default=1.0, help="at most, for one burst")
    parser.add_argument("--only", default="", help="the routes whose name holds this")
    parser.add_argument("--write", action="store_true", help="write the section of docs/performance.md")
    uvloop.run(_main(parser.parse_args()))


async def _main(arguments: argparse.Namespace) -> None:
    scale = SCALE
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crossdock-bench-")))
        engines = stack.enter_context(start_engines(folder / "data", throwaway=True))
        sockets = str(engines.sockets)
        administrator = await asyncpg.connect(host=sockets, user="postgres", database="postgres")
        await administrator.execute(f"CREATE DATABASE {DATABASE}")
        await administrator.close()
        url = engines.app_url("postgres", database=DATABASE)
        await migrations.upgrade(url)
        fought = [duel for duel in duels(await _prepare(sockets, scale)) if arguments.only in duel.name]
        hub = _port(stack.enter_context(contestants.hub(url, engines.redis_url)))
        floor = _port(stack.enter_context(contestants.uvicorn("the floor", "rest_floor", url)))
        results = await _measure(fought, hub, floor, arguments)
    text = _report(results, scale, arguments)
    sys.stdout.write(text)
    if arguments.write:
        write_rest(text)


def _port(contestant: Contestant) -> int:
    return contestant.target(PRODUCTS).port


async def _prepare(sockets: str, scale: Scale) -> list[str]:
    """The data, a user who may write, ids that are free; the codes of products that last for all the orders."""
    connection = await asyncpg.connect(host=sockets, user="postgres", database=DATABASE)
    await fill(connection, scale)
    await connection.execute(USER, TENANT, await hashed(PASSWORD), int(Level.USER))
    for noun in ("order", "order_line"):
        await connection.execute(NEXT_IDS.format(noun=noun))
    codes = [row["code"] for row in await connection.fetch(WELL_STOCKED, TENANT)]
    await connection.close()
    return codes


Results = list[tuple[Duel, Measured, Measured]]
"""The hub's and the floor's measurements of each duel."""


async def _measure(fought: list[Duel], hub: int, floor: int, arguments: argparse.Namespace) -> Results:
    results: Results = []
    sides: list[list[tuple[Target, Measured]]] = []
    for duel in fought:
        pair = (duel.hub(hub), Measured()), (duel.floor(hub if duel.at_home else floor), Measured())
        if not duel.at_home:
            await _compare(duel, pair[0][0], pair[1][0])
        for target, _ in pair:
            await burst(target, connections=CONNECTIONS, requests=300, seconds=1.0)
        results.append((duel, pair[0][1], pair[1][1]))
        sides.append(list(pair))
    for round_ in range(arguments.rounds):
        for pair_ in sides:
            for target, measured in pair_ if round_ % 2 else reversed(pair_):
                done = await burst(
                    target, connections=CONNECTIONS, requests=arguments.requests, seconds=arguments.seconds
                )
                measured.rates.append(done.per_second)
                measured.latencies += done.latencies
        sys.stderr.write(f"round {round_ + 1} of {arguments.rounds}\n")
    return results


async def _compare(duel: Duel, hub: Target, floor: Target) -> None:
    """An answer that is wrong is fast for nothing."""
    answers = [json.loads(await once(target)) for target in (hub, floor)]
    full = not isinstance(answers[0], dict) or any(answers[0].get(name) for name in ("data", "content"))
    if hub.status == 200 and not full:
        raise RuntimeError(f"{duel.name}: nothing found")
    if "add" in duel.name:
        answers = [_without_own(answer) for answer in answers]
        if any(line["reservedQuantity"] != line["quantity"] for line in answers[0]["data"][0]["orderProducts"]):
            raise RuntimeError(f"{duel.name}: not everything was reserved")
    if answers[0] != answers[1]:
        raise RuntimeError(f"{duel.name}: the answers differ\n{answers[0]}\n{answers[1]}"[:4000])


def _without_own(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_own(part) for name, part in value.items() if name not in OWN}
    return [_without_own(part) for part in value] if isinstance(value, list) else value


def _report(results: Results, scale: Scale, arguments: argparse.Namespace) -> str:
    lines = [
        REST,
        "Measured by `make bench-rest REST_BENCH=--write`: the hub with authentication and row-level security on,",
        "and bare ASGI routes with asyncpg and SQL written by hand that answer the same fields, without either. What",
        "the hub does before and after a route is seen where no route is found: `/api/nothing`, with credentials. In",
        f"turns, on the same database, {CONNECTIONS} connections; {platform.machine()}, {os.cpu_count()} cores shared",
        f"by PostgreSQL, the servers and the load; Python {platform.python_version()}. {scale.tenants} tenants with",
        f"{scale.products:,} products, {scale.orders:,} orders; {arguments.rounds} rounds. `× floor` is the hub's",
        "share of the floor's throughput in the same run.",
        "",
        "| route | hub requests/s | floor requests/s | × floor | goal | hub p50 ms | hub p99 ms |",
        "|---|---|---|---|---|---|---|",
    ]
    for duel, hub, floor in results:
        times = f"{hub.quantile(0.5) * 1e3:.1f} | {hub.quantile(0.99) * 1e3:.1f}"
        goal = f"≥ {duel.goal}" if duel.goal else ""
        share = f"{hub.rate / floor.rate:.2f} | {goal}"
        lines.append(f"| {duel.name} | {hub.rate:,.0f} | {floor.rate:,.0f} | {share} | {times} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
