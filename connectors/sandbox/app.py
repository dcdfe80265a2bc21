"""Runs a sandbox: its vendor's API, and under `/_sandbox` the handles to look at it, steer it and break it.

GET    /_sandbox/state           the shop, `stock` by sku, `statuses` by order id, the faults to come, the last calls
POST   /_sandbox/orders          {} for a random order, or {"lines": [{"sku", "quantity"}]}
POST   /_sandbox/orders/{id}     {"status": "6"} and/or {"lines": [...]}: what the shop's people do; DELETE removes it
POST   /_sandbox/faults          one `faults.Fault`: {"path": "order/read", "kind": "cut", "times": 2}; DELETE
"""

import asyncio
import json
import logging
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from random import Random, uniform
from typing import Any, Protocol

import uvicorn
from pydantic import TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from connectors.sandbox.faults import OWN_KINDS, Book, Fault, Faults
from connectors.sandbox.gomag import GomagSandbox
from connectors.sandbox.shop import Clock, Order, Shop, random_buyer

log = logging.getLogger(__name__)
SHOP, FAULT, BOOK = TypeAdapter(Shop), TypeAdapter(Fault), TypeAdapter(Book)
SAVE_SECONDS = 2.0


class Sandbox(Protocol):
    """What a vendor's fake offers to be run."""

    title: str
    paths: Mapping[str, str]
    """The calls behind each stream of its connector, for faults."""
    faults: tuple[str, ...]
    """Kinds of faults that it does itself."""
    mappings: Mapping[str, str]
    """Status mappings that a hub connected to it would enter."""
    shop: Shop
    clock: Clock

    def settings(self, url: str) -> dict[str, str]: ...

    def routes(self) -> list[Route]: ...

    def new_order(self) -> Order: ...


SANDBOXES: Mapping[str, Callable[..., Sandbox]] = {"gomag": GomagSandbox}


@dataclass(frozen=True, slots=True)
class Running:
    """A sandbox that answers at `url`."""

    url: str
    sandbox: Sandbox
    book: Book


def build(sandbox: Sandbox, book: Book, *, order_every: float = 20, state: Path | None = None) -> Starlette:
    """The ASGI application: a new order about every `order_every` seconds (0 = never), a `state` file for restarts."""
    if state and state.exists():
        try:
            sandbox.shop = SHOP.validate_json(state.read_bytes())
        except ValidationError:
            log.warning("%s holds no shop: starting with a new one", state)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            chores = [tasks.create_task(_sell(sandbox, order_every))] if order_every else []
            chores += [tasks.create_task(_save(sandbox, state))] if state else []
            yield
            for chore in chores:
                chore.cancel()

    return Starlette(
        routes=[*sandbox.routes(), *_Handles(sandbox, book).routes()],
        middleware=[Middleware(Faults, book=book)],
        lifespan=lifespan,
    )


async def _sell(sandbox: Sandbox, order_every: float) -> None:
    while True:
        await asyncio.sleep(order_every * uniform(0.5, 1.5))
        sandbox.new_order()


async def _save(sandbox: Sandbox, state: Path) -> None:
    """Write the shop whenever it has changed, and once more at the end."""
    saved = b""
    while True:
        try:
            await asyncio.sleep(SAVE_SECONDS)
        finally:
            if (shop := SHOP.dump_json(sandbox.shop)) != saved:
                draft = state.with_suffix(".new")
                draft.write_bytes(shop)
                draft.replace(state)
                saved = shop


