"""The planner of one schema: operation + variables + scope → the bytes of the answer."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import orjson
from graphql import DocumentNode, ExecutionResult, FieldNode, GraphQLError, SelectionSetNode, execute
from strawberry import Schema

from hub.context import Scope
from hub.db import Database
from hub.errors import HubError, NotAllowed
from schema.errors import presented
from schema.planner.arguments import shape_of
from schema.planner.cache import Bounded
from schema.planner.fallback import attach
from schema.planner.fields import Constant, Right, needed
from schema.planner.limits import Limits, check_cost
from schema.planner.operations import Documents, Operation, Refused
from schema.planner.plans import Plan, Rights, plan_of
from schema.planner.python_values import Computing, settle, written
from schema.planner.reader import Reader
from schema.planner.records import Answer
from schema.planner.selection import Refusal, Selected
from schema.planner.shapes import GraphShapes

PLANNER = "planner"
"""Under this name the schema's extensions hold its planner."""
SNAPSHOT = {"isolation": "repeatable_read", "readonly": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An operation and what it is executed with; `context` is for resolvers of their own."""

    operation: Operation
    scope: Scope
    database: Database
    variables: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""
    context: Any = None
    explain: bool = False
    """Tell the statement and what PostgreSQL did with it in `extensions.plan`."""


@dataclass(slots=True)
class _Answer:
    """The JSON text of each root field; `nulled` when an error took the whole answer away."""

    texts: dict[str, bytes] = field(default_factory=dict)
    errors: list[GraphQLError] = field(default_factory=list)
    nulled: bool = False


class Planner:
    """Executes queries; one instance per process and schema."""

    def __init__(
        self, schema: Schema, *, limits: Limits | None = None, introspection: bool = True, plans: int = 500
    ) -> None:
        self.schema = schema._schema
        self.limits = limits or Limits()
        self.shapes = GraphShapes(self.schema)
        self.documents = Documents(self.schema, self.limits, introspection=introspection)
        self.plans: Bounded[Any, Plan] = Bounded(entries=plans, weight=24_000_000)
        self.nodes: Bounded[Any, Any] = Bounded(entries=plans, weight=16_000_000)
        attach(self.schema, self.shapes)
        self.schema.extensions[PLANNER] = self

    def prepare(self, source: str, operation_name: str | None = None) -> Operation:
        """Parse, measure and validate, or remember it; for mutations and subscriptions too. Raises `Refused`."""
        return self.documents.prepare(source, operation_name)

    async def execute(self, request: Request, *, by_fallback: bool = False) -> bytes:
        """The answer's JSON. Raises `Refused` for a request that is not executed; `by_fallback` is for tests."""
        try:
            variables = self.documents.variables(request.operation, request.variables)
            plan = await self._plan(request, variables)
            cost = plan.cost_with(variables)
            check_cost(cost, self.limits)
            values = scope_values(request.scope)
            arguments = plan.arguments({**variables, "": values})
        except HubError as error:
            raise Refused([error]) from error
        answer = _Answer()
        resolved = [*plan.compiled, *plan.resolved] if by_fallback else plan.resolved
        if resolved:
            await self._read_both_ways(request, plan, arguments, resolved, answer)
        elif plan.compiled:
            async with request.database.reading(request.scope) as connection:
                await _compiled(connection, plan, arguments, answer)
        if plan.computed and not by_fallback:
            await self._compute(request, plan, answer)
        if plan.foreign:
            await self._resolve(request, plan.foreign, None, answer)
        extensions: dict[str, Any] = {"requestId": request.request_id, "cost": cost}
        if request.explain:
            extensions["plan"] = await _explained(request, plan, arguments)
        return _written(request, plan, answer, extensions)

    async def _plan(self, request: Request, variables: Mapping[str, Any]) -> Plan:
        operation, scope = request.operation, request.scope
        types = operation.variable_types
        shapes = {name: shape_of(value, types[name], (name,)) for name, value in variables.items()}
        grants = frozenset(scope.tenants.values())
        several = len(scope.tenants) != 1
        key = (operation, tuple(shapes.items()), grants, several)
        plan = self.plans.get(key)
        if plan is None:
            rights = Rights(scope, await _slugs(request) if len(grants) > 1 else {}, variables)
            plan = plan_of(self.schema, self.shapes, operation, shapes, rights, several=several)
            if not rights.depend_on_values:
                self.plans.put(key, plan, len(plan.sql) + operation.weight)
        return plan

    async def _read_both_ways(
        self, request: Request, plan: Plan, arguments: Sequence[Any], resolved: Sequence[Selected], answer: _Answer
    ) -> None:
        """The statement and the reads of graphql-core in one snapshot."""
        async with request.database.reading(request.scope) as connection, _snapshot(connection):
            if plan.compiled and plan.compiled[0] not in resolved:
                await _compiled(connection, plan, arguments, answer)
            refused = [refusal.path for refusal in plan.refusals]
            several = len(request.scope.tenants) != 1
            reader = Reader(connection, scope_values(request.scope), several=several, refused=refused)
            try:
                await self._resolve(request, resolved, reader, answer)
            finally:
                await reader.close()

    async def _compute(self, request: Request, plan: Plan, answer: _Answer) -> None:
        """Put what Python computes into the texts; a root field with an error in it is completed by graphql-core."""
        computings = {item: Computing(answer.texts[item.key], plan.computed) for item in plan.compiled}
        await settle([*computings.values()])
        wrong = {}
        for item, computing in computings.items():
            try:
                answer.texts[item.key] = computing.text()
            except Exception:  # graphql-core will say what, where, and what becomes null
                wrong[item] = computing.tree(item.target.name if item.target else "", item.children)
        if wrong:
            root = Answer({item.key: tree for item, tree in wrong.items()})
            await self._resolve(request, [*wrong], root, answer)

    async def _resolve(
        self, request: Request, items: Sequence[Selected], root: Reader | Answer | None, answer: _Answer
    ) -> None:
        """Leave these root fields to graphql-core."""
        definition = request.operation.definition
        nodes: list[FieldNode] = [node for item in items for node in item.nodes]
        wanted = type(definition)(
            operation=definition.operation,
            name=definition.name,
            variable_definitions=definition.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(nodes)),
        )
        document = DocumentNode(definitions=(wanted, *request.operation.fragments.values()))
        result = execute(
            self.schema,
            document,
            root_value=root,
            context_value=request.context,
            variable_values=dict(request.variables),
        )
        if not isinstance(result, ExecutionResult):
            result = await result
        answer.errors += result.errors or []
        if result.data is None:
            answer.nulled = True
        for key, value in (result.data or {}).items():
            answer.texts[key] = written(value)


