"""One record by its global id or by one of its keys; nothing of another tenant, ever."""

from typing import Any

import pytest

from hub.context import Level
from schema.graph import build_schema
from schema.planner.fields import AnyRecord, Every, Lookup, Summed
from schema.planner.operations import Refused
from schema.planner.shapes import GraphShapes
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask

SHAPES = GraphShapes(build_schema()._schema)
ROOTS = SHAPES.of("Query").fields


async def test_a_record_is_found_by_each_of_its_keys(ask: Ask) -> None:
    wanted = (await ask('{ product(id: "Product:1:2") { id code sku thirdPartyReference } }'))["data"]["product"]

    for key in ("code", "sku", "thirdPartyReference"):
        if wanted[key] is not None:
            found = await ask(f"query ($key: String) {{ product({key}: $key) {{ id }} }}", key=wanted[key])
            assert found["data"]["product"] == {"id": "Product:1:2"}
    assert (await ask('{ product(code: "p-001") { id } }'))["data"]["product"] is None


async def test_any_record_is_found_by_its_global_id(ask: Ask) -> None:
    document = "query ($id: ID!) { node(id: $id) { __typename id ... on Product { code } ... on Order { status } } }"

    product = (await ask(document, id="Product:1:1"))["data"]["node"]
    order = (await ask(document, id="Order:1:1"))["data"]["node"]

    assert product == {"__typename": "Product", "id": "Product:1:1", "code": "P-000"}
    assert order.keys() == {"__typename", "id", "status"}
    assert (await ask(document, id="Nobody:1:1"))["data"]["node"] is None
    assert (await ask(document, id="Query:1:1"))["data"]["node"] is None
    with pytest.raises(Refused, match="no global id"):
        await ask(document, id="1")


async def test_several_tenants_need_the_name_of_one(ask: Ask) -> None:
    both = world.scope(1, 2)
    document = 'query ($tenant: String) { product(code: "P-001", tenant: $tenant) { tenant { slug } } }'

    with pytest.raises(Refused, match="the tenant must be named"):
        await ask(document, scope=both)
    assert (await ask(document, scope=both, tenant="birch"))["data"]["product"] == {"tenant": {"slug": "birch"}}
    assert (await ask(document, scope=both, tenant="cedar"))["data"]["product"] is None


@pytest.mark.parametrize("arguments", ["", '(code: "P-001", sku: "x")', "(code: null)", '(tenant: "acme")'])
async def test_exactly_one_key_is_needed(ask: Ask, arguments: str) -> None:
    with pytest.raises(Refused, match="exactly one key"):
        await ask(f"{{ product{arguments} {{ id }} }}")


@pytest.mark.parametrize("by_fallback", [False, True])
@pytest.mark.parametrize("root", [name for name, field in ROOTS.items() if isinstance(field.source, Lookup)])
async def test_a_foreign_id_is_an_unknown_id(ask: Ask, root: str, by_fallback: bool) -> None:
    target = ROOTS[root].target
    assert target is not None
    mine, foreign, unknown = (f"{target().name}:{tenant}:{id_}" for tenant, id_ in ((1, 1), (2, 1), (1, 987654)))
    document = f"query ($id: ID!) {{ one: {root}(id: $id) {{ id }} node(id: $id) {{ id }} }}"
    scope = world.scope(1, level=Level.ADMINISTRATOR)

    answers = [await ask(document, scope=scope, by_fallback=by_fallback, id=id_) for id_ in (mine, foreign, unknown)]

    assert answers[0]["data"] == {"one": {"id": mine}, "node": {"id": mine}}
    assert answers[1]["data"] == answers[2]["data"] == {"one": None, "node": None}
    assert all("errors" not in answer for answer in answers)


@pytest.mark.parametrize("by_fallback", [False, True])
@pytest.mark.parametrize("root", [name for name, field in ROOTS.items() if isinstance(field.source, Every | Summed)])
async def test_lists_hold_the_callers_tenants_only(ask: Ask, root: str, by_fallback: bool) -> None:
    own = "slug" if root == "tenants" else "tenant { slug }"
    shown = f"nodes {{ {own} }}" if isinstance(ROOTS[root].source, Every) else own
    scope = world.scope(1, 3, level=Level.ADMINISTRATOR)

    answer = (await ask(f"{{ {root} {{ {shown} }} }}", scope=scope, by_fallback=by_fallback))["data"][root]

    nodes: list[dict[str, Any]] = answer["nodes"] if isinstance(answer, dict) else answer
    assert {node["slug"] if root == "tenants" else node["tenant"]["slug"] for node in nodes} == {"acme", "cedar"}


def test_every_root_field_is_known() -> None:
    known = [name for name, field in ROOTS.items() if isinstance(field.source, Every | Lookup | Summed | AnyRecord)]

    assert len(known) > 50
