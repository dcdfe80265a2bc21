"""Returns: goods that come back from a client."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from hub.models import companies as company_models
from hub.models import nirs as models
from hub.models import products as product_models
from hub.models import stock as stock_models
from hub.statuses import Status
from schema.companies import CompanyFilter
from schema.nirs import is_validated
from schema.planner.fields import column, many, one, reads, sql
from schema.planner.inputs import Ids, Moment, Number, Text, Whole, filters, ids, related, some, where
from schema.planner.types import Connection, Node, Owned, orders
from schema.products import ProductFilter
from schema.scalars import Long
from schema.statuses import DocumentStatuses
from schema.warehouses import WarehouseFilter

if TYPE_CHECKING:
    from schema.companies import Company
    from schema.documents import DocumentChange, Scan
    from schema.orders import Order
    from schema.products import Product
    from schema.warehouses import Location, Warehouse


@filters
class ReturnLineFilter:
    """Which return lines; all questions must be answered with yes."""

    id: Ids | None = ids("ReturnLine", "By global id.")
    product: ProductFilter | None = related("product_id", product_models.Product, "By its product.")
    product_id: Ids | None = ids("Product", "By the global id of its product.", key="product_id")
    external_line_id: Text | None = where("By the integrator's key.")
    quantity: Number | None = where("By the announced quantity.")


@filters
class ReturnFilter:
    """Which returns; all questions must be answered with yes."""

    id: Ids | None = ids("Return", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    external_reference: Text | None = where("By the integrator's key.")
    third_party_reference: Text | None = where("By the key in the connected system.")
    status: DocumentStatuses | None = where("By its state.")
    validated: bool | None = where("Only those whose goods are booked, or all others.", expression=is_validated)
    warehouse: WarehouseFilter | None = related("warehouse_id", stock_models.Warehouse, "By its warehouse.")
    warehouse_id: Ids | None = ids("Warehouse", "By the global id of its warehouse.", key="warehouse_id")
    company: CompanyFilter | None = related("company_id", company_models.Company, "By the client.")
    company_id: Ids | None = ids("Company", "By the global id of the client.", key="company_id")
    initial_order_id: Ids | None = ids("Order", "By the global id of its order.", key="initial_order_id")
    lines: ReturnLineFilter | None = some("return_id", models.ReturnLine, "At least one of its lines is such.")
    created_at: Moment | None = where("By when it was added.")
    validated_at: Moment | None = where("By when its goods were booked.")


ReturnOrder = orders("ReturnOrder", "Orders of returns.", id="id")


@reads(models.Return, filter=ReturnFilter, order=ReturnOrder)
class Return(Node, Owned):
    """Goods coming back from a client, with or without the order they left with."""

    external_reference: str = column("The integrator's key of it, unique in the tenant.")
    third_party_reference: str | None = column("Its key in the connected external system.")
    warehouse: Warehouse = one("warehouse_id", "Where the goods arrive.")
    company: Company = one("company_id", "The client who sends them back.")
    initial_order: Order | None = one("initial_order_id", "The order they left with.")
    status: Status = column("Its state.")
    validated: bool = sql(is_validated, "Its goods are booked.")
    requires_validation: bool = column("Somebody counts the goods; otherwise they are booked at once.")
    comment: str | None = column("Remarks.")
    validated_at: datetime | None = column("When its goods were booked.")
    validated_by_id: Long | None = column("The id of the user who validated it.")
    validated_by: str | None = column("Who validated it.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")
    lines: Connection[ReturnLine] = many("return_id", "What comes back.", order=("position",))
    history: Connection[DocumentChange] = many(
        "document_id", "Its life from state to state.", where=lambda change: change.c.document_kind == "return"
    )
    scans: Connection[Scan] = many(
        "document_id", "What was counted.", where=lambda scan: scan.c.document_kind == "return"
    )


ReturnLineOrder = orders("ReturnLineOrder", "Orders of return lines.", id="id", position="position")


@reads(models.ReturnLine, filter=ReturnLineFilter, order=ReturnLineOrder)
class ReturnLine(Node, Owned):
    """How much of one product is announced and was counted."""

    returned_in: Return = one("return_id", "The return it stands in.")
    position: int = column("Its place in the return.")
    product: Product = one("product_id", "What comes back.")
    external_line_id: str | None = column("The integrator's key of it.")
    quantity: Decimal = column("How much is announced.")
    validated_quantity: Decimal = column("How much was counted and booked.")
    location: Location | None = one("location_id", "Where the goods go; the inbound location when empty.")
    batch_code: str | None = column("The batch they belong to.")
    production_date: date | None = column("The day they were made.")
    expiration_date: date | None = column("The last day they may be used.")
    serial_numbers: list[str] = column("The serial numbers of the pieces.")
