"""The planner's side of Strawberry: connections, the interfaces of all records, and classes turned into types.

Annotations name types of other modules as plain strings: they are looked up among all declared types when the schema is
put together (`complete`), so that nouns can refer to one another both ways without importing one another.
"""

import enum
import inspect
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Union, get_args, get_origin

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.scalars import JSON
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from schema.planner.fields import AnyRecord, Column, Declared, Every, Lookup, Source, Summed, column, identity, one
from schema.scalars import Long

if TYPE_CHECKING:
    from schema.tenants import Tenant

T = TypeVar("T")
METADATA = "declared"
NAMES: dict[str, Any] = {
    "Any": Any,
    "Decimal": Decimal,
    "JSON": JSON,
    "Long": Long,
    "date": date,
    "datetime": datetime,
    "strawberry": strawberry,
}
"""What annotations may name: scalars here, every declared type as it appears."""
_types: list[Any] = []


def part(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(description="Where a page stands among all records.")
class PageInfo:
    has_next_page: bool = part("More records follow this page.")
    has_previous_page: bool = part("Records precede this page; told exactly only when reading backwards.")
    start_cursor: str | None = part("The cursor of the first record of the page.")
    end_cursor: str | None = part("The cursor of the last record of the page; give it as `after` to go on.")


@strawberry.type(description="A record with its place in the order.")
class Edge(Generic[T]):
    cursor: str = part("The place of the record in this order; opaque, good for `after` and `before`.")
    node: T = part("The record.")


@strawberry.type(description="A page of records.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = part("The records with their cursors.")
    nodes: list[T] = part("The records alone.")
    page_info: PageInfo = part("Where the page stands.")
    total_count: int = part("How many records the filter leaves on all pages; counted only when asked for.")


NAMES |= {"Connection": Connection, "Edge": Edge, "PageInfo": PageInfo}

Argument = tuple[Any, str]
PAGING: dict[str, Argument] = {
    "first": (int | None, "How many from the front, 1 to 250; 50 by default."),
    "after": (str | None, "Only records behind this cursor."),
    "last": (int | None, "How many from the end, 1 to 250."),
    "before": (str | None, "Only records in front of this cursor."),
}
TENANTS: Argument = (list[str] | None, "Only these tenants, by slug; all tenants of the caller when absent.")
TENANT: Argument = (str | None, "The tenant's slug; needed with a key when the caller works in several tenants.")
ID: Argument = (strawberry.ID, "The global id.")


def graph_type(cls: type[T]) -> type[T]:
    """Make a Strawberry type (or interface, under `interface=True`) of a class with declarations."""
    for name, annotation in vars(cls).get("__annotations__", {}).items():
        if "ClassVar" not in str(annotation):
            _declare_field(cls, name)
    made = strawberry.type(cls, description=_description(cls))
    _register(made)
    return made


def _interface(cls: type[T]) -> type[T]:
    for name in vars(cls).get("__annotations__", {}):
        _declare_field(cls, name)
    made = strawberry.interface(cls, description=_description(cls))
    _register(made)
    return made


def root(cls: type[T]) -> type[T]:
    """Make the root type of queries; it may have fields with resolvers of its own beside the declared ones."""
    for name, declared in list(vars(cls).items()):
        if isinstance(declared, Declared):
            _declare_field(cls, name)
    made = strawberry.type(cls, description=_description(cls))
    _register(made)
    return made


def _declare_field(cls: type[Any], name: str) -> None:
    declared = vars(cls).get(name, Declared(source=Column()))
    if isinstance(declared, Declared):
        graphql_name = camel_case(name.rstrip("_")) if name.endswith("_") else None
        field = strawberry.field(name=graphql_name, description=declared.description, metadata={METADATA: declared})
        setattr(cls, name, field)


def _register(cls: Any) -> None:
    NAMES[cls.__name__] = cls
    _types.append(cls)


def _description(cls: type[Any]) -> str:
    return (inspect.getdoc(cls) or "").strip()


def declared_of(field: StrawberryField | None) -> Declared | None:
    return field.metadata.get(METADATA) if field is not None else None


def declared_source(field: StrawberryField) -> Source | None:
    declared = declared_of(field)
    return None if declared is None else declared.source


def complete() -> None:
    """Give every declared field its type and arguments; call it when all nouns are imported, before the schema."""
    for cls in _types:
        for field in cls.__strawberry_definition__.fields:
            annotation = field.type_annotation
            if annotation is not None and isinstance(annotation.raw_annotation, str):
                field.type_annotation = StrawberryAnnotation(annotation.raw_annotation, namespace=NAMES)
            declared = declared_of(field)
            if declared is not None:
                field.arguments = [_argument(*each) for each in _arguments(declared, field)]
    _types.clear()


def _arguments(declared: Declared, field: StrawberryField) -> list[tuple[str, Any, str]]:
    if isinstance(declared.source, AnyRecord):
        return [("id", *ID)]
    if isinstance(declared.source, Lookup):
        keys: dict[str, Argument] = {
            key: (str | None, f"Its `{camel_case(key)}`, compared exactly.") for key in declared.source.keys
        }
        wanted: dict[str, Argument] = {"id": (strawberry.ID | None, "Its global id."), **keys, "tenant": TENANT}
        return [(name, *each) for name, each in wanted.items()]
    node = _node_of(field)
    if node is None:
        return []
    reads = node.__reads__
    if isinstance(declared.source, Summed):
        grouping = (list[reads.groups] | None, "What to tell apart; the tenants are always.")  # type: ignore[name-defined]
        return [("tenants", *TENANTS), ("group_by", *grouping), ("filter", reads.filter | None, "Over what.")]
    paging = dict(PAGING)
    if isinstance(declared.source, Every):
        paging = {"tenants": TENANTS, **paging}
    if reads.filter is not None:
        paging["filter"] = (reads.filter | None, "Which records.")
    if reads.order is not None:
        paging["order_by"] = (reads.order | None, "In which order; ties are broken by id.")
    return [(name, *each) for name, each in paging.items()]


def _node_of(field: StrawberryField) -> Any:
    """The record type of a connection, of a connection that may be refused, or of sums."""
    assert field.type_annotation is not None
    annotation = field.type_annotation.evaluate()
    if get_origin(annotation) in (UnionType, Union):
        annotation = next(each for each in get_args(annotation) if each is not NoneType)
    arguments = get_args(annotation)
    if isinstance(declared_source(field), Summed) or get_origin(annotation) is Connection:
        return arguments[0]
    return None


def _argument(name: str, annotation: Any, description: str) -> StrawberryArgument:
    return StrawberryArgument(
        python_name=name,
        graphql_name=None,
        type_annotation=StrawberryAnnotation(annotation, namespace=NAMES),
        description=description,
    )


def camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@_interface
class Node:
    """A record with a global id."""

    id: strawberry.ID = identity("The global id, unique over all types and tenants.")
    internal_id: Long = column("The id within the tenant and type; the one REST uses.", name="id")


@_interface
class Owned:
    """A record that belongs to a tenant."""

    tenant: "Tenant" = one("tenant_id", "The tenant it belongs to.")


def orders(name: str, description: str, /, **columns: str) -> Any:
    """An enum of orders: `orders("ProductOrder", "…", name="sort_key")` has NAME_ASC and NAME_DESC."""
    members = {}
    for word, stored in columns.items():
        members[f"{word.upper()}_ASC"] = stored
        members[f"{word.upper()}_DESC"] = f"-{stored}"
    made = strawberry.enum(enum.Enum(name, members), description=description)  # type: ignore[call-overload]
    NAMES[name] = made
    return made
