"""The reference page `/docs/rest`: the OpenAPI document as one HTML page that needs nothing from outside."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

from schema.rest.kinds import JsonSchema
from schema.rest.openapi import ERRORS
from schema.rest.shapes import SCHEMAS

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --rule: #d9dee4; --shade: #f5f7f9; --link: #0b62a8 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6e9ec; --soft: #9aa4af; --rule: #333a42; --shade: #1d2228; --link: #6cb2f0 }
}
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: Canvas }
nav { position: fixed; inset: 0 auto 0 0; width: 17rem; overflow: auto; padding: 1.5rem }
nav { border-right: 1px solid var(--rule) }
nav ul { list-style: none; padding: 0; margin: 0 0 1rem } nav li { margin: .15rem 0 }
main { margin-left: 17rem; padding: 1.5rem 2.5rem 6rem; max-width: 64rem }
@media (max-width: 60rem) { nav { position: static; width: auto; border: 0 } main { margin: 0; padding: 1rem } }
a { color: var(--link); text-decoration: none } a:hover { text-decoration: underline }
h2 { margin-top: 3rem; border-bottom: 1px solid var(--rule) } h3 { margin: 2.2rem 0 .3rem }
code, pre { font: 13px/1.45 ui-monospace, monospace } pre { background: var(--shade); padding: .8rem; overflow: auto }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 } .note { color: var(--soft) }
td, th { text-align: left; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--rule); vertical-align: top }
.method { font-weight: 700; margin-right: .5rem }
"""
ENVELOPE = '{"error": false, "errorMessage": null, "status": 200, "data": …}'
TYPES = (
    ("String", "text; a number is taken as its own digits. No U+0000, no lone surrogates; references are never blank"),
    ("Long, Int", "a whole number of 64 or 32 bits; 1.0 counts as whole"),
    ("Decimal", "a number with at most 4 decimals and 14 digits before the point, exact both ways"),
    ("Boolean", "true or false"),
    ("Date", "yyyy-MM-dd; purchase orders write dd.MM.yyyy"),
    ("DateTime", "answers only, UTC: 2026-03-01T09:30:00Z"),
)
Operation = tuple[str, str, JsonSchema]


def reference(document: JsonSchema) -> str:
    """The whole page."""
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = {group["name"]: [o for o in operations if o[2]["tags"] == [group["name"]]] for group in document["tags"]}
    schemas = document["components"]["schemas"]
    body = "".join([*_opening(document), *_groups(groups, schemas), *_schemas(schemas)])
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(document["info"]["title"])}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style><nav>{''.join(_contents(groups))}</nav><main>{body}</main></html>"
    )


def _contents(groups: dict[str, list[Operation]]) -> Iterator[str]:
    yield '<p><b><a href="#top">REST reference</a></b></p>'
    for name, operations in groups.items():
        yield f'<p><a href="#{name}"><b>{name}</b></a></p><ul>'
        for _, _, operation in operations:
            yield f'<li><a href="#{operation["operationId"]}">{_text(operation["summary"])}</a></li>'
        yield "</ul>"


def _opening(document: JsonSchema) -> Iterator[str]:
    yield f'<h1 id="top">{_text(document["info"]["title"])}</h1><p>{_prose(document["info"]["description"])}</p>'
    yield '<p>The same as data: <a href="/docs/openapi.json">OpenAPI 3.1</a>.</p>'
    yield "<h2>Credentials</h2><pre>Authorization: Bearer &lt;user&gt;:&lt;password&gt;</pre>"
    yield "<p>The host names the tenant: <code>demo.example.com</code> is the tenant <code>demo</code>.</p>"
    yield "<h2>Answers</h2>"
    yield f"<pre>{_text(ENVELOPE)}</pre>"
    yield "<table><tr><th>Status<th>When</tr>"
    for status, (_, words) in ERRORS.items():
        yield f"<tr><td>{status}<td>{_prose(words)}</tr>"
    yield "</table><p>A request that is refused has changed nothing.</p><h2>Types</h2><table>"
    for name, words in TYPES:
        yield f"<tr><td>{name}<td>{_text(words)}</tr>"
    yield "</table>"


