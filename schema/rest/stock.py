"""`/api/stock`: what remains of products, in all, by location, and item by item."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, NotRequired, TypedDict

from pydantic import model_validator

from hub.errors import NotFound
from hub.queries.stock_reports import (
    DIRECTIONS,
    SORTED_BY,
    get_remaining_stock,
    list_stock,
    list_stock_items,
)
from schema.rest.answers import bare, listing
from schema.rest.kinds import ChoiceKind
from schema.rest.requests import LARGEST_PAGE, Request
from schema.rest.routes import RestCall, Route
from schema.rest.values import Flag, Listed, Long, PageIndex, PageSize, ShortText, Text


class StockResponse(TypedDict):
    """What remains of a product; the location only when it is asked for."""

    productId: int
    productName: str
    productCode: str
    remainingQuantity: Decimal
    locationCode: NotRequired[str]
    locationName: NotRequired[str]


class DetailedStockResponse(TypedDict):
    """One stock item."""

    productId: int
    productName: str
    productCode: str
    sku: str | None
    warehouseId: int
    warehouseCode: str
    locationCode: str
    locationName: str
    stockBatchId: int | None
    stockBatchCode: str | None
    productionDate: date | None
    expirationDate: date | None
    serialNumber: str | None
    ssccCode: str | None
    quantity: Decimal
    reservedQuantity: Decimal
    freeQuantity: Decimal
    purchasePrice: Decimal | None


class PagedStockResponse(TypedDict):
    content: list[StockResponse]
    totalElements: int
    totalPages: int
    size: int
    number: int


class PagedDetailedStockResponse(TypedDict):
    content: list[DetailedStockResponse]
    totalElements: int
    totalPages: int
    size: int
    number: int


class CheckStockClientRequest(Request):
    source: ShortText | None = None
    includeReservations: Flag = False
    location: Flag = False


class GetStocksRequest(Request):
    """`isActive` absent: active products only; null: all."""

    includeReservations: Flag = False
    isActive: Flag | None = True
    location: Flag = False

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {name: value for name, value in data.items() if value is not None or name == "isActive"}


class StockPage(Request):
    page: PageIndex = 0
    size: PageSize = 10

    @property
    def rows(self) -> int:
        return min(self.size, LARGEST_PAGE)


class DetailedStockPage(StockPage):
    size: PageSize = 50
    sortBy: Annotated[str, ChoiceKind(tuple(SORTED_BY))] = "productName"
    sortDirection: Annotated[str, ChoiceKind(tuple(DIRECTIONS), folded=True)] = "asc"


class DetailedStockRequest(Request):
    productIds: Listed[Long] = []
    models: Listed[Text] = []
    warehouseIds: Listed[Long] = []
    locationCodes: Listed[Text] = []


async def remaining_stock(call: RestCall[CheckStockClientRequest]) -> bytes:
    product_id, wanted = call.path["productId"], call.body
    async with call.database.reading(call.scope) as connection:
        found = await get_remaining_stock(
            connection,
            call.scope.tenant_id,
            product_id,
            physical=wanted.includeReservations,
            by_location=wanted.location,
        )
    if found is None:
        raise NotFound(f"no product has the id {product_id}", field="productId")
    return found.encode()


async def all_stock(call: RestCall[GetStocksRequest]) -> bytes:
    wanted = call.body
    async with call.database.reading(call.scope) as connection:
        found = await list_stock(
            connection,
            call.scope.tenant_id,
            page=call.query.page,
            size=call.query.rows,
            active=wanted.isActive,
            physical=wanted.includeReservations,
            by_location=wanted.location,
        )
    return found.encode()


async def detailed_report(call: RestCall[DetailedStockRequest]) -> bytes:
    wanted, page = call.body, call.query
    async with call.database.reading(call.scope) as connection:
        found = await list_stock_items(
            connection,
            call.scope.tenant_id,
            page=page.page,
            size=page.rows,
            sort_by=page.sortBy,
            direction=page.sortDirection,
            product_ids=wanted.productIds,
            codes=wanted.models,
            warehouse_ids=wanted.warehouseIds,
            location_codes=wanted.locationCodes,
        )
    return found.encode()


ROUTES: tuple[Route[Any], ...] = (
    Route(
        "POST",
        "/api/stock/remaining-stock/{productId:long}",
        "The available stock of a product",
        remaining_stock,
        listing(StockResponse),
        body=CheckStockClientRequest,
        replaced_by="product",
        body_optional=True,
        description="`includeReservations` false: the free quantity; true: everything that is there.",
    ),
    Route(
        "POST",
        "/api/stock/all",
        "Paginated listing of stocks",
        all_stock,
        bare(PagedStockResponse),
        body=GetStocksRequest,
        replaced_by="products",
        body_optional=True,
        query=StockPage,
    ),
    Route(
        "POST",
        "/api/stock/detailed-report",
        "Detailed stock report, one row per stock item",
        detailed_report,
        bare(PagedDetailedStockResponse),
        body=DetailedStockRequest,
        replaced_by="stock",
        body_optional=True,
        query=DetailedStockPage,
    ),
)
