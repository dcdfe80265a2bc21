"""graphql-core over the same declarations: for errors and objects Python makes, and a second opinion on the rest."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type

from hub.errors import NotAllowed
from schema.planner.compile import REFUSED
from schema.planner.fields import (
    Column,
    Constant,
    Foreign,
    Identity,
    Lateral,
    Many,
    One,
    Python,
    Sql,
    Via,
)
from schema.planner.ids import GlobalId, type_of
from schema.planner.json_text import Format, Kind
from schema.planner.python_values import exactly, function_of
from schema.planner.reader import Info, Reader
from schema.planner.records import PageOfRecords, Record
from schema.planner.selection import Selected
from schema.planner.shapes import Field, GraphShapes, Shape, is_part, reads_of


def attach(schema: GraphQLSchema, shapes: GraphShapes) -> None:
    """Give every declared field of the schema its resolver."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInterfaceType) and type_.name in ("Node", "Owned"):
            type_.resolve_type = lambda value, *_: value.type_name
        if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
            continue
        if reads_of(type_) is not None:
            type_.is_type_of = None  # rows are no instances of the declaring class
        if _is_planned(type_, schema):
            shape = shapes.of(type_.name)
            for name, field in type_.fields.items():
                source = shape.fields[name].source
                if isinstance(source, Python) and shape.table is not None:
                    function_of(shape.table, source)  # says now, not at the first query, what is wrong with its needs
                if not isinstance(source, Foreign):
                    field.resolve = _resolver(shapes, shape, shape.fields[name])


def _is_planned(type_: GraphQLObjectType, schema: GraphQLSchema) -> bool:
    parts = [field.extensions.get("strawberry-definition") for field in type_.fields.values()]
    return type_ is schema.query_type or reads_of(type_) is not None or all(map(is_part, parts))


def _resolver(shapes: GraphShapes, shape: Shape, field: Field) -> Callable[..., Any]:
    def resolve(source: Any, info: Info, **arguments: Any) -> Any:
        if isinstance(source, dict):
            return _answered(source[info.path.key], field)
        reader: Reader = info.root_value
        if reader.refuses(info):
            return None
        if isinstance(source, PageOfRecords):
            return source.part(field.name)
        if isinstance(source, tuple):
            page, record = source
            return record if field.name == "node" else page.cursor(record)
        if isinstance(source, Reader):
            return reader.root(_item(info, field, arguments, shapes))
        return _of_record(reader, source, info, shape, field, _item(info, field, arguments, shapes))

    return resolve


def _of_record(reader: Reader, record: Record, info: Info, shape: Shape, field: Field, item: Selected) -> Any:
    match field.source:
        case Column(name):
            return _completed(record.columns[name or field.name], field.format)
        case Identity():
            tenant = record.columns.get("tenant_id", record.columns["id"])
            return str(GlobalId(record.type_name, tenant, record.columns["id"]))
        case Constant(value):
            return value
        case Python() as source if shape.table is not None:
            return function_of(shape.table, source)([record.columns[name] for name in source.needs])
        case One() as source:
            return reader.one(record, item, source)
        case Many() as source if field.connection:
            return reader.page(record, item, source, info)
        case Many() as source:
            return reader.many(record, item, source)
        case Via() | Sql() | Lateral() as source:
            return _computed(reader, record, shape, field, source)
    raise TypeError(f"{field.source!r} is no field of a record")


async def _computed(reader: Reader, record: Record, shape: Shape, field: Field, source: Via | Sql | Lateral) -> Any:
    return _completed(await reader.value(record, shape, field.name, source), field.format)


def _completed(value: Any, how: Format | None) -> Any:
    """A column's value as the scalar takes it."""
    if how is None or value is None:
        return [] if how is not None and how.kind is Kind.LIST else None
    if how.names is not None:
        return value if value in how.names else None
    return exactly(value) if how.kind is Kind.JSON and isinstance(value, str) else value


def _answered(value: Any, field: Field) -> Any:
    """A value that was read before, as graphql-core completes it; what Python computed is complete."""
    if isinstance(value, dict) and REFUSED in value:
        raise NotAllowed("Insufficient permissions", hint=f"needs {value[REFUSED]}")
    names = None if field.format is None else field.format.names
    if names is not None and value is not None:
        return next(stored for stored, name in names.items() if name == value)
    return value


def _item(info: Info, field: Field, arguments: Mapping[str, Any], shapes: GraphShapes) -> Selected:
    """The field as the planner knows it, with arguments that are all constants."""
    given = {name: _plain(value) for name, value in arguments.items() if value is not None}
    target = get_named_type(info.return_type)
    if isinstance(target, GraphQLInterfaceType):
        target = info.schema.type_map.get(type_of(given["id"]))  # type: ignore[assignment]
    shape = shapes.of(target.name) if isinstance(target, GraphQLObjectType) else None
    return Selected(str(info.path.key), field, given, target=shape)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items() if each is not None}
    return tuple(map(_plain, value)) if isinstance(value, list) else value
