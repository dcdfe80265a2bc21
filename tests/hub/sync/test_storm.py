"""However changes, failures and lost leases fall together: in the end the hub holds what the system holds, once."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.errors import RateLimited, Retryable
from tests.hub.sync.bench import Bench
from tests.hub.sync.test_engine import raising

ROUNDS = 12


class Storm:
    """Random changes of a system and random troubles with it."""

    def __init__(self, bench: Bench, seed: int) -> None:
        self.bench = bench
        self.rng = random.Random(seed)
        self.products = 0
        self.orders = 0

    def change_something(self) -> None:
        system, rng = self.bench.system, self.rng
        for _ in range(rng.randrange(1, 6)):
            match rng.randrange(5):
                case 0 | 1:
                    self.products += 1
                    system.product(str(self.products))
                case 2 | 3:
                    self.orders += 1
                    system.order(str(self.orders), *self._lines())
                case _ if self.orders:
                    key = str(rng.randint(1, self.orders))
                    if rng.random() < 0.3:
                        system.order(key, status="0")
                    elif system.records["orders"][key]["status"] != "0":
                        system.order(key, *self._lines())

    def _lines(self) -> list[tuple[str, int]]:
        """Some name products that the system has not got yet."""
        most = self.products + 3
        keys = self.rng.sample(range(1, most + 1), k=min(most, self.rng.randint(1, 3)))
        return [(str(key), self.rng.randint(1, 9)) for key in keys]

    def trouble(self) -> Callable[[], Any] | None:
        errors = (Retryable("half a page"), RateLimited("busy", retry_after=timedelta(seconds=1)), None, None)
        error = self.rng.choice(errors)
        return raising(error) if error is not None else None

    async def weather(self) -> None:
        """Some slices, some of them cut short, some of them by a worker that vanishes."""
        bench, rng = self.bench, self.rng
        bench.system.traps = {stream: [self.trouble() for _ in range(4)] for stream in ("products", "orders")}
        for stream in ("products", "orders"):
            (run_id,) = await bench.start(stream)
            for _ in range(rng.randrange(4)):
                await bench.slice(run_id, slice_pages=rng.randint(1, 3))
                await bench.world.run("UPDATE sync_runs SET not_before = NULL")
                if rng.random() < 0.2:
                    await bench.world.run(
                        "UPDATE sync_runs SET slice = slice + 1, lease_owner = NULL, lease_until = NULL"
                    )

    async def calm(self) -> None:
        """Everything is read to its end."""
        self.bench.system.traps.clear()
        for number in range(self.products + 1, self.products + 4):
            self.bench.system.product(str(number))
        await self.bench.world.run("UPDATE sync_runs SET not_before = NULL")
        for stream in ("products", "orders"):
            await self.bench.sync(stream)
            await self.bench.sync(stream)


@pytest.mark.parametrize("seed", range(4))
async def test_in_the_end_the_hub_holds_what_the_system_holds(bench: Bench, seed: int) -> None:
    storm = Storm(bench, seed)
    for _ in range(ROUNDS):
        storm.change_something()
        await storm.weather()
    await storm.calm()

    found = await bench.world.rows(
        "SELECT o.external_order_id AS number, o.status, "
        "array_agg(p.third_party_reference || ':' || l.quantity::int ORDER BY l.position) AS lines "
        "FROM orders o JOIN order_lines l ON l.tenant_id = o.tenant_id AND l.order_id = o.id "
        "JOIN products p ON p.tenant_id = l.tenant_id AND p.id = l.product_id GROUP BY o.id, o.tenant_id"
    )
    held = {row["number"]: row for row in found}
    wanted = bench.system.records.get("orders", {}).values()
    alive = {one["number"]: [f"{key}:{count}" for key, count in one["lines"]] for one in wanted if one["status"] != "0"}
    assert len(found) == len(held)
    assert {number: row["lines"] for number, row in held.items() if row["status"]} == alive
    assert {number for number, row in held.items() if not row["status"]} <= {
        one["number"] for one in wanted if one["status"] == "0"
    }
    assert await bench.world.value("SELECT count(*) FROM products") == storm.products + 3
    assert await bench.world.value("SELECT count(*) FROM sync_exceptions WHERE state = 'OPEN'") == 0
