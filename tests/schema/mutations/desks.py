"""A desk in a tenant: callers of every right who change things through the schema, as graphql-core executes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import strawberry
from graphql import ExecutionResult, GraphQLError, execute, get_named_type, parse, validate

from connectors.registry import REGISTRY
from hub.auth import Authenticator
from hub.bell import RedisBell
from hub.context import Actor, Grant, Level, Permission, Scope
from hub.crypto import Vault
from hub.db import Database
from hub.errors import HubError
from hub.events import EventFeed
from hub.settings import Settings
from schema.context import RequestContext, Services
from schema.graph import build_schema
from schema.peer import Peer
from schema.planner.execute import Planner
from tests.hub.services.stockrooms import Stockroom, new_stockroom
from tests.hub.sync.worlds import World
from tests.hub.test_integrations import ERP, SHOP

SECRET = "secret of the tests"
ERRORS = "userErrors { field code message }"
RESULTS = "results { index effect userErrors { field code message }"


@cache
def schema() -> strawberry.Schema:
    made = build_schema()
    Planner(made)
    return made


def input_type(mutation: str) -> str:
    field = schema()._schema.mutation_type.fields[mutation]  # type: ignore[union-attr]
    return get_named_type(field.args["input"].type).name


def caller(tenant_id: int, level: Level, *permissions: Permission, id: int = 7) -> Scope:
    return Scope({tenant_id: Grant(level, frozenset(permissions))}, Actor("user", id, "paula"))


def services_of(database: Database, redis_url: str) -> Services:
    settings = Settings(secret_key=SECRET, allow_http=True)
    return Services(
        settings=settings,
        database=database,
        authenticator=Authenticator(database, secret_key=SECRET, settings=settings),
        feed=EventFeed(database, RedisBell(redis_url)),
        registry={**REGISTRY, "SHOP": SHOP, "ERP": ERP},
        vault=Vault(SECRET),
    )


@dataclass(frozen=True, slots=True)
class Desk:
    """One tenant with MAIN (RECEPTION, A-01, A-02) and SOUTH (B-01)."""

    services: Services
    room: Stockroom

    @property
    def world(self) -> World:
        return self.room.world

    @property
    def tenant_id(self) -> int:
        return self.room.tenant_id

    @property
    def admin(self) -> Scope:
        return caller(self.tenant_id, Level.SUPERADMINISTRATOR)

    @property
    def picker(self) -> Scope:
        return caller(self.tenant_id, Level.USER, *Permission)

    @property
    def operator(self) -> Scope:
        """An account that manages the hub and works in no tenant."""
        return Scope({}, Actor("account", 1, "operator@example.com"), operator=True)

    def id(self, type_name: str, id_: int) -> str:
        return f"{type_name}:{self.tenant_id}:{id_}"

    async def execute(self, document: str, *, scope: Scope | None, **variables: Any) -> ExecutionResult:
        core = schema()._schema
        parsed = parse(document)
        assert validate(core, parsed) == [], document
        peer = Peer(address="127.0.0.1", host=f"{self.world.slug}.localhost", secure=True)
        context = RequestContext(services=self.services, caller=scope, peer=peer)
        result: Any = execute(core, parsed, variable_values=variables, context_value=context)
        return result if isinstance(result, ExecutionResult) else await result  # type: ignore[no-any-return]

    async def change(self, mutation: str, input: Mapping[str, Any], answer: str = "", **options: Any) -> dict[str, Any]:
        """The payload of one mutation, made or refused; `answer` is selected beside `userErrors`."""
        options = {"scope": self.admin} | options
        result = await self.execute(document_of(mutation, answer), input=dict(input), **options)
        assert result.errors is None, told(result.errors)
        assert result.data is not None
        payload: dict[str, Any] = result.data[mutation]
        return payload

    async def made(self, mutation: str, input: Mapping[str, Any], answer: str = "", **options: Any) -> dict[str, Any]:
        """The payload of a mutation that must not be refused."""
        payload = await self.change(mutation, input, answer, **options)
        assert payload["userErrors"] == [], payload
        return payload

    async def refused(self, mutation: str, input: Mapping[str, Any], **options: Any) -> tuple[str | None, str]:
        """Field and code of the first reason for which a mutation is refused."""
        payload = await self.change(mutation, input, **options)
        assert payload["userErrors"], "it was made"
        first = payload["userErrors"][0]
        return first["field"], first["code"]

    async def failed(self, mutation: str, input: Mapping[str, Any], *, scope: Scope | None) -> str:
        """The code of the error that a mutation ends with."""
        result = await self.execute(document_of(mutation), input=dict(input), scope=scope)
        assert result.errors, result.data
        assert result.data == {mutation: None}
        return code_of(result.errors[0])


def document_of(mutation: str, answer: str = "") -> str:
    return f"mutation ($input: {input_type(mutation)}!) {{ {mutation}(input: $input) {{ {answer} {ERRORS} }} }}"


def code_of(error: GraphQLError) -> str:
    cause = error.original_error
    return cause.code if isinstance(cause, HubError) else type(cause).__name__


def told(errors: Iterable[GraphQLError] | None) -> list[str]:
    return [f"{error.message} {error.path} {error.original_error!r}" for error in errors or ()]


async def open_desk(services: Services) -> Desk:
    return Desk(services, await new_stockroom(services.database))
