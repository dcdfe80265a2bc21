"""Query, Mutation and Subscription put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import strawberry
from strawberry.schema.config import StrawberryConfig

from schema import (
    companies,
    deliveries,
    documents,
    events,
    inventories,
    invoices,
    nirs,
    notifications,
    orders,
    print_jobs,
    production,
    products,
    purchase_orders,
    returns,
    shipments,
    stock,
    summaries,
    syncs,
    tenants,
    transfers,
    warehouses,
)
from schema.accounts import OperatorQueries
from schema.integrations import IntegrationQueries
from schema.mutations import Mutation
from schema.planner.fields import any_record, every, lookup, summed
from schema.planner.types import Connection, Node, complete, root
from schema.scalars import SCALARS
from schema.subscriptions import Subscription

READS = (
    companies,
    deliveries,
    documents,
    events,
    inventories,
    invoices,
    nirs,
    notifications,
    orders,
    print_jobs,
    production,
    products,
    purchase_orders,
    returns,
    shipments,
    stock,
    summaries,
    syncs,
    tenants,
    transfers,
    warehouses,
)
"""Importing them declares their types."""

if TYPE_CHECKING:
    from schema.companies import Company
    from schema.deliveries import DeliveryAttempt, InboxMessage, OutboxEntry
    from schema.events import Event
    from schema.inventories import Inventory
    from schema.invoices import Invoice
    from schema.nirs import Nir
    from schema.notifications import Notification
    from schema.orders import Order
    from schema.print_jobs import PrintJob
    from schema.production import ProductionOrder
    from schema.products import Category, MeasurementUnit, PriceList, Product
    from schema.purchase_orders import PurchaseOrder
    from schema.returns import Return
    from schema.stock import Batch, Reservation, StockItem, StockMovement
    from schema.summaries import OrderSummary, StockSummary
    from schema.syncs import (
        ExternalReference,
        SyncException,
        SyncRun,
        SyncStream,
    )
    from schema.tenants import AuditEntry, LegacyUsage, Tenant, User
    from schema.transfers import Transfer
    from schema.warehouses import Location, Warehouse


@root
class Query(IntegrationQueries, OperatorQueries):
    """Everything that can be read. On a tenant's host that tenant's records, on the bare host those of all tenants of
    the caller."""

    node: Node | None = any_record("Any record by its global id.")

    products: Connection[Product] = every("Products.")
    product: Product | None = lookup("code", "sku", "third_party_reference", description="One product.")
    categories: Connection[Category] = every("Categories of products.")
    category: Category | None = lookup("external_reference", "third_party_reference", description="One category.")
    measurement_units: Connection[MeasurementUnit] = every("What products are counted in.")
    measurement_unit: MeasurementUnit | None = lookup(
        "code", "third_party_reference", description="One measurement unit."
    )
    price_lists: Connection[PriceList] = every("Price lists.")
    price_list: PriceList | None = lookup("external_reference", description="One price list.")

    companies: Connection[Company] = every("Clients and suppliers.")
    company: Company | None = lookup("external_reference", "third_party_reference", description="One company.")

    warehouses: Connection[Warehouse] = every("Warehouses.")
    warehouse: Warehouse | None = lookup("code", description="One warehouse.")
    locations: Connection[Location] = every("Places in warehouses.")
    location: Location | None = lookup("code", description="One location.")
    stock: Connection[StockItem] = every("What there is, by product, location, batch and serial number.")
    batches: Connection[Batch] = every("Batches of products.")
    reservations: Connection[Reservation] = every("What is promised to documents.")
    stock_movements: Connection[StockMovement] = every("The ledger of all movements.")
    stock_summary: list[StockSummary] = summed("How much there is of everything together.")

    orders: Connection[Order] = every("Outbound documents.")
    order: Order | None = lookup("external_order_id", "third_party_reference", description="One order.")
    order_summary: list[OrderSummary] = summed("How many orders there are; at most 10000 rows, the first by day.")
    invoices: Connection[Invoice] = every("Invoices.")
    invoice: Invoice | None = lookup("external_reference", description="One invoice.")
    print_jobs: Connection[PrintJob] = every("Documents to be printed in the warehouse.")

    nirs: Connection[Nir] = every("Goods receipts.")
    nir: Nir | None = lookup("external_reference", "third_party_reference", description="One goods receipt.")
    returns: Connection[Return] = every("Goods coming back from clients.")
    return_: Return | None = lookup("external_reference", "third_party_reference", description="One return.")
    purchase_orders: Connection[PurchaseOrder] = every("Orders to suppliers.")
    purchase_order: PurchaseOrder | None = lookup(description="One purchase order.")

    transfers: Connection[Transfer] = every("Goods moved inside a tenant.")
    transfer: Transfer | None = lookup(description="One transfer.")
    inventories: Connection[Inventory] = every("Counts of what is really there.")
    inventory: Inventory | None = lookup(description="One inventory.")
    production_orders: Connection[ProductionOrder] = every("Orders to make products.")
    production_order: ProductionOrder | None = lookup("third_party_reference", description="One production order.")

    notifications: Connection[Notification] = every("Messages to the users.")

    sync_streams: Connection[SyncStream] = every("Where each stream of each integration stands.")
    sync_runs: Connection[SyncRun] = every("Runs of the synchronisation.")
    sync_run: SyncRun | None = lookup(description="One run.")
    sync_exceptions: Connection[SyncException] = every("Records that could not be taken in or told outside.")
    sync_exception: SyncException | None = lookup(description="One parked record.")
    outbox: Connection[OutboxEntry] = every("What must be told outside.")
    deliveries: Connection[DeliveryAttempt] = every("Calls that told something outside.")
    inbox: Connection[InboxMessage] = every("What external systems called the hub with.")
    events: Connection[Event] = every("The event log.")
    external_references: Connection[ExternalReference] = every("Which record became which.")

    tenants: Connection[Tenant] = every("The caller's tenants.")
    tenant: Tenant | None = lookup("slug", description="One tenant.")
    users: Connection[User] | None = every("Logins; administrators see them.")
    user: User | None = lookup("username", description="One user; administrators see it.")
    audit_entries: Connection[AuditEntry] | None = every("What was changed in the administration, for administrators.")
    legacy_usage: Connection[LegacyUsage] | None = every("Calls of REST routes by user and day, for administrators.")


def build_schema() -> strawberry.Schema:
    """The schema; the resolvers of what the planner reads are attached by the planner."""
    complete()
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
