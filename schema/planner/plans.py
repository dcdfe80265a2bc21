"""One operation for callers of one kind → a plan: the tree, its statement, and what the statement cannot answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLSchema
from sqlalchemy import select

from hub.context import Grant, Scope
from schema.planner.arguments import filled
from schema.planner.compile import Writer
from schema.planner.fields import VIEWER, Constant, Foreign, Python, Right
from schema.planner.ids import parsed, type_of
from schema.planner.limits import check_pages, cost_of, has_variable_sizes
from schema.planner.operations import Operation
from schema.planner.parameters import Binding
from schema.planner.python_values import Computed
from schema.planner.selection import Refusal, Selected, Selector
from schema.planner.shapes import GraphShapes
from schema.planner.statements import statement_of


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`compiled` root fields are columns of the statement in this order, with places for what is `computed`;
    `resolved` ones need graphql-core, `foreign` ones have resolvers of their own and read nothing here."""

    tree: Sequence[Selected]
    refusals: Sequence[Refusal]
    compiled: Sequence[Selected]
    computed: Sequence[Computed]
    resolved: Sequence[Selected]
    foreign: Sequence[Selected]
    sql: str
    bindings: Sequence[Binding]
    checked: Sequence[Binding]
    cost: int | None
    """None where it follows from the variables."""

    def cost_with(self, variables: Mapping[str, Any]) -> int:
        """About the number of objects of the answer; raises `Invalid` for a page size out of range."""
        if self.cost is not None:
            return self.cost
        check_pages(self.tree, variables)
        return cost_of(self.tree, variables)

    def arguments(self, variables: Mapping[str, Any]) -> list[Any]:
        """What is sent with the statement; raises `Invalid` for a malformed id or cursor on either road."""
        for binding in self.checked:
            binding.argument(variables)
        return [binding.argument(variables) for binding in self.bindings]


def plan_of(
    schema: GraphQLSchema,
    shapes: GraphShapes,
    operation: Operation,
    variables: Mapping[str, Any],
    rights: "Rights",
    *,
    several: bool,
) -> Plan:
    """Raises `Invalid` for arguments that can be refused before they are filled in."""
    selector = Selector(schema, shapes, operation.fragments, variables, rights)
    query = schema.query_type
    assert query is not None
    tree = selector.children(query, [operation.definition.selection_set])
    wanted = [item for item in tree if item.refused is None and not isinstance(item.field.source, Constant)]
    foreign = [item for item in wanted if isinstance(item.field.source, Foreign)]
    resolved = [item for item in wanted if item not in foreign and is_resolved(item)]
    compiled = [item for item in wanted if item not in foreign and item not in resolved]
    writer, checker = Writer(several=several), Writer(several=several)
    for item in resolved:
        checker.root(item)
    columns = [writer.root(item).label(f"f{number}") for number, item in enumerate(compiled)]
    statement = statement_of(select(*columns))
    bindings, names = dict(writer.parameters.bindings), statement.names
    return Plan(
        tree=tree,
        refusals=selector.refusals,
        compiled=compiled,
        computed=writer.computed,
        resolved=resolved,
        foreign=foreign,
        sql=statement.sql,
        bindings=[bindings.pop(name) for name in names],
        checked=[*bindings.values(), *checker.parameters.bindings.values()],
        cost=_fixed_cost(tree),
    )


def _fixed_cost(tree: Sequence[Selected]) -> int | None:
    if has_variable_sizes(tree):
        return None
    check_pages(tree, {})
    return cost_of(tree, {})


def is_resolved(item: Selected) -> bool:
    """graphql-core is needed for the field or below it: for resolvers of its own, and where Python makes objects."""
    source = item.field.source
    own = isinstance(source, Foreign) or (isinstance(source, Python) and item.field.leaf is None)
    return item.refused is None and (own or any(map(is_resolved, item.children)))


class Rights:
    """What a caller may read below each root field: all tenants that the field asks for must grant it."""

    def __init__(self, scope: Scope, slugs: Mapping[str, int], variables: Mapping[str, Any]) -> None:
        self._scope = scope
        self._slugs = slugs
        self._variables = variables
        self.depend_on_values = False

    def below(self, arguments: Mapping[str, Any]) -> Callable[[Right], bool]:
        """The rights below a root field with these arguments."""
        grants = set(self._scope.tenants.values())
        if len(grants) > 1:
            narrowed = self._narrowed(arguments)
            if narrowed is not None:
                self.depend_on_values = True
                grants = narrowed or grants
        if not grants:  # somebody without a tenant sees nothing, and is not refused for it
            return lambda right: right == VIEWER
        return lambda right: all(grant.allows(right.level, right.permission) for grant in grants)

    def _narrowed(self, arguments: Mapping[str, Any]) -> set[Grant] | None:
        """The grants in the tenants that the arguments name; None when they name none."""
        tenants = self._scope.tenants
        if "id" in arguments:
            text = filled(arguments["id"], self._variables)
            named = [parsed(text).tenant_id] if type_of(text) else []
        elif "tenants" in arguments or "tenant" in arguments:
            slugs = filled(arguments.get("tenants", (arguments.get("tenant"),)), self._variables)
            named = [self._slugs[slug] for slug in slugs if slug in self._slugs]
        else:
            return None
        return {tenants[tenant] for tenant in named if tenant in tenants}
