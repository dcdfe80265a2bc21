"""Contestants in turns: short bursts one after the other, so that a busy moment of the machine hits all of them."""

import asyncio
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.benchmarks.load import Target, burst

PAUSE = 0.2
"""Seconds between two bursts, for the garbage collectors of the one before."""


@dataclass(slots=True)
class Measured:
    """One contestant in one contest; throughput is the median over the rounds, quantiles are over all requests."""

    rates: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True, slots=True)
class Contest:
    """What is measured side by side, over so many connections."""

    name: str
    connections: int
    targets: Mapping[str, Target]
    """Contestant → the request that is sent again and again."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long it is measured: rounds, and at most so many requests and seconds for one burst."""

    rounds: int
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Pair:
    """One thing and what it is compared with."""

    what: str
    against: str
    subject: Measured
    partner: Measured


Results = dict[tuple[str, int, str], Measured]
"""Contest, connections, contestant → what was measured."""


async def in_turns(contests: Sequence[Contest], effort: Effort) -> Results:
    """Everybody warms up, then each turn has an order of its own: who always follows the same one inherits its mess."""
    results: Results = {}
    chance = Random(1)
    for contest in contests:
        for target in contest.targets.values():
            await burst(target, connections=contest.connections, requests=200, seconds=1.0)
    for number in range(effort.rounds):
        for contest in contests:
            for name in chance.sample(list(contest.targets), len(contest.targets)):
                await asyncio.sleep(PAUSE)
                done = await burst(
                    contest.targets[name],
                    connections=contest.connections,
                    requests=effort.requests,
                    seconds=effort.seconds,
                )
                measured = results.setdefault((contest.name, contest.connections, name), Measured())
                measured.rates.append(done.per_second)
                measured.latencies += done.latencies
        sys.stderr.write(f"round {number + 1} of {effort.rounds}\n")
    return results
