"""Random valid operations of a schema: fields, aliases, fragments, directives, filters, orders, pages, variables."""

import json
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from hypothesis import strategies as st

from schema.planner.fields import Foreign
from schema.planner.inputs import QUESTION, Identified
from schema.planner.shapes import GraphShapes

POOLS: dict[str, list[Any]] = {
    "String": [
        "",
        " ",
        "P-003",
        "sku 3",
        "erp-4",
        "c-2",
        "WEB-003",
        "B1",
        "bec",
        "say tea",
        "ț",
        "\\",
        '"',
        "order",
        "x" * 70,
    ],
    "Int": [1, 2, 3, 250],
    "Long": [0, 1, 3, 7, 2**40],
    "Decimal": ["0", "1.5", 2, "100.00001", "-3"],
    "Boolean": [True, False],
    "DateTime": ["2026-03-01T09:30:00Z", "2026-03-01T12:30:00.12+01:00"],
    "Date": ["2026-02-01", "2025-12-31"],
    "JSON": [None],
}
BOOLEAN = GraphQLNonNull(GraphQLBoolean)
IDS = ["{}:1:1", "{}:2:3", "{}:1:999", "{}:9:1"]
SIZES = {"first": [1, 2, 3, 5, 20, 250, 0], "last": [1, 3]}


