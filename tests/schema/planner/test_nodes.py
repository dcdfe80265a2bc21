"""Records in the answers of mutations: read back in one statement with what the caller selected."""

from dataclasses import dataclass
from typing import Any

import pytest
import strawberry
from graphql import ExecutionResult, execute
from strawberry.schema.config import StrawberryConfig
from strawberry.types import Info

from hub.context import Level, Scope
from hub.db import Database
from schema.graph import Query, build_schema
from schema.planner.execute import Planner
from schema.planner.nodes import read_nodes
from schema.planner.types import NAMES, Node
from schema.products import Product
from schema.scalars import SCALARS
from schema.syncs import SyncException
from tests.schema.planner import world

build_schema()


@strawberry.type
class Touched:
    @strawberry.field
    async def product(self, info: Info, number: int = 1) -> Product | None:
        return (await read_nodes(info, "Product", 1, [number])).get(number)  # type: ignore[return-value]

    @strawberry.field
    async def products(self, info: Info) -> list[Product]:
        found = await read_nodes(info, "Product", 1, [3, 1, 999])
        return [found[id_] for id_ in (3, 1)]

    @strawberry.field
    async def node(self, info: Info) -> Node | None:
        return (await read_nodes(info, "Order", 1, [1])).get(1)  # type: ignore[return-value]

    @strawberry.field
    async def exception(self, info: Info) -> SyncException | None:
        return (await read_nodes(info, "SyncException", 1, [1])).get(1)  # type: ignore[return-value]


@strawberry.type
class Mutation:
    @strawberry.mutation
    def touch(self) -> Touched:
        return Touched()


NAMES.pop("Touched", None)


@pytest.fixture(scope="module")
def planner() -> Planner:
    return Planner(strawberry.Schema(Query, Mutation, config=StrawberryConfig(scalar_map=SCALARS)))


@dataclass
class Context:
    scope: Scope
    database: Database


async def touch(planner: Planner, database: Database, document: str, scope: Scope, **variables: Any) -> ExecutionResult:
    operation = planner.prepare(document)
    result = execute(
        planner.schema, operation.document, context_value=Context(scope, database), variable_values=variables
    )
    return result if isinstance(result, ExecutionResult) else await result


async def test_a_record_is_read_back_as_a_query_would_read_it(planner: Planner, full: Database, ask: Any) -> None:
    selection = """{ __typename id code name totalQuantityInStock updatedAt category { name } tenant { slug }
        stock(first: $n, filter: {quantity: {gt: "0"}}) { totalCount pageInfo { endCursor hasNextPage }
          edges { cursor node { quantity location { code } ...S } } } }
    """
    fragment = "fragment S on StockItem { receivedAt batch { expirationDate isLocked } }"

    changed = f"mutation ($n: Int) {{ touch {{ product(number: 5) {selection} }} }} {fragment}"
    result = await touch(planner, full, changed, world.scope(1), n=2)
    read = await ask(f'query ($n: Int) {{ product(id: "Product:1:5") {selection} }} {fragment}', n=2)

    assert result.errors is None
    assert result.data == {"touch": read["data"]}


async def test_every_alias_has_its_own_selection(planner: Planner, full: Database) -> None:
    document = "mutation { touch { a: product { x: code } b: product(number: 2) { x: id } products { code } } }"

    result = await touch(planner, full, document, world.scope(1))

    assert result.data == {
        "touch": {"a": {"x": "P-000"}, "b": {"x": "Product:1:2"}, "products": [{"code": "P-002"}, {"code": "P-000"}]}
    }


async def test_what_does_not_exist_is_null(planner: Planner, full: Database) -> None:
    result = await touch(planner, full, "mutation { touch { product(number: 999) { code } } }", world.scope(1))

    assert result.data == {"touch": {"product": None}}


async def test_enums_and_interfaces_are_completed(planner: Planner, full: Database) -> None:
    document = "mutation { touch { node { id ... on Order { status orderType } } } }"

    result = await touch(planner, full, document, world.scope(1))

    assert result.errors is None
    assert result.data is not None
    node = result.data["touch"]["node"]
    assert node["id"] == "Order:1:1"
    assert node["orderType"] in ("CLIENT_ORDER", "EXPENDITURE_RECEIPT")


@pytest.mark.parametrize("level", [Level.VIEWER, Level.ADMINISTRATOR])
async def test_rights_hold_in_payloads_too(planner: Planner, full: Database, level: Level) -> None:
    document = "mutation { touch { exception { reason payload } } }"

    result = await touch(planner, full, document, world.scope(1, level=level))

    assert result.data is not None
    payload = result.data["touch"]["exception"]["payload"]
    if level is Level.ADMINISTRATOR:
        assert (payload["id"], result.errors) == (0, None)
    else:
        assert payload is None
        assert [str(error.original_error) for error in result.errors or []] == [
            "Insufficient permissions (needs ADMINISTRATOR)"
        ]


async def test_limits_hold_in_payloads_too(planner: Planner, full: Database) -> None:
    document = "mutation { touch { product { stock(first: 251) { totalCount } } } }"

    result = await touch(planner, full, document, world.scope(1))

    assert [str(error.original_error) for error in result.errors or []] == ["stock.first: must be 1 to 250, not 251"]


async def test_one_selection_is_planned_once(planner: Planner, full: Database) -> None:
    document = "mutation ($n: Int!) { touch { product(number: $n) { code name } } }"
    before = len(planner.nodes)

    for number in (1, 2, 3):
        result = await touch(planner, full, document, world.scope(1), n=number)
        assert result.data == {
            "touch": {"product": {"code": f"P-{number - 1:03}", "name": result.data["touch"]["product"]["name"]}}
        }  # type: ignore[index]

    assert len(planner.nodes) == before + 1
