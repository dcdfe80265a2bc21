"""Arguments whose values may be variables: the plan keeps places (`Slot`), the request fills them in.

What changes the statement is the *shape* of the variables: which are there, null, true or false, which enum value;
everything else is a bind parameter.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    ConstValueNode,
    FieldNode,
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLField,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLString,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    ValueNode,
    VariableNode,
    get_nullable_type,
    is_input_object_type,
    is_list_type,
)
from graphql.pyutils import Undefined
from graphql.utilities import coerce_input_literal

from schema.planner.ids import type_of


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a value among the variables; `hint` is the one thing about it that changes the statement."""

    path: tuple[str | int, ...]
    hint: str = ""


BLANK = "blank"
"""The hint of a text without a single sign."""


def shape_of(value: Any, type_: Any, path: tuple[str | int, ...]) -> Any:
    """The value of a variable with every mere value replaced by its place. Equal shapes share a plan."""
    type_ = get_nullable_type(type_)
    if value is None:
        return None
    if is_list_type(type_):
        inner = get_nullable_type(type_.of_type)
        if is_list_type(inner) or isinstance(inner, GraphQLInputObjectType | GraphQLEnumType) or None in value:
            return tuple(shape_of(each, type_.of_type, (*path, number)) for number, each in enumerate(value))
        return Slot(path)
    if isinstance(type_, GraphQLInputObjectType):
        fields = type_.fields
        return Given((name, shape_of(each, fields[name].type, (*path, name))) for name, each in value.items())
    if isinstance(type_, GraphQLEnumType) or type_ is GraphQLBoolean:
        return value
    return Slot(path, hint_of(value, type_))


def hint_of(value: Any, type_: Any) -> str:
    if type_ is GraphQLID:
        return type_of(value)
    return BLANK if type_ is GraphQLString and not value.strip() else ""


class Given(tuple[tuple[str, Any], ...]):
    """An input object as a hashable value: its fields in the order given."""

    __slots__ = ()


def argument_values(field: GraphQLField, node: FieldNode, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a field by their names in the schema: constants, slots, and mappings and tuples of them.

    Absent ones are missing, null ones too: to the planner they mean the same.
    """
    nodes = {argument.name.value: argument.value for argument in node.arguments or ()}
    values: dict[str, Any] = {}
    for name, argument in field.args.items():
        value = _value(nodes[name], argument.type, variables) if name in nodes else None
        if value is not None:
            values[name] = value
    return values


def _value(node: ValueNode, type_: Any, variables: Mapping[str, Any]) -> Any:
    type_ = get_nullable_type(type_)
    if isinstance(node, NullValueNode):
        return None
    if isinstance(node, VariableNode):
        return _plain(variables.get(node.name.value))
    if is_list_type(type_):
        nodes = node.values if isinstance(node, ListValueNode) else (node,)
        return tuple(_value(each, type_.of_type, variables) for each in nodes)
    if is_input_object_type(type_):
        assert isinstance(node, ObjectValueNode)
        given = {each.name.value: each.value for each in node.fields}
        values = {name: _value(each, type_.fields[name].type, variables) for name, each in given.items()}
        return {name: value for name, value in values.items() if value is not None}
    assert isinstance(node, ConstValueNode)
    value = coerce_input_literal(node, type_)
    assert value is not Undefined, "the document was validated"
    return value


def _plain(shape: Any) -> Any:
    """The shape of a variable in the form that constants have."""
    if isinstance(shape, Given):
        return {name: _plain(value) for name, value in shape if value is not None}
    if isinstance(shape, tuple):
        return tuple(_plain(value) for value in shape)
    return shape


def filled(value: Any, variables: Mapping[str, Any]) -> Any:
    """The value with every slot filled from the variables of the request."""
    if isinstance(value, Slot):
        found: Any = variables
        for step in value.path:
            found = found[step]
        return found
    if isinstance(value, tuple):
        return [filled(each, variables) for each in value]
    return value
