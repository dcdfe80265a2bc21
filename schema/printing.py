"""The schema as a file that people read: `python -m schema.printing` writes schema.graphql.

Types stand with their noun, roots first; the arguments that every connection has are explained once, at the top.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent, wrap

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    is_introspection_type,
    is_specified_scalar_type,
    print_type,
)
from graphql.utilities.print_schema import print_input_value

PATH = Path(__file__).with_name("schema.graphql")
WIDTH = 118
PAGING = ("tenants", "first", "after", "last", "before", "filter", "orderBy")
LOOKUP = ("id", "tenant")
LONGEST_LINE = 72
HEAD = """\
# The unified schema of Crossdock. Written by `python -m schema.printing`, checked by a test.
#
# A list of records is a connection. Its arguments are the same everywhere:
#   first, after     how many from the front (1 to 250; 50 by default), behind which cursor
#   last, before     how many from the end, in front of which cursor
#   filter, orderBy  which records, in which order; ties are broken by id
#   tenants          root fields: only these tenants, by slug; all tenants of the caller when absent
# Cursors are opaque and belong to one order. `totalCount` is counted only when it is asked for.
#
# One record is looked up by exactly one of its keys; with a key other than `id`, a caller of several tenants names
# the `tenant` by its slug.
"""
ROOTS = "roots"
FRAME = ("schema.planner.types", "schema.planner.inputs")


def printed(schema: GraphQLSchema) -> str:
    """The whole schema as SDL."""
    sections: dict[str, list[GraphQLNamedType]] = {}
    for type_ in schema.type_map.values():
        if not is_introspection_type(type_) and not is_specified_scalar_type(type_):
            sections.setdefault(_section(schema, type_), []).append(type_)
    parts = [HEAD]
    for name in sorted(sections, key=lambda name: (name != ROOTS, name in ("scalars", "connections"), name)):
        parts.append(f"# {name} {'-' * (WIDTH - len(name) - 3)}\n")
        parts += [_type(type_) for type_ in sections[name]]
    return "\n".join(parts)


def _section(schema: GraphQLSchema, type_: GraphQLNamedType) -> str:
    """The noun a type belongs to: the module that declares it."""
    if type_ in (schema.query_type, schema.mutation_type, schema.subscription_type):
        return ROOTS
    if type_.name.endswith(("Connection", "Edge")) or type_.name == "PageInfo":
        return "connections"
    definition = type_.extensions.get("strawberry-definition")
    origin = getattr(definition, "origin", None) or getattr(definition, "wrapped_cls", None)
    module = getattr(origin, "__module__", "")
    if not module.startswith("schema"):
        module = "schema.statuses" if hasattr(definition, "values") else "schema.scalars"
    return "planner" if module in FRAME else module.rpartition(".")[2]


def _type(type_: GraphQLNamedType) -> str:
    if not isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
        return print_type(type_) + "\n"
    keyword = "type" if isinstance(type_, GraphQLObjectType) else "interface"
    implements = " & ".join(interface.name for interface in type_.interfaces)
    head = f"{keyword} {type_.name}{f' implements {implements}' if implements else ''}"
    fields = "\n".join(indent(_field(name, field), "  ") for name, field in type_.fields.items())
    return f"{_described(type_.description, WIDTH)}{head} {{\n{fields}\n}}\n"


def _field(name: str, field: GraphQLField) -> str:
    return f"{_described(field.description, WIDTH - 2)}{name}{_arguments(field)}: {field.type}"


def _arguments(field: GraphQLField) -> str:
    if not field.args:
        return ""
    if ("first" in field.args and set(field.args) <= set(PAGING)) or set(LOOKUP) <= set(field.args):
        line = ", ".join(f"{name}: {argument.type}" for name, argument in field.args.items())
        return f"({line})" if len(line) < LONGEST_LINE else f"(\n  {line}\n)"
    return f"(\n{''.join(_argument(name, argument) for name, argument in field.args.items())})"


def _argument(name: str, argument: GraphQLArgument) -> str:
    text = f"{_described(argument.description, WIDTH - 4)}{print_input_value(name, argument)}"
    return indent(text, "  ") + "\n"


def _described(description: str | None, width: int) -> str:
    if not description:
        return ""
    if "\n" not in description and len(description) <= width - 6 and not description.endswith('"'):
        return f'"""{description}"""\n'
    return '"""\n' + "".join(f"{line}\n" for line in _wrapped(description, width)) + '"""\n'


def _wrapped(description: str, width: int) -> Iterator[str]:
    for paragraph in description.splitlines():
        yield from wrap(paragraph, width) or [""]


if __name__ == "__main__":
    from schema.graph import build_schema

    PATH.write_text(printed(build_schema()._schema), encoding="utf-8")
    sys.stdout.write(f"{PATH} is written\n")
