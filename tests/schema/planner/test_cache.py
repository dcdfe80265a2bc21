"""Plans are remembered by their shape, within bounds."""

import pytest

from hub.db import Database
from schema.graph import build_schema
from schema.planner.cache import Bounded
from schema.planner.execute import Planner, Request
from schema.planner.operations import Refused
from tests.schema.planner import world

FILTERED = "query ($filter: ProductFilter, $n: Int) { products(filter: $filter, first: $n) { nodes { id } } }"


@pytest.fixture
def fresh() -> Planner:
    return Planner(build_schema(), plans=5)


async def plans_after(planner: Planner, database: Database, document: str, *variables: dict[str, object]) -> int:
    for each in variables:
        operation = planner.prepare(document)
        await planner.execute(Request(operation=operation, scope=world.scope(1), database=database, variables=each))
    return len(planner.plans)


async def test_values_share_a_plan(fresh: Planner, database: Database) -> None:
    variables = [{"n": n, "filter": {"code": {"in": ["x"] * n}}} for n in range(1, 20)]

    assert await plans_after(fresh, database, FILTERED, *variables) == 1


async def test_shapes_do_not(fresh: Planner, database: Database) -> None:
    shapes: list[dict[str, object]] = [{}, {"n": None}, {"filter": {}}, {"filter": {"active": True}}]

    assert await plans_after(fresh, database, FILTERED, *shapes) == 4
    assert await plans_after(fresh, database, FILTERED, *shapes) == 4


async def test_the_number_of_plans_is_bounded(fresh: Planner, database: Database) -> None:
    shapes: list[dict[str, object]] = [{"filter": {"or": [{}] * n}} for n in range(20)]

    assert await plans_after(fresh, database, FILTERED, *shapes) == 5


async def test_callers_of_other_rights_have_other_plans(fresh: Planner, database: Database) -> None:
    operation = fresh.prepare("{ products { totalCount } }")
    for scope in (world.scope(1), world.scope(2), world.scope(1, 2), world.scope(2, 3), world.scope(1, level=3)):  # type: ignore[arg-type]
        await fresh.execute(Request(operation=operation, scope=scope, database=database))

    assert len(fresh.plans) == 3


def test_a_document_is_validated_once(planner: Planner) -> None:
    document = "{ products { totalCount } }"

    assert planner.prepare(document) is planner.prepare(document)
    for _ in range(2):
        with pytest.raises(Refused, match="Cannot query field 'no'"):
            planner.prepare("{ no }")


def test_the_least_recently_used_goes_first() -> None:
    cache: Bounded[str, int] = Bounded(entries=2, weight=100)

    cache.put("a", 1, 10)
    cache.put("b", 2, 10)
    cache.get("a")
    cache.put("c", 3, 10)

    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert (len(cache), cache.weight) == (2, 20)


def test_weight_is_bounded() -> None:
    cache: Bounded[str, int] = Bounded(entries=100, weight=100)

    cache.put("heavy", 1, 101)
    assert len(cache) == 0
    for number in range(10):
        cache.put(str(number), number, 30)
    cache.put("9", 0, 40)

    assert (len(cache), cache.weight) == (3, 100)
