"""A tenant with users of every level, and callers that speak REST to it as the outside does."""

from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
from argon2 import PasswordHasher
from sqlalchemy import insert, text

from hub.auth import Authenticator
from hub.context import Level, Permission, Scope
from hub.db import Database
from hub.models.stock import Location, Warehouse
from hub.models.tenants import Tenant, User
from hub.settings import Settings
from schema.rest.app import create_rest
from tests.hub.services.stockrooms import Stockroom
from tests.hub.sync.worlds import World

PASSWORD = "a:pass word"
HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
USERS = {"admin": Level.SUPERADMINISTRATOR, "integrator": Level.USER, "plain": Level.USER, "viewer": Level.VIEWER}

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and envelope of one answer."""

    status: int
    body: Any
    headers: httpx.Headers

    @property
    def data(self) -> Any:
        """The payload of a success; anything else fails the test with the server's words."""
        assert self.status == 200, (self.status, self.body)
        assert self.body["error"] is False
        assert self.body["errorMessage"] is None
        assert self.body["status"] == 200
        return self.body["data"]

    def refused(self, status: int, words: str = "") -> str:
        """The message of a refusal with this status."""
        assert self.status == status, (self.status, self.body)
        assert set(self.body) == {"error", "errorMessage", "status", "data"}
        assert (self.body["error"], self.body["status"], self.body["data"]) == (True, status, None)
        message = str(self.body["errorMessage"])
        assert words in message, message
        return message


@dataclass(frozen=True, slots=True)
class House:
    """One tenant with MAIN (RECEPTION, A-01, A-02) and SOUTH (B-01)."""

    database: Database
    tenant_id: int
    client: httpx.AsyncClient

    @property
    def scope(self) -> Scope:
        return Scope.of_system(self.tenant_id)

    @property
    def room(self) -> Stockroom:
        """The same tenant from the inside, as the integrator."""
        return Stockroom(World(self.database, self.tenant_id, self.client.base_url.host))

    async def call(self, method: str, path: str, body: Any = None, *, user: str = "integrator") -> Answer:
        answer = await self.client.request(
            method, path, json=body, headers={"Authorization": f"Bearer {user}:{PASSWORD}"}
        )
        return Answer(answer.status_code, answer.json() if answer.content else None, answer.headers)

    async def send(
        self, method: str, path: str, content: Any = None, *, user: str = "integrator", **headers: str
    ) -> Answer:
        """A body as it is, with headers of one's own (`Content_Type`)."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {"Authorization": f"Bearer {user}:{PASSWORD}"} | named
        answer = await self.client.request(method, path, content=content, headers=sent)
        is_json = answer.headers.get("content-type") == "application/json"
        return Answer(answer.status_code, answer.json() if is_json else answer.content, answer.headers)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("POST", path, body, **options)

    async def put(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("PUT", path, body, **options)

    async def patch(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("PATCH", path, body, **options)

    async def delete(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("DELETE", path, body, **options)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def add(self, noun: str, **fields: Any) -> dict[str, Any]:
        """Add one record by its own route."""
        (added,) = (await self.put(f"/api/{noun}/add", fields)).data
        return dict(added)

    async def run(self, statement: str, **values: Any) -> None:
        async with self.database.unit_of_work(self.scope) as work:
            await work.session.execute(text(statement), values)

    async def value(self, statement: str, **values: Any) -> Any:
        async with self.database.unit_of_work(self.scope) as work:
            return (await work.session.execute(text(statement), values)).scalar()


async def open_house(database: Database) -> House:
    slug = f"shop{next(_numbers)}"
    async with database.system_work() as session:
        found = await session.execute(
            insert(Tenant).values(slug=slug, name=slug).returning(Tenant.__table__.c.id)  # type: ignore[attr-defined]
        )
        tenant_id = int(found.scalar_one())
        await session.execute(insert(User), [_user(tenant_id, id_, name) for id_, name in enumerate(USERS, start=1)])
    async with database.unit_of_work(Scope.of_system(tenant_id)) as work:
        main, south = await work.next_ids("warehouse", 2)
        tenant = {"tenant_id": tenant_id}
        await work.session.execute(
            insert(Warehouse),
            [
                tenant | {"id": main, "code": "MAIN", "name": "Main", "is_default": True},
                tenant | {"id": south, "code": "SOUTH", "name": "South", "is_default": False},
            ],
        )
        places = (("RECEPTION", main), ("A-01", main), ("A-02", main), ("B-01", south))
        ids = await work.next_ids("location", len(places))
        await work.session.execute(
            insert(Location),
            [
                tenant
                | {
                    "id": id_,
                    "code": code,
                    "name": f"Place {code}",
                    "warehouse_id": warehouse,
                    "is_inbound": code in ("RECEPTION", "B-01"),
                }
                for id_, (code, warehouse) in zip(ids, places, strict=True)
            ],
        )
    settings = Settings(base_domain="hub.test", secret_key="0" * 64)
    authenticator = Authenticator(database, secret_key="0" * 64, settings=settings)
    transport = httpx.ASGITransport(create_rest(database, authenticator, settings, {}))
    return House(database, tenant_id, httpx.AsyncClient(transport=transport, base_url=f"http://{slug}.hub.test"))


def _user(tenant_id: int, id_: int, name: str) -> dict[str, Any]:
    permissions = [permission.value for permission in Permission] if name == "integrator" else []
    return {
        "tenant_id": tenant_id,
        "id": id_,
        "username": name,
        "name": name.title(),
        "password_hash": HASH,
        "level": int(USERS[name]),
        "permissions": permissions,
    }
