"""Products with their categories, measurement units and prices."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import products as models
from schema.planner.fields import column, lateral, many, one, reads, sql
from schema.planner.inputs import Ids, Moment, Number, Text, Whole, filters, ids, related, where, words
from schema.planner.types import Connection, Node, Owned, orders
from schema.scalars import Long
from schema.stock_totals import free_stock, product_totals

if TYPE_CHECKING:
    from schema.nirs import NirLine
    from schema.orders import OrderLine
    from schema.stock import Batch, StockItem, StockMovement


@filters
class CategoryFilter:
    """Which categories; all questions must be answered with yes."""

    id: Ids | None = ids("Category", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    name: Text | None = where("By its name.")
    external_reference: Text | None = where("By the integrator's key.")
    third_party_reference: Text | None = where("By the key in the connected system.")
    active: bool | None = where("Only active or only inactive ones.")
    search: str | None = words("Each word begins a word of its name or references.")


CategoryOrder = orders(
    "CategoryOrder",
    "Orders of categories; by name means without regard to case and accents.",
    id="id",
    name="sort_key",
)


@reads(models.Category, filter=CategoryFilter, order=CategoryOrder)
class Category(Node, Owned):
    """A group of products in the catalogue."""

    name: str = column("Its name.")
    details: str | None = column("Remarks.")
    external_reference: str | None = column("The integrator's key of it.")
    third_party_reference: str | None = column("Its key in the connected external system.")
    active: bool = column("Used for new products.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    products: Connection[Product] = many("category_id", "The products in it.")


@filters
class MeasurementUnitFilter:
    """Which measurement units; all questions must be answered with yes."""

    id: Ids | None = ids("MeasurementUnit", "By global id.")
    code: Text | None = where("By its code.")
    third_party_reference: Text | None = where("By the key in the connected system.")
    active: bool | None = where("Only active or only inactive ones.")


MeasurementUnitOrder = orders("MeasurementUnitOrder", "Orders of measurement units.", id="id", code="code")


@reads(models.MeasurementUnit, filter=MeasurementUnitFilter, order=MeasurementUnitOrder)
class MeasurementUnit(Node, Owned):
    """What products are counted in."""

    name: str = column("Its name.")
    code: str = column("Its short code, unique in the tenant.")
    details: str | None = column("Remarks.")
    third_party_reference: str | None = column("Its key in the connected external system.")
    active: bool = column("Used for new products.")


@filters
class ProductFilter:
    """Which products; all questions must be answered with yes."""

    id: Ids | None = ids("Product", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    code: Text | None = where("By its code.")
    sku: Text | None = where("By its SKU.")
    name: Text | None = where("By its name.")
    third_party_reference: Text | None = where("By the key in the connected system.")
    category: CategoryFilter | None = related("category_id", models.Category, "By its category.")
    category_id: Ids | None = ids("Category", "By the global id of its category.", key="category_id")
    purchase_price: Number | None = where("By its purchase price.")
    selling_price: Number | None = where("By its selling price.")
    free_quantity: Number | None = where("By the quantity nobody has reserved.", expression=free_stock)
    active: bool | None = where("Only active or only inactive ones.")
    created_at: Moment | None = where("By when it was added.")
    updated_at: Moment | None = where("By when it was changed last.")
    search: str | None = words("Each word begins a word of its name, code, SKU or reference.")


ProductOrder = orders(
    "ProductOrder",
    "Orders of products; by name means without regard to case and accents.",
    id="id",
    name="sort_key",
    code="code",
    updated_at="updated_at",
)


@reads(models.Product, filter=ProductFilter, order=ProductOrder)
class Product(Node, Owned):
    """A thing the warehouse buys, keeps, makes or sells."""

    name: str = column("Its name.")
    code: str = column("The short code printed on labels, unique in the tenant; REST calls it productCode or model.")
    sku: str | None = column("The stock keeping unit, unique when set.")
    third_party_reference: str | None = column("Its key in the connected external system.")
    category: Category | None = one("category_id", "Where it stands in the catalogue.")
    measurement_unit: MeasurementUnit | None = one("measurement_unit_id", "What it is counted in.")
    vat_id: Long | None = column("The VAT rate's id in the connected external system.")
    vat_percentage: Decimal | None = column("VAT in percent.")
    purchase_price: Decimal | None = column("What it costs, net.")
    selling_price: Decimal | None = column("What it sells for, net.")
    margin: Decimal | None = sql(lambda p: p.c.selling_price - p.c.purchase_price, "Selling less purchase price.")
    minimum_stock: Decimal = column("Below this quantity it should be bought again.")
    total_quantity_in_stock: Decimal = lateral(product_totals, "quantity", "All there is, over all locations.")
    total_reserved_quantity: Decimal = lateral(product_totals, "reserved", "How much of it is promised to documents.")
    total_free_quantity: Decimal = lateral(
        product_totals, "free", "What is left to sell: neither reserved nor in a locked batch."
    )
    requires_serial_number: bool = column("Every piece is booked with a serial number.")
    requires_batch_code: bool = column("Goods are booked with a batch code.")
    requires_batch_details: bool = column("Goods are booked with a production or an expiration date.")
    requires_production_date: bool = column("Goods are booked with their production date.")
    requires_expiration_date: bool = column("Goods are booked with their expiration date.")
    width: Decimal | None = column("Width of one piece.")
    height: Decimal | None = column("Height of one piece.")
    length: Decimal | None = column("Length of one piece.")
    weight: Decimal | None = column("Weight of one piece.")
    volume: Decimal | None = column("Volume of one piece.")
    diameter: Decimal | None = column("Diameter of one piece.")
    material: str | None = column("What it is made of.")
    color: str | None = column("Its colour.")
    active: bool = column("Used in new documents.")
    send_to_external: bool = column("Told to the connected external system.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    stock: Connection[StockItem] = many("product_id", "What there is of it, by location, batch and serial number.")
    batches: Connection[Batch] = many("product_id", "The batches it came in.")
    movements: Connection[StockMovement] = many("product_id", "The ledger: every change of its stock.")
    order_lines: Connection[OrderLine] = many("product_id", "Where it was ordered.")
    nir_lines: Connection[NirLine] = many("product_id", "Where it was received.")
    prices: Connection[Price] = many("product_id", "What it costs in which price list.")


PriceListOrder = orders("PriceListOrder", "Orders of price lists.", id="id", external_reference="external_reference")


@reads(models.PriceList, order=PriceListOrder)
class PriceList(Node, Owned):
    """Net prices that some companies buy by."""

    external_reference: str = column("Its key in the system it came from, unique in the tenant.")
    name: str = column("Its name.")
    currency: str = column("Three letters, as in RON.")
    prices: Connection[Price] = many("price_list_id", "The prices in it.")


@reads(models.Price)
class Price(Node, Owned):
    """What one product costs in one price list from a day on."""

    price_list: PriceList = one("price_list_id", "The list it stands in.")
    product: Product = one("product_id", "What it is the price of.")
    net_price: Decimal = column("Net, in the currency of the list.")
    valid_from: date = column("The first day it applies.")
