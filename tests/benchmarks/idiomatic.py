"""The same reads as a good tutorial would write them: Strawberry types, SQLAlchemy's ORM, a DataLoader per relation.

Run by uvicorn; DATABASE_URL names the database. One session a request, as each loader's batch needs it.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

import strawberry
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlmodel import col
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from hub.models.companies import Company as CompanyRow
from hub.models.nirs import Nir as NirRow
from hub.models.nirs import NirLine as NirLineRow
from hub.models.orders import Order as OrderRow
from hub.models.orders import OrderLine as OrderLineRow
from hub.models.products import Product as ProductRow
from hub.models.stock import StockItem
from hub.models.stock import Warehouse as WarehouseRow
from hub.statuses import Status
from tests.benchmarks.operations import TENANT

ENGINE = create_async_engine(os.environ.get("DATABASE_URL", "postgresql+asyncpg://"), pool_size=10, max_overflow=0)
Session = async_sessionmaker(ENGINE, expire_on_commit=False)
T = TypeVar("T")
Info = strawberry.Info[dict[str, Any], None]


async def rows(statement: Any) -> Sequence[Any]:
    async with Session() as session:
        return (await session.execute(statement)).scalars().all()


def one_by_id(table: Any) -> DataLoader[int, Any]:
    async def load(ids: list[int]) -> list[Any]:
        found = await rows(select(table).where(table.tenant_id == TENANT, table.id.in_(ids)))
        by_id = {row.id: row for row in found}
        return [by_id.get(id_) for id_ in ids]

    return DataLoader(load_fn=load)


def many_by(table: Any, key: str) -> DataLoader[int, list[Any]]:
    async def load(ids: list[int]) -> list[list[Any]]:
        parent = getattr(table, key)
        found = await rows(
            select(table).where(table.tenant_id == TENANT, parent.in_(ids)).order_by(table.position, table.id)
        )
        grouped = defaultdict(list)
        for row in found:
            grouped[getattr(row, key)].append(row)
        return [grouped[id_][:50] for id_ in ids]

    return DataLoader(load_fn=load)


async def load_stock(ids: list[int]) -> list[tuple[Decimal, Decimal]]:
    sums = (func.sum(col(StockItem.quantity)), func.sum(col(StockItem.reserved)))
    statement = select(col(StockItem.product_id), *sums).where(
        col(StockItem.tenant_id) == TENANT, col(StockItem.product_id).in_(ids)
    )
    async with Session() as session:
        found = (await session.execute(statement.group_by(col(StockItem.product_id)))).all()
    totals = {id_: (quantity, reserved) for id_, quantity, reserved in found}
    return [totals.get(id_, (Decimal(0), Decimal(0))) for id_ in ids]


def loaders() -> dict[str, Any]:
    return {
        "company": one_by_id(CompanyRow),
        "warehouse": one_by_id(WarehouseRow),
        "product": one_by_id(ProductRow),
        "order_lines": many_by(OrderLineRow, "order_id"),
        "nir_lines": many_by(NirLineRow, "nir_id"),
        "stock": DataLoader(load_fn=load_stock),
    }


def fields_of(row: Any, cls: Callable[..., T], *names: str) -> T:
    return cls(row=row, **{name: getattr(row, name) for name in names})


strawberry.enum(Status, name="DocumentStatus")


@strawberry.type
class Product:
    row: strawberry.Private[Any]
    internal_id: int
    code: str
    name: str
    sku: str | None
    vat_percentage: Decimal | None
    purchase_price: Decimal | None
    selling_price: Decimal | None
    minimum_stock: Decimal
    weight: Decimal | None
    active: bool
    requires_batch_code: bool
    material: str | None
    created_at: datetime
    updated_at: datetime

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Product:{self.row.tenant_id}:{self.row.id}")

    @strawberry.field
    async def total_quantity_in_stock(self, info: Info) -> Decimal:
        return Decimal((await info.context["stock"].load(self.row.id))[0])

    @strawberry.field
    async def total_reserved_quantity(self, info: Info) -> Decimal:
        return Decimal((await info.context["stock"].load(self.row.id))[1])

    @strawberry.field
    async def total_free_quantity(self, info: Info) -> Decimal:
        quantity, reserved = await info.context["stock"].load(self.row.id)
        return Decimal(quantity - reserved)


PRODUCT_FIELDS = (
    *("code", "name", "sku", "vat_percentage", "purchase_price", "selling_price", "minimum_stock", "weight"),
    *("active", "requires_batch_code", "material", "created_at", "updated_at"),
)


def product_of(row: Any) -> Product:
    return Product(row=row, internal_id=row.id, **{name: getattr(row, name) for name in PRODUCT_FIELDS})


@strawberry.type
class Company:
    row: strawberry.Private[Any]
    name: str
    cui: str | None


@strawberry.type
class Warehouse:
    row: strawberry.Private[Any]
    code: str
    name: str


@strawberry.type
class Line:
    row: strawberry.Private[Any]
    quantity: Decimal

    @strawberry.field
    def purchase_price(self) -> Decimal | None:
        return self.row.purchase_price  # type: ignore[no-any-return]

    @strawberry.field
    async def product(self, info: Info) -> Product:
        return product_of(await info.context["product"].load(self.row.product_id))


@strawberry.type
class Lines:
    nodes: list[Line]


@strawberry.type
class Order:
    row: strawberry.Private[Any]
    external_order_id: str
    status: Status
    created_at: datetime

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Order:{self.row.tenant_id}:{self.row.id}")

    @strawberry.field
    async def company(self, info: Info) -> Company | None:
        row = await info.context["company"].load(self.row.company_id)
        return fields_of(row, Company, "name", "cui") if row else None

    @strawberry.field
    async def warehouse(self, info: Info) -> Warehouse:
        return fields_of(await info.context["warehouse"].load(self.row.warehouse_id), Warehouse, "code", "name")

    @strawberry.field
    async def lines(self, info: Info, first: int = 50) -> Lines:
        found = await info.context["order_lines"].load(self.row.id)
        return Lines(nodes=[fields_of(row, Line, "quantity") for row in found])


@strawberry.type
class Nir:
    row: strawberry.Private[Any]
    external_reference: str
    status: Status
    created_at: datetime

    @strawberry.field
    def id(self) -> strawberry.ID:
        return strawberry.ID(f"Nir:{self.row.tenant_id}:{self.row.id}")

    @strawberry.field
    async def supplier(self, info: Info) -> Company | None:
        row = await info.context["company"].load(self.row.supplier_id)
        return fields_of(row, Company, "name", "cui") if row else None

    @strawberry.field
    async def lines(self, info: Info, first: int = 50) -> Lines:
        found = await info.context["nir_lines"].load(self.row.id)
        return Lines(nodes=[fields_of(row, Line, "quantity") for row in found])


@strawberry.type
class Products:
    nodes: list[Product]


@strawberry.type
class Orders:
    nodes: list[Order]


@strawberry.type
class Nirs:
    nodes: list[Nir]


@strawberry.type
class StockSummary:
    warehouse_id: strawberry.Private[int]
    quantity: Decimal
    reserved_quantity: Decimal

    @strawberry.field
    async def warehouse(self, info: Info) -> Warehouse:
        return fields_of(await info.context["warehouse"].load(self.warehouse_id), Warehouse, "code", "name")


@strawberry.enum
class StockGroup(Enum):
    WAREHOUSE = "WAREHOUSE"


@strawberry.enum
class Sort(Enum):
    CREATED_AT_DESC = "CREATED_AT_DESC"


@strawberry.type
class Query:
    @strawberry.field
    async def products(self, first: int) -> Products:
        statement = (
            select(ProductRow).where(col(ProductRow.tenant_id) == TENANT).order_by(col(ProductRow.id)).limit(first)
        )
        return Products(nodes=[product_of(row) for row in await rows(statement)])

    @strawberry.field
    async def orders(self, first: int, order_by: Sort) -> Orders:
        order = (col(OrderRow.created_at).desc(), col(OrderRow.id).desc())
        statement = select(OrderRow).where(col(OrderRow.tenant_id) == TENANT).order_by(*order).limit(first)
        names = ("external_order_id", "status", "created_at")
        return Orders(nodes=[fields_of(row, Order, *names) for row in await rows(statement)])

    @strawberry.field
    async def nirs(self, first: int, order_by: Sort) -> Nirs:
        order = (col(NirRow.created_at).desc(), col(NirRow.id).desc())
        statement = select(NirRow).where(col(NirRow.tenant_id) == TENANT).order_by(*order).limit(first)
        names = ("external_reference", "status", "created_at")
        return Nirs(nodes=[fields_of(row, Nir, *names) for row in await rows(statement)])

    @strawberry.field
    async def stock_summary(self, group_by: list[StockGroup]) -> list[StockSummary]:
        key, sums = col(StockItem.warehouse_id), (func.sum(col(StockItem.quantity)), func.sum(col(StockItem.reserved)))
        statement = select(key, *sums).where(col(StockItem.tenant_id) == TENANT).group_by(key).order_by(key)
        async with Session() as session:
            found = (await session.execute(statement)).all()
        return [
            StockSummary(warehouse_id=id_, quantity=quantity, reserved_quantity=held) for id_, quantity, held in found
        ]


class App(GraphQL[dict[str, Any], None]):
    async def get_context(self, request: Any, response: Any = None) -> dict[str, Any]:
        return loaders()


app = App(strawberry.Schema(Query))
