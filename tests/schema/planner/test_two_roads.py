"""The statement and graphql-core give the same answer to any operation, errors included."""

import gc
import warnings
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.context import Grant, Level, Scope
from hub.db import Database
from schema.errors import log
from schema.graph import build_schema
from schema.planner.execute import Planner
from schema.planner.operations import Refused
from tests.schema.planner import shelves, world
from tests.schema.planner.conftest import Ask, asking
from tests.schema.planner.operations import operations

PLANNER = Planner(build_schema())
OPERATIONS = operations(PLANNER.schema, PLANNER.shapes)
COMPUTED = operations(shelves.PLANNER.schema, shelves.PLANNER.shapes)
SCOPES = [
    world.scope(1),
    world.scope(2, level=Level.ADMINISTRATOR),
    world.scope(1, 2, 3),
    Scope({1: Grant(Level.ADMINISTRATOR), 3: Grant(Level.VIEWER)}),
    Scope({}),
]
CANCELLED = "ignore:coroutine .* was never awaited:RuntimeWarning"
"""graphql-core cancels what has not begun, where an error takes its parents away."""
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


@pytest.fixture(scope="module")
async def shelf(full: Database) -> AsyncIterator[Ask]:
    """For the last tests of the module: what graphql-core cancelled goes after each example, and no log keeps it."""
    log.disabled = True
    gc.disable()
    yield asking(shelves.PLANNER, full)
    gc.enable()
    log.disabled = False
    with warnings.catch_warnings(category=RuntimeWarning, action="ignore"):
        gc.collect()


async def outcome(ask: Ask, document: str, scope: Scope, variables: dict[str, Any], *, by_fallback: bool) -> Any:
    try:
        answer = await ask(document, scope=scope, by_fallback=by_fallback, **variables)
    except Refused as refused:
        return [str(error) for error in refused.errors]
    errors = [located(error, answer["data"]) for error in answer.get("errors", [])]
    answer["errors"] = sorted((each for each in errors if isinstance(each, dict)), key=str)
    answer["nulled"] = {each for each in errors if isinstance(each, str)}
    return answer


def located(error: dict[str, Any], data: Any) -> dict[str, Any] | str:
    """The error, or the null that stands where its parents were: which of several errors below it is told is a matter
    of time."""
    place: list[Any] = []
    for step in error["path"]:
        if isinstance(data, list) and isinstance(step, str):
            return error  # a refusal: it is told once for all records
        if data is None:
            return f"below {place}"
        data = data[step]
        place.append(step)
    return error


async def compare(ask: Ask, operation: tuple[str, dict[str, Any]], scope: Scope) -> None:
    document, variables = operation

    compiled = await outcome(ask, document, scope, variables, by_fallback=False)
    resolved = await outcome(ask, document, scope, variables, by_fallback=True)

    assert compiled == resolved, document


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(operation=OPERATIONS, scope=st.sampled_from(SCOPES))
async def test_both_roads_agree(ask: Ask, operation: tuple[str, dict[str, Any]], scope: Scope) -> None:
    await compare(ask, operation, scope)


@pytest.mark.slow
@settings(max_examples=5_000, deadline=None, suppress_health_check=CHECKS)
@given(operation=OPERATIONS, scope=st.sampled_from(SCOPES))
async def test_both_roads_agree_at_length(ask: Ask, operation: tuple[str, dict[str, Any]], scope: Scope) -> None:
    await compare(ask, operation, scope)


@pytest.mark.filterwarnings(CANCELLED)
@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=CHECKS)
@given(operation=COMPUTED, scope=st.sampled_from(SCOPES))
async def test_both_roads_compute_the_same(shelf: Ask, operation: tuple[str, dict[str, Any]], scope: Scope) -> None:
    await compare(shelf, operation, scope)
    gc.collect(1)


@pytest.mark.slow
@pytest.mark.filterwarnings(CANCELLED)
@settings(max_examples=5_000, deadline=None, suppress_health_check=CHECKS)
@given(operation=COMPUTED, scope=st.sampled_from(SCOPES))
async def test_both_roads_compute_the_same_at_length(
    shelf: Ask, operation: tuple[str, dict[str, Any]], scope: Scope
) -> None:
    await compare(shelf, operation, scope)
    gc.collect(1)