class _Handles:
    """What stands under `/_sandbox`."""

    def __init__(self, sandbox: Sandbox, book: Book) -> None:
        self._sandbox = sandbox
        self._book = book

    def routes(self) -> list[Route]:
        return [
            Route("/_sandbox/state", self.state, methods=["GET"]),
            Route("/_sandbox/orders", self.add_order, methods=["POST"]),
            Route("/_sandbox/orders/{id:int}", self.change_order, methods=["POST", "DELETE"]),
            Route("/_sandbox/faults", self.set_fault, methods=["POST", "DELETE"]),
        ]

    async def state(self, _: Request) -> Response:
        shop = self._sandbox.shop
        body = {**SHOP.dump_python(shop, mode="json"), **BOOK.dump_python(self._book, mode="json")}
        body["stock"] = {unit.sku: str(unit.stock) for _, unit in shop.units()}
        body["statuses"] = {str(order.id): order.status_id for order in shop.orders}
        return JSONResponse(body)

    async def add_order(self, request: Request) -> Response:
        sandbox, body = self._sandbox, await _object(request)
        if "lines" not in body:
            return _shown(sandbox.new_order())
        try:
            return _shown(sandbox.shop.place(random_buyer(Random()), _wanted(body), sandbox.clock()))
        except (KeyError, TypeError, ArithmeticError) as error:
            return JSONResponse({"error": f"lines: {error!r}"}, 400)

    async def change_order(self, request: Request) -> Response:
        shop = self._sandbox.shop
        order = shop.order(request.path_params["id"])
        if order is None:
            return JSONResponse({"error": "no such order"}, 404)
        if request.method == "DELETE":
            shop.orders.remove(order)
            return JSONResponse({})
        body = await _object(request)
        try:
            order.lines = shop.take(_wanted(body)) if "lines" in body else order.lines
        except (KeyError, TypeError, ArithmeticError) as error:
            return JSONResponse({"error": f"lines: {error!r}"}, 400)
        order.status_id = str(body.get("status", order.status_id))
        order.updated_at = self._sandbox.clock()
        return _shown(order)

    async def set_fault(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._book.pending.clear()
            return JSONResponse({})
        try:
            fault = FAULT.validate_python(await _object(request))
        except ValidationError as error:
            return JSONResponse({"error": str(error)}, 400)
        kinds = (*OWN_KINDS, *self._sandbox.faults)
        if fault.kind not in kinds:
            return JSONResponse({"error": f"kind must be one of {', '.join(kinds)}"}, 400)
        self._book.pending.append(fault)
        return JSONResponse({})


async def _object(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _wanted(body: Mapping[str, Any]) -> list[tuple[str, Decimal]]:
    return [(line["sku"], Decimal(str(line["quantity"]))) for line in body["lines"]]


def _shown(order: Order) -> Response:
    return JSONResponse(TypeAdapter(Order).dump_python(order, mode="json"))


class _Server(uvicorn.Server):
    """A server that leaves the signals to the process it runs in."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def running(
    vendor: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    order_every: float = 20,
    state: Path | None = None,
    **options: Any,
) -> AsyncIterator[Running]:
    """Run a sandbox inside this event loop; `options` are the vendor's own (seed, products, orders, rate …)."""
    sandbox, book = SANDBOXES[vendor](**options), Book()
    app = build(sandbox, book, order_every=order_every, state=state)
    async with serving(app, host=host, port=port) as url:
        yield Running(url, sandbox, book)


@asynccontextmanager
async def serving(app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> AsyncIterator[str]:
    """Serve an application inside this event loop and leave signals alone; `options` are uvicorn's."""
    listener = socket.create_server((host, port))  # from here on callers wait in its queue
    config = uvicorn.Config(app, log_level="critical", ws="none", timeout_graceful_shutdown=1, **options)
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield f"{'https' if config.is_ssl else 'http'}://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


async def run(vendor: str, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
    """Run a sandbox until the task is cancelled: a part of a bigger process."""
    async with running(vendor, host=host, port=port, **options):
        await asyncio.Event().wait()


def serve(vendor: str, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
    """Run a sandbox as a process of its own, until SIGINT or SIGTERM; the command `hub sandbox`."""

    async def until_stopped() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        async with running(vendor, host=host, port=port, **options) as it:
            settings = ", ".join(f"{name} {value}" for name, value in it.sandbox.settings(it.url).items())
            print(f"{it.sandbox.title} sandbox at {it.url} ({settings}); look at {it.url}/_sandbox/state", flush=True)
            await stop.wait()

    asyncio.run(until_stopped())
