"""Products: added, changed, deleted, alone and up to 250 at once."""

from decimal import Decimal

import strawberry
from strawberry import UNSET

from hub.services import products
from hub.services.products import ProductDraft
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.mutations.rows import delete_rows, found_rows, known_rows
from schema.products import Product
from schema.scalars import Long
from schema.writing import USER, BulkChange, Call, Change, mutation

NOW = Record("Product", "The product as it is now.")
GONE = Deleted("Product", "The id of the product that is gone.")
PRODUCT = answer("ProductPayload", product=NOW)
PRODUCT_DELETED = answer("ProductDeletePayload", deleted_id=GONE)
PRODUCTS = answer_by_row("ProductsPayload", "ProductsRow", product=NOW)
PRODUCTS_DELETED = answer_by_row("ProductsDeletePayload", "ProductsDeleteRow", deleted_id=GONE)


@inputs(one_of=True, like=Product)
class ProductKey:
    """Names one product by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="Product")
    code: str | None = UNSET
    sku: str | None = UNSET
    third_party_reference: str | None = UNSET


@inputs(like=Product)
class ProductInput:
    """A product to be added."""

    name: str
    code: str
    sku: str | None = UNSET
    third_party_reference: str | None = UNSET
    category_id: strawberry.ID | None = about("The category, by its global id.", default=UNSET, of="Category")
    category_external_reference: str | None = about(
        "The category, by its external reference; with `categoryId` both must mean the same.", default=UNSET
    )
    measurement_unit_id: strawberry.ID | None = about("The unit it is counted in.", default=UNSET, of="MeasurementUnit")
    vat_id: Long | None = UNSET
    vat_percentage: Decimal | None = UNSET
    purchase_price: Decimal | None = UNSET
    selling_price: Decimal | None = UNSET
    minimum_stock: Decimal = Decimal(0)
    requires_serial_number: bool = False
    requires_batch_code: bool = False
    requires_batch_details: bool = False
    requires_production_date: bool = False
    requires_expiration_date: bool = False
    width: Decimal | None = UNSET
    height: Decimal | None = UNSET
    length: Decimal | None = UNSET
    weight: Decimal | None = UNSET
    volume: Decimal | None = UNSET
    diameter: Decimal | None = UNSET
    material: str | None = UNSET
    color: str | None = UNSET
    active: bool = True
    send_to_external: bool = True


@inputs()
class ProductAddInput(Change, ProductInput):
    """A product to be added."""


@inputs(changes=ProductInput)
class ProductUpdateInput(Change):
    """New values of a product: what is absent stays, null clears."""

    product: ProductKey = about("Which product.", called="productId")


@inputs()
class ProductDeleteInput(Change):
    """A product to be deleted."""

    product: ProductKey = about("Which product.", called="productId")


@inputs()
class ProductsAddInput(BulkChange):
    """Products to be added."""

    products: list[ProductInput] = about("1 to 250 products.")


@inputs(changes=ProductInput)
class ProductChanges:
    """New values of one product: what is absent stays, null clears."""

    product: ProductKey = about("Which product.", called="productId")


@inputs()
class ProductsUpdateInput(BulkChange):
    """Products to be changed."""

    products: list[ProductChanges] = about("1 to 250 products with their new values.")


@inputs()
class ProductsDeleteInput(BulkChange):
    """Products to be deleted."""

    products: list[ProductKey] = about("1 to 250 products.")


@inputs(like=Product, changes=ProductInput)
class ProductUpsertRow:
    """A product, known by its code; a new one needs a name. What is absent stays, null clears."""

    code: str


@inputs()
class ProductsUpsertInput(BulkChange):
    """Products to be added or changed."""

    products: list[ProductUpsertRow] = about("1 to 250 products.")


@mutation(PRODUCT, needs=USER)
async def product_add(call: Call, input: ProductAddInput) -> Json:
    """Adds a product."""
    [product_id] = await products.add(call.work, products=[ProductDraft(**call.filled(input))])
    return {"product": product_id}


@mutation(PRODUCT, needs=USER)
async def product_update(call: Call, input: ProductUpdateInput) -> Json:
    """Changes a product; what is absent stays, null clears."""
    key, changes = call.targets(input.product, "product"), call.values(input, "product")
    [product_id] = await products.update(call.work, targets=key, changes=changes)
    return {"product": product_id}


@mutation(PRODUCT_DELETED, needs=USER)
async def product_delete(call: Call, input: ProductDeleteInput) -> Json:
    """Deletes a product that never was in stock nor in any document."""
    [product_id] = await products.delete(call.work, targets=call.targets(input.product, "product"))
    return {"deleted_id": product_id}


@mutation(PRODUCTS, needs=USER)
async def products_add(call: Call, input: ProductsAddInput) -> Json:
    """Adds up to 250 products."""
    return await call.each(
        "products",
        input.products,
        lambda row: (None, call.filled(row)),
        lambda rows: products.upsert(call.work, products=rows),
    )


@mutation(PRODUCTS, needs=USER)
async def products_update(call: Call, input: ProductsUpdateInput) -> Json:
    """Changes up to 250 products; what is absent stays, null clears."""
    found = await found_rows(call, "products", [row.product for row in input.products], products.ids_by)
    return await call.each(
        "products",
        input.products,
        lambda row: (found.id(row.product, "product"), call.values(row, "product")),
        lambda rows: products.upsert(call.work, products=rows),
    )


@mutation(PRODUCTS, needs=USER)
async def products_upsert(call: Call, input: ProductsUpsertInput) -> Json:
    """Adds the products whose code is new and changes the others."""
    known = await known_rows(call, "products", input.products, "code", products.ids_by)
    return await call.each(
        "products",
        input.products,
        lambda row: (known(row), call.values(row)),
        lambda rows: products.upsert(call.work, products=rows),
    )


@mutation(PRODUCTS_DELETED, needs=USER)
async def products_delete(call: Call, input: ProductsDeleteInput) -> Json:
    """Deletes up to 250 products that never were in stock nor in any document."""
    return await delete_rows(call, "products", input.products, products.ids_by, products.delete)
