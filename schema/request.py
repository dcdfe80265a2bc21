"""A GraphQL request as a door hands it in, and the strict reading of JSON into one."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from hub.errors import Invalid

DEEPEST = 64
"""Levels of objects and arrays in one request."""
LONGEST_NUMBER = 400
"""Characters of a decimal, and its largest exponent: what is longer only costs time."""
_NO_TEXT = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """Document, operation name, variables and extensions, types already checked."""

    query: str
    operation_name: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    extensions: Mapping[str, Any] = field(default_factory=dict)


def decoded(body: bytes | str) -> Any:
    """JSON with exact numbers; refuses NaN, lone surrogates, U+0000, deep nesting, endless numbers, duplicate keys."""
    try:
        text = body if isinstance(body, str) else body.decode()
        value = json.loads(text, parse_float=_decimal, parse_constant=_constant, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise Invalid("the body is not UTF-8", code="BAD_REQUEST") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise Invalid(f"the body is not JSON: {str(error)[:120]}", code="BAD_REQUEST") from error
    _check(value, escapes="\\u" in text)
    return value


def request_of(message: Any) -> GraphQLRequest:
    """The request inside a decoded JSON value; raises `Invalid` naming the parameter."""
    if isinstance(message, list):
        raise Invalid("arrays of operations are not accepted", code="BAD_REQUEST", hint="send one operation a request")
    if not isinstance(message, dict):
        raise Invalid("the request must be a JSON object", code="BAD_REQUEST")
    query = message.get("query")
    if not isinstance(query, str):
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


def _decimal(digits: str) -> Decimal:
    exponent = digits.lower().partition("e")[2].lstrip("+-").lstrip("0")
    if len(digits) > LONGEST_NUMBER or len(exponent) > 3 or int(exponent or 0) > LONGEST_NUMBER:
        raise ValueError(f"a number has more than {LONGEST_NUMBER} digits")
    return Decimal(digits)


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("an object names the same key twice")
    return value


def _check(value: Any, *, escapes: bool) -> None:
    """Level by level: what is hostile must not cost a stack."""
    level = [value]
    for _ in range(DEEPEST + 1):
        if escapes and any(isinstance(each, str) and _NO_TEXT.search(each) for each in level):
            raise Invalid("U+0000 and lone surrogates are not text", code="BAD_REQUEST")
        level = [inner for each in level if isinstance(each, dict | list) for inner in _inside(each, escapes)]
        if not level:
            return
    raise _too_deep()


def _inside(value: dict[str, Any] | list[Any], keys: bool) -> list[Any]:
    if isinstance(value, list):
        return value
    return [*value, *value.values()] if keys else list(value.values())


def _too_deep() -> Invalid:
    return Invalid(f"the JSON is nested more than {DEEPEST} levels deep", code="BAD_REQUEST")
