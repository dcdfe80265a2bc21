"""Tenants as callers see them."""

from __future__ import annotations

from hub.models import tenants as models
from schema.planner.fields import column, reads
from schema.planner.types import Node


@reads(models.Tenant)
class Tenant(Node):
    """A company using the hub; every record belongs to exactly one."""

    slug: str = column("The first label of its host name.")
    name: str = column("Its name.")
    active: bool = column("Its users may work.")
