"""A validated operation and the shape of its variables → a plain tree of what is read.

Fragments, merging, `@skip`, `@include`, `__typename`, arguments and rights are dealt with here and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any, NamedTuple, Protocol

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_object_type,
)

from schema.planner.arguments import Slot, argument_values
from schema.planner.fields import AnyRecord, Constant, Foreign, Right
from schema.planner.ids import type_of
from schema.planner.json_text import Format, Kind
from schema.planner.shapes import Field, GraphShapes, Shape


@dataclass(frozen=True, slots=True, eq=False)
class Selected:
    """One field under its response key, with its arguments and what is read below it."""

    key: str
    field: Field
    arguments: Mapping[str, Any] = attribute(default_factory=dict)
    children: "Sequence[Selected]" = ()
    target: Shape | None = None
    refused: Right | None = None
    nodes: tuple[FieldNode, ...] = ()


class RootRights(Protocol):
    """What may be read below a root field with given arguments."""

    def below(self, arguments: Mapping[str, Any]) -> Callable[[Right], bool]: ...


class Refusal(NamedTuple):
    """A field that the caller may not read: null in the answer, and an error."""

    path: tuple[str, ...]
    right: Right
    node: FieldNode


def everything(shape: Shape) -> Sequence[Selected]:
    """All fields of the shape and of the shapes below it."""
    selected = []
    for name, field in shape.fields.items():
        target = field.target() if field.target else None
        selected.append(Selected(name, field, children=everything(target) if target else (), target=target))
    return selected


class Selector:
    """Builds the tree of one operation for callers of the given rights."""

    def __init__(
        self,
        schema: GraphQLSchema,
        shapes: GraphShapes,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
        rights: "RootRights",
    ) -> None:
        self._schema = schema
        self._shapes = shapes
        self._fragments = fragments
        self._variables = variables
        self._rights = rights
        self._allows: Callable[[Right], bool] = rights.below({})
        self.refusals: list[Refusal] = []

    def children(
        self, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode | None], path: tuple[str, ...] = ()
    ) -> list[Selected]:
        """What the selection sets, merged, read from an object of the type."""
        found: dict[str, list[FieldNode]] = {}
        visited: set[str] = set()
        for selections in sets:
            if selections is not None:
                self._collect(type_, selections.selections, found, visited)
        return [self._selected(type_, key, nodes, path) for key, nodes in found.items()]

    def _collect(
        self,
        type_: GraphQLObjectType,
        selections: Sequence[SelectionNode],
        found: dict[str, list[FieldNode]],
        visited: set[str],
    ) -> None:
        for node in selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                found.setdefault((node.alias or node.name).value, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if node.type_condition is None or self._applies(node.type_condition.name.value, type_):
                    self._collect(type_, node.selection_set.selections, found, visited)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in visited:
                visited.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, type_):
                    self._collect(type_, fragment.selection_set.selections, found, visited)

    def _included(self, node: SelectionNode) -> bool:
        for directive in node.directives or ():
            condition = next(
                (argument.value for argument in directive.arguments or () if argument.name.value == "if"), None
            )
            if directive.name.value == "skip" and self._boolean(condition):
                return False
            if directive.name.value == "include" and not self._boolean(condition):
                return False
        return True

    def _boolean(self, node: ValueNode | None) -> bool:
        if isinstance(node, VariableNode):
            return bool(self._variables[node.name.value])
        return bool(getattr(node, "value", False))

    def _applies(self, condition: str, type_: GraphQLObjectType) -> bool:
        if condition == type_.name:
            return True
        abstract = self._schema.type_map[condition]
        return is_abstract_type(abstract) and self._schema.is_sub_type(abstract, type_)

    def _selected(self, type_: GraphQLObjectType, key: str, nodes: list[FieldNode], path: tuple[str, ...]) -> Selected:
        name = nodes[0].name.value
        if name == "__typename":
            return Selected(key, _typename(type_.name), nodes=tuple(nodes))
        if name in ("__schema", "__type"):
            return Selected(key, Field(name=name, source=Foreign()), nodes=tuple(nodes))
        field = self._shapes.of(type_.name).fields[name]
        arguments = argument_values(type_.fields[name], nodes[0], self._variables)
        target = self._target(type_.fields[name], field, arguments)
        shape = self._shapes.of(target.name) if target is not None else None
        if not path and type_ is self._schema.query_type:
            self._allows = self._rights.below(arguments)
        path = (*path, key)
        for right in (field.by, *([shape.by] if shape else ())):
            if not self._allows(right):
                self.refusals.append(Refusal(path, right, nodes[0]))
                return Selected(key, field, refused=right, nodes=tuple(nodes))
        children: Sequence[Selected] = ()
        if target is not None:
            children = self.children(target, [node.selection_set for node in nodes], path)
        return Selected(key, field, arguments, children, shape, nodes=tuple(nodes))

    def _target(self, definition: GraphQLField, field: Field, arguments: Mapping[str, Any]) -> GraphQLObjectType | None:
        """The object type read below the field; for a record of any type it follows from the id."""
        named = get_named_type(definition.type)
        if isinstance(field.source, AnyRecord):
            id_ = arguments["id"]
            record = self._schema.type_map.get(id_.hint if isinstance(id_, Slot) else type_of(id_))
            return record if is_object_type(record) and _is_node(record) else None
        return named if is_object_type(named) else None


def _typename(name: str) -> Field:
    return Field(name="__typename", source=Constant(name), format=Format(Kind.TEXT))


def _is_node(type_: GraphQLObjectType) -> bool:
    return any(interface.name == "Node" for interface in type_.interfaces)
