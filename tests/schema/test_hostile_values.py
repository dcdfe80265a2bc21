"""Whatever stands in the arguments of a query, the answer is data or the caller's own error, never a broken hub."""

import json
from random import Random
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import CallerError
from schema.context import RequestContext
from schema.execution import Executor
from schema.graph import build_schema
from schema.peer import Peer
from schema.request import decoded, request_of
from tests.schema.served import Served

CORE = build_schema()._schema
TEXTS = ["", " ", "nonsense", "Product:1:1", "Order:1:" + "9" * 30, "a:b:c", "::", "%", "_", "\\", "'", '"', "é" * 300,
         "\u202e", "\U0001f600", "2026-13-45", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "NaN", "1e9",
         "Infinity", "-0", "0" * 300, "AAAA", "e30", "\x7f", "\ufffe"]  # fmt: skip
NUMBERS = [0, -1, 1, 250, 251, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**300]
SCALARS = [*TEXTS, *NUMBERS, True, False, None, 0.1, [], {}, [1], {"a": 1}]


def hostile(type_: GraphQLInputType, random: Random, depth: int = 0) -> Any:
    """A value that fits a type in form; its scalars are whatever comes to mind."""
    if isinstance(type_, GraphQLNonNull):
        return hostile(type_.of_type, random, depth)
    if isinstance(type_, GraphQLList):
        return [hostile(type_.of_type, random, depth + 1) for _ in range(random.randrange(3))]
    if isinstance(type_, GraphQLEnumType):
        return random.choice([*type_.values, "NONSENSE"])
    if isinstance(type_, GraphQLInputObjectType):
        names = list(type_.fields)
        few = random.sample(names, min(len(names), random.randrange(1, 3 if depth < 3 else 2)))
        needed = [name for name, field in type_.fields.items() if is_required_input_field(field)]
        return {name: hostile(type_.fields[name].type, random, depth + 1) for name in {*few, *needed}}
    if get_named_type(type_).name in ("Int", "Long") and random.random() < 0.5:
        return random.choice(NUMBERS)
    return random.choice(SCALARS)


def selection(type_: Any) -> str:
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        return "" if not hasattr(named, "fields") else "{ __typename }"
    if "nodes" in named.fields:
        return "{ nodes { __typename } pageInfo { hasNextPage endCursor } totalCount }"
    return "{ __typename }"


def request_for(random: Random) -> dict[str, Any]:
    """A query of one field with arguments in variables."""
    assert CORE.query_type is not None
    name, field = random.choice(sorted(CORE.query_type.fields.items()))
    chosen = {
        key: argument.type
        for key, argument in field.args.items()
        if is_required_argument(argument) or random.random() < 0.4
    }
    if not chosen:
        return {"query": f"{{ {name} {selection(field.type)} }}"}
    declared = ", ".join(f"${key}: {kind}" for key, kind in chosen.items())
    given_ = ", ".join(f"{key}: ${key}" for key in chosen)
    variables = {key: hostile(kind, random) for key, kind in chosen.items()}
    return {"query": f"query ({declared}) {{ {name}({given_}) {selection(field.type)} }}", "variables": variables}


async def codes(served: Served, executor: Executor, asked: dict[str, Any]) -> list[str]:
    scope = await served.services.authenticator.by_credentials(
        host=served.host, credential=served.bearer("admin").removeprefix("Bearer "), address="127.0.0.1"
    )
    peer = Peer(address="127.0.0.1", host=served.host, secure=True)
    context = RequestContext(services=served.services, caller=scope, peer=peer)
    try:
        prepared = executor.prepare(request_of(decoded(json.dumps(asked))), context)
    except CallerError as error:
        return [error.code]
    if prepared.operation is None:
        return [error["extensions"]["code"] for error in prepared.errors]
    reply = await executor.execute(prepared, context)
    errors = reply.errors or json.loads(reply.body).get("errors", [])
    return [error["extensions"]["code"] for error in errors]


@pytest.fixture(scope="module")
def executor(served: Served) -> Executor:
    return Executor(build_schema(), served.services)


@settings(max_examples=300, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(random=st.randoms(use_true_random=False))
async def test_no_value_breaks_a_query(served: Served, executor: Executor, random: Random) -> None:
    asked = request_for(random)

    assert "INTERNAL" not in await codes(served, executor, asked), asked


@pytest.mark.slow
async def test_no_value_breaks_a_query_at_length(served: Served, executor: Executor) -> None:
    for seed in range(10_000):
        asked = request_for(Random(seed))
        assert "INTERNAL" not in await codes(served, executor, asked), asked
