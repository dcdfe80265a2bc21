"""All routes of the REST contract, module by module."""

from itertools import chain
from typing import Any

from schema.rest import inventories, notices, notifications, production, purchase_orders, transfers
from schema.rest.routes import Route, Table

MODULES: tuple[tuple[Route[Any], ...], ...] = (
    transfers.ROUTES,
    inventories.ROUTES,
    purchase_orders.ROUTES,
    production.ROUTES,
    notifications.ROUTES,
    notices.ROUTES,
)

TABLE = Table(chain.from_iterable(MODULES))
