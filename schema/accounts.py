"""What operators see of the hub itself: its tenants, and the accounts that work in them."""

from dataclasses import asdict
from datetime import datetime

import strawberry

from hub.context import Scope
from hub.queries import tenants as queries
from schema.context import Services
from schema.enums import AccessLevel
from schema.planner.ids import GlobalId
from schema.planner.types import NAMES, part
from schema.writing import Info


@strawberry.type(description="What an account may do in one tenant.")
class AccountMembership:
    tenant: str = part("The tenant's slug.")
    level: AccessLevel = part("What it may do there.")


@strawberry.type(description="A login by e-mail for the whole hub.")
class Account:
    id: strawberry.ID = part("Its id in the hub.")
    email: str = part("The e-mail address it logs in with.")
    name: str = part("The person's name.")
    active: bool = part("It may log in.")
    operator: bool = part("It manages tenants and accounts.")
    memberships: list[AccountMembership] = part("The tenants it works in.")


@strawberry.type(description="A tenant as operators see it, whether they work in it or not.")
class HubTenant:
    id: strawberry.ID = part("The global id.")
    slug: str = part("The first label of its host name.")
    name: str = part("Its name.")
    active: bool = part("Its users may work.")
    created_at: datetime = part("Since when it uses the hub.")


NAMES |= {each.__name__: each for each in (Account, HubTenant)}


async def _accounts(info: Info) -> list[Account] | None:
    return [_account(each) for each in await queries.list_accounts(info.context.database, info.context.scope)]


async def _hub_tenants(info: Info) -> list[HubTenant] | None:
    return [_tenant(each) for each in await queries.list_tenants(info.context.database, info.context.scope)]


@strawberry.type(description="The root fields for operators.")
class OperatorQueries:
    accounts: list[Account] | None = strawberry.field(
        resolver=_accounts, description="All accounts of the hub. Needs an operator."
    )
    hub_tenants: list[HubTenant] | None = strawberry.field(
        resolver=_hub_tenants, description="All tenants of the hub. Needs an operator."
    )


async def find_account(services: Services, scope: Scope, account_id: int) -> Account | None:
    known = await queries.list_accounts(services.database, scope)
    return next((_account(each) for each in known if each.id == account_id), None)


async def find_tenant(services: Services, scope: Scope, tenant_id: int) -> HubTenant | None:
    known = await queries.list_tenants(services.database, scope)
    return next((_tenant(each) for each in known if each.id == tenant_id), None)


def _account(info: queries.AccountInfo) -> Account:
    shown = asdict(info)
    levels = shown.pop("levels")
    memberships = [AccountMembership(tenant=slug, level=AccessLevel(int(level))) for slug, level in levels.items()]
    return Account(**shown | {"id": strawberry.ID(str(info.id))}, memberships=memberships)


def _tenant(info: queries.TenantInfo) -> HubTenant:
    return HubTenant(**asdict(info) | {"id": strawberry.ID(str(GlobalId("Tenant", info.id, info.id)))})
