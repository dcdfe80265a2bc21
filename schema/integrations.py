"""The connections to external systems as administrators see them: what they ask for, what is set, never a secret."""

from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated

import strawberry
from strawberry.scalars import JSON

from hub.configuration import Setting, connector_of
from hub.context import Scope
from hub.db import UnitOfWork
from hub.errors import Invalid
from hub.queries import integrations as queries
from hub.queries.integrations import IntegrationInfo
from hub.sync import outbound_stock
from schema.context import Services
from schema.inputs import BULK
from schema.planner.ids import GlobalId
from schema.planner.types import NAMES, part
from schema.writing import Info, tenant_scope

TENANT = Annotated[
    str | None,
    strawberry.argument(description="The tenant's slug; needed only where the caller works in several tenants."),
]
FIRST = Annotated[int, strawberry.argument(description="How many levels to look at, 1 to 250.")]
CODE = Annotated[str, strawberry.argument(description="The system: GOMAG, NEXUS …")]


@strawberry.enum(description="What kind of system it is.")
class SystemType(Enum):
    ERP = strawberry.enum_value("ERP", description="Books and plans the company's resources.")
    ECOMMERCE = strawberry.enum_value("ECOMMERCE", description="A shop or a platform of shops.")
    WMS = strawberry.enum_value("WMS", description="Another warehouse system.")


@strawberry.enum(description="What a setting holds.")
class SettingKind(Enum):
    STRING = strawberry.enum_value("STRING", description="A text.")
    INT = strawberry.enum_value("INT", description="A whole number.")
    BOOLEAN = strawberry.enum_value("BOOLEAN", description="True or false.")
    CHOICE = strawberry.enum_value("CHOICE", description="One of `choices`.")
    MAP = strawberry.enum_value("MAP", description="An object of names and texts.")


@strawberry.type(description="One setting of a connection, as a form shows it.")
class IntegrationSetting:
    name: str = part("Its name in `fields`.")
    title: str = part("Its label.")
    help: str = part("What it is for.")
    kind: SettingKind = part("What it holds.")
    required: bool = part("Activation needs it.")
    required_with: str | None = part("The option that makes it required.")
    secret: bool = part("It is kept encrypted and never shown.")
    masked: bool = part("Its last four characters are shown, so that people recognise it.")
    pattern: str | None = part("The regular expression it must match.")
    default: JSON | None = part("What holds when nothing is given.")
    choices: list[str] = part("What can be chosen.")
    is_set: bool = part("It has a value; of a secret, all there is to know.")


@strawberry.type(description="One external system as it is configured in a tenant. At most one is active.")
class Integration:
    code: str = part("The system: GOMAG, NEXUS …")
    title: str = part("Its name.")
    type: SystemType = part("What kind of system it is.")
    active: bool = part("Data is exchanged with it.")
    settings: list[IntegrationSetting] = part("What it asks for, in the order of a form.")
    fields: JSON = part("The settings by name: what was given, else the default; no secrets.")
    options: JSON = part("Every option it offers by name, on or off.")
    mappings: JSON = part("Every status mapping it offers by name: an id of the external system, or null.")
    has_credentials: bool = part("The secrets that activation needs are stored.")
    missing: list[str] = part("What activation still needs.")
    last_sync_date: datetime | None = part("When a synchronisation with it last ended well.")
    activated_at: datetime | None = part("When it was activated last.")
    stopped_reason: str | None = part("Why nothing is exchanged until a person mends it; null when nothing is wrong.")
    stock_push_confirmed: bool = part("A person has agreed that stock is sent to it.")


@strawberry.type(description="A shop of a platform that has several.")
class Website:
    website_id: str = part("Its id on the platform.")
    name: str = part("Its name.")
    url: str | None = part("Its address.")
    has_token: bool = part("A token of its own is stored; it is never shown.")


@strawberry.type(description="What one product's stock would be told as.")
class StockPushLevel:
    product_id: strawberry.ID = part("The product's global id.")
    code: str = part("Its code.")
    name: str = part("Its name.")
    quantity: Decimal = part("What would be told.")
    sent: Decimal | None = part("What was told last; null when nothing was told yet.")


@strawberry.type(description="What sending all stock now would tell the active system.")
class StockPushPreview:
    products: int = part("How many products.")
    zeros: int = part("How many of them would be told as 0.")
    falling_to_zero: int = part("How many are not 0 there and would become 0.")
    levels: list[StockPushLevel] = part("Some of them, those at 0 first.")


