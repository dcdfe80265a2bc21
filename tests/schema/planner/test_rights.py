"""Who may read what: a refused field is null with an error, and everything else is answered."""

import pytest
from graphql import GraphQLObjectType

from hub.context import Grant, Level, Permission, Scope
from schema.graph import build_schema
from schema.planner.fields import VIEWER, Right
from schema.planner.operations import Refused
from schema.planner.shapes import GraphShapes, reads_of
from tests.schema.planner import world
from tests.schema.planner.conftest import Ask

USERS = "{ users { nodes { username } } products(first: 1) { nodes { code } } }"
PAYLOADS = "{ syncExceptions(first: 2) { nodes { reason payload secret: payload } edges { node { payload } } } }"
MIXED = Scope({1: Grant(Level.ADMINISTRATOR), 2: Grant(Level.VIEWER)})


@pytest.mark.parametrize("by_fallback", [False, True])
async def test_a_refused_type_is_null_and_said(ask: Ask, by_fallback: bool) -> None:
    answer = await ask(USERS, by_fallback=by_fallback)

    assert answer["data"] == {"users": None, "products": {"nodes": [{"code": "P-000"}]}}
    assert answer["errors"] == [
        {
            "message": "Insufficient permissions (needs ADMINISTRATOR)",
            "locations": [{"line": 1, "column": 3}],
            "path": ["users"],
            "extensions": {"code": "FORBIDDEN", "hint": "needs ADMINISTRATOR"},
        }
    ]


@pytest.mark.parametrize("by_fallback", [False, True])
async def test_a_refused_field_is_null_in_each_record_and_said_once(ask: Ask, by_fallback: bool) -> None:
    answer = await ask(PAYLOADS, by_fallback=by_fallback)

    nodes = answer["data"]["syncExceptions"]["nodes"]
    assert nodes == [{"reason": "RECORD_REJECTED", "payload": None, "secret": None}] * 2
    assert answer["data"]["syncExceptions"]["edges"] == [{"node": {"payload": None}}] * 2
    assert [error["path"] for error in answer["errors"]] == [
        ["syncExceptions", "nodes", "payload"],
        ["syncExceptions", "nodes", "secret"],
        ["syncExceptions", "edges", "node", "payload"],
    ]


async def test_the_right_level_reads_it(ask: Ask) -> None:
    answer = await ask(PAYLOADS, scope=world.scope(1, level=Level.ADMINISTRATOR))

    assert "errors" not in answer
    assert answer["data"]["syncExceptions"]["nodes"][0]["payload"] == {"id": 0, "deep": [None, {"a": "ț"}]}


@pytest.mark.parametrize(
    ("document", "allowed"),
    [
        ("{ users { nodes { tenant { slug } } } }", False),
        ('{ users(tenants: ["acme"]) { nodes { tenant { slug } } } }', True),
        ('{ users(tenants: ["acme", "birch"]) { nodes { tenant { slug } } } }', False),
        ('{ users(tenants: ["birch"]) { nodes { tenant { slug } } } }', False),
        ('{ user(id: "User:1:1") { username } }', True),
        ('{ user(id: "User:2:1") { username } }', False),
        ('{ user(username: "ana", tenant: "acme") { username } }', True),
        ('{ user(username: "ana", tenant: "birch") { username } }', False),
        ('{ node(id: "User:1:1") { id } }', True),
        ('{ node(id: "User:2:1") { id } }', False),
    ],
)
async def test_rights_are_those_in_the_tenants_asked_for(ask: Ask, document: str, allowed: bool) -> None:
    for _ in range(2):  # planned, then remembered
        answer = await ask(document, scope=MIXED)

        [value] = answer["data"].values()
        assert (value is not None) is allowed
        assert ("errors" not in answer) is allowed


async def test_rights_do_not_leak_through_remembered_plans(ask: Ask) -> None:
    document = "query ($tenants: [String!]) { users(tenants: $tenants) { totalCount } }"

    answers = [
        (await ask(document, scope=scope, tenants=tenants))["data"]["users"]
        for scope, tenants in (
            (world.scope(1, level=Level.ADMINISTRATOR), None),
            (world.scope(1), None),
            (MIXED, ["acme"]),
            (MIXED, ["birch"]),
            (MIXED, ["acme"]),
        )
    ]

    assert answers == [{"totalCount": 3}, None, {"totalCount": 3}, None, {"totalCount": 3}]


async def test_somebody_without_a_tenant_sees_nothing(ask: Ask) -> None:
    answer = await ask("{ products { totalCount nodes { id } } users { totalCount } }", scope=Scope({}))

    assert answer["data"] == {"products": {"totalCount": 0, "nodes": []}, "users": None}


def test_a_permission_counts_with_the_level() -> None:
    right = Right(Level.USER, Permission.PRODUCTION)
    scopes = [
        Scope({1: Grant(Level.USER)}),
        Scope({1: Grant(Level.USER, frozenset({Permission.PRODUCTION}))}),
        Scope({1: Grant(Level.ADMINISTRATOR)}),
    ]

    assert [scope.allows(right.level, right.permission) for scope in scopes] == [False, True, True]


def test_whatever_can_be_refused_can_be_null() -> None:
    schema = build_schema()._schema
    shapes = GraphShapes(schema)
    restricted = 0
    for type_ in schema.type_map.values():
        if not isinstance(type_, GraphQLObjectType) or not (reads_of(type_) or type_ is schema.query_type):
            continue
        shape = shapes.of(type_.name)
        for field in shape.fields.values():
            needed = {field.by, field.target().by if field.target else VIEWER} - {VIEWER, shape.by}
            restricted += bool(needed)
            assert not needed or field.nullable, f"{type_.name}.{field.name} can be refused, but not be null"
    assert restricted > 5


async def test_unknown_fields_are_refused_whoever_asks(ask: Ask) -> None:
    with pytest.raises(Refused, match="Cannot query field 'passwordHash' on type 'User'"):
        await ask("{ users { nodes { passwordHash } } }", scope=world.scope(1, level=Level.SUPERADMINISTRATOR))
