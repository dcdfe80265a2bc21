"""Accounts, the logins by e-mail for the whole hub, and the tenants they work in. For operators."""

from hub.context import Level, Permission, Scope
from hub.services import accounts
from hub.services.accounts import AccountDraft
from schema.accounts import Account, find_account
from schema.answers import Json, Loaded, answer
from schema.context import Services
from schema.enums import AccessLevel, AccessPermission
from schema.inputs import about, inputs, values
from schema.writing import OPERATOR, operation

ACCOUNT = answer("AccountPayload", account=Loaded(Account | None, "The account as it is now.", find_account))
SLUG = "The tenant's slug."
PASSWORD = "At least 8 characters of any kind; kept as a hash only."


@inputs(like=Account)
class AccountAddInput:
    """An account to be made; it belongs to no tenant yet."""

    email: str
    password: str = about(PASSWORD)
    name: str = ""
    operator: bool = False


@inputs(like=Account)
class AccountJoinInput:
    """What an account may do in a tenant from now on."""

    email: str
    tenant: str = about(SLUG)
    level: AccessLevel = about("What it may do there.")
    permissions: list[AccessPermission] = about("What it may do there beyond its level.", default=[])


@inputs(like=Account)
class AccountLeaveInput:
    """An account and the tenant it shall leave."""

    email: str
    tenant: str = about(SLUG)


@inputs(like=Account)
class AccountActiveInput:
    """An account to be let in or shut out."""

    email: str
    active: bool


@inputs(like=Account)
class AccountPasswordInput:
    """A new password."""

    email: str
    password: str = about(PASSWORD)


@operation(ACCOUNT, needs=OPERATOR)
async def account_add(services: Services, scope: Scope, input: AccountAddInput) -> Json:
    """Makes an account."""
    return {"account": await accounts.add(services.database, scope, account=AccountDraft(**values(input, 0)))}


@operation(ACCOUNT, needs=OPERATOR)
async def account_join(services: Services, scope: Scope, input: AccountJoinInput) -> Json:
    """Lets an account work in a tenant, or changes what it may do there."""
    given = values(input, 0)
    level, permissions = Level(given["level"]), [Permission(name) for name in given["permissions"]]
    joined = accounts.join(
        services.database, scope, email=input.email, tenant=input.tenant, level=level, permissions=permissions
    )
    return {"account": await joined}


@operation(ACCOUNT, needs=OPERATOR)
async def account_leave(services: Services, scope: Scope, input: AccountLeaveInput) -> Json:
    """Ends an account's work in a tenant."""
    return {"account": await accounts.leave(services.database, scope, email=input.email, tenant=input.tenant)}


@operation(ACCOUNT, needs=OPERATOR)
async def account_active_set(services: Services, scope: Scope, input: AccountActiveInput) -> Json:
    """Lets an account in or shuts it out, which ends its sessions."""
    return {"account": await accounts.set_active(services.database, scope, email=input.email, active=input.active)}


@operation(ACCOUNT, needs=OPERATOR)
async def account_password_set(services: Services, scope: Scope, input: AccountPasswordInput) -> Json:
    """Replaces a password; the sessions that began with the old one end."""
    changed = accounts.set_password(services.database, scope, email=input.email, password=input.password)
    return {"account": await changed}
