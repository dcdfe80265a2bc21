"""One sample of each mutation: an input that is accepted once its stage is set, and what to ask of the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from hub.services.values import camel
from tests.schema.mutations import stages
from tests.schema.mutations.desks import Desk

Input = dict[str, Any]
Prepare = Callable[[Desk], Awaitable[Input]]


@dataclass(frozen=True, slots=True)
class Sample:
    """`prepare` sets the stage and returns the input; `answer` is a selection of which nothing may be null."""

    prepare: Prepare
    answer: str


SAMPLES: dict[str, Sample] = {}
LAMP = {"name": "Lamp", "code": "LAMP"}
GONE = "deletedId"
numbers = count(1)


def sample(answer: str) -> Callable[[Prepare], Prepare]:
    """The function's name is the mutation's."""

    def declare(prepare: Prepare) -> Prepare:
        SAMPLES[camel(prepare.__name__)] = Sample(prepare, answer)
        return prepare

    return declare


def rows(selection: str) -> str:
    return f"results {{ index effect {selection} }}"


@sample("product { id code name }")
async def product_add(desk: Desk) -> Input:
    return LAMP | {"categoryId": await stages.category(desk), "measurementUnitId": await stages.unit(desk)}


@sample("product { name code }")
async def product_update(desk: Desk) -> Input:
    return {"product": {"id": await stages.product(desk)}, "name": "Changed", "sku": None}


@sample(GONE)
async def product_delete(desk: Desk) -> Input:
    return {"product": {"id": await stages.product(desk)}}


@sample(rows("product { code }"))
async def products_add(desk: Desk) -> Input:
    return {"products": [LAMP, {"name": "Bulb", "code": "BULB"}]}


@sample(rows("product { code name }"))
async def products_update(desk: Desk) -> Input:
    await stages.product(desk)
    return {"products": [{"product": {"code": "LAMP"}, "name": "Changed"}]}


@sample(rows("product { code name }"))
async def products_upsert(desk: Desk) -> Input:
    await stages.product(desk)
    return {"products": [{"code": "LAMP", "name": "Changed"}, {"code": "BULB", "name": "New"}]}


@sample(rows(GONE))
async def products_delete(desk: Desk) -> Input:
    await stages.product(desk)
    return {"products": [{"code": "LAMP"}]}


@sample("category { id name }")
async def category_add(desk: Desk) -> Input:
    return {"name": "Lighting"}


@sample("category { name }")
async def category_update(desk: Desk) -> Input:
    return {"category": {"id": await stages.category(desk)}, "name": "Changed"}


@sample(GONE)
async def category_delete(desk: Desk) -> Input:
    await stages.category(desk)
    return {"category": {"externalReference": "g-1"}}


@sample(rows("category { name }"))
async def categories_add(desk: Desk) -> Input:
    return {"categories": [{"name": "One"}, {"name": "Two"}]}


@sample(rows("category { name }"))
async def categories_update(desk: Desk) -> Input:
    return {"categories": [{"category": {"id": await stages.category(desk)}, "name": "Changed"}]}


@sample(rows(GONE))
async def categories_delete(desk: Desk) -> Input:
    return {"categories": [{"id": await stages.category(desk)}]}


@sample("measurementUnit { id code }")
async def measurement_unit_add(desk: Desk) -> Input:
    return {"name": "Pieces", "code": "PCS"}


@sample("measurementUnit { name }")
async def measurement_unit_update(desk: Desk) -> Input:
    await stages.unit(desk)
    return {"measurementUnit": {"code": "PCS"}, "name": "Changed"}


@sample(GONE)
async def measurement_unit_delete(desk: Desk) -> Input:
    return {"measurementUnit": {"id": await stages.unit(desk)}}


@sample(rows("measurementUnit { code }"))
async def measurement_units_add(desk: Desk) -> Input:
    return {"measurementUnits": [{"name": "Pieces", "code": "PCS"}]}


@sample(rows("measurementUnit { name }"))
async def measurement_units_update(desk: Desk) -> Input:
    return {"measurementUnits": [{"measurementUnit": {"id": await stages.unit(desk)}, "name": "Changed"}]}


@sample(rows(GONE))
async def measurement_units_delete(desk: Desk) -> Input:
    return {"measurementUnits": [{"id": await stages.unit(desk)}]}


@sample("company { id name type }")
async def company_add(desk: Desk) -> Input:
    return {"name": "Atelier Verde", "type": "BOTH", "creditLimit": "1000", "paymentDays": 30}


@sample("company { name }")
async def company_update(desk: Desk) -> Input:
    await stages.company(desk)
    return {"company": {"externalReference": "c-1"}, "name": "Changed", "cui": None}


@sample(GONE)
async def company_delete(desk: Desk) -> Input:
    return {"company": {"id": await stages.company(desk)}}


@sample(rows("company { name }"))
async def companies_add(desk: Desk) -> Input:
    return {"companies": [{"name": "One"}, {"name": "Two", "type": "SUPPLIER"}]}


@sample(rows("company { name }"))
async def companies_update(desk: Desk) -> Input:
    return {"companies": [{"company": {"id": await stages.company(desk)}, "name": "Changed"}]}


@sample(rows("company { name type }"))
async def companies_upsert(desk: Desk) -> Input:
    await stages.company(desk)
    return {
        "companies": [{"externalReference": "c-1", "segment": "gold"}, {"externalReference": "c-2", "name": "New one"}]
    }


@sample(rows(GONE))
async def companies_delete(desk: Desk) -> Input:
    return {"companies": [{"id": await stages.company(desk)}]}


@sample("company { blocks { nodes { type reason } } }")
async def company_block(desk: Desk) -> Input:
    return {"company": {"id": await stages.company(desk)}, "type": "credit", "reason": "unpaid"}


@sample("company { blocks { nodes { releasedAt } } }")
async def company_unblock(desk: Desk) -> Input:
    company_id = await stages.company(desk)
    await desk.made("companyBlock", {"company": {"id": company_id}, "type": "credit"})
    return {"company": {"id": company_id}}


@sample(rows("priceList { name currency }"))
async def price_lists_upsert(desk: Desk) -> Input:
    await stages.price_list(desk)
    lists = [{"externalReference": "wholesale", "name": "Changed"}, {"externalReference": "new", "name": "New"}]
    return {"priceLists": lists}


@sample(rows(GONE))
async def price_lists_delete(desk: Desk) -> Input:
    await stages.price_list(desk)
    return {"priceLists": [{"externalReference": "wholesale"}]}


@sample(rows("price { netPrice product { code } }"))
async def prices_upsert(desk: Desk) -> Input:
    await stages.price_list(desk)
    await stages.product(desk)
    row = {"priceListExternalReference": "wholesale", "productCode": "LAMP", "netPrice": "9.99"}
    return {"prices": [row | {"validFrom": "2026-01-01"}]}


@sample(rows(GONE))
async def prices_delete(desk: Desk) -> Input:
    return {"prices": [{"id": await stages.price(desk)}]}


@sample("company { priceLists { priceList { name } } }")
async def company_price_lists_set(desk: Desk) -> Input:
    return {"companyId": await stages.company(desk), "priceListIds": [await stages.price_list(desk)]}
