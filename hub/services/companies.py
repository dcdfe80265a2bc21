"""Companies (clients and suppliers): added, changed, deleted and taken in as sets; why one may not order at present."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import func, insert
from sqlalchemy import update as update_rows
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import HubError, Invalid
from hub.models.companies import Company, CompanyBlock
from hub.models.movements import PurchaseOrder
from hub.models.nirs import Nir, Return
from hub.models.orders import Invoice, Order
from hub.models.stock import Batch
from hub.queries.conditions import among
from hub.services import nomenclature, storing
from hub.services.nomenclature import Change, Nomenclature, Targets
from hub.services.outcomes import OnError, Outcome
from hub.services.values import text

TYPES = ("CLIENT", "SUPPLIER", "BOTH")
USERS = {
    "an order": (col(Order.company_id),),
    "a NIR": (col(Nir.supplier_id),),
    "a return": (col(Return.company_id),),
    "a purchase order": (col(PurchaseOrder.supplier_id),),
    "an invoice": (col(Invoice.company_id),),
    "a batch": (col(Batch.supplier_id),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDraft:
    """A company to be added; `cui` and `name` are not unique."""

    name: str
    type: str = "CLIENT"
    external_reference: str | None = None
    third_party_reference: str | None = None
    cui: str | None = None
    reg_no: str | None = None
    bank: str | None = None
    iban: str | None = None
    address: str | None = None
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    active: bool = True
    segment: str | None = None
    credit_limit: Decimal | None = None
    credit_used: Decimal | None = None
    payment_days: int | None = None
    send_to_external: bool = True


async def add(work: UnitOfWork, *, companies: Sequence[CompanyDraft]) -> list[int]:
    """Add all companies, or none; their ids in the same order."""
    work.scope.require(Level.USER)
    return await storing.add(work, COMPANIES, [asdict(draft) for draft in companies])


async def update(work: UnitOfWork, *, targets: Targets, changes: Mapping[str, Any]) -> list[int]:
    """Give all companies meant (by `id`, `external_reference`, `third_party_reference`) the same new values."""
    work.scope.require(Level.USER)
    return await storing.change(work, COMPANIES, targets, dict(changes))


async def delete(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete companies that stand in no document."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, COMPANIES, targets)
    await nomenclature.lock(work, COMPANIES, ids, against_use=True)
    await nomenclature.refuse_used(work, COMPANIES, ids, USERS)
    return await nomenclature.erase(work, COMPANIES, ids)


async def upsert(
    work: UnitOfWork, *, companies: Sequence[tuple[int | None, Mapping[str, Any]]], on_error: OnError = "skip"
) -> list[Outcome]:
    """Add the companies without id, change those with one, by the columns given; unchanged ones are not written."""
    work.scope.require(Level.USER)
    pairs = [(id_, dict(values)) for id_, values in companies]
    return await storing.store(work, COMPANIES, pairs, on_error=on_error)


async def ids_by(work: UnitOfWork, *, column: str, values: Sequence[str]) -> dict[str, int]:
    """`external_reference` or `third_party_reference` → id of the companies that exist."""
    return await nomenclature.ids_by(work, COMPANIES, column, values)


async def block(work: UnitOfWork, *, targets: Targets, type: str, reason: str | None = None) -> list[int]:
    """Note that companies may not order; a block of the same type that still stands is ended by the new one."""
    work.scope.require(Level.USER)
    values = {"type": text(type, field="type", longest=64, blank=False)}
    values |= {"reason": text(reason, field="reason", longest=4000)} if reason is not None else {}
    ids = await nomenclature.find(work, COMPANIES, targets)
    await nomenclature.lock(work, COMPANIES, ids)
    await _end_blocks(work, ids, type)
    fresh = await work.next_ids("company_block", len(ids))
    rows = [
        {"tenant_id": work.tenant_id, "id": block_id, "company_id": id_, "reason": None} | values
        for block_id, id_ in zip(fresh, ids, strict=True)
    ]
    await work.session.execute(insert(CompanyBlock), rows)
    return _told(work, ids)


async def unblock(work: UnitOfWork, *, targets: Targets, type: str | None = None) -> list[int]:
    """End the standing blocks of companies, of one type or all; they stay as history."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, COMPANIES, targets)
    await nomenclature.lock(work, COMPANIES, ids)
    await _end_blocks(work, ids, type)
    return _told(work, ids)


async def _end_blocks(work: UnitOfWork, ids: Sequence[int], type: str | None) -> None:
    statement = update_rows(CompanyBlock).where(
        col(CompanyBlock.tenant_id) == work.tenant_id,
        among(col(CompanyBlock.company_id), ids),
        col(CompanyBlock.released_at).is_(None),
    )
    if type is not None:
        statement = statement.where(col(CompanyBlock.type) == type)
    await work.session.execute(statement.values(released_at=func.now()).execution_options(synchronize_session=False))


def _told(work: UnitOfWork, ids: Sequence[int]) -> list[int]:
    for id_ in ids:
        work.emit("company", "updated", subject_id=id_)
    return list(ids)


async def _review(work: UnitOfWork, changes: Sequence[Change]) -> list[HubError | None]:
    return [
        None if change.after["type"] in TYPES else Invalid(f"must be one of {', '.join(TYPES)}", field="type")
        for change in changes
    ]


COMPANIES = Nomenclature(
    model=Company,
    noun="company",
    keys=("external_reference", "third_party_reference"),
    searched=("name", "cui", "external_reference", "third_party_reference", "email"),
    review=_review,
)
