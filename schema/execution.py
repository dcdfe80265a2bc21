"""Runs prepared operations: queries by the planner, mutations and subscription payloads by graphql-core.

What breaks here leaves as it is: the doors catch it, because only they know how to say it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import strawberry
from graphql import ExecutionResult, FieldNode, GraphQLError, OperationDefinitionNode, parse
from graphql.execution import Executor as CoreExecutor
from graphql.execution import create_source_event_stream, execute

from hub.context import Level, Scope
from hub.errors import Unauthenticated
from schema.context import RequestContext, Services
from schema.errors import presented
from schema.payloads import Payload, SharedPayloads, selection_of
from schema.planner.execute import Planner, Request
from schema.planner.limits import Limits
from schema.planner.operations import Operation, Refused
from schema.request import GraphQLRequest

PUBLIC = frozenset({"login", "__typename"})
"""What a caller without credentials may ask for."""
PUBLIC_CHARACTERS = 2_000
PUBLIC_TOKENS = 300
"""How much of a stranger's document is read at all."""

Stream = AsyncGenerator[bytes, None]
"""Whole answers as they become known."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that may run, or the errors for which it does not."""

    operation: Operation | None
    variables: Mapping[str, Any] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.operation.kind if self.operation else ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer, or the errors for which the operation was not executed."""

    body: bytes = b""
    errors: list[dict[str, Any]] = field(default_factory=list)


class Executor:
    """Everything between a door and the data, for one schema."""

    def __init__(self, schema: strawberry.Schema, services: Services) -> None:
        settings = services.settings
        limits = Limits(
            tokens=settings.document_tokens,
            depth=settings.document_depth,
            fields=settings.document_fields,
            aliases=settings.document_aliases,
            cost=settings.document_cost,
        )
        self._introspection = settings.introspection
        self._planner = Planner(schema, limits=limits, introspection=self._introspection)
        self._core = self._planner.schema
        self._documents = self._planner.documents
        self.payloads = SharedPayloads()

    def prepare(self, request: GraphQLRequest, context: RequestContext) -> Prepared:
        """Parse, limit and validate, or remember it; raises `Unauthenticated` for a stranger who asks for more."""
        stranger = context.caller is None
        if stranger and not _is_public(request.query):
            raise Unauthenticated(
                "credentials are missing", hint="send Authorization: Bearer with a token or user:password"
            )
        try:
            operation = self._documents.prepare(request.query, request.operation_name, remember=not stranger)
            if operation.kind != "query":
                self._documents.variables(operation, request.variables)
        except Refused as refused:
            return Prepared(None, errors=_presented(refused, context))
        return Prepared(operation, request.variables)

    async def execute(self, prepared: Prepared, context: RequestContext) -> Reply:
        """The whole answer to a query or mutation."""
        operation = prepared.operation
        assert operation is not None
        try:
            if operation.kind == "query" and context.caller is not None:
                return Reply(await self._planner.execute(_query(operation, prepared, context)))
            result = execute(
                self._core,
                operation.document,
                context_value=context,
                variable_values=dict(prepared.variables),
                operation_name=operation.name,
                hide_suggestions=not self._introspection,
            )
        except Refused as refused:
            return Reply(errors=_presented(refused, context))
        answer = result if isinstance(result, ExecutionResult) else await result
        return Reply(_answer(answer.data, answer.errors or [], context))

    async def stream(self, prepared: Prepared, context: RequestContext) -> Stream:
        """Every answer of a subscription; what breaks it is told in the last one."""
        operation = prepared.operation
        assert operation is not None
        core = CoreExecutor.build(
            self._core,
            operation.document,
            context_value=context,
            raw_variable_values=dict(prepared.variables),
            operation_name=operation.name,
        )
        if isinstance(core, list):
            yield _answer(None, core, context)
            return
        selection = selection_of(operation, prepared.variables, context.scope)
        try:
            async with aclosing(await _events(core)) as events:
                async for event in events:
                    yield await self._payload(core, event, selection, context)
        except Exception as error:  # the caller must hear of it, whatever it is
            yield _answer(None, [error], context)

    async def _payload(
        self, core: CoreExecutor[Any], event: "Shareable", selection: bytes, context: RequestContext
    ) -> bytes:
        async def work_out() -> Payload:
            result: Any = core.build_per_event_executor(event).execute_operation(False)
            answer = result if isinstance(result, ExecutionResult) else await result
            return Payload(_answer(answer.data, answer.errors or [], context), flawed=bool(answer.errors))

        if event.key is None:
            return (await work_out()).body
        return await self.payloads.get(event.key, selection, work_out)


class Shareable(Protocol):
    """An event of a subscription; equal keys mean equal payloads for the same selection, None is for one reader."""

    @property
    def key(self) -> str | None: ...


async def _events(core: CoreExecutor[Any]) -> Any:
    """The events of the subscription; raises why there are none."""
    source: Any = create_source_event_stream(core)
    events = source if isinstance(source, AsyncIterator | ExecutionResult) else await source
    if isinstance(events, ExecutionResult):
        raise (events.errors or [GraphQLError("the subscription did not begin")])[0]
    return events


def _query(operation: Operation, prepared: Prepared, context: RequestContext) -> Request:
    return Request(
        operation=operation,
        scope=context.caller or Scope({}),
        database=context.database,
        variables=prepared.variables,
        request_id=context.request_id,
        context=context,
        explain=context.explain and context.services.settings.explain and context.scope.allows(Level.ADMINISTRATOR),
    )


def _is_public(source: str) -> bool:
    """Whether it asks for nothing but what everybody may; decided before the document costs anything."""
    if len(source) > PUBLIC_CHARACTERS:
        return False
    try:
        document = parse(source, max_tokens=PUBLIC_TOKENS)
    except GraphQLError:
        return False
    return all(
        isinstance(definition, OperationDefinitionNode)
        and all(
            isinstance(node, FieldNode) and node.name.value in PUBLIC for node in definition.selection_set.selections
        )
        for definition in document.definitions
    )


def _presented(refused: Refused, context: RequestContext) -> list[dict[str, Any]]:
    return [presented(error, context.request_id) for error in refused.errors]


def _answer(data: Any, errors: list[Any], context: RequestContext) -> bytes:
    if not errors:
        return orjson.dumps({"data": data, "extensions": {"requestId": context.request_id}})
    told = [presented(error, context.request_id) for error in errors]
    return orjson.dumps({"data": data, "errors": told, "extensions": {"requestId": context.request_id}})
