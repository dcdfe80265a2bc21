"""What many readers are told in the same words is worked out once, and never told to others."""

import asyncio
from dataclasses import dataclass

import pytest

from hub.context import Grant, Level, Permission, Scope
from schema.graph import build_schema
from schema.payloads import Payload, SharedPayloads, selection_of
from schema.planner.execute import Planner

RESUMED = "subscription ($after: String) { orderChanges(after: $after) { cursor } }"
PAGED = """subscription ($after: String) {
    orderChanges { order { lines(first: 5, after: $after) { nodes { id } } } } }"""


@dataclass
class Kitchen:
    """Works payloads out and counts how often."""

    count: int = 0
    flawed: bool = False
    size: int = 10

    async def cook(self) -> Payload:
        self.count += 1
        await asyncio.sleep(0.01)
        return Payload(b"x" * self.size, self.flawed)


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(build_schema())


def viewer(*tenants: int) -> Scope:
    return Scope(dict.fromkeys(tenants, Grant(Level.VIEWER)))


async def test_readers_of_the_same_event_and_selection_share_one_payload() -> None:
    shared, kitchen = SharedPayloads(), Kitchen()

    early = await asyncio.gather(*(shared.get("e1", b"s", kitchen.cook) for _ in range(50)))
    late = await shared.get("e1", b"s", kitchen.cook)

    assert {*early, late} == {b"x" * 10} and kitchen.count == 1
    await shared.get("e2", b"s", kitchen.cook)
    await shared.get("e1", b"other", kitchen.cook)
    assert kitchen.count == 3


async def test_a_reader_that_goes_away_takes_nothing_from_the_others() -> None:
    shared, kitchen = SharedPayloads(), Kitchen()
    first = asyncio.create_task(shared.get("e", b"s", kitchen.cook))
    second = asyncio.create_task(shared.get("e", b"s", kitchen.cook))
    await asyncio.sleep(0)

    first.cancel()

    assert await second == b"x" * 10 and kitchen.count == 1


async def test_what_failed_is_tried_again_for_the_next_reader() -> None:
    shared, kitchen = SharedPayloads(), Kitchen(flawed=True)

    async def broken() -> Payload:
        raise RuntimeError("no kitchen")

    for _ in range(2):
        await shared.get("e", b"s", kitchen.cook)
        with pytest.raises(RuntimeError):
            await shared.get("f", b"s", broken)

    assert kitchen.count == 2


async def test_finished_payloads_take_bounded_memory() -> None:
    shared, kitchen = SharedPayloads(weight=10_000), Kitchen(size=1_000)

    for number in range(100):
        await shared.get(f"e{number}", b"s", kitchen.cook)

    assert 0 < shared.weight <= 10_000


def test_readers_resumed_at_other_cursors_share(planner: Planner) -> None:
    operation = planner.prepare(RESUMED)

    assert selection_of(operation, {"after": "a"}, viewer(1)) == selection_of(operation, {"after": "b"}, viewer(1))


def test_a_variable_inside_the_selection_divides(planner: Planner) -> None:
    operation = planner.prepare(PAGED)

    assert selection_of(operation, {"after": "a"}, viewer(1)) != selection_of(operation, {"after": "b"}, viewer(1))


def test_other_rights_or_tenants_divide(planner: Planner) -> None:
    operation = planner.prepare(RESUMED)
    packer = Scope({1: Grant(Level.USER, frozenset({Permission.PROCESS_NIRS}))})
    scopes = [
        viewer(1),
        viewer(2),
        viewer(1, 2),
        packer,
        Scope({1: Grant(Level.USER)}),
        Scope({1: Grant(Level.VIEWER)}, operator=True),
    ]

    assert len({selection_of(operation, {}, scope) for scope in scopes}) == len(scopes)
