"""Price lists and their prices, taken in under the caller's keys; and which company buys by which list."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import strawberry
from strawberry import UNSET

from hub.db import UnitOfWork
from hub.services import prices
from hub.services.prices import PriceDraft, PriceListDraft
from schema.answers import Deleted, Json, Record, answer, answer_by_row
from schema.inputs import about, inputs
from schema.mutations.rows import delete_rows, ids_in
from schema.products import Price, PriceList
from schema.writing import USER, BulkChange, Call, Change, mutation

PRICE_LISTS = answer_by_row(
    "PriceListsPayload", "PriceListsRow", price_list=Record("PriceList", "The price list as it is now.")
)
PRICE_LISTS_DELETED = answer_by_row(
    "PriceListsDeletePayload",
    "PriceListsDeleteRow",
    deleted_id=Deleted("PriceList", "The id of what is gone."),
)
PRICES = answer_by_row("PricesPayload", "PricesRow", price=Record("Price", "The price as it is now."))
PRICES_DELETED = answer_by_row(
    "PricesDeletePayload", "PricesDeleteRow", deleted_id=Deleted("Price", "The id of the price that is gone.")
)
COMPANY = answer("CompanyPriceListsPayload", company=Record("Company", "The company as it is now."))


@inputs(like=PriceList)
class PriceListInput:
    """A price list, known by its external reference."""

    external_reference: str
    name: str
    currency: str = "RON"


@inputs(one_of=True, like=PriceList)
class PriceListKey:
    """Names one price list by one of its keys."""

    id: strawberry.ID | None = about(default=UNSET, of="PriceList")
    external_reference: str | None = UNSET


@inputs(like=Price)
class PriceInput:
    """What one product costs in one list from a day on; list and product by id, by the caller's key, or by both."""

    price_list_id: strawberry.ID | None = about("The list, by its global id.", default=UNSET, of="PriceList")
    price_list_external_reference: str | None = about("The list, by its external reference.", default=UNSET)
    product_id: strawberry.ID | None = about("The product, by its global id.", default=UNSET, of="Product")
    product_code: str | None = about("The product, by its code.", default=UNSET)
    net_price: Decimal
    valid_from: date


@inputs(one_of=True)
class PriceKey:
    """Names one price."""

    id: strawberry.ID | None = about("Its global id.", default=UNSET, of="Price")


@inputs()
class PriceListsUpsertInput(BulkChange):
    """Price lists to be added or changed."""

    price_lists: list[PriceListInput] = about("1 to 250 price lists.")


@inputs()
class PriceListsDeleteInput(BulkChange):
    """Price lists to be deleted."""

    price_lists: list[PriceListKey] = about("1 to 250 price lists.")


@inputs()
class PricesUpsertInput(BulkChange):
    """Prices to be set."""

    prices: list[PriceInput] = about("1 to 250 prices.")


@inputs()
class PricesDeleteInput(BulkChange):
    """Prices to be deleted."""

    prices: list[PriceKey] = about("1 to 250 prices.")


@inputs()
class CompanyPriceListsInput(Change):
    """The price lists that a company buys by."""

    company_id: strawberry.ID = about("The company.", of="Company")
    price_list_ids: list[strawberry.ID] = about("Exactly these lists; none: the usual prices.", of="PriceList")


@mutation(PRICE_LISTS, needs=USER)
async def price_lists_upsert(call: Call, input: PriceListsUpsertInput) -> Json:
    """Adds the price lists whose external reference is new and changes the others."""
    return await call.each(
        "priceLists",
        input.price_lists,
        lambda row: PriceListDraft(**call.filled(row)),
        lambda drafts: prices.upsert_lists(call.work, price_lists=drafts, on_error="skip"),
    )


@mutation(PRICE_LISTS_DELETED, needs=USER)
async def price_lists_delete(call: Call, input: PriceListsDeleteInput) -> Json:
    """Deletes price lists with their prices; companies buy by them no longer."""
    return await delete_rows(call, "priceLists", input.price_lists, ids_in(prices.PRICE_LISTS), prices.delete_lists)


@mutation(PRICES, needs=USER)
async def prices_upsert(call: Call, input: PricesUpsertInput) -> Json:
    """Sets prices of products in price lists from a day on."""
    return await call.each(
        "prices",
        input.prices,
        lambda row: _draft(call.filled(row)),
        lambda drafts: prices.upsert(call.work, prices=drafts, on_error="skip"),
    )


@mutation(PRICES_DELETED, needs=USER)
async def prices_delete(call: Call, input: PricesDeleteInput) -> Json:
    """Deletes single prices."""
    return await delete_rows(call, "prices", input.prices, ids_in(prices.PRICES), _delete_prices)


@mutation(COMPANY, needs=USER)
async def company_price_lists_set(call: Call, input: CompanyPriceListsInput) -> Json:
    """Lets a company buy by exactly these price lists from now on."""
    return {"company": await prices.assign(call.work, **call.values(input))}


def _draft(columns: dict[str, Any]) -> PriceDraft:
    columns["price_list_reference"] = columns.pop("price_list_external_reference", None)
    return PriceDraft(**columns)


async def _delete_prices(work: UnitOfWork, *, targets: Mapping[str, Collection[int]]) -> list[int]:
    return await prices.delete(work, price_ids=targets["id"])
