"""Fields that need Python: resolved by graphql-core over rows, beside root fields that are one statement."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig

from hub.db import Database
from hub.models.products import Category
from hub.models.products import Product as ProductRow
from schema.graph import build_schema
from schema.planner.execute import Planner
from schema.planner.fields import column, every, lookup, many, one, python, reads
from schema.planner.operations import Refused
from schema.planner.types import NAMES, Connection, Node, Owned, complete, root
from schema.scalars import SCALARS
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask, asking

build_schema()


def slowly(shelf: Any) -> Any:
    async def answer() -> str:
        await asyncio.sleep(0)
        return f"{shelf.name}!"

    return answer()


def failing(shelf: Any) -> str:
    if shelf.id == 2:
        raise GraphQLError("out of reach")
    return str(shelf.name)


@reads(Category)
class Shelf(Node, Owned):
    """A category with labels."""

    name: str = column("Its name.")
    label: str = python(lambda shelf: f"{shelf.id} · {shelf.name}", "For people.", needs=("id", "name"))
    loud: str = python(slowly, "Loudly.", needs=("name",))
    fragile: str | None = python(failing, "May fail.", needs=("id", "name"))
    needed: str = python(failing, "May fail, and must not.", needs=("id", "name"))
    goods: "Connection[Good]" = many("category_id", "What lies on it.")


@reads(ProductRow)
class Good(Node, Owned):
    """A product on a shelf."""

    code: str = column("Its code.")
    shelf: Shelf | None = one("category_id", "Where it lies.")
    tag: str = python(lambda good: f"<{good.code}>", "For labels.", needs=("code",))


@root
class ShelfQuery:
    """Shelves."""

    shelves: Connection[Shelf] = every("All shelves.")
    shelf: Shelf | None = lookup("name", description="One shelf.")

    @strawberry.field(description="Something of its own.")  # type: ignore[untyped-decorator]
    def own(self, info: strawberry.Info) -> str:
        return f"own, asked with {info.context}"


complete()
PLANNER = Planner(strawberry.Schema(ShelfQuery, config=StrawberryConfig(scalar_map=SCALARS)))
for name in ("Shelf", "Good", "ShelfQuery"):
    del NAMES[name]


@pytest.fixture(scope="module")
async def shelf(full: Database) -> AsyncIterator[Ask]:
    yield asking(PLANNER, full, context="context")


async def test_python_fields_see_the_row(shelf: Ask) -> None:
    document = """{ shelves(first: 2) { totalCount nodes {
        internalId name label loud goods(first: 1) { nodes { tag code } } } } }"""

    answer = (await shelf(document))["data"]["shelves"]

    assert answer["totalCount"] == 4
    assert [node["label"] for node in answer["nodes"]] == [f"{n['internalId']} · {n['name']}" for n in answer["nodes"]]
    assert [node["loud"] for node in answer["nodes"]] == [f"{node['name']}!" for node in answer["nodes"]]
    goods = [good for node in answer["nodes"] for good in node["goods"]["nodes"]]
    assert goods
    assert all(good["tag"] == f"<{good['code']}>" for good in goods)


async def test_one_operation_may_mix_all_kinds_of_root_fields(shelf: Ask) -> None:
    document = '{ own b: shelves(first: 1) { nodes { id } } kind: __typename a: shelf(id: "Shelf:1:1") { label id } }'

    answer = await shelf(document)

    assert list(answer["data"]) == ["own", "b", "kind", "a"]
    assert answer["data"]["own"] == "own, asked with context"
    assert answer["data"]["b"] == {"nodes": [{"id": "Shelf:1:1"}]}
    assert answer["data"]["kind"] == "ShelfQuery"
    assert answer["data"]["a"]["label"].startswith("1 · ")


async def test_an_error_in_a_python_field_is_that_fields(shelf: Ask) -> None:
    answer = await shelf("{ shelves(first: 2) { nodes { internalId fragile } } }")

    assert answer["data"]["shelves"]["nodes"][1] == {"internalId": 2, "fragile": None}
    assert [(error["message"], error["path"]) for error in answer["errors"]] == [
        ("out of reach", ["shelves", "nodes", 1, "fragile"])
    ]


async def test_an_error_in_a_field_that_must_not_be_null_takes_its_parents(shelf: Ask) -> None:
    answer = await shelf('{ a: shelf(id: "Shelf:1:2") { needed } b: shelf(id: "Shelf:1:1") { needed } own }')
    whole = await shelf("{ shelves { nodes { needed } } own }")

    assert answer["data"]["a"] is None
    assert answer["data"]["b"] is not None
    assert whole["data"] is None
    assert len(whole["errors"]) == 1


async def test_arguments_are_checked_on_this_road_too(shelf: Ask) -> None:
    for arguments in ('after: "nope"', "first: 0", "first: 1, last: 1"):
        with pytest.raises(Refused):
            await shelf(f"{{ shelves({arguments}) {{ nodes {{ label }} }} }}")


async def test_introspection_is_answered(shelf: Ask) -> None:
    answer = await shelf('{ __schema { queryType { name } } __type(name: "Shelf") { name } shelves { totalCount } }')

    assert answer["data"] == {
        "__schema": {"queryType": {"name": "ShelfQuery"}},
        "__type": {"name": "Shelf"},
        "shelves": {"totalCount": 4},
    }


async def test_several_tenants_are_read_on_this_road_too(shelf: Ask) -> None:
    answer = await shelf("{ shelves(first: 250) { nodes { label tenant { slug } } } }", scope=world.scope(1, 3))

    assert {node["tenant"]["slug"] for node in answer["data"]["shelves"]["nodes"]} == {"acme", "cedar"}
