"""`/api/metadata`: which records exist, in a few words each, before a full synchronization."""

from typing import Any, ClassVar

from pydantic import model_validator

from hub.models.orders import Order
from hub.models.products import Category, Product
from hub.statuses import Status
from schema.planner.fields import column, constant, reads, sql
from schema.planner.stored import Condition, Stored
from schema.rest.answers import Parts, listing
from schema.rest.filters import equal, one_of, unequal
from schema.rest.requests import Request, refusal
from schema.rest.routes import RestCall, Route
from schema.rest.unpaged import all_records
from schema.rest.values import Flag, Listed, Text


@reads(Category)
class CategoryMetadata:
    id: int
    thirdPartyReference: str | None = column(name="third_party_reference")
    externalReference: str | None = column(name="external_reference")
    model: str | None = constant(None)
    active: bool


@reads(Product)
class ProductMetadata:
    id: int
    thirdPartyReference: str | None = column(name="third_party_reference")
    externalReference: str | None = constant(None)
    model: str | None = column(name="code")
    active: bool


@reads(Order)
class OrderMetadata:
    id: int
    thirdPartyReference: str | None = column(name="third_party_reference")
    externalReference: str | None = column(name="external_order_id")
    model: str | None = constant(None)
    active: bool = sql(lambda order: order.c.status != int(Status.CANCELED))


CATEGORIES, PRODUCTS, ORDERS = Stored(CategoryMetadata), Stored(ProductMetadata), Stored(OrderMetadata)


class ReadMetadataApiRequest(Request):
    active: Flag | None = None
    thirdPartyReferenceIds: Listed[Text] = []
    models: Listed[Text] = []


class ReadMetadataByModelApiRequest(Request):
    needs_one_of: ClassVar[tuple[str, ...]] = ("models",)
    models: Listed[Text]
    active: Flag | None = None

    @model_validator(mode="after")
    def _some_model(self) -> "ReadMetadataByModelApiRequest":
        if not self.models:
            raise refusal("must name at least one model", field="models")
        return self


async def read_categories(call: RestCall[ReadMetadataApiRequest]) -> bytes | Parts:
    where = [
        *equal(Category.active, call.body.active),
        *one_of(Category.third_party_reference, call.body.thirdPartyReferenceIds),
    ]
    return await all_records(CATEGORIES, Category.id, call.database, call.scope, where)


async def read_products(call: RestCall[ReadMetadataApiRequest]) -> bytes | Parts:
    where = [
        *equal(Product.active, call.body.active),
        *one_of(Product.third_party_reference, call.body.thirdPartyReferenceIds),
        *one_of(Product.code, call.body.models),
    ]
    return await all_records(PRODUCTS, Product.id, call.database, call.scope, where)


async def read_products_by_model(call: RestCall[ReadMetadataByModelApiRequest]) -> bytes | Parts:
    where = [*one_of(Product.code, call.body.models), *equal(Product.active, call.body.active)]
    return await all_records(PRODUCTS, Product.id, call.database, call.scope, where)


async def read_orders(call: RestCall[ReadMetadataApiRequest]) -> bytes | Parts:
    where = [
        *_active_orders(call.body.active),
        *one_of(Order.third_party_reference, call.body.thirdPartyReferenceIds),
    ]
    return await all_records(ORDERS, Order.id, call.database, call.scope, where)


def _active_orders(active: bool | None) -> list[Condition]:
    if active is None:
        return []
    canceled = int(Status.CANCELED)
    return unequal(Order.status, canceled) if active else equal(Order.status, canceled)


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/metadata/category",
        "Category metadata",
        read_categories,
        listing(CategoryMetadata),
        body=ReadMetadataApiRequest,
        body_optional=True,
        replaced_by="categories",
    ),
    Route(
        "POST",
        "/api/metadata/product",
        "Product metadata",
        read_products,
        listing(ProductMetadata),
        body=ReadMetadataApiRequest,
        body_optional=True,
        replaced_by="products",
    ),
    Route(
        "POST",
        "/api/metadata/product/by_model",
        "Product metadata by model",
        read_products_by_model,
        listing(ProductMetadata),
        body=ReadMetadataByModelApiRequest,
        replaced_by="products",
    ),
    Route(
        "POST",
        "/api/metadata/order",
        "Order metadata",
        read_orders,
        listing(OrderMetadata),
        body=ReadMetadataApiRequest,
        body_optional=True,
        description="`active` = not cancelled.",
        replaced_by="orders",
    ),
)
