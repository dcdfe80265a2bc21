"""Tenants, their users, and the record of what was changed in their administration."""

from __future__ import annotations

from datetime import datetime

from strawberry.scalars import JSON

from hub.models import tenants as models
from schema.enums import AccessLevel, AccessPermission
from schema.planner.fields import ADMINISTRATOR, column, one, reads
from schema.planner.inputs import Ids, Moment, Text, Whole, choices, filters, ids, where
from schema.planner.types import Node, Owned, orders
from schema.scalars import Long


@choices
class AccessLevels:
    """Asks about a level."""

    eq: AccessLevel | None
    in_: list[AccessLevel] | None


TenantOrder = orders("TenantOrder", "Orders of tenants.", id="id", slug="slug")


@reads(models.Tenant, order=TenantOrder)
class Tenant(Node):
    """A company using the hub; every record belongs to exactly one."""

    slug: str = column("The first label of its host name.")
    name: str = column("Its name.")
    active: bool = column("Its users may work.")
    purchase_orders_enabled: bool = column("It uses purchase orders.")
    batch_code_format: str = column("How the batch codes of produced goods are made.")
    settings: JSON | None = column("Settings of the terminal.", by=ADMINISTRATOR)
    created_at: datetime = column("Since when it uses the hub.")


@filters
class UserFilter:
    """Which users; all questions must be answered with yes."""

    id: Ids | None = ids("User", "By global id.")
    internal_id: Whole | None = where("By the id within the tenant.", column="id")
    username: Text | None = where("By the name they log in with.")
    email: Text | None = where("By e-mail address.")
    level: AccessLevels | None = where("By level.")
    active: bool | None = where("Only active or only inactive ones.")


UserOrder = orders("UserOrder", "Orders of users.", id="id", username="username")


@reads(models.User, by=ADMINISTRATOR, filter=UserFilter, order=UserOrder)
class User(Node, Owned):
    """A login of one tenant, for REST, GraphQL and the console. Administrators see them."""

    username: str = column("The name it logs in with, unique in the tenant.")
    name: str = column("The person's name.")
    email: str | None = column("The e-mail address.")
    language: str = column("Two letters: ro, en, bg or es.")
    active: bool = column("It may log in.")
    level: AccessLevel = column("What it may do.")
    permissions: list[AccessPermission] = column("What it may do beyond its level.")
    created_at: datetime = column("When it was added.")
    updated_at: datetime = column("When it was changed last.")


@filters
class AuditEntryFilter:
    """Which entries; all questions must be answered with yes."""

    actor: Text | None = where("By who did it.")
    action: Text | None = where("By what was done.")
    subject: Text | None = where("By what it was done to.")
    occurred_at: Moment | None = where("By when it was done.")


AuditEntryOrder = orders("AuditEntryOrder", "Orders of audit entries.", id="id")


@reads(models.AuditEntry, by=ADMINISTRATOR, filter=AuditEntryFilter, order=AuditEntryOrder)
class AuditEntry(Node, Owned):
    """Who changed what in the administration of a tenant. Administrators see it."""

    actor: str = column("Who did it.")
    action: str = column("What was done.")
    subject: str = column("To what.")
    details: JSON = column("The particulars, without secrets.")
    occurred_at: datetime = column("When.")


@filters
class LegacyUsageFilter:
    """Which usage; all questions must be answered with yes."""

    user_id: Whole | None = where("By the id of the user.")
    route: Text | None = where("By the route.")
    day: Text | None = where("By the day, as in 2026-03-01.")


@reads(models.LegacyUsage, by=ADMINISTRATOR, filter=LegacyUsageFilter)
class LegacyUsage(Owned):
    """How often a user called a REST route on one day. Administrators see it."""

    user: User | None = one("user_id", "Who called.")
    user_id: Long = column("The id of the user.")
    route: str = column("Method and path.")
    day: str = column("The day, as in 2026-03-01.")
    calls: Long = column("How many calls.")
    errors: Long = column("How many of them failed.")
    last_at: datetime = column("When the last one came.")
