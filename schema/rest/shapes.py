"""From the annotated class of an answer to its JSON Schema."""

import types
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, NotRequired, Union, get_args, get_origin, get_type_hints

from schema.rest.answers import Form, Shape
from schema.rest.kinds import JsonSchema, Kind, nullable

SCHEMAS = "#/components/schemas/"
PLAIN: Mapping[Any, JsonSchema] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    str: {"type": "string"},
    Decimal: {"type": "number"},
    date: {"type": "string", "format": "date"},
    datetime: {"type": "string", "format": "date-time"},
}


def answer_schema(shape: Shape, components: dict[str, JsonSchema]) -> JsonSchema:
    """The schema of a whole answer; the classes it needs are added to `components`."""
    value = type_schema(shape.of, components)
    if shape.form is Form.BARE:
        return value
    data = {"type": "array", "items": value} if shape.form is Form.LIST else value
    return {
        "type": "object",
        "required": ["error", "errorMessage", "status", "data"],
        "properties": {
            "error": {"const": False},
            "errorMessage": {"type": "null"},
            "status": {"const": 200},
            "data": data,
        },
    }


def type_schema(declared: Any, components: dict[str, JsonSchema]) -> JsonSchema:
    """The schema of one annotation."""
    if declared in PLAIN:
        return dict(PLAIN[declared])
    origin, arguments = get_origin(declared), get_args(declared)
    if origin is Annotated:
        kind = next((marker for marker in arguments[1:] if isinstance(marker, Kind)), None)
        return kind.describe() if kind else type_schema(arguments[0], components)
    if origin is NotRequired:
        return type_schema(arguments[0], components)
    if origin is list:
        return {"type": "array", "items": type_schema(arguments[0], components)}
    if origin in (Union, types.UnionType):
        return nullable(type_schema(next(a for a in arguments if a is not type(None)), components))
    return _class_schema(declared, components)


def _class_schema(declared: type, components: dict[str, JsonSchema]) -> JsonSchema:
    name = declared.__name__
    if name not in components:
        components[name] = {}
        hints = {
            field: hint
            for field, hint in get_type_hints(declared, include_extras=True).items()
            if not field.startswith("_")
        }
        optional: frozenset[str] = getattr(declared, "__optional_keys__", frozenset())
        components[name] = {
            "type": "object",
            "required": [field for field in hints if field not in optional],
            "properties": {field: type_schema(hint, components) for field, hint in hints.items()},
        }
        if declared.__doc__ and not declared.__doc__.startswith("dict("):
            components[name]["description"] = declared.__doc__.strip()
    return {"$ref": SCHEMAS + name}
