"""Who asks, for which tenants, with which rights: the `Scope` that every query and service receives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType

from hub.errors import NotAllowed


class Level(IntEnum):
    """The level of a user or membership; each includes those below."""

    VIEWER = 1
    USER = 2
    ADMINISTRATOR = 3
    SUPERADMINISTRATOR = 4


class Permission(StrEnum):
    """What a USER may hold beyond its level; administrators hold all of them."""

    PURCHASE_ORDER = "PURCHASE_ORDER"
    PROCESS_OUTBOUND = "PROCESS_OUTBOUND"
    PROCESS_TRANSFERS = "PROCESS_TRANSFERS"
    PROCESS_INVENTORY = "PROCESS_INVENTORY"
    PRODUCTION = "PRODUCTION"
    PROCESS_NIRS = "PROCESS_NIRS"
    PROCESS_SSCC = "PROCESS_SSCC"
    RAMP_SCANNING = "RAMP_SCANNING"


@dataclass(frozen=True, slots=True)
class Grant:
    """Level and permissions in one tenant."""

    level: Level
    permissions: frozenset[Permission] = frozenset()

    def allows(self, level: Level, permission: Permission | None = None) -> bool:
        if self.level < level:
            return False
        if permission is None or self.level >= Level.ADMINISTRATOR:
            return True
        return permission in self.permissions and (self.level >= Level.USER or level == Level.VIEWER)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a tenant's `user`, an `account`, or the `system` itself (name = the job or connector)."""

    kind: str
    id: int | None
    name: str


SYSTEM = Actor(kind="system", id=None, name="system")


@dataclass(frozen=True, slots=True)
class Scope:
    """The tenants a caller works in (tenant id → grant), the actor, the operator flag and the request's id."""

    tenants: Mapping[int, Grant]
    actor: Actor = SYSTEM
    operator: bool = False
    expires_at: int = 0
    """When the session behind it ends, in Unix seconds; 0 where there is none."""
    credential_version: int = 0
    """Which of the actor's passwords it came with, so that a change of password ends what began before it."""
    _key: str = field(default="", compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tenants", MappingProxyType(dict(sorted(self.tenants.items()))))
        object.__setattr__(self, "_key", ",".join(map(str, self.tenants)))

    @classmethod
    def of_system(cls, tenant_id: int, name: str = "system") -> "Scope":
        """The scope in which jobs work on one tenant."""
        grant = Grant(Level.SUPERADMINISTRATOR)
        return cls(tenants={tenant_id: grant}, actor=Actor("system", None, name))

    @property
    def key(self) -> str:
        """The tenants as the database setting `hub.tenants` wants them: ids joined by commas."""
        return self._key

    @property
    def tenant_id(self) -> int:
        """The one tenant; raises `NotAllowed` when the scope has several or none."""
        if len(self.tenants) != 1:
            raise NotAllowed(
                "this needs exactly one tenant",
                field="tenant",
                hint="use the tenant's host or name the tenant",
            )
        return next(iter(self.tenants))

    def allows(self, level: Level, permission: Permission | None = None) -> bool:
        """True when every tenant of the scope grants it."""
        return bool(self.tenants) and all(grant.allows(level, permission) for grant in self.tenants.values())

    def require(self, level: Level, permission: Permission | None = None) -> None:
        """Raise `NotAllowed` unless every tenant of the scope grants it."""
        if not self.allows(level, permission):
            needed = level.name if permission is None else f"{level.name} with {permission.value}"
            raise NotAllowed("Insufficient permissions", hint=f"needs {needed}")

    def require_operator(self) -> None:
        """Raise `NotAllowed` unless the caller manages the hub itself."""
        if not self.operator:
            raise NotAllowed("Insufficient permissions", hint="needs an operator")

    def narrow(self, tenant_id: int) -> "Scope":
        """The same actor in one of its tenants; raises `NotAllowed` for a foreign one."""
        return self.within([tenant_id])

    def within(self, tenant_ids: Iterable[int]) -> "Scope":
        """The same actor in these of its tenants only; raises `NotAllowed` for a foreign one."""
        grants = {tenant_id: self.tenants.get(tenant_id) for tenant_id in tenant_ids}
        kept = {tenant_id: grant for tenant_id, grant in grants.items() if grant is not None}
        if len(kept) < len(grants):
            raise NotAllowed("Insufficient permissions", field="tenant")
        return Scope(kept, self.actor, self.operator, self.expires_at, self.credential_version)
