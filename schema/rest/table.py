"""All routes of the REST contract, module by module."""

from itertools import chain
from typing import Any

from schema.rest import (
    categories,
    companies,
    inventories,
    measurement_units,
    metadata,
    nirs,
    notices,
    notifications,
    production,
    products,
    purchase_orders,
    returns,
    transfers,
)
from schema.rest.routes import Route, Table

MODULES: tuple[tuple[Route[Any], ...], ...] = (
    products.ROUTES,
    nirs.ROUTES,
    returns.ROUTES,
    transfers.ROUTES,
    inventories.ROUTES,
    purchase_orders.ROUTES,
    production.ROUTES,
    categories.ROUTES,
    measurement_units.ROUTES,
    companies.ROUTES,
    metadata.ROUTES,
    notifications.ROUTES,
    notices.ROUTES,
)

TABLE = Table(chain.from_iterable(MODULES))
