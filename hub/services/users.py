"""The logins of one tenant: who they are, what they may do, their passwords. ADMINISTRATOR.

Nobody gives or touches a level above their own, and a tenant never loses its last superadministrator.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy import update as update_rows
from sqlmodel import col

from hub import changes as directory
from hub import passwords
from hub.context import Level, Permission
from hub.db import UnitOfWork
from hub.errors import Conflict, Invalid, NotAllowed, NotFound
from hub.models.tenants import User
from hub.services import audit
from hub.services.values import text

LANGUAGES = ("ro", "en", "bg", "es")
EDITABLE = ("username", "name", "email", "language", "active", "level", "permissions")

_EMAIL = re.compile(r"[^\s@:,;<>]+@[^\s@:,;<>]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDraft:
    """A login to be made; permissions count for level USER, administrators hold all of them anyway."""

    username: str
    password: str
    level: Level
    permissions: frozenset[Permission] = frozenset()
    name: str = ""
    email: str | None = None
    language: str = "ro"


async def add(work: UnitOfWork, *, user: UserDraft) -> int:
    """Make a login; its id."""
    work.scope.require(Level.ADMINISTRATOR)
    values = _checked({name: getattr(user, name) for name in EDITABLE if name != "active"})
    _require_level(work, user.level)
    user_id = await work.next_id("user")
    row = {"tenant_id": work.tenant_id, "id": user_id, "active": True, **values}
    password_hash = await passwords.hashed(user.password)
    await work.session.execute(insert(User).values(password_hash=password_hash, **row))
    await _tell(work, "user.add", user_id, user.username, {name: values[name] for name in ("level", "permissions")})
    return user_id


async def update(work: UnitOfWork, *, user_id: int, changes: Mapping[str, Any]) -> int:
    """Give a login new values for the columns named; switching it off ends its sessions."""
    work.scope.require(Level.ADMINISTRATOR)
    values = _checked(changes)
    user = await _locked(work, user_id)
    _require_level(work, Level(values.get("level", user.level)))
    if values.get("active") is False:
        values["credential_version"] = user.credential_version + 1
    await _store(work, user_id, values)
    await _keep_one_superadministrator(work)
    shown = {name: value for name, value in values.items() if name in EDITABLE}
    await _tell(work, "user.update", user_id, user.username, shown)
    return user_id


async def set_password(work: UnitOfWork, *, user_id: int, password: str) -> int:
    """Replace a password; the sessions that began with the old one end."""
    work.scope.require(Level.ADMINISTRATOR)
    password_hash = await passwords.hashed(password)
    user = await _locked(work, user_id)
    values = {"password_hash": password_hash, "credential_version": user.credential_version + 1}
    await _store(work, user_id, values)
    await _tell(work, "user.password", user_id, user.username)
    return user_id


async def find_id(work: UnitOfWork, *, username: str) -> int:
    """The id of a login by its name; raises `NotFound`."""
    query = select(col(User.id)).where(col(User.tenant_id) == work.tenant_id, col(User.username) == username)
    found: int | None = (await work.session.execute(query)).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no user {username}", field="username")
    return found


def checked_email(email: Any) -> str:
    """An e-mail address good enough to tell people apart; raises `Invalid`."""
    if not _EMAIL.fullmatch(text(email, field="email", longest=255)):
        raise Invalid("must be an e-mail address", field="email")
    return str(email)


def checked_permissions(permissions: Any) -> list[str]:
    """The names of known permissions, sorted; raises `Invalid`."""
    for name in permissions:
        if name not in frozenset(Permission):
            raise Invalid(f"there is no permission {name}", field="permissions", hint=", ".join(Permission))
    return sorted({Permission(name).value for name in permissions})


def checked_level(level: Any) -> int:
    try:
        return int(Level(level))
    except ValueError:
        raise Invalid("is not a level", field="level", hint=", ".join(Level.__members__)) from None


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as the table holds them; absent columns stay absent."""
    for name, value in values.items():
        if name not in EDITABLE:
            raise Invalid("cannot be changed", field=name)
        if value is None and name != "email":
            raise Invalid("is mandatory and cannot be cleared", field=name)
    checked = dict(values)
    if "username" in checked:
        text(checked["username"], field="username", longest=255, blank=False)
        if ":" in checked["username"]:
            raise Invalid("must not contain a colon", field="username")
    if "name" in checked:
        text(checked["name"], field="name", longest=255)
    if checked.get("email") is not None:
        checked_email(checked["email"])
    if "language" in checked and checked["language"] not in LANGUAGES:
        raise Invalid(f"must be one of {', '.join(LANGUAGES)}", field="language")
    if "active" in checked and not isinstance(checked["active"], bool):
        raise Invalid("must be true or false", field="active")
    if "level" in checked:
        checked["level"] = checked_level(checked["level"])
    if "permissions" in checked:
        checked["permissions"] = checked_permissions(checked["permissions"])
    return checked


def _require_level(work: UnitOfWork, level: Level) -> None:
    if not work.scope.allows(level):
        raise NotAllowed("Insufficient permissions", field="level", hint=f"needs {level.name}")


async def _locked(work: UnitOfWork, user_id: int) -> User:
    """The login, and with it all superadministrators, so that two of them cannot switch each other off."""
    mine = col(User.tenant_id) == work.tenant_id
    heads = select(col(User.id)).where(mine, col(User.level) == Level.SUPERADMINISTRATOR)
    await work.session.execute(heads.order_by(col(User.id)).with_for_update())
    query = select(User).where(mine, col(User.id) == user_id).with_for_update()
    user: User | None = (await work.session.execute(query)).scalar_one_or_none()
    if user is None:
        raise NotFound(f"there is no user {user_id}", field="userId")
    _require_level(work, Level(user.level))
    return user


async def _store(work: UnitOfWork, user_id: int, values: Mapping[str, Any]) -> None:
    row = update_rows(User).where(col(User.tenant_id) == work.tenant_id, col(User.id) == user_id)
    await work.session.execute(row.values(**values, updated_at=datetime.now(UTC)))


async def _keep_one_superadministrator(work: UnitOfWork) -> None:
    query = select(func.count()).where(
        col(User.tenant_id) == work.tenant_id,
        col(User.level) == Level.SUPERADMINISTRATOR,
        col(User.active),
    )
    if not (await work.session.execute(query)).scalar_one():
        raise Conflict("the tenant would lose its last active superadministrator", hint="appoint another one first")


async def _tell(
    work: UnitOfWork, action: str, user_id: int, username: str, details: Mapping[str, Any] | None = None
) -> None:
    directory.announce_after_commit(work.session)
    await audit.record(work, action, username, {"userId": user_id, **(details or {})})
