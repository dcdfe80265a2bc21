"""A GraphQL request as a door hands it in, and the strict reading of JSON into one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.errors import Invalid


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """Document, operation name, variables and extensions, types already checked."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


def decoded(body: bytes | str) -> Any:
    """JSON with exact decimals; refuses NaN, lone surrogates, U+0000, bottomless nesting and duplicate keys."""
    try:
        text = body if isinstance(body, str) else body.decode()
        value = json.loads(text, parse_float=Decimal, parse_constant=_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise Invalid("the body is not UTF-8", code="BAD_REQUEST") from error
    except RecursionError as error:
        raise Invalid("the JSON is nested too deeply", code="BAD_REQUEST") from error
    except ValueError as error:
        raise Invalid(f"the body is not JSON: {str(error)[:120]}", code="BAD_REQUEST") from error
    if "\\u" in text and not _clean(value):
        raise Invalid("U+0000 and lone surrogates are not text", code="BAD_REQUEST")
    return value


def request_of(message: Any) -> GraphQLRequest:
    """The request inside a decoded JSON value; raises `Invalid` naming the parameter."""
    if isinstance(message, list):
        raise Invalid("arrays of operations are not accepted", code="BAD_REQUEST", hint="send one operation a request")
    if not isinstance(message, dict):
        raise Invalid("the request must be a JSON object", code="BAD_REQUEST")
    query = message.get("query")
    if not isinstance(query, str) or not query.strip():
        raise Invalid("must be the text of a GraphQL document", field="query", code="BAD_REQUEST")
    name = message.get("operationName")
    if name is not None and not isinstance(name, str):
        raise Invalid("must be a string or null", field="operationName", code="BAD_REQUEST")
    return GraphQLRequest(query, name or None, _mapping(message, "variables"), _mapping(message, "extensions"))


def _mapping(message: dict[str, Any], name: str) -> Mapping[str, Any]:
    value = message.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Invalid("must be an object or null", field=name, code="BAD_REQUEST")
    return value


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names the same key twice")
    return value


def _clean(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(_clean(key) and _clean(item) for key, item in value.items())
    return all(map(_clean, value)) if isinstance(value, list) else True
