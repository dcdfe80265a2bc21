"""The OpenAPI document of the REST layer, made from the routes; `python -m schema.rest.openapi` renews the snapshot."""

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from schema.rest.answers import Form
from schema.rest.kinds import JsonSchema, Kind, TextKind
from schema.rest.requests import not_null
from schema.rest.routes import Route, Table
from schema.rest.shapes import SCHEMAS, answer_schema
from schema.rest.table import TABLE

SNAPSHOT = Path(__file__).with_name("openapi.json")
VERSION = "1"
ERRORS = {
    400: ("BadRequest", "The body, a field or a path parameter is wrong; `errorMessage` names it."),
    401: ("Unauthorized", "The credentials are missing or wrong: `Invalid API KEY`."),
    403: ("Forbidden", "The level or a permission is missing: `Insufficient permissions`."),
    404: ("NotFound", "An id or reference designates nothing."),
    409: ("Conflict", "A key is taken, the state forbids it, or the stock is insufficient; nothing has changed."),
    413: ("TooLarge", "The body is larger than 10 MiB."),
    415: ("UnsupportedType", "The body is not `application/json`."),
}
ENVELOPE: JsonSchema = {
    "type": "object",
    "description": "The envelope of every refusal.",
    "required": ["error", "errorMessage", "status", "data"],
    "properties": {
        "error": {"const": True},
        "errorMessage": {"type": "string"},
        "status": {"type": "integer"},
        "data": {"type": "null"},
    },
}
INTRODUCTION = (
    "Every answer except the ones named below is an envelope of `error`, `errorMessage`, `status` and `data`. "
    "Credentials are those of a user of the tenant that the host names."
)


class _Plain(GenerateJsonSchema):
    """Without the titles and null defaults that say nothing."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchema:
        described = super().default_schema(schema)
        if described.get("default", 0) is None:
            del described["default"]
        return described


def openapi(table: Table = TABLE) -> JsonSchema:
    """The whole document."""
    components: dict[str, JsonSchema] = {"Refusal": ENVELOPE}
    models = {route.body for route in table.routes if route.body}
    inputs = [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)]
    _, definitions = models_json_schema(inputs, ref_template=SCHEMAS + "{model}", schema_generator=_Plain)  # type: ignore[arg-type]
    paths: dict[str, JsonSchema] = {}
    for route in table.routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, components)
    clash = components.keys() & definitions.get("$defs", {}).keys()
    assert not clash, f"a request and an answer share the name {clash}"
    schemas = {**components, **definitions.get("$defs", {})}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Crossdock REST", "version": VERSION, "description": INTRODUCTION},
        "security": [{"user": []}],
        "tags": [{"name": name} for name in dict.fromkeys(map(tag, table.routes))],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "user": {"type": "http", "scheme": "bearer", "description": "`Bearer <user>:<password>`"}
            },
            "responses": {name: _refusal(words) for name, words in ERRORS.values()},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def tag(route: Route[Any]) -> str:
    """The resource a route belongs to: the part of the path that names it."""
    parts = route.path.split("/")
    return parts[2] if parts[1] == "api" else parts[1]


def rights(route: Route[Any]) -> str:
    """Who may call it, in words."""
    level = "Any user" if route.level == 1 else f"Level {route.level.name} or above"
    return f"{level} with permission {route.permission.value}" if route.permission else level


def snapshot_text(document: JsonSchema) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def query_fields(model: type[BaseModel]) -> dict[str, JsonSchema]:
    properties: dict[str, JsonSchema] = model.model_json_schema(schema_generator=_Plain)["properties"]
    return {name: not_null(schema) for name, schema in properties.items()}


def _in_path(kind: Kind) -> JsonSchema:
    """In a path everything is text."""
    return {**kind.describe(), "type": "string"} if isinstance(kind, TextKind) else kind.describe()


def _operation(route: Route[Any], components: dict[str, JsonSchema]) -> JsonSchema:
    operation: JsonSchema = {
        "tags": [tag(route)],
        "operationId": f"{tag(route)}-{route.handler.__name__}",
        "summary": route.title,
        "description": f"{rights(route)}. {route.description}".strip(),
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": _in_path(kind)}
            for name, kind in route.parameters.items()
        ],
        "responses": {"200": _success(route, components)} | _refusals(route),
    }
    if route.query:
        operation["parameters"] += [
            {"name": name, "in": "query", "schema": schema} for name, schema in query_fields(route.query).items()
        ]
    if route.body:
        schema = {"$ref": SCHEMAS + route.body.__name__}
        operation["requestBody"] = {
            "required": not route.body_optional,
            "content": {"application/json": {"schema": schema}},
        }
    if route.replaced_by:
        operation["x-replaced-by"] = route.replaced_by
    return operation


def _success(route: Route[Any], components: dict[str, JsonSchema]) -> JsonSchema:
    if route.answer.form is Form.FILE:
        return {"description": "A file.", "content": {route.answer.of: {}}}
    schema = answer_schema(route.answer, components)
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _refusals(route: Route[Any]) -> JsonSchema:
    return {str(status): {"$ref": f"#/components/responses/{name}"} for status, (name, _) in ERRORS.items()}


def _refusal(words: str) -> JsonSchema:
    return {"description": words, "content": {"application/json": {"schema": {"$ref": SCHEMAS + "Refusal"}}}}


if __name__ == "__main__":
    SNAPSHOT.write_text(snapshot_text(openapi()), encoding="utf-8")
