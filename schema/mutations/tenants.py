"""Tenants, made and shut out by operators; their settings, changed by their own administrators."""

from typing import Any

from strawberry import UNSET

from hub.context import Scope
from hub.services import tenants
from hub.services.tenants import TenantDraft
from schema.accounts import HubTenant, find_tenant
from schema.answers import Json, Loaded, Record, Value, answer
from schema.context import Services
from schema.inputs import about, inputs, values
from schema.planner.fields import ADMINISTRATOR
from schema.tenants import Tenant
from schema.writing import OPERATOR, operation

NOW = Loaded(HubTenant | None, "The tenant as it is now.", find_tenant)
TENANT = answer("HubTenantPayload", tenant=NOW)
TENANT_ADDED = answer(
    "TenantAddPayload",
    tenant=NOW,
    generated_password=Value(
        str | None, "The password of its superadministrator `admin` when none was given; shown this once."
    ),
)
SETTINGS = answer("TenantSettingsPayload", tenant=Record("Tenant", "The tenant as it is now."))


@inputs(like=Tenant)
class TenantAddInput:
    """A tenant to be made."""

    slug: str
    name: str
    admin_password: str | None = about(
        "The password of its superadministrator `admin`; generated when absent.", default=UNSET
    )


@inputs(like=Tenant)
class TenantActiveInput:
    """A tenant to be let in or shut out."""

    slug: str = about(called="tenant")
    active: bool


@inputs(like=Tenant)
class TenantSettingsInput:
    """New settings of a tenant: what is absent stays."""

    tenant: str | None = about(
        "The tenant's slug; needed only where the caller works in several tenants.", default=UNSET
    )
    name: str | None = UNSET
    purchase_orders_enabled: bool | None = UNSET
    batch_code_format: str | None = UNSET


@operation(TENANT_ADDED, needs=OPERATOR)
async def tenant_add(services: Services, scope: Scope, input: TenantAddInput) -> Json:
    """Makes a tenant that is ready to work: a superadministrator, a warehouse, its locations."""
    draft: dict[str, Any] = {name: value for name, value in values(input, 0).items() if value is not None}
    made = await tenants.add(services.database, scope, tenant=TenantDraft(**draft))
    return {"tenant": made.id, "generated_password": made.generated_password}


@operation(TENANT, needs=OPERATOR)
async def tenant_active_set(services: Services, scope: Scope, input: TenantActiveInput) -> Json:
    """Lets a tenant in or shuts it out; its data stays."""
    return {"tenant": await tenants.set_active(services.database, scope, slug=input.slug, active=input.active)}


@operation(SETTINGS, needs=ADMINISTRATOR)
async def tenant_settings_update(services: Services, scope: Scope, input: TenantSettingsInput) -> Json:
    """Changes a tenant's own settings."""
    changes = values(input, scope.tenant_id)
    return {"tenant": await tenants.save_settings(services.database, scope, changes=changes)}
