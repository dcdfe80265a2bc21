"""Three tenants full of records: ties, NULLs, quotes, scripts, and the same ids and codes in each of them."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import insert

from hub.context import Grant, Level, Scope
from hub.db import Database
from hub.models import companies, integrations, movements, nirs, orders, products, stock, syncs, tenants
from hub.search import searchable

SLUGS = ("acme", "birch", "cedar")
START = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
WORDS = (
    "Bec LED",
    "Țeavă Ø20",
    "Κλειδί",
    "Винт",
    'Say "cheese"',
    "back\\slash",
    "line\nbreak",
    "tab\there",
    "É",
    "naïve ☃",
)
Rows = dict[Any, list[dict[str, Any]]]


def scope(*tenant_ids: int, level: Level = Level.VIEWER) -> Scope:
    """A caller of the given level in these tenants."""
    return Scope({tenant_id: Grant(level) for tenant_id in tenant_ids})


async def build(database: Database) -> None:
    """Fill an empty database; tenants get the ids 1, 2 and 3."""
    async with database.system_work() as session:
        for slug in SLUGS:
            session.add(tenants.Tenant(slug=slug, name=slug.title()))
    for tenant_id in range(1, len(SLUGS) + 1):
        rows = _Tenant(tenant_id).rows
        async with database.unit_of_work(scope(tenant_id)) as work:
            for table, values in rows.items():
                if table in (stock.StockTotal, orders.OrderSummary):
                    continue
                await work.session.execute(insert(table), values)
        async with database.system_work() as session:
            for table in (stock.StockTotal, orders.OrderSummary):
                await session.execute(insert(table), rows[table])


class _Tenant:
    """The rows of one tenant in the order in which they can be inserted."""

    def __init__(self, tenant_id: int) -> None:
        self.tenant_id = tenant_id
        self.random = random.Random(tenant_id)
        self.rows: Rows = defaultdict(list)
        self._nomenclatures()
        self._stock()
        self._orders()
        self._receipts()
        self._movements()
        self._synchronisation()
        self._administration()

    def add(self, table: Any, **values: Any) -> int:
        rows = self.rows[table]
        columns = table.__table__.c
        row: dict[str, Any] = {"tenant_id": self.tenant_id}
        if "id" in columns and not columns["id"].identity:
            row["id"] = len(rows) + 1
        rows.append(row | values)
        return int(row.get("id", 0))

    def number(self, most: int = 20) -> Decimal:
        return Decimal(self.random.randrange(1, most * 10_000)) / self.random.choice((1, 100, 10_000))

    def maybe(self, value: Any) -> Any:
        return value if self.random.random() < 0.7 else None

    def moment(self) -> datetime:
        """Few different ones, so that orders by time have ties; some with microseconds."""
        return START + timedelta(hours=self.random.randrange(6), microseconds=self.random.choice((0, 0, 120_000, 7)))

    def day(self) -> date:
        return date(2026, 1, 1) + timedelta(days=self.random.randrange(90))

    def name(self, number: int) -> str:
        return f"{self.random.choice(WORDS)} {number % 7}"

    def some(self, table: Any) -> int:
        return int(self.random.choice(self.rows[table])["id"])

    def _nomenclatures(self) -> None:
        for number in range(4):
            name = self.name(number)
            self.add(
                products.Category, name=name, search=searchable(name), external_reference=self.maybe(f"cat-{number}")
            )
        for code in ("pcs", "kg", "m"):
            self.add(products.MeasurementUnit, name=code, code=code, active=code != "m")
        for number in range(8):
            name = self.name(number)
            self.add(
                companies.Company,
                name=name,
                type=self.random.choice(("CLIENT", "SUPPLIER", "BOTH")),
                external_reference=f"c-{number}",
                cui=self.maybe(f"RO{number % 3}"),
                credit_limit=self.maybe(self.number()),
                payment_days=self.maybe(30),
                search=searchable(name),
                created_at=self.moment(),
            )
        for number in range(30):
            name = self.name(number)
            self.add(
                products.Product,
                name=name,
                code=f"P-{number:03}",
                sku=self.maybe(f"sku {number}"),
                third_party_reference=self.maybe(f"erp-{number}"),
                category_id=self.maybe(self.some(products.Category)),
                measurement_unit_id=self.maybe(self.some(products.MeasurementUnit)),
                vat_percentage=self.maybe(Decimal("21.00")),
                purchase_price=self.maybe(self.number()),
                selling_price=self.maybe(self.number()),
                weight=self.maybe(self.number(2)),
                active=self.random.random() < 0.8,
                search=searchable(name, f"P-{number:03}"),
                updated_at=self.moment(),
            )
        self.add(products.PriceList, external_reference="retail", name="Retail")
        self.add(companies.CompanyPriceList, company_id=1, price_list_id=1)
        self.add(companies.CompanyBlock, company_id=1, type="CREDIT", reason=None)
        for product_id in (1, 2):
            self.add(
                products.Price, price_list_id=1, product_id=product_id, net_price=self.number(), valid_from=self.day()
            )

    def _stock(self) -> None:
        for number, code in enumerate(("MAIN", "BACK")):
            self.add(stock.Warehouse, code=code, name=code.title(), is_default=number == 0)
        for number in range(6):
            self.add(
                stock.Location,
                warehouse_id=1 + number % 2,
                code=f"A-{number:02}",
                name=f"Aisle {number}",
                priority=self.random.choice((10, 100)),
                is_inbound=number < 2,
            )
        for product_id in range(1, 9):
            self.add(
                stock.Batch,
                product_id=product_id,
                code=f"B{product_id}",
                expiration_date=self.maybe(self.day()),
                supplier_id=self.maybe(1),
                locked=product_id % 3 == 0,
                locked_until=datetime(2020, 1, 1, tzinfo=UTC) if product_id == 6 else None,
            )
        self.add(stock.BatchLock, batch_id=3, locked=True, actor="ana", reason="recall")
        for product_id in range(1, 25):
            for location_id in self.random.sample(range(1, 7), self.random.randrange(4)):
                quantity = self.number()
                self.add(
                    stock.StockItem,
                    product_id=product_id,
                    location_id=location_id,
                    warehouse_id=2 - location_id % 2,
                    batch_id=product_id if product_id <= 8 else None,
                    sscc=self.maybe("0034"),
                    quantity=quantity,
                    reserved=self.maybe(quantity) or 0,
                    received_at=self.moment(),
                )
        for warehouse_id in (1, 2):
            total = sum((each["quantity"] for each in self.rows[stock.StockItem]), Decimal(0))
            self.add(stock.StockTotal, warehouse_id=warehouse_id, quantity=total, reserved=1)
            self.add(stock.StockDelta, product_id=1, warehouse_id=warehouse_id, quantity=Decimal("-1.5"), reserved=0)

    def _orders(self) -> None:
        for number in range(25):
            id_ = self.add(
                orders.Order,
                external_order_id=f"WEB-{number:03}",
                third_party_reference=self.maybe(f"{number}"),
                warehouse_id=1 + number % 2,
                company_id=self.maybe(self.some(companies.Company)),
                status=self.random.randrange(9),
                order_type=self.random.choice((1, 1, 2)),
                comment=self.maybe(self.name(number)),
                number_of_packages=self.maybe(2),
                search=searchable(f"WEB-{number:03}"),
                created_at=self.moment(),
                validated_at=self.maybe(self.moment()),
            )
            for position in range(self.random.randrange(5)):
                quantity = self.number()
                self.add(
                    orders.OrderLine,
                    order_id=id_,
                    position=position // 2,
                    product_id=self.some(products.Product),
                    external_line_id=str(position),
                    quantity=quantity,
                    reserved_quantity=0,
                    picked_quantity=self.maybe(quantity) or 0,
                    location_id=self.maybe(self.some(stock.Location)),
                )
            if number % 5 == 0:
                self.add(orders.OrderRequirement, order_id=id_, name="gift", value=self.name(number))
            self.add(
                orders.DocumentChange,
                document_kind=self.random.choice(("order", "nir")),
                document_id=id_,
                status_before=self.maybe(1),
                status_after=2,
                actor="ana",
            )
            self.add(orders.OrderDelta, warehouse_id=1 + number % 2, status=number % 3, day=self.day(), orders=1)
        for line in self.rows[orders.OrderLine][:6]:
            self.add(stock.Reservation, stock_item_id=1, order_line_id=line["id"], quantity=1)
        for day in (date(2025, 12, 31), date(2026, 1, 1)):
            self.add(orders.OrderSummary, warehouse_id=1, status=5, day=day, orders=7)
        self.add(orders.Shipment, order_id=1, carrier="DHL", parcels=2, weight=Decimal("3.5"))
        self.add(orders.GoodsIssuedNote, order_id=2, number="N1")
        self.add(
            orders.Invoice,
            external_reference="inv",
            number="1",
            company_id=1,
            order_id=1,
            issued_on=self.day(),
            pdf=b"%",
        )
        self.add(orders.InvoiceLine, invoice_id=1, product_id=1, quantity=1, net_price=Decimal("9.99"))
        self.add(orders.PrintJob, order_id=1, requested_by="ana")

    def _receipts(self) -> None:
        for number in range(12):
            id_ = self.add(
                nirs.Nir,
                external_reference=f"IN-{number}",
                warehouse_id=1,
                supplier_id=self.maybe(self.some(companies.Company)),
                status=self.random.randrange(5),
                created_at=self.moment(),
                search=searchable(f"IN-{number}"),
            )
            for position in range(self.random.randrange(4)):
                self.add(
                    nirs.NirLine,
                    nir_id=id_,
                    position=position,
                    product_id=self.some(products.Product),
                    quantity=self.number(),
                    purchase_price=self.maybe(self.number()),
                    batch_code=self.maybe("B1"),
                    expiration_date=self.maybe(self.day()),
                    serial_numbers=self.random.choice(([], ["s1"], ['s"2', "s\\3"])),
                )
        for number in range(3):
            id_ = self.add(
                nirs.Return,
                external_reference=f"RET-{number}",
                warehouse_id=1,
                company_id=1,
                initial_order_id=self.maybe(1),
            )
            self.add(nirs.ReturnLine, return_id=id_, product_id=1, quantity=self.number())
        self.add(
            stock.Scan,
            document_kind="nir",
            document_id=1,
            product_id=1,
            location_id=1,
            quantity=self.number(),
            username="ana",
        )

    def _movements(self) -> None:
        for number in range(20):
            self.add(
                stock.StockMovement,
                product_id=1 + number % 4,
                warehouse_id=1,
                location_id=1,
                quantity=self.number() * self.random.choice((1, -1)),
                document_kind="nir",
                document_id=1,
                actor="ana",
                occurred_at=self.moment(),
            )
        self.add(movements.Transfer, created_by="ana", status=2)
        self.add(
            movements.TransferLine,
            transfer_id=1,
            product_id=1,
            quantity=2,
            source_location_id=1,
            destination_location_id=3,
        )
        self.add(movements.Inventory, warehouse_id=1, created_by="ana", status=2)
        for location_id, counted in ((1, 5), (3, 7)):
            self.add(
                movements.InventoryCount,
                inventory_id=1,
                product_id=1,
                location_id=location_id,
                quantity=counted,
                recorded_quantity=5,
            )
        self.add(movements.PurchaseOrder, ordered_on=self.day(), supplier_id=1, warehouse_id=1, status=2)
        self.add(movements.PurchaseOrderLine, purchase_order_id=1, product_id=1, quantity=5, price=self.number())
        self.add(movements.PurchaseOrderNir, purchase_order_id=1, nir_id=1)
        self.add(movements.ProductionOrder, third_party_reference="prod", product_id=1, quantity=2, warehouse_id=1)
        self.add(movements.ProductionComponent, production_order_id=1, product_id=2, quantity=4)

    def _synchronisation(self) -> None:
        self.add(integrations.Integration, code="GOMAG", active=True)
        self.add(syncs.SyncStream, code="GOMAG", stream="orders", checkpoint={"since": "2026-03-01", "page": 2.5})
        for number in range(4):
            self.add(
                syncs.SyncRun,
                code="GOMAG",
                stream=f"orders {number}",
                state=("RUNNING", "QUEUED", "SUCCEEDED", "FAILED")[number],
                requested_at=self.moment(),
            )
        for number in range(3):
            self.add(
                syncs.SyncException,
                code="GOMAG",
                stream="orders",
                run_id=1 + number % 2,
                external_key=f"k{number}",
                reason="RECORD_REJECTED",
                message="no such product",
                payload={"id": number, "deep": [None, {"a": "ț"}]},
            )
        self.add(syncs.OutboxEntry, code="GOMAG", stream="stock", key="1", payload={"quantity": "1.5"})
        self.add(syncs.DeliveryAttempt, code="GOMAG", stream="stock", run_id=1, outcome="DONE", request_body="{}")
        self.add(syncs.InboxMessage, code="GOMAG", topic="order", payload=[1, 2])
        self.add(syncs.ExternalReference, code="GOMAG", stream="orders", external_key="77", record_id=1)
        for number in range(5):
            self.add(
                syncs.Event,
                topic="order",
                kind="added",
                subject_id=number,
                position=number + 1 if number < 4 else None,
                data={"externalOrderId": f"WEB-{number}"},
            )

    def _administration(self) -> None:
        for number, username in enumerate(("ana", "bob", "élan")):
            self.add(tenants.User, username=username, password_hash="-", level=number + 1, permissions=["PRODUCTION"])
        self.add(tenants.LegacyUsage, user_id=1, route="GET /api/x", day="2026-03-01", calls=3)
        self.add(tenants.AuditEntry, actor="ana", action="user.added", subject="bob", details={"level": 1})
        self.add(orders.Notification, title="Hello", message="all", recipient_id=None)
        self.add(orders.Notification, title="Hello", message="ana", recipient_id=1)
