"""How an error looks to a GraphQL caller: always a code, never an internal; the unknown masked with the request id."""

import logging
from typing import Any

import orjson
from graphql import GraphQLError

from hub.errors import HubError

log = logging.getLogger(__name__)

BAD_DOCUMENT = "GRAPHQL_VALIDATION_FAILED"


def presented(error: GraphQLError | HubError, request_id: str, *, code: str = BAD_DOCUMENT) -> dict[str, Any]:
    """The `errors[]` entry of a GraphQL answer; `code` is for errors of the document itself."""
    if isinstance(error, HubError):
        return {"message": str(error), "extensions": _details(error)}
    cause = error.original_error
    entry: dict[str, Any] = {"message": error.message}
    if error.locations:
        entry["locations"] = [{"line": place.line, "column": place.column} for place in error.locations]
    if error.path:
        entry["path"] = error.path
    if isinstance(cause, HubError):
        entry["message"] = str(cause)
        entry["extensions"] = _details(cause)
    elif cause is None or isinstance(cause, GraphQLError):
        entry["extensions"] = {"code": code, **(error.extensions or {})}
    else:
        log.error("request %s failed", request_id, exc_info=cause)
        entry["message"] = f"internal error; quote request {request_id} to your operator"
        entry["extensions"] = {"code": "INTERNAL", "requestId": request_id}
    return entry


def refusal(error: GraphQLError | HubError, request_id: str, *, code: str = BAD_DOCUMENT) -> bytes:
    """A whole answer for a request that was not executed: no `data`."""
    body = {"errors": [presented(error, request_id, code=code)], "extensions": {"requestId": request_id}}
    return orjson.dumps(body)


def _details(error: HubError) -> dict[str, Any]:
    details: dict[str, Any] = {"code": error.code}
    if error.field:
        details["field"] = error.field
    if error.hint:
        details["hint"] = error.hint
    return details
