"""Price lists with their prices, and which company buys by which list; taken in as sets keyed by external reference."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert, text
from sqlmodel import col

from hub.context import Level
from hub.db import UnitOfWork
from hub.errors import HubError, Invalid, NotFound
from hub.models.companies import CompanyPriceList
from hub.models.products import Price, PriceList
from hub.queries.conditions import among
from hub.services import nomenclature, storing
from hub.services.companies import COMPANIES
from hub.services.designations import designated
from hub.services.nomenclature import Change, Nomenclature, Targets
from hub.services.outcomes import Effect, OnError, Outcome, first_refusal
from hub.services.products import PRODUCTS
from hub.services.values import currency, decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceListDraft:
    external_reference: str
    name: str
    currency: str = "RON"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDraft:
    """The net price of a product in a list from a day on; list and product by id or by the caller's key."""

    net_price: Decimal
    valid_from: date
    price_list_id: int | None = None
    price_list_reference: str | None = None
    product_id: int | None = None
    product_code: str | None = None


Key = tuple[int, int, date]

_WRITE = text("""
    INSERT INTO prices AS p (tenant_id, id, price_list_id, product_id, valid_from, net_price)
    SELECT :tenant, n.* FROM unnest(
        cast(:id AS bigint[]), cast(:price_list_id AS bigint[]), cast(:product_id AS bigint[]),
        cast(:valid_from AS date[]), cast(:net_price AS numeric[])) AS n
    ORDER BY 3, 4, 5
    ON CONFLICT (tenant_id, price_list_id, product_id, valid_from) DO UPDATE
    SET net_price = excluded.net_price, updated_at = now() WHERE p.net_price <> excluded.net_price
    RETURNING price_list_id, product_id, valid_from, id, xmax = 0
""")
_FIND = text("""
    SELECT p.price_list_id, p.product_id, p.valid_from, p.id
    FROM unnest(cast(:price_list_id AS bigint[]), cast(:product_id AS bigint[]), cast(:valid_from AS date[]))
         AS n (price_list_id, product_id, valid_from)
    JOIN prices p ON p.tenant_id = :tenant AND p.price_list_id = n.price_list_id AND p.product_id = n.product_id
        AND p.valid_from = n.valid_from
""")


async def upsert_lists(
    work: UnitOfWork, *, price_lists: Sequence[PriceListDraft], on_error: OnError = "raise"
) -> list[Outcome]:
    """Add the lists whose reference is new, change the others."""
    work.scope.require(Level.USER)
    rows = [asdict(draft) for draft in price_lists]
    return await storing.store_by(work, PRICE_LISTS, "external_reference", rows, on_error=on_error)


async def delete_lists(work: UnitOfWork, *, targets: Targets) -> list[int]:
    """Delete lists (by `id`, `external_reference`) with their prices; companies buy by them no longer."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, PRICE_LISTS, targets)
    return await nomenclature.erase(work, PRICE_LISTS, ids)


async def upsert(work: UnitOfWork, *, prices: Sequence[PriceDraft], on_error: OnError = "raise") -> list[Outcome]:
    """Set prices; those that stand already are not written."""
    work.scope.require(Level.USER)
    resolved = await _resolved(work, prices)
    errors = [one if isinstance(one, HubError) else None for one in resolved]
    if on_error == "raise" and (error := first_refusal(errors)) is not None:
        raise error
    wanted = {
        key: draft.net_price for key, draft in zip(resolved, prices, strict=True) if not isinstance(key, HubError)
    }
    known = await _write(work, wanted)
    return [
        Outcome(None, Effect.REFUSED, key) if isinstance(key, HubError) else Outcome(*known[key]) for key in resolved
    ]


async def delete(work: UnitOfWork, *, price_ids: Collection[int]) -> list[int]:
    """Delete single prices."""
    work.scope.require(Level.USER)
    ids = await nomenclature.find(work, PRICES, {"id": price_ids})
    await work.session.execute(
        delete_rows(Price).where(col(Price.tenant_id) == work.tenant_id, among(col(Price.id), ids))
    )
    return ids


async def assign(work: UnitOfWork, *, company_id: int, price_list_ids: Sequence[int]) -> int:
    """From now on the company buys by exactly these lists."""
    work.scope.require(Level.USER)
    await nomenclature.find(work, COMPANIES, {"id": [company_id]})
    lists = await nomenclature.find(work, PRICE_LISTS, {"id": price_list_ids}) if price_list_ids else []
    await nomenclature.lock(work, COMPANIES, [company_id])
    await work.session.execute(
        delete_rows(CompanyPriceList).where(
            col(CompanyPriceList.tenant_id) == work.tenant_id, col(CompanyPriceList.company_id) == company_id
        )
    )
    if lists:
        rows = [{"tenant_id": work.tenant_id, "company_id": company_id, "price_list_id": id_} for id_ in lists]
        await work.session.execute(insert(CompanyPriceList), rows)
    work.emit("company", "updated", subject_id=company_id)
    return company_id


async def _resolved(work: UnitOfWork, prices: Sequence[PriceDraft]) -> list[Key | HubError]:
    """The key of each price, or why it cannot be stored."""
    lists = await designated(
        work,
        PRICE_LISTS,
        "external_reference",
        ids=[draft.price_list_id for draft in prices],
        keys=[draft.price_list_reference for draft in prices],
    )
    products = await designated(
        work,
        PRODUCTS,
        "code",
        ids=[draft.product_id for draft in prices],
        keys=[draft.product_code for draft in prices],
    )
    seen: set[Key] = set()
    resolved: list[Key | HubError] = []
    for draft in prices:
        try:
            decimal(draft.net_price, field="netPrice")
            key = (
                lists.require(draft.price_list_id, draft.price_list_reference),
                products.require(draft.product_id, draft.product_code),
                draft.valid_from,
            )
            if key in seen:
                raise Invalid("the same price is given twice", field="validFrom")
            seen.add(key)
            resolved.append(key)
        except (Invalid, NotFound) as error:
            resolved.append(error)
    return resolved


async def _write(work: UnitOfWork, wanted: Mapping[Key, Decimal]) -> dict[Key, tuple[int, Effect]]:
    if not wanted:
        return {}
    keys = dict(zip(("price_list_id", "product_id", "valid_from"), map(list, zip(*wanted, strict=True)), strict=True))
    new = {"id": await work.next_ids("price", len(wanted)), "net_price": list(wanted.values())}
    written = await work.session.execute(_WRITE, {"tenant": work.tenant_id, **keys, **new})
    known: dict[Key, tuple[int, Effect]] = {
        (row[0], row[1], row[2]): (row[3], Effect.ADDED if row[4] else Effect.UPDATED) for row in written
    }
    for id_ in sorted({key[0] for key in known}):
        work.emit(PRICE_LISTS.noun, "updated", subject_id=id_)
    if len(known) < len(wanted):
        for row in await work.session.execute(_FIND, {"tenant": work.tenant_id, **keys}):
            known.setdefault((row[0], row[1], row[2]), (row[3], Effect.UNCHANGED))
    return known


async def _review(work: UnitOfWork, changes: Sequence[Change]) -> list[HubError | None]:
    errors: list[HubError | None] = []
    for change in changes:
        try:
            currency(change.after["currency"], field="currency")
            errors.append(None)
        except Invalid as error:
            errors.append(error)
    return errors


PRICE_LISTS = Nomenclature(model=PriceList, noun="price_list", keys=("external_reference",), review=_review)
PRICES = Nomenclature(model=Price, noun="price", keys=())
