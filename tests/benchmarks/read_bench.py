"""How fast reads are, against hand-written SQL, PostGraphile and idiomatic resolvers: `make bench`.

All contestants run side by side on the same database and take turns in short bursts, so that a busy moment of the
machine hits all of them. Before anything is measured, their answers are compared field by field.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import uvloop

from hub.embedded import start_engines
from tests.benchmarks import contestants
from tests.benchmarks.answers import as_the_hub, data_of, difference, records, without
from tests.benchmarks.contestants import FLOOR, HUB, IDIOMATIC, POSTGRAPHILE, Contestant, asking_hub
from tests.benchmarks.data import Scale
from tests.benchmarks.load import once
from tests.benchmarks.operations import OPERATIONS, Operation
from tests.benchmarks.plans import Planning
from tests.benchmarks.policies import measure_policies
from tests.benchmarks.report import write_reads
from tests.benchmarks.site import Site, prepare_site
from tests.benchmarks.tables import Memory, Outcome, page
from tests.benchmarks.turns import Contest, Effort, Results, in_turns
from tests.benchmarks.unseen import fresh, measure_unseen
from tests.benchmarks.variations import measure_variations

CONNECTIONS = (1, 16)
STRANGERS = 200
"""Documents of each operation that the hub is asked never to have seen, before its memory is looked at; more than it
remembers."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="the whole data: 100,000 products, 100,000 orders …")
    parser.add_argument("--rounds", type=int, help="5, with --full 7; the variations half of it")
    parser.add_argument("--requests", type=int, default=1500, help="at most, in one burst")
    parser.add_argument("--seconds", type=float, help="at most, for one burst: 1, with --full 1.5")
    parser.add_argument("--unseen", type=int, help="new documents of each operation: 100, with --full 300")
    parser.add_argument("--tools", type=Path, help="a folder where PostGraphile stays installed")
    parser.add_argument("--node", default="node", help="node 22 or newer, for PostGraphile")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    arguments = parser.parse_args()
    scale = Scale() if arguments.full else Scale().divided(10)
    rounds = arguments.rounds or (7 if arguments.full else 5)
    effort = Effort(rounds, arguments.requests, arguments.seconds or (1.5 if arguments.full else 1.0))
    text = page(uvloop.run(_measure(arguments, scale, effort)), scale, effort)
    sys.stdout.write(text)
    if arguments.write:
        write_reads(text)


async def _measure(arguments: argparse.Namespace, scale: Scale, effort: Effort) -> Outcome:
    shorter = Effort(effort.rounds // 2 + 1, effort.requests, effort.seconds)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="crossdock-bench-")))
        engines = stack.enter_context(start_engines(folder / "data", throwaway=True))
        even = await prepare_site(engines, "bench", scale)
        skewed = await prepare_site(engines, "bench_skewed", scale, skewed=True)
        tools = arguments.tools or folder
        tools.mkdir(parents=True, exist_ok=True)
        results, memory = await _measure_servers(even, tools, arguments.node, effort)
        planning = Planning.start()
        unseen = await measure_unseen(even, planning, arguments.unseen or (300 if arguments.full else 100))
        pairs = await measure_variations(even, skewed, scale, shorter)
        pairs += await measure_policies(even, planning, shorter)
    return Outcome(results, memory, pairs, unseen)


async def _measure_servers(site: Site, tools: Path, node: str, effort: Effort) -> tuple[Results, list[Memory]]:
    """The three operations by all contestants."""
    with ExitStack() as stack:
        hub = stack.enter_context(contestants.hub(site.url, site.engines.redis_url))
        started = [
            hub,
            stack.enter_context(contestants.uvicorn(FLOOR, "floor", site.url)),
            stack.enter_context(contestants.uvicorn(IDIOMATIC, "idiomatic", site.url)),
            stack.enter_context(contestants.postgraphile(tools, node, site.sockets, site.database)),
        ]
        servers = [each for each in started if each is not None]
        for operation in OPERATIONS:
            await _check(servers, operation)
        contests = [
            Contest(operation.name, connections, {server.name: server.target(operation) for server in servers})
            for operation in OPERATIONS
            for connections in CONNECTIONS
        ]
        results = await in_turns(contests, effort)
        memory = [Memory(server.name, *server.memory()) for server in servers]
        await _ask_unseen(hub)
        memory.append(
            Memory(f"{HUB}, {STRANGERS * len(OPERATIONS):,} documents never seen before later", *hub.memory())
        )
    return results, memory


async def _check(servers: Sequence[Contestant], operation: Operation) -> None:
    """All give the same answer, field by field."""
    hub, *others = servers
    expected = data_of(await once(hub.target(operation)))
    if min(records(expected)) < 3:
        raise RuntimeError(f"{operation.name}: {records(expected)} records")
    for server in others:
        given = data_of(await once(server.target(operation)))
        if server.name == POSTGRAPHILE:
            differs = difference(without("id", expected), without("id", as_the_hub(given)))
        else:
            differs = difference(expected, given)
        if differs:
            raise RuntimeError(f"{server.name}, {operation.name}: {differs}")


async def _ask_unseen(hub: Contestant) -> None:
    for number in range(STRANGERS):
        for operation in OPERATIONS:
            data_of(await once(asking_hub(hub.port, fresh(operation, number))))


if __name__ == "__main__":
    main()
