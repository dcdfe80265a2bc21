"""Runs prepared operations: queries by the planner, mutations and subscription payloads by graphql-core."""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
import strawberry
from graphql import ExecutionResult, FieldNode, GraphQLError
from graphql.execution import Executor as CoreExecutor
from graphql.execution import create_source_event_stream, execute

from hub.context import Scope
from hub.errors import HubError, NotAllowed, Unauthenticated
from schema.context import RequestContext, Services
from schema.errors import BAD_DOCUMENT, presented
from schema.payloads import SharedPayloads
from schema.planner.execute import Planner, Request
from schema.planner.operations import Operation, Refused
from schema.request import GraphQLRequest

log = logging.getLogger(__name__)

PUBLIC = frozenset({"login", "__typename"})
"""What a caller without credentials may ask for."""
LONGEST_PUBLIC = 2000

Stream = AsyncGenerator[bytes | None, None]
"""Whole answers as they become known; None is a sign of life."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """An operation that may run, or the errors for which it does not."""

    operation: Operation | None
    variables: Mapping[str, Any] = field(default_factory=dict)
    errors: list[dict[str, Any]] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.operation.kind if self.operation else "query"

    @property
    def refused(self) -> bytes | None:
        return None if self.operation else orjson.dumps({"errors": self.errors})


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; `executed` is False when the variables or the cost kept the operation from running."""

    body: bytes
    executed: bool = True


def status_of(executed: bool, *, strict: bool) -> int:
    """`application/json` always answers 200, `application/graphql-response+json` 400 to what was not executed."""
    return 400 if strict and not executed else 200


class Executor:
    """Everything between a door and the data, for one schema."""

    def __init__(self, schema: strawberry.Schema, services: Services) -> None:
        self._introspection = services.settings.introspection
        self._planner = Planner(schema, introspection=self._introspection)
        self._core = self._planner.schema
        self._documents = self._planner.documents
        self._payloads = SharedPayloads()

    def prepare(self, request: GraphQLRequest, context: RequestContext) -> Prepared:
        """Parse, limit and validate, or remember it; raises `Unauthenticated` for a stranger who asks for more."""
        stranger = context.caller is None
        if stranger and len(request.query) > LONGEST_PUBLIC:
            raise _who()
        try:
            operation = self._documents.prepare(request.query, request.operation_name)
        except Refused as refused:
            if stranger:
                raise _who() from refused
            return Prepared(None, errors=[presented(error, context.request_id) for error in refused.errors])
        if stranger and not _is_public(operation):
            raise _who()
        return Prepared(operation, request.variables)

    async def execute(self, prepared: Prepared, context: RequestContext) -> Reply:
        """The whole answer to a query or mutation."""
        operation = prepared.operation
        assert operation is not None
        try:
            if operation.kind == "query":
                return Reply(await self._planner.execute(_query(operation, prepared, context)))
            self._documents.variables(operation, prepared.variables)
            result = execute(
                self._core,
                operation.document,
                context_value=context,
                variable_values=dict(prepared.variables),
                operation_name=operation.name,
                hide_suggestions=not self._introspection,
            )
            answer = await result if not isinstance(result, ExecutionResult) else result
        except Refused as refused:
            return Reply(_refusal(refused, context), executed=False)
        except (Unauthenticated, NotAllowed):
            raise
        except HubError as error:
            return Reply(_answer(None, [GraphQLError(str(error), original_error=error)], context))
        return Reply(_answer(answer.data, answer.errors or [], context))

    async def stream(self, prepared: Prepared, context: RequestContext) -> Stream:
        """Every answer of a subscription, or the one of another operation."""
        operation = prepared.operation
        assert operation is not None
        if operation.kind != "subscription":
            yield (await self.execute(prepared, context)).body
            return
        try:
            self._documents.variables(operation, prepared.variables)
        except Refused as refused:
            yield _refusal(refused, context)
            return
        core = CoreExecutor.build(
            self._core,
            operation.document,
            context_value=context,
            raw_variable_values=dict(prepared.variables),
            operation_name=operation.name,
        )
        if isinstance(core, list):
            yield _refusal(Refused(core), context)
            return
        source = create_source_event_stream(core)
        events: Any = source if hasattr(source, "__aiter__") else await source  # type: ignore[misc]
        if isinstance(events, ExecutionResult):
            yield _answer(None, events.errors or [], context)
            return
        async with aclosing(events) as told:
            async for event in self._guarded(told, context):
                if isinstance(event, bytes) or event is None:
                    yield event
                else:
                    yield await self._payload(core, event, prepared, context)

    async def _guarded(self, events: AsyncIterator[Any], context: RequestContext) -> AsyncIterator[Any]:
        """The events; a refusal in the middle (a slow reader, an expired cursor) is the last answer."""
        try:
            async for event in events:
                yield event
        except HubError as error:
            yield _answer(None, [GraphQLError(str(error), original_error=error)], context)

    async def _payload(
        self, core: CoreExecutor[Any], event: "Shareable", prepared: Prepared, context: RequestContext
    ) -> bytes:
        """Worked out once for all readers who ask for the same with the same rights."""

        async def work_out() -> bytes:
            result: Any = core.build_per_event_executor(event).execute_operation(False)
            answer = result if isinstance(result, ExecutionResult) else await result
            return _answer(answer.data, answer.errors or [], context)

        assert prepared.operation is not None
        return await self._payloads.get(event.key, prepared.operation, prepared.variables, context.scope, work_out)


class Shareable(Protocol):
    """An event of a subscription; equal keys mean equal payloads for the same selection and scope."""

    @property
    def key(self) -> str: ...


def _query(operation: Operation, prepared: Prepared, context: RequestContext) -> Request:
    return Request(
        operation=operation,
        scope=context.caller or Scope({}),
        database=context.database,
        variables=prepared.variables,
        request_id=context.request_id,
        context=context,
    )


def _who() -> Unauthenticated:
    return Unauthenticated("credentials are missing", hint="send Authorization: Bearer with a token or user:password")


def _is_public(operation: Operation) -> bool:
    selections = operation.definition.selection_set.selections
    return all(isinstance(node, FieldNode) and node.name.value in PUBLIC for node in selections)


def _refusal(refused: Refused, context: RequestContext) -> bytes:
    errors = [presented(error, context.request_id, code=BAD_DOCUMENT) for error in refused.errors]
    return orjson.dumps({"errors": errors, "extensions": {"requestId": context.request_id}})


def _answer(data: Any, errors: list[GraphQLError], context: RequestContext) -> bytes:
    body: dict[str, Any] = {"data": data, "extensions": {"requestId": context.request_id}}
    if errors:
        body["errors"] = [presented(error, context.request_id) for error in errors]
    return orjson.dumps(body)
