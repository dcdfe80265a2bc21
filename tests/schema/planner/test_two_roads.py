"""The statement and graphql-core give the same answer to any operation, errors included."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.context import Grant, Level, Scope
from schema.graph import build_schema
from schema.planner.execute import Planner
from schema.planner.operations import Refused
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask
from tests.schema.planner.operations import operations

PLANNER = Planner(build_schema())
OPERATIONS = operations(PLANNER.schema, PLANNER.shapes)
SCOPES = [
    world.scope(1),
    world.scope(2, level=Level.ADMINISTRATOR),
    world.scope(1, 2, 3),
    Scope({1: Grant(Level.ADMINISTRATOR), 3: Grant(Level.VIEWER)}),
    Scope({}),
]
CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


async def outcome(ask: Ask, document: str, scope: Scope, variables: dict[str, Any], *, by_fallback: bool) -> Any:
    try:
        answer = await ask(document, scope=scope, by_fallback=by_fallback, **variables)
    except Refused as refused:
        return [str(error) for error in refused.errors]
    answer["errors"] = sorted(answer.get("errors", []), key=str)
    return answer


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
