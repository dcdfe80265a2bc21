"""Batches come into being with their first receipt, and the dates that it names stay."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sqlalchemy import text

from hub.db import UnitOfWork
from hub.errors import Conflict
from hub.queries.sets import arrays
from hub.queries.traceability import BatchKey, KnownBatch, find_batches


class Dated(Protocol):
    """Goods of a batch, as a document line describes them."""

    @property
    def batch(self) -> BatchKey | None: ...
    @property
    def production_date(self) -> date | None: ...
    @property
    def expiration_date(self) -> date | None: ...
    @property
    def nir_id(self) -> int | None: ...
    @property
    def supplier_id(self) -> int | None: ...
    def path(self, name: str) -> str: ...


@dataclass(slots=True)
class _NewBatch:
    product_id: int
    code: str | None
    production_date: date | None
    expiration_date: date | None
    nir_id: int | None
    supplier_id: int | None


_CREATE = text("""
    INSERT INTO batches (tenant_id, id, product_id, code, production_date, expiration_date, nir_id, supplier_id)
    SELECT :tenant, n.* FROM unnest(
        cast(:id AS bigint[]), cast(:product_id AS bigint[]), cast(:code AS text[]), cast(:production_date AS date[]),
        cast(:expiration_date AS date[]), cast(:nir_id AS bigint[]), cast(:supplier_id AS bigint[])) AS n
    ORDER BY 2, 3
    ON CONFLICT DO NOTHING
""")
_COMPLETE = text("""
    UPDATE batches b
    SET production_date = coalesce(b.production_date, n.production_date),
        expiration_date = coalesce(b.expiration_date, n.expiration_date),
        updated_at = now()
    FROM unnest(cast(:product_id AS bigint[]), cast(:code AS text[]), cast(:production_date AS date[]),
                cast(:expiration_date AS date[])) AS n (product_id, code, production_date, expiration_date)
    WHERE b.tenant_id = :tenant AND b.product_id = n.product_id AND b.code = n.code
        AND ((b.production_date IS NULL AND n.production_date IS NOT NULL)
             OR (b.expiration_date IS NULL AND n.expiration_date IS NOT NULL))
""")


async def settle_batches(work: UnitOfWork, goods: Iterable[Dated]) -> Mapping[BatchKey, int]:
    """The ids of the batches of `goods`, created where they are new; `Conflict` when one has other dates."""
    batched = [(one.batch, one) for one in goods if one.batch]
    new = _merged(batched)
    columns = arrays(new.values(), "product_id", "code", "production_date", "expiration_date")
    tenant = {"tenant": work.tenant_id}
    known = await find_batches(work.session, work.tenant_id, new)
    if len(known) < len(new):
        ids = {"id": await work.next_ids("batch", len(new))}
        origin = arrays(new.values(), "nir_id", "supplier_id")
        await work.session.execute(_CREATE, tenant | ids | columns | origin)
    await work.session.execute(_COMPLETE, tenant | columns)
    known = await find_batches(work.session, work.tenant_id, new)
    _refuse_other_dates(batched, known)
    return {key: batch.id for key, batch in known.items()}


def _merged(batched: Sequence[tuple[BatchKey, Dated]]) -> dict[BatchKey, _NewBatch]:
    """One new batch per key, with the first date that any of its goods names."""
    new: dict[BatchKey, _NewBatch] = {}
    for key, one in batched:
        batch = new.setdefault(
            key,
            _NewBatch(key.product_id, key.code, one.production_date, one.expiration_date, one.nir_id, one.supplier_id),
        )
        batch.production_date = batch.production_date or one.production_date
        batch.expiration_date = batch.expiration_date or one.expiration_date
    return new


def _refuse_other_dates(batched: Sequence[tuple[BatchKey, Dated]], known: Mapping[BatchKey, KnownBatch]) -> None:
    for key, one in batched:
        batch = known[key]
        for given, kept, name in (
            (one.production_date, batch.production_date, "productionDate"),
            (one.expiration_date, batch.expiration_date, "expirationDate"),
        ):
            if given is not None and given != kept:
                raise Conflict(f"batch {key.code} is known with {kept}, not {given}", field=one.path(name))