def _snapshot(connection: asyncpg.Connection) -> AbstractAsyncContextManager[Any]:
    """All statements inside see the same moment; a connection in a transaction keeps that one (PgBouncer)."""
    return nullcontext() if connection.is_in_transaction() else connection.transaction(**SNAPSHOT)


def scope_values(scope: Scope) -> dict[str, Any]:
    """What the plan's own parameters stand for."""
    tenants = list(scope.tenants)
    return {"tenants": tenants, "tenant": tenants[0] if len(tenants) == 1 else None}


async def _slugs(request: Request) -> dict[str, int]:
    async with request.database.reading(request.scope) as connection:
        return {row["slug"]: row["id"] for row in await connection.fetch("SELECT slug, id FROM tenants")}


async def _compiled(connection: asyncpg.Connection, plan: Plan, arguments: Sequence[Any], answer: _Answer) -> None:
    row = await connection.fetchrow(plan.sql, *arguments)
    for item, text in zip(plan.compiled, row, strict=True):
        answer.texts[item.key] = text.encode()


async def _explained(request: Request, plan: Plan, arguments: Sequence[Any]) -> dict[str, Any]:
    """The statement, its times in milliseconds and the rows of each node; the statement runs once more for it."""
    if not plan.sql:
        return {"sql": None}
    async with request.database.reading(request.scope) as connection:
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {plan.sql}", *arguments)
    return {"sql": plan.sql, "postgresql": orjson.loads(told)[0]}


def _written(request: Request, plan: Plan, answer: _Answer, extensions: Mapping[str, Any]) -> bytes:
    errors = [presented(_refusal(each), request.request_id) for each in plan.refusals]
    errors += [presented(each, request.request_id) for each in answer.errors]
    parts = [b'{"errors":', orjson.dumps(errors), b',"data":'] if errors else [b'{"data":']
    if answer.nulled:
        parts.append(b"null")
    else:
        parts += [b"{", b",".join(b'"%b":%b' % (item.key.encode(), _text(item, answer)) for item in plan.tree), b"}"]
    return b"".join([*parts, b',"extensions":', orjson.dumps(extensions), b"}"])


def _text(item: Selected, answer: _Answer) -> bytes:
    if item.refused is not None:
        return b"null"
    if isinstance(item.field.source, Constant):
        return orjson.dumps(item.field.source.value)
    return answer.texts[item.key]


def _refusal(refusal: Refusal) -> GraphQLError:
    return GraphQLError("", refusal.node, path=refusal.path, original_error=not_allowed(refusal.right))


def not_allowed(right: Right) -> NotAllowed:
    return NotAllowed("Insufficient permissions", hint=f"needs {needed(right)}")