NAMES |= {each.__name__: each for each in (Integration, Website, SystemType)}


async def _integrations(info: Info, tenant: TENANT = None) -> list[Integration] | None:
    scope, services = await tenant_scope(info, tenant), info.context.services
    found = await queries.list_integrations(services.database, scope, registry=services.registry, vault=services.vault)
    return [_shown(each) for each in found]


async def _integration(info: Info, code: CODE, tenant: TENANT = None) -> Integration | None:
    return await find_integration(info.context.services, await tenant_scope(info, tenant), code)


async def _integration_check(info: Info, tenant: TENANT = None) -> bool | None:
    return await queries.integration_check(info.context.database, await tenant_scope(info, tenant))


async def _last_sync_date(info: Info, tenant: TENANT = None) -> datetime | None:
    return await queries.last_sync_date(info.context.database, await tenant_scope(info, tenant))


async def _websites(info: Info, code: CODE, tenant: TENANT = None) -> list[Website] | None:
    return await find_websites(info.context.services, await tenant_scope(info, tenant), code)


async def _stock_push_preview(info: Info, first: FIRST = 100, tenant: TENANT = None) -> StockPushPreview | None:
    scope, services = await tenant_scope(info, tenant), info.context.services
    if not 1 <= first <= BULK:
        raise Invalid(f"must be 1 to {BULK}", field="first")

    async def look(work: UnitOfWork) -> outbound_stock.StockPreview:
        return await outbound_stock.preview(work, registry=services.registry, limit=first)

    seen = await services.database.write(scope, look)
    levels = [
        StockPushLevel(**asdict(each) | {"product_id": str(GlobalId("Product", scope.tenant_id, each.product_id))})
        for each in seen.levels
    ]
    return StockPushPreview(
        products=seen.products, zeros=seen.zeros, falling_to_zero=seen.falling_to_zero, levels=levels
    )


@strawberry.type(description="The root fields about connections.")
class IntegrationQueries:
    integrations: list[Integration] | None = strawberry.field(
        resolver=_integrations, description="All systems the hub knows, configured or not. Needs ADMINISTRATOR."
    )
    integration: Integration | None = strawberry.field(
        resolver=_integration, description="One system the hub knows, configured or not. Needs ADMINISTRATOR."
    )
    integration_check: bool | None = strawberry.field(
        resolver=_integration_check, description="Whether a connection is active. Needs VIEWER."
    )
    last_sync_date: datetime | None = strawberry.field(
        resolver=_last_sync_date,
        description="When a synchronisation last ended well; null when none ever did. Needs VIEWER.",
    )
    websites: list[Website] | None = strawberry.field(
        resolver=_websites, description="The shops that a platform told about. Needs ADMINISTRATOR."
    )
    stock_push_preview: StockPushPreview | None = strawberry.field(
        resolver=_stock_push_preview,
        description="What `stockPushConfirm` would have told to the active system. Needs ADMINISTRATOR.",
    )


async def find_integration(services: Services, scope: Scope, code: str) -> Integration:
    """One system; raises `NotFound` for an unknown code."""
    connector_of(services.registry, code)
    registry = {code: services.registry[code]}
    [found] = await queries.list_integrations(services.database, scope, registry=registry, vault=services.vault)
    return _shown(found)


async def find_websites(services: Services, scope: Scope, code: str) -> list[Website]:
    found = await queries.list_websites(services.database, scope, code=code, registry=services.registry)
    return [Website(**asdict(each)) for each in found]


def _shown(info: IntegrationInfo) -> Integration:
    return Integration(
        code=info.code,
        title=info.title,
        type=SystemType(info.type),
        active=info.active,
        settings=[_setting(setting, info) for setting in info.settings],
        fields=JSON(info.fields),
        options=JSON(info.options),
        mappings=JSON(info.mappings),
        has_credentials=info.has_credentials,
        missing=info.missing,
        last_sync_date=info.last_sync_at,
        activated_at=info.activated_at,
        stopped_reason=info.stopped_reason,
        stock_push_confirmed=info.stock_push_confirmed,
    )


def _setting(setting: Setting, info: IntegrationInfo) -> IntegrationSetting:
    is_set = info.secrets_set[setting.name] if setting.secret else info.fields.get(setting.name) is not None
    described = asdict(setting) | {"kind": SettingKind(setting.kind), "choices": list(setting.choices)}
    return IntegrationSetting(**described, is_set=is_set)
