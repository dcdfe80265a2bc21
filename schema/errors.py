"""How an error looks to a GraphQL caller: always a code, never an internal; the unknown masked with the request id."""

import logging
from typing import Any

import orjson
from graphql import GraphQLError

from hub.errors import HubError
from hub.events import CutOff

log = logging.getLogger(__name__)

BAD_DOCUMENT = "GRAPHQL_VALIDATION_FAILED"
LONGEST = 1000
"""Characters of a message: it may quote what the caller sent."""


def presented(error: Exception, request_id: str, *, code: str = BAD_DOCUMENT) -> dict[str, Any]:
    """The `errors[]` entry of a GraphQL answer; `code` is for errors of the document itself."""
    entry: dict[str, Any] = {"message": ""}
    cause: Exception | None = error
    if isinstance(error, GraphQLError):
        cause = error.original_error
        if error.locations:
            entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
        if error.path:
            entry["path"] = error.path
    if isinstance(cause, HubError):
        entry |= {"message": str(cause)[:LONGEST], "extensions": _details(cause)}
    elif isinstance(error, GraphQLError) and (cause is None or isinstance(cause, GraphQLError)):
        entry |= {"message": error.message[:LONGEST], "extensions": {"code": code, **(error.extensions or {})}}
    else:
        log.error("request %s failed", request_id, exc_info=cause)
        entry["message"] = f"internal error; quote request {request_id} to your operator"
        entry["extensions"] = {"code": "INTERNAL", "requestId": request_id}
    return entry


def refusal(error: Exception, request_id: str, *, code: str = BAD_DOCUMENT) -> bytes:
    """A whole answer for a request that was not executed: no `data`."""
    return refusals([presented(error, request_id, code=code)], request_id)


def refusals(errors: list[dict[str, Any]], request_id: str) -> bytes:
    """The same for several errors already presented."""
    return orjson.dumps({"errors": errors, "extensions": {"requestId": request_id}})


def _details(error: HubError) -> dict[str, Any]:
    details: dict[str, Any] = {"code": error.code}
    if error.field:
        details["field"] = error.field
    if error.hint:
        details["hint"] = error.hint
    if isinstance(error, CutOff):
        details["cursor"] = error.cursor
    return details
