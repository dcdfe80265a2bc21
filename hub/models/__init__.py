"""SQLModel tables, one file per noun. `tenant_id` leads every key."""

from sqlmodel import SQLModel

from hub.models import companies, integrations, movements, nirs, orders, products, search, stock, syncs, tenants

metadata = SQLModel.metadata

__all__ = [
    "companies",
    "integrations",
    "metadata",
    "movements",
    "nirs",
    "orders",
    "products",
    "search",
    "stock",
    "syncs",
    "tenants",
]
