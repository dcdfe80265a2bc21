"""What products demand of goods that come in, and the batches that are known already."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from sqlalchemy import select, text
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from hub.models.products import Product
from hub.queries.sets import arrays


@dataclass(frozen=True, slots=True)
class Demands:
    """The traceability flags of one product."""

    product_id: int
    code: str
    serial_number: bool
    batch_code: bool
    batch_details: bool
    production_date: bool
    expiration_date: bool


class BatchKey(NamedTuple):
    """What tells batches apart: the code, or without one the dates."""

    product_id: int
    code: str | None
    production_date: date | None = None
    expiration_date: date | None = None


@dataclass(frozen=True, slots=True)
class KnownBatch:
    id: int
    production_date: date | None
    expiration_date: date | None


_BATCHES = text("""
    SELECT b.product_id, b.code, b.id, b.production_date, b.expiration_date
    FROM unnest(cast(:product_id AS bigint[]), cast(:code AS text[]), cast(:production_date AS date[]),
                cast(:expiration_date AS date[])) AS k (product_id, code, production_date, expiration_date)
    JOIN batches b ON b.tenant_id = :tenant AND b.product_id = k.product_id
        AND (b.code = k.code
             OR (b.code IS NULL AND k.code IS NULL AND b.production_date IS NOT DISTINCT FROM k.production_date
                 AND b.expiration_date IS NOT DISTINCT FROM k.expiration_date))
""")


async def find_demands(session: AsyncSession, tenant_id: int, product_ids: Collection[int]) -> dict[int, Demands]:
    """The flags stay as they are until the end of the transaction: who changes them waits for the key share lock."""
    columns = (
        Product.id,
        Product.code,
        Product.requires_serial_number,
        Product.requires_batch_code,
        Product.requires_batch_details,
        Product.requires_production_date,
        Product.requires_expiration_date,
    )
    found = await session.execute(
        select(*map(col, columns))
        .where(col(Product.tenant_id) == tenant_id, col(Product.id).in_(set(product_ids)))
        .order_by(col(Product.id))
        .with_for_update(read=True, key_share=True)
    )
    return {row.id: Demands(*row) for row in found}


async def find_batches(session: AsyncSession, tenant_id: int, keys: Iterable[BatchKey]) -> dict[BatchKey, KnownBatch]:
    """The batches that exist among `keys`."""
    found = await session.execute(_BATCHES, {"tenant": tenant_id, **arrays(keys, *BatchKey._fields)})
    return {
        batch_key(row.product_id, row.code, row.production_date, row.expiration_date): KnownBatch(*row[2:])
        for row in found
    }


def batch_key(product_id: int, code: str | None, production: date | None, expiration: date | None) -> BatchKey:
    """The key under which goods with this code and these dates are kept."""
    return BatchKey(product_id, code) if code is not None else BatchKey(product_id, None, production, expiration)
