"""Fields that Python computes: their answers stand in the statement's text as graphql-core would have put them."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from graphql import ExecutionResult, execute, parse

from hub.db import Database
from hub.models.orders import Invoice
from hub.models.products import Product
from schema.planner.execute import Request
from schema.planner.fields import Python, python, reads
from schema.planner.operations import Refused
from schema.planner.python_values import function_of
from schema.planner.shapes import rest_shape
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask, asking
from tests.schema.planner.shelves import PLANNER


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


async def written(database: Database, document: str) -> bytes:
    operation = PLANNER.prepare(document)
    return await PLANNER.execute(Request(operation=operation, scope=world.scope(1), database=database, explain=True))


async def test_they_leave_the_statement_whole(full: Database) -> None:
    answer = await written(full, "{ shelves(first: 2) { nodes { label loud goods { nodes { tag told season } } } } }")

    assert b'"sql":"SELECT' in answer


async def test_no_digit_of_another_field_changes(full: Database) -> None:
    right = await written(full, "{ shelves(first: 1) { nodes { exact label } } }")
    wrong = await written(full, "{ shelves(first: 2) { nodes { exact fragile } } }")

    assert right.count(b"1234567890123456789012345678901234567890, 0.0000001, 0.10000000000000000001") == 1
    assert wrong.count(b"1234567890123456789012345678901234567890,0.0000001,0.10000000000000000001") == 2
    assert b"out of reach" in wrong
    assert right.count(b"a\\u001eb") == wrong.count(b"a\\u001eb") / 2 == 1


async def test_decimals_inside_free_form_stay_exact(full: Database) -> None:
    right = await written(full, '{ shelf(id: "Shelf:1:1") { freeForm } }')
    wrong = await written(full, "{ shelves { nodes { freeForm fragile } } }")

    assert b'"freeForm":{"a":[1.5,2.10,null]}' in right
    assert b'"freeForm":{"a":[1.5,2.10,null]}' in wrong


async def test_functions_see_what_they_need_and_no_more(shelf: Ask) -> None:
    answer = await shelf('{ good(id: "Good:1:1") { code hidden } }')

    assert answer["data"] == {"good": {"code": "P-000", "hidden": None}}
    assert [error["extensions"]["code"] for error in answer["errors"]] == ["INTERNAL"]


@pytest.mark.parametrize("need", ["nothing", "pdf"])
def test_needs_are_checked_when_the_schema_is_made(need: str) -> None:
    with pytest.raises(TypeError, match=need):
        function_of(Invoice.__table__, Python(str, (need,)))  # type: ignore[attr-defined]


def test_rest_answers_have_none() -> None:
    @reads(Product)
    class Answer:
        label: str = python(str)

    with pytest.raises(TypeError, match="label"):
        rest_shape(Answer)


async def test_answers_of_mutations_have_them_too(full: Database) -> None:
    document = (
        "mutation { touch(ids: [1, 2, 99]) { label loud fragile secret numbers goods(first: 1) { nodes { tag } } } }"
    )
    context = SimpleNamespace(scope=world.scope(1), database=full)

    result: Any = execute(PLANNER.schema, parse(document), context_value=context)
    answer: ExecutionResult = await result

    assert answer.data is not None
    first, second, third = answer.data["touch"]
    assert third is None
    assert first["label"].startswith("1 · ")
    assert (first["numbers"], second["numbers"], second["fragile"]) == ([0], [0, 1], None)
    assert all(good["tag"].startswith("<P-") for good in first["goods"]["nodes"])
    assert [str(error).split("\n")[0] for error in answer.errors or ()] == [
        "Insufficient permissions",
        "out of reach",
        "Insufficient permissions",
    ]
