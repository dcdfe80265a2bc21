"""Folders to import, and what comes of importing them."""

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from hub.context import Actor, Scope
from hub.db import Database
from hub.importing import run as imports
from hub.importing.files import find_sources
from hub.importing.nouns import NOUNS
from hub.importing.report import Report
from hub.services.outcomes import Effect
from tests.schema.rest.houses import House

READS = {
    "categories": ("/api/category/read", "categoryId"),
    "measurement-units": ("/api/measurement-unit/read", "muId"),
    "companies": ("/api/company/read", "companyId"),
    "products": ("/api/product/read", "productId"),
    "orders": ("/api/order/read", "orderId"),
    "nirs": ("/api/nir/read", "nirId"),
    "returns": ("/api/return/read", "returnId"),
    "production-orders": ("/api/production/read", "productionOrderId"),
}


def ndjson(folder: Path, noun: str, rows: Iterable[dict[str, Any]]) -> Path:
    path = folder / f"{noun}.ndjson"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def as_csv(folder: Path, noun: str, rows: Sequence[dict[str, Any]], *, encoding: str = "utf-8") -> Path:
    """The same rows as a spreadsheet writes them; lists as JSON in a cell."""
    path = folder / f"{noun}.csv"
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([[_cell(row.get(name)) for name in names] for row in rows])
    return path


def _cell(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict | bool) else value


async def bring(database: Database, tenant_id: int, place: Path, **options: Any) -> Report:
    encoding = options.pop("encoding", "utf-8")
    scope = Scope(Scope.of_system(tenant_id).tenants, Actor("system", None, "command line"))
    return await imports.run(database, scope, find_sources(place, list(NOUNS), encoding=encoding), **options)


def effects(report: Report) -> dict[str, dict[str, int]]:
    """Noun → effect → rows, without those that are zero."""
    return {
        noun: {effect.value: counts[effect] for effect in Effect if counts[effect]}
        for noun, counts in report.counts.items()
    }


def refused(report: Report) -> list[tuple[str, int, str | None]]:
    return [(one.file, one.line, one.field) for one in report.refusals]


async def reads(house: House) -> dict[str, list[dict[str, Any]]]:
    """Everything that the REST reads of a tenant show."""
    found = {noun: (await house.post(path, {"limit": 1000})).data for noun, (path, _) in READS.items()}
    report = await house.call("POST", "/api/stock/detailed-report?size=1000&sortBy=locationCode")
    found["stock"] = report.body["content"]
    ids = {order["purchaseOrderId"] for nir in found["nirs"] for order in nir["purchaseOrders"]}
    found["purchase-orders"] = [(await house.get(f"/api/purchase-order/{id_}")).data for id_ in sorted(ids)]
    return found


async def export(house: House, folder: Path, *, csv_for: Iterable[str] = ()) -> dict[str, list[dict[str, Any]]]:
    """Write what the REST reads show, and the places, which no route shows; what was written."""
    found = await reads(house)
    for noun, rows in found.items():
        (as_csv if noun in csv_for else ndjson)(folder, noun, rows)
    await export_places(house, folder)
    return found


async def export_places(house: House, folder: Path) -> None:
    warehouses = await house.room.world.rows("SELECT id, code, name, is_default FROM warehouses ORDER BY id")
    names = ("warehouseId", "warehouseCode", "warehouseName", "isDefault")
    ndjson(folder, "warehouses", [dict(zip(names, row.values(), strict=True)) for row in warehouses])
    places = await house.room.world.rows(
        "SELECT id, code, name, warehouse_id, priority, is_inbound FROM locations ORDER BY id"
    )
    names = ("locationId", "locationCode", "locationName", "warehouseId", "priority", "isInbound")
    as_csv(folder, "locations", [dict(zip(names, row.values(), strict=True)) for row in places])


def product(id_: int, code: str | None = None, **fields: Any) -> dict[str, Any]:
    code = f"P-{id_}" if code is None else code
    return {"productId": id_, "productCode": code, "productName": f"Product {code}"} | fields


TABLES = (
    "products",
    "orders",
    "order_lines",
    "stock_items",
    "stock_movements",
    "inventories",
    "inventory_counts",
    "nirs",
    "companies",
    "categories",
    "warehouses",
    "locations",
    "batches",
    "reservations",
    "events",
    "id_blocks",
    "document_changes",
    "stock_deltas",
    "order_deltas",
    "audit_entries",
    "outbox",
)


async def everything(house: House) -> dict[str, list[dict[str, Any]]]:
    """All rows of the tenant, as text."""
    return {table: await house.room.world.rows(f"SELECT t::text AS row FROM {table} t ORDER BY 1") for table in TABLES}