def _groups(groups: dict[str, list[Operation]], schemas: dict[str, JsonSchema]) -> Iterator[str]:
    for name, operations in groups.items():
        yield f'<h2 id="{name}">{name}</h2>'
        for method, path, operation in operations:
            yield from _operation(method, path, operation, schemas)


def _operation(method: str, path: str, operation: JsonSchema, schemas: dict[str, JsonSchema]) -> Iterator[str]:
    yield f'<h3 id="{operation["operationId"]}">{_text(operation["summary"])}</h3>'
    yield f'<p><code><span class="method">{method}</span>{_text(path)}</code></p>'
    yield f"<p>{_prose(operation['description'])}</p>"
    if operation["parameters"]:
        yield "<table><tr><th>Parameter<th>In<th>Type</tr>"
        for parameter in operation["parameters"]:
            yield f"<tr><td><code>{parameter['name']}</code><td>{parameter['in']}<td>{_type(parameter['schema'])}</tr>"
        yield "</table>"
    if "requestBody" in operation:
        optional = "" if operation["requestBody"]["required"] else " (may be left out)"
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        yield f"<p>Body{optional}: {_type(schema)}</p>"
        yield from _fields(schemas[schema["$ref"].removeprefix(SCHEMAS)])
    for media_type, content in operation["responses"]["200"]["content"].items():
        yield f"<p>Answer: {_answer(content['schema']) if content else _text(media_type)}</p>"
    if "x-replaced-by" in operation:
        yield f'<p class="note">In GraphQL: <code>{operation["x-replaced-by"]}</code></p>'


def _answer(schema: JsonSchema) -> str:
    data = schema.get("properties", {}).get("data")
    return f"envelope with {_type(data)}" if data else _type(schema)


def _schemas(schemas: dict[str, JsonSchema]) -> Iterator[str]:
    yield '<h2 id="objects">Objects</h2>'
    for name, schema in schemas.items():
        yield f'<h3 id="object-{name}">{name}</h3><p>{_prose(schema.get("description", ""))}</p>'
        yield from _fields(schema)


def _fields(schema: JsonSchema) -> Iterator[str]:
    yield "<table><tr><th>Field<th>Type<th></tr>"
    required = schema.get("required", [])
    for field, declared in schema.get("properties", {}).items():
        note = "required" if field in required else _default(declared)
        yield f'<tr><td><code>{field}</code><td>{_type(declared)}<td class="note">{note}</tr>'
    yield "</table>"
    if "anyOf" in schema:
        names = ", ".join(f"<code>{choice['required'][0]}</code>" for choice in schema["anyOf"])
        yield f'<p class="note">At least one of {names}.</p>'


def _type(schema: JsonSchema) -> str:
    """A schema in a few words, with links to objects."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(SCHEMAS)
        return f'<a href="#object-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(map(_type, schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        return " | ".join(f"<code>{_json(value)}</code>" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    names = schema.get("type", "nothing")
    words = [" or ".join(names) if isinstance(names, list) else str(names)]
    words += [template.format(_json(schema[key])) for key, template in LIMITS.items() if key in schema]
    return ", ".join(words)


LIMITS = {
    "format": "{}",
    "pattern": "pattern {}",
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "exclusiveMaximum": "below {}",
    "multipleOf": "in steps of {}",
    "maxLength": "at most {} characters",
}


def _default(schema: JsonSchema) -> str:
    return f"default <code>{_json(schema['default'])}</code>" if schema.get("default") is not None else ""


def _json(value: Any) -> str:
    return _text(value if isinstance(value, str) else json.dumps(value))


def _text(text: str) -> str:
    return escape(text)


def _prose(text: str) -> str:
    """Words in which `code` is marked."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", _text(text))
