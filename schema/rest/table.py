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
    orders,
    production,
    products,
    purchase_orders,
    returns,
    stock,
    transfers,
    triggers,
)
from schema.rest.routes import Route, Table

MODULES: tuple[tuple[Route[Any], ...], ...] = (
    products.ROUTES,
    stock.ROUTES,
    orders.ROUTES,
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
    triggers.ROUTES,
)

TABLE = Table(chain.from_iterable(MODULES))
