"""A field that is never null reads a column that is never NULL: the statement writes it without asking."""

from collections.abc import Iterator

from graphql import GraphQLObjectType
from sqlalchemy import ForeignKeyConstraint, Table

from schema.graph import build_schema
from schema.planner.fields import Column, One, Via
from schema.planner.shapes import Field, GraphShapes, Shape, reads_of, rest_shape
from schema.rest.answers import Shape as Answer
from schema.rest.table import TABLE

SCHEMA = build_schema()._schema


def graph_shapes() -> Iterator[Shape]:
    shapes = GraphShapes(SCHEMA)
    for name, type_ in SCHEMA.type_map.items():
        if isinstance(type_, GraphQLObjectType) and reads_of(type_) is not None:
            yield shapes.of(name)


def rest_shapes() -> Iterator[Shape]:
    answers: list[Answer] = [route.answer for route in TABLE.routes]
    waiting = [rest_shape(answer.of) for answer in answers if hasattr(answer.of, "__reads__")]
    while waiting:
        shape = waiting.pop()
        yield shape
        waiting += [field.target() for field in shape.fields.values() if field.target is not None]


def may_be_null(table: Table, field: Field) -> bool:
    match field.source:
        case Column(name) if name is not None:
            return bool(table.c[name].nullable)
        case One(key):
            return bool(table.c[key].nullable)
        case Via(path):
            for key in path[:-1]:
                if table.c[key].nullable:
                    return True
                table = referred(table, key)
            return bool(table.c[path[-1]].nullable)
    return False


def referred(table: Table, key: str) -> Table:
    """The table that a column of a foreign key leads to."""
    (constraint,) = (
        each for each in table.constraints if isinstance(each, ForeignKeyConstraint) and key in each.column_keys
    )
    return constraint.referred_table


def broken(shapes: Iterator[Shape]) -> list[str]:
    return [
        f"{shape.name}.{field.name}"
        for shape in shapes
        if shape.table is not None
        for field in shape.fields.values()
        if not field.nullable and may_be_null(shape.table, field)
    ]


def test_graphql_promises_only_what_its_tables_have() -> None:
    assert len(list(graph_shapes())) > 40
    assert broken(graph_shapes()) == []


def test_rest_promises_only_what_its_tables_have() -> None:
    assert len(list(rest_shapes())) > 20
    assert broken(rest_shapes()) == []
