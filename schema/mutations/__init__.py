"""The root type of mutations: one module per noun, put together here."""

from types import ModuleType

from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

from schema.mutations import (
    accounts,
    batches,
    categories,
    companies,
    integrations,
    inventories,
    invoices,
    login,
    measurement_units,
    nirs,
    notifications,
    orders,
    picking,
    prices,
    production_orders,
    products,
    purchase_orders,
    returns,
    shipments,
    syncs,
    tenants,
    transfers,
    users,
    warehouses,
)

MODULES: tuple[ModuleType, ...] = (
    login,
    products,
    categories,
    measurement_units,
    companies,
    prices,
    orders,
    picking,
    shipments,
    invoices,
    nirs,
    returns,
    transfers,
    inventories,
    purchase_orders,
    production_orders,
    notifications,
    integrations,
    syncs,
    warehouses,
    batches,
    users,
    tenants,
    accounts,
)


def fields_of(module: ModuleType) -> list[StrawberryField]:
    """The mutations that a module declares."""
    return [member for member in vars(module).values() if isinstance(member, StrawberryField)]


Mutation = create_type(
    "Mutation",
    [field for module in MODULES for field in fields_of(module)],
    description="Everything that changes something. Each is one transaction: made as a whole, or refused with reasons.",
)
