"""The one mutation for callers without credentials: a session in exchange for login and password."""

from datetime import datetime
from typing import Annotated

import strawberry

from hub.auth import LoginToken
from schema.context import RequestContext
from schema.enums import AccessLevel, AccessPermission
from schema.inputs import about, inputs
from schema.planner.ids import GlobalId
from schema.planner.types import part
from schema.writing import Info


@inputs()
class LoginInput:
    """Who wants to work: a user of the host's tenant, or an account by its e-mail address."""

    login: str = about("The username, or the e-mail address of an account.")
    password: str = about("The password.")


@strawberry.type(description="A tenant in which the session's owner works.")
class LoginTenant:
    id: strawberry.ID = part("The global id.")
    slug: str = part("The first label of its host name.")
    name: str = part("Its name.")
    level: AccessLevel = part("What the owner may do there.")
    permissions: list[AccessPermission] = part("What the owner may do there beyond the level.")


@strawberry.type(description="A session.")
class LoginPayload:
    token: str = part("Send it as `Authorization: Bearer …`, or in `connection_init` of a WebSocket.")
    expires_at: datetime = part("When the session ends.")
    username: str = part("Who logged in.")
    operator: bool = part("The owner manages tenants and accounts.")
    tenants: list[LoginTenant] = part("The tenants that the owner works in on this host.")


async def login(
    info: Info, input: Annotated[LoginInput, strawberry.argument(description="Login and password.")]
) -> LoginPayload | None:
    context: RequestContext = info.context
    session = await context.services.authenticator.login(
        host=context.peer.host, login=input.login, password=input.password, address=context.peer.address
    )
    return LoginPayload(
        token=session.token,
        expires_at=session.expires_at,
        username=session.scope.actor.name,
        operator=session.scope.operator,
        tenants=await _tenants(context, session),
    )


async def _tenants(context: RequestContext, session: LoginToken) -> list[LoginTenant]:
    ids = list(session.scope.tenants)
    async with context.database.reading(session.scope) as connection:
        rows = await connection.fetch("SELECT id, slug, name FROM tenants WHERE id = ANY ($1) ORDER BY slug", ids)
    tenants = []
    for row in rows:
        grant = session.scope.tenants[row["id"]]
        permissions = [AccessPermission(name.value) for name in sorted(grant.permissions)]
        id_ = strawberry.ID(str(GlobalId("Tenant", row["id"], row["id"])))
        level = AccessLevel(int(grant.level))
        tenants.append(LoginTenant(id=id_, slug=row["slug"], name=row["name"], level=level, permissions=permissions))
    return tenants


LOGIN = strawberry.mutation(
    resolver=login,
    description="Starts a session of some hours. The only mutation that needs no credentials; wrong ones are an error "
    "with the code `UNAUTHENTICATED`.",
)
