"""The composition root of the API process: builds what requests share, opens and closes it, and maps the paths."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from connectors.registry import REGISTRY
from hub.auth import Authenticator
from hub.bell import RedisBell
from hub.crypto import Vault
from hub.db import Database
from hub.endings import end
from hub.events import EventFeed
from hub.numbering import keep_numbering
from hub.settings import Settings
from schema.context import Services
from schema.edge import Edge
from schema.execution import Executor
from schema.graph import build_schema
from schema.health import Health
from schema.home import home
from schema.http import GraphQLEndpoint
from schema.rest.app import create_rest
from schema.rest.docs import docs_routes
from schema.websocket import WebSocketEndpoint

GRAPHQL = ("/graphql", "/graphql/")
REST = ("/api/", "/softone/")


def create_app(settings: Settings) -> "App":
    """The ASGI application of one API process; `settings` name the database, Redis and the secret key."""
    bell = RedisBell(settings.redis_url)
    database = Database(
        settings.database_url,
        pool_size=settings.pool_size,
        read_timeout=settings.read_timeout,
        pgbouncer=settings.pgbouncer,
        bell=bell,
    )
    authenticator = Authenticator(database, secret_key=settings.secret_key, settings=settings)
    services = Services(
        settings=settings,
        database=database,
        authenticator=authenticator,
        feed=EventFeed(database, bell),
        registry=REGISTRY,
        vault=Vault(settings.secret_key),
    )
    rest = create_rest(database, authenticator, settings, REGISTRY)
    health = Health(database, services.feed, settings)
    executor = Executor(build_schema(), services)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as open_things:
            await bell.open()
            open_things.push_async_callback(bell.close)
            await database.open()
            open_things.push_async_callback(database.close)
            await services.feed.open()
            open_things.push_async_callback(services.feed.close)
            await open_things.enter_async_context(rest.running())
            numbering = asyncio.create_task(keep_numbering(database, bell), name="numbering")
            open_things.push_async_callback(end, [numbering])
            yield

    pages = Starlette(
        routes=[
            Route("/", home),
            WebSocketRoute("/graphql", WebSocketEndpoint(services, executor)),
            Route("/healthz", health.alive),
            Route("/readyz", health.ready),
            Route("/metrics", health.metrics),
            *docs_routes(),
        ],
        lifespan=lifespan,
    )
    faces = Faces(graphql=GraphQLEndpoint(services, executor), rest=rest, pages=pages)
    return App(services, health.counted(Edge(faces, settings)))


@dataclass(frozen=True, slots=True)
class App:
    """One API process as an ASGI application."""

    services: Services
    entry: ASGIApp

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        await self.entry(scope, receive, send)


@dataclass(frozen=True, slots=True)
class Faces:
    """The two faces find their own way; everything else, also the lifespan and WebSockets, is Starlette's."""

    graphql: ASGIApp
    rest: ASGIApp
    pages: ASGIApp

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if scope["type"] == "http" and path in GRAPHQL:
            await self.graphql(scope, receive, send)
        elif scope["type"] != "lifespan" and f"{path}/".startswith(REST):
            await self.rest(scope, receive, send)
        else:
            await self.pages(scope, receive, send)
