"""What the lines of documents refer to: products by the system's own key, else by code or SKU; warehouses by code."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import col

from hub.db import UnitOfWork
from hub.models.stock import Warehouse
from hub.queries.conditions import among
from hub.records import ProductRef
from hub.services import products
from hub.sync import identity, references
from hub.sync.exceptions import Trouble
from hub.sync.intake import Source
from hub.sync.intake_products import STREAM as PRODUCTS


@dataclass(frozen=True, slots=True)
class KnownProducts:
    """The products that a page's lines may mean."""

    by_key: Mapping[str, int]
    by_code: Mapping[str, int]
    by_sku: Mapping[str, int]
    by_shown_reference: Mapping[str, int]

    def find(self, ref: ProductRef) -> int | None:
        key, code = ref.external_key or "", ref.code or ""
        found = (self.by_key.get(key), self.by_code.get(code), self.by_sku.get(code), self.by_shown_reference.get(key))
        return next((id_ for id_ in found if id_ is not None), None)

    def missing(self, refs: Sequence[ProductRef]) -> Trouble | None:
        """The first product that nobody knows yet: the document waits for it."""
        for position, ref in enumerate(refs):
            if self.find(ref) is None:
                name = ref.code or ref.external_key or ""
                return Trouble(
                    reason="UNKNOWN_PRODUCT",
                    message=f"product {name} is not known yet; the document is taken in as soon as it is",
                    path=f"lines[{position}].product",
                    waits_for=name,
                )
        return None


async def find_products(work: UnitOfWork, source: Source, refs: Sequence[ProductRef]) -> KnownProducts:
    keys = {ref.external_key for ref in refs if ref.external_key}
    codes = sorted({ref.code for ref in refs if ref.code})
    known = await references.find(work, source.code, PRODUCTS, keys)
    shown = await products.ids_by(work, column="third_party_reference", values=sorted(keys - known.keys()))
    claims = await identity.find_claims(work, source.code, [PRODUCTS], shown.values())
    return KnownProducts(
        by_key={key: reference.record_id for key, reference in known.items()},
        by_code=await products.ids_by(work, column="code", values=codes),
        by_sku=await products.ids_by(work, column="sku", values=codes),
        # A number that an earlier system gave its product says nothing about this system's products.
        by_shown_reference={key: id_ for key, id_ in shown.items() if id_ not in claims.theirs},
    )


async def find_warehouses(work: UnitOfWork, codes: Collection[str | None]) -> dict[str | None, int | None]:
    """Code → id of the warehouses that exist; no code means the default one (None)."""
    named = {code for code in codes if code is not None}
    known: dict[str | None, int | None] = {None: None}
    if named:
        found = await work.session.execute(
            select(col(Warehouse.code), col(Warehouse.id)).where(
                col(Warehouse.tenant_id) == work.tenant_id, among(col(Warehouse.code), named)
            )
        )
        known |= {row.code: row.id for row in found}
    return known


def unknown_warehouse(code: str | None) -> Trouble:
    return Trouble(
        reason="UNKNOWN_WAREHOUSE",
        message=f"the hub has no warehouse {code}; add it, or map it in the connection's settings, then retry",
        path="warehouse_code",
    )