@dataclass
class Writing:
    """One operation while it is written."""

    draw: Any
    schema: GraphQLSchema
    shapes: GraphShapes
    variables: dict[str, Any] = field(default_factory=dict)
    definitions: list[str] = field(default_factory=list)
    fragments: list[str] = field(default_factory=list)
    aliases: int = 0

    def choice(self, values: list[Any]) -> Any:
        return self.draw(st.sampled_from(values))

    def chance(self, percent: int) -> bool:
        return bool(self.draw(st.integers(0, 99)) < percent)

    def selections(self, type_: GraphQLObjectType, depth: int) -> str:
        fields = self.shapes.of(type_.name).fields
        names = [
            name
            for name, each in type_.fields.items()
            if not isinstance(fields[name].source, Foreign) and (depth > 0 or is_leaf_type(get_named_type(each.type)))
        ]
        if not names:
            return "__typename"
        chosen = self.draw(st.lists(st.sampled_from(names), min_size=1, max_size=4, unique=True))
        parts = [self.selection(type_, name, depth) for name in chosen]
        if self.chance(10):
            parts.append("__typename" if self.chance(50) else "kind: __typename")
        if self.chance(15):
            parts.append(f"... on {type_.name} {{ {self.selection(type_, chosen[0], depth)} }}")
        if self.chance(15):
            body = self.selection(type_, chosen[-1], depth)
            name = f"F{len(self.fragments)}"
            self.fragments.append(f"fragment {name} on {type_.name} {{ {body} }}")
            parts.append(f"...{name}")
        return " ".join(parts)

    def selection(self, type_: GraphQLObjectType, name: str, depth: int) -> str:
        """A field; always under an alias of its own when it has arguments, so that merging is never in conflict."""
        definition = type_.fields[name]
        arguments = self.arguments(definition)
        alias = ""
        if arguments or self.chance(20):
            self.aliases += 1
            alias = f"a{self.aliases}: "
        text = f"{alias}{name}{arguments}{self.directive()}"
        target = get_named_type(definition.type)
        if isinstance(target, GraphQLInterfaceType):
            return f"{text} {{ __typename id ... on Product {{ code }} }}"
        if isinstance(target, GraphQLObjectType):
            return f"{text} {{ {self.selections(target, depth - 1 if target.name[-10:] != 'Connection' else depth)} }}"
        return text

    def directive(self) -> str:
        if not self.chance(10):
            return ""
        return f" @{self.choice(['skip', 'include'])}(if: {self.written(self.chance(50), BOOLEAN)})"

    def arguments(self, definition: GraphQLField) -> str:
        names = list(definition.args)
        if "id" in names and "first" not in names:  # a look-up: exactly one key
            names = [self.choice([name for name in names if name != "tenant"])]
            if "tenant" in definition.args and self.chance(50):
                names.append("tenant")
        else:
            names = [name for name in names if self.chance(2 if name in ("after", "before") else 12)]
        parts = [f"{name}: {self.argument(name, definition)}" for name in names]
        return f"({', '.join(parts)})" if parts else ""

    def argument(self, name: str, definition: GraphQLField) -> str:
        type_ = definition.args[name].type
        if name in SIZES:
            return self.written(self.choice(SIZES[name]), type_)
        if name == "tenants":
            return self.written(self.choice([["acme"], ["birch", "nobody"], []]), type_)
        if name == "tenant":
            return self.written(self.choice(["acme", "birch", "nobody"]), type_)
        if name == "id":
            wanted = get_named_type(definition.type).name
            return self.written(self.id(wanted if wanted != "Node" else "Product"), type_)
        return self.written(self.value(type_, depth=2), type_)

    def id(self, type_name: str) -> str:
        return str(self.choice(IDS).format(type_name if self.chance(97) else "Warehouse"))

    def value(self, type_: Any, depth: int) -> Any:
        inner = get_nullable_type(type_)
        if not is_non_null_type(type_) and self.chance(4):
            return None
        if is_list_type(inner):
            return [self.value(inner.of_type, depth - 1) for _ in range(self.draw(st.integers(0, 2)))]
        if isinstance(inner, GraphQLEnumType):
            return self.choice(list(inner.values))
        if isinstance(inner, GraphQLInputObjectType):
            return self.input_object(inner, depth)
        return self.choice(POOLS[inner.name])

    def input_object(self, type_: GraphQLInputObjectType, depth: int) -> dict[str, Any]:
        names = [
            name
            for name, each in type_.fields.items()
            if depth > 0 or not get_named_type(each.type).name.endswith("Filter")
        ]
        chosen = self.draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
        return {name: self.operand(type_, name, depth) for name in chosen}

    def operand(self, type_: GraphQLInputObjectType, name: str, depth: int) -> Any:
        question = type_.fields[name].extensions["strawberry-definition"].metadata.get(QUESTION)
        if not isinstance(question, Identified):
            return self.value(type_.fields[name].type, depth - 1)
        if self.chance(20):
            return {"isNull": self.chance(50)}
        id_ = self.id(question.type_name)
        return {"eq": id_} if self.chance(50) else {"in": [id_, self.id(question.type_name)]}

    def written(self, value: Any, type_: Any) -> str:
        """A variable with the value, or the literal."""
        if self.chance(60):
            return literal(value, type_)
        name = f"v{len(self.variables)}"
        self.variables[name] = value
        self.definitions.append(f"${name}: {type_}")
        return f"${name}"


def literal(value: Any, type_: Any) -> str:
    """A value as GraphQL writes it."""
    inner = get_nullable_type(type_)
    if value is None:
        return "null"
    if is_list_type(inner):
        return f"[{', '.join(literal(each, inner.of_type) for each in value)}]"
    if isinstance(inner, GraphQLInputObjectType):
        return f"{{{', '.join(f'{name}: {literal(each, inner.fields[name].type)}' for name, each in value.items())}}}"
    return str(value) if isinstance(inner, GraphQLEnumType) else json.dumps(value)


@st.composite
def operations(draw: Any, schema: GraphQLSchema, shapes: GraphShapes) -> tuple[str, dict[str, Any]]:
    """A document and its variables."""
    writing = Writing(draw, schema, shapes)
    assert schema.query_type is not None
    body = writing.selections(schema.query_type, depth=3)
    head = f"query ({', '.join(writing.definitions)})" if writing.definitions else "query"
    return "\n".join([f"{head} {{ {body} }}", *writing.fragments]), writing.variables
