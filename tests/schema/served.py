"""A hub that answers on a port of this machine, and callers that speak to it as the outside does."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn
import websockets
from argon2 import PasswordHasher
from sqlalchemy import insert, text
from sqlmodel import col

from hub.cli.serve import server_config
from hub.context import Level
from hub.models.tenants import Account, Membership, User
from hub.settings import Settings
from schema.app import create_app
from schema.context import Services
from tests.hub.services.stockrooms import Stockroom, new_stockroom

PASSWORD = "a:pass word"
HASH = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
LEVELS = {"admin": Level.SUPERADMINISTRATOR, "clerk": Level.USER, "viewer": Level.VIEWER}
PROTOCOL = websockets.Subprotocol("graphql-transport-ws")
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Served:
    """One tenant with users of several levels, and the hub that serves it."""

    services: Services
    room: Stockroom
    port: int

    @property
    def slug(self) -> str:
        return self.room.world.slug

    @property
    def tenant_id(self) -> int:
        return self.room.tenant_id

    @property
    def host(self) -> str:
        return f"{self.slug}.localhost"

    def http(self, user: str | None = "admin", host: str | None = None) -> httpx.AsyncClient:
        headers = {"Host": host or self.host} | ({"Authorization": self.bearer(user)} if user else {})
        return httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)

    def bearer(self, user: str) -> str:
        return f"Bearer {user}:{PASSWORD}"

    async def ask(self, query: str, *, user: str | None = "admin", **variables: Any) -> Any:
        """The data of a query; errors fail the test."""
        async with self.http(user) as http:
            body = (await http.post("/graphql", json={"query": query, "variables": variables})).json()
        assert "errors" not in body, body
        return body["data"]

    @asynccontextmanager
    async def connected(
        self, *, protocol: str = PROTOCOL, domain: str | None = None, **options: Any
    ) -> AsyncIterator["Socket"]:
        """A socket that has not said anything yet."""
        async with websockets.connect(
            f"ws://{domain or self.host}:{self.port}/graphql",
            host="127.0.0.1",
            subprotocols=[websockets.Subprotocol(protocol)],
            compression=None,
            **options,
        ) as connection:
            yield Socket(connection)

    @asynccontextmanager
    async def socket(self, user: str | None = "admin", **options: Any) -> AsyncIterator["Socket"]:
        """A socket after its handshake."""
        async with self.connected(**options) as opened:
            await opened.send(type="connection_init", payload={"authorization": self.bearer(user)} if user else {})
            assert (await opened.told())["type"] == "connection_ack"
            yield opened

    @asynccontextmanager
    async def events(self, query: str, *, user: str = "admin", **variables: Any) -> AsyncIterator[AsyncIterator[Any]]:
        """The payloads of a stream over SSE as they come; None when the hub says that it is complete."""
        request = {"query": query, "variables": variables}
        headers = {"Accept": "text/event-stream"}
        async with self.http(user) as http, http.stream("POST", "/graphql", json=request, headers=headers) as answer:
            assert answer.status_code == 200
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            assert answer.headers["Cache-Control"] == "no-store" and answer.headers["X-Accel-Buffering"] == "no"
            assert answer.headers["X-Request-Id"]
            yield payloads(answer)

    async def eventually_followed_by(self, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while True:
                if self.services.feed.followers == count:
                    return
                await asyncio.sleep(0.02)

    async def change_user(self, name: str, **columns: Any) -> None:
        """As another process does it: nobody here is told."""
        sets = ", ".join(f"{column} = :{column}" for column in columns)
        async with self.room.database.system_work() as session:
            await session.execute(
                text(f"UPDATE users SET {sets} WHERE tenant_id = :tenant AND username = :name"),
                columns | {"tenant": self.tenant_id, "name": name},
            )


async def payloads(answer: httpx.Response) -> AsyncIterator[Any]:
    kind = ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(":")
        if field == "event":
            kind = value.strip()
        elif field == "data":
            yield json.loads(value) if kind == "next" else None


async def within(stream: AsyncIterator[Any]) -> Any:
    """What comes next, if it comes in time."""
    async with asyncio.timeout(PATIENCE):
        return await anext(stream)


@dataclass(frozen=True, slots=True)
class Socket:
    """The client's end of a WebSocket."""

    connection: websockets.ClientConnection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def subscribe(self, query: str, *, operation: str = "1", **variables: Any) -> None:
        await self.send(id=operation, type="subscribe", payload={"query": query, "variables": variables})

    async def told(self) -> dict[str, Any]:
        """The next message."""
        async with asyncio.timeout(PATIENCE):
            message: dict[str, Any] = json.loads(await self.connection.recv())
        return message

    async def next(self) -> Any:
        """The payload of the next answer of a subscription."""
        message = await self.told()
        assert message["type"] == "next", message
        return message["payload"]

    async def data(self) -> Any:
        """The one field of the next answer; errors fail the test."""
        payload = await self.next()
        assert "errors" not in payload, payload
        [value] = payload["data"].values()
        return value

    async def closed(self) -> int:
        """The code with which the hub closes the socket; what it says before that is not looked at."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self.connection.recv()
            except websockets.ConnectionClosed as closed:
                assert closed.rcvd is not None
                return int(closed.rcvd.code)


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[tuple[Services, int]]:
    """The API as `hub serve` runs it; the services of the process and its port."""
    app: Any = create_app(settings)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = _Server(server_config(app, settings))
        running = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started:
                assert not running.done(), "the API could not start"
                await asyncio.sleep(0.01)
            yield app.services, listener.getsockname()[1]
        finally:
            server.should_exit = True
            await running


async def furnished(services: Services, port: int) -> Served:
    """A tenant of its own in a running hub."""
    room = await new_stockroom(services.database)
    people = [
        {"tenant_id": room.tenant_id, "id": id_, "username": name, "password_hash": HASH, "level": int(level)}
        for id_, (name, level) in enumerate(LEVELS.items(), start=1)
    ]
    async with services.database.system_work() as session:
        await session.execute(insert(User), people)
        email = f"op@{room.world.slug}.test"
        account = {"email": email, "password_hash": HASH, "operator": True}
        id_ = (await session.execute(insert(Account).values(account).returning(col(Account.id)))).scalar_one()
        row = {"account_id": id_, "tenant_id": room.tenant_id, "level": int(Level.SUPERADMINISTRATOR)}
        await session.execute(insert(Membership), [row])
    return Served(services, room, port)
