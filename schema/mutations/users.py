"""The logins of a tenant: who they are, what they may do, their passwords."""

from typing import Any

import strawberry
from strawberry import UNSET

from hub.context import Level, Permission
from hub.services import users
from hub.services.users import UserDraft
from schema.answers import Json, Record, answer
from schema.enums import AccessLevel, AccessPermission
from schema.inputs import about, inputs
from schema.planner.fields import ADMINISTRATOR
from schema.tenants import User
from schema.writing import Call, Change, mutation

USER = answer("UserPayload", user=Record("User", "The login as it is now."))
PASSWORD = "At least 8 characters of any kind; kept as a hash only."


@inputs(like=User)
class UserInput:
    """A login of the tenant."""

    username: str
    level: AccessLevel
    permissions: list[AccessPermission] = about(default=[])
    name: str = ""
    email: str | None = UNSET
    language: str = "ro"


@inputs()
class UserAddInput(Change, UserInput):
    """A login to be made."""

    password: str = about(PASSWORD)


@inputs(like=User, changes=UserInput)
class UserUpdateInput(Change):
    """New values of a login: what is absent stays."""

    id: strawberry.ID = about("The login.", of="User", called="userId")
    active: bool | None = UNSET


@inputs()
class UserPasswordInput(Change):
    """A new password."""

    id: strawberry.ID = about("The login.", of="User", called="userId")
    password: str = about(PASSWORD)


@mutation(USER, needs=ADMINISTRATOR)
async def user_add(call: Call, input: UserAddInput) -> Json:
    """Makes a login; nobody gives more than they have themselves."""
    columns = call.filled(input)
    rights: dict[str, Any] = {
        "level": Level(columns["level"]),
        "permissions": frozenset(Permission(name) for name in columns["permissions"]),
    }
    return {"user": await users.add(call.work, user=UserDraft(**columns | rights))}


@mutation(USER, needs=ADMINISTRATOR)
async def user_update(call: Call, input: UserUpdateInput) -> Json:
    """Changes a login; switching it off ends its sessions."""
    changes = call.values(input)
    return {"user": await users.update(call.work, user_id=changes.pop("id"), changes=changes)}


@mutation(USER, needs=ADMINISTRATOR)
async def user_password_set(call: Call, input: UserPasswordInput) -> Json:
    """Replaces a password; the sessions that began with the old one end."""
    given = call.values(input)
    return {"user": await users.set_password(call.work, user_id=given["id"], password=given["password"])}
