"""Records in the answers of mutations and subscriptions: the sub-selection below a resolver, read by one statement.

The values are keyed by response key; the resolvers attached by `fallback.py` find them again, and graphql-core
completes them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    VariableNode,
    Visitor,
    get_named_type,
    type_from_ast,
    visit,
)
from sqlalchemy import func, select

from hub.context import Scope
from schema.planner.arguments import shape_of
from schema.planner.compile import Writer
from schema.planner.execute import PLANNER, Planner, scope_values
from schema.planner.limits import check_cost, check_pages, cost_of
from schema.planner.parameters import Binding
from schema.planner.plans import Rights, is_resolved
from schema.planner.python_values import Computed, Computing, settle
from schema.planner.records import Answer
from schema.planner.selection import Selected, Selector
from schema.planner.statements import statement_of


@dataclass(frozen=True, slots=True)
class NodePlan:
    """How one selection of one type is read by ids; keeps its nodes alive, because their identity is the key."""

    nodes: Sequence[FieldNode]
    tree: Sequence[Selected]
    computed: Sequence[Computed]
    sql: str
    bindings: Sequence[Binding]


async def read_nodes(info: Any, type_name: str, tenant_id: int, ids: Sequence[int]) -> Mapping[int, Any]:
    """Id → record, for those that exist, with what the caller selected below the field of `info`.

    `info` is graphql-core's or Strawberry's; the field's type is `type_name`, an interface of it or a list of these.
    """
    raw = getattr(info, "_raw_info", info)
    planner: Planner = raw.schema.extensions[PLANNER]
    scope: Scope = raw.context.scope.narrow(tenant_id)
    variables = dict(raw.variable_values.coerced)
    plan = _plan(planner, raw, type_name, scope, variables)
    check_pages(plan.tree, variables)
    check_cost(cost_of(plan.tree, variables) * len(ids), planner.limits)
    values = {**variables, "": {**scope_values(scope), "ids": list(ids)}}
    arguments = [binding.argument(values) for binding in plan.bindings]
    async with raw.context.database.reading(scope) as connection:
        rows = await connection.fetch(plan.sql, *arguments)
    if not plan.computed:
        return {row["id"]: Answer(orjson.loads(row["text"]), type_name) for row in rows}
    computings = {row["id"]: Computing(row["text"].encode(), plan.computed) for row in rows}
    await settle([*computings.values()])
    return {id_: computing.tree(type_name, plan.tree) for id_, computing in computings.items()}


def check_answer(info: Any, records: int) -> None:
    """Raise `Invalid` when the answer of a mutation with so many records would cost too much: before it is made."""
    raw = getattr(info, "_raw_info", info)
    planner: Planner = raw.schema.extensions[PLANNER]
    variables = dict(raw.variable_values.coerced)
    rights = Rights(raw.context.scope, {}, variables)
    selector = Selector(raw.schema, planner.shapes, raw.fragments, _shapes(raw, variables), rights)
    payload = get_named_type(raw.return_type)
    assert isinstance(payload, GraphQLObjectType)
    tree = selector.children(payload, [node.selection_set for node in raw.field_nodes])
    check_pages(tree, variables)
    check_cost(cost_of(tree, variables) * records, planner.limits)


def _shapes(raw: Any, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The shapes of the variables used below the field: a mutation's input does not change how its answer is read."""
    used = _used(raw.field_nodes, raw.fragments)
    definitions = {each.variable.name.value: each.type for each in raw.operation.variable_definitions or ()}
    return {
        name: shape_of(value, type_from_ast(raw.schema, definitions[name]), (name,))
        for name, value in variables.items()
        if name in used
    }


def _used(nodes: Sequence[FieldNode], fragments: Mapping[str, FragmentDefinitionNode]) -> set[str]:
    variables = _Variables(fragments)
    for node in nodes:
        if node.selection_set is not None:
            visit(node.selection_set, variables)
    return variables.used


class _Variables(Visitor):
    """Gathers the names of variables, also in the fragments that are spread."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        super().__init__()
        self.used: set[str] = set()
        self._fragments = dict(fragments)

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.used.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        fragment = self._fragments.pop(node.name.value, None)
        if fragment is not None:
            visit(fragment, self)


def _plan(planner: Planner, raw: Any, type_name: str, scope: Scope, variables: Mapping[str, Any]) -> NodePlan:
    shapes = _shapes(raw, variables)
    key = (tuple(map(id, raw.field_nodes)), type_name, tuple(shapes.items()), frozenset(scope.tenants.values()))
    plan = planner.nodes.get(key)
    if plan is None:
        plan = _made(planner, raw, type_name, Rights(scope, {}, variables), shapes)
        planner.nodes.put(key, plan, len(plan.sql) + _weight(raw.field_nodes))
    return plan


def _made(planner: Planner, raw: Any, type_name: str, rights: Rights, shapes: Mapping[str, Any]) -> NodePlan:
    type_ = raw.schema.type_map[type_name]
    assert isinstance(type_, GraphQLObjectType)
    selector = Selector(raw.schema, planner.shapes, raw.fragments, shapes, rights)
    tree = selector.children(type_, [node.selection_set for node in raw.field_nodes])
    assert not any(map(is_resolved, tree)), f"{type_name} has fields with resolvers of their own"
    writer = Writer(explain_refusals=True)
    row = writer.row(planner.shapes.of(type_name))
    text = writer.object(row, tree).label("text")
    wanted = select(row["id"].label("id"), text).where(
        row.tenant == writer.parameters.tenant(), row["id"] == func.any(writer.parameters.ids())
    )
    statement = statement_of(wanted.select_from(row.from_clause()))
    bindings = [writer.parameters.bindings[name] for name in statement.names]
    return NodePlan(raw.field_nodes, tree, writer.computed, statement.sql, bindings)


def _weight(nodes: Sequence[FieldNode]) -> int:
    """About the bytes of the document that the nodes keep alive."""
    return 2_000 + sum(100 * len(node.loc.source.body) for node in nodes[:1] if node.loc)
