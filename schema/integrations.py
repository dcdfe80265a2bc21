"""The connections to external systems as administrators see them: what they ask for, what is set, never a secret."""

from dataclasses import asdict
from datetime import datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from strawberry.scalars import JSON

from hub.configuration import Setting, connector_of
from hub.context import Scope
from hub.queries import integrations as queries
from hub.queries.integrations import IntegrationInfo
from schema.context import Services
from schema.planner.types import NAMES
from schema.writing import Info, tenant_scope

TENANT = Annotated[
    str | None,
    strawberry.argument(description="The tenant's slug; needed only where the caller works in several tenants."),
]
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


def told(description: str) -> Any:
    return strawberry.field(description=description)


@strawberry.type(description="One setting of a connection, as a form shows it.")
class IntegrationSetting:
    name: str = told("Its name in `fields`.")
    title: str = told("Its label.")
    help: str = told("What it is for.")
    kind: SettingKind = told("What it holds.")
    required: bool = told("Activation needs it.")
    required_with: str | None = told("The option that makes it required.")
    secret: bool = told("It is kept encrypted and never shown.")
    masked: bool = told("Its last four characters are shown, so that people recognise it.")
    pattern: str | None = told("The regular expression it must match.")
    default: JSON | None = told("What holds when nothing is given.")
    choices: list[str] = told("What can be chosen.")
    is_set: bool = told("It has a value; of a secret, all there is to know.")


@strawberry.type(description="One external system as it is configured in a tenant. At most one is active.")
class Integration:
    code: str = told("The system: GOMAG, NEXUS …")
    title: str = told("Its name.")
    type: SystemType = told("What kind of system it is.")
    active: bool = told("Data is exchanged with it.")
    settings: list[IntegrationSetting] = told("What it asks for, in the order of a form.")
    fields: JSON = told("The settings by name: what was given, else the default; no secrets.")
    options: JSON = told("Every option it offers by name, on or off.")
    mappings: JSON = told("Every status mapping it offers by name: an id of the external system, or null.")
    has_credentials: bool = told("The secrets that activation needs are stored.")
    missing: list[str] = told("What activation still needs.")
    last_sync_date: datetime | None = told("When a synchronisation with it last ended well.")
    activated_at: datetime | None = told("When it was activated last.")
    stopped_reason: str | None = told("Why nothing is exchanged until a person mends it; null when nothing is wrong.")
    stock_push_confirmed: bool = told("A person has agreed that stock is sent to it.")


@strawberry.type(description="A shop of a platform that has several.")
class Website:
    website_id: str = told("Its id on the platform.")
    name: str = told("Its name.")
    url: str | None = told("Its address.")
    has_token: bool = told("A token of its own is stored; it is never shown.")


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
