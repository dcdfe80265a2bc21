"""`hub up`: everything in one command: engines, migrations, demo data, API, worker and sandboxes."""

import argparse
import asyncio
import json
import math
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from hub import demo
from hub.cli import showcase
from hub.cli.children import Child, keep
from hub.cli.listening import listen
from hub.cli.place import add_data, migrate, with_key
from hub.demo import DemoConnection
from hub.embedded import Engines, start_engines
from hub.errors import Invalid
from hub.logs import set_up_logging
from hub.settings import Settings

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 90.0


QUERY = "{ orders(first: 3) { nodes { externalOrderId status company { name } } } }"
TRY = (
    "curl -s http://127.0.0.1:{port}/graphql -H 'Host: demo.{domain}' -H 'Authorization: Bearer viewer:{password}' "
    "-H 'Content-Type: application/json' -d '{body}'"
)


def define(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="demo tenants, users, and sandboxes of external systems")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    add_data(parser)
    parser.set_defaults(run=_run)


def say(line: str) -> None:
    """Progress for people; the log goes to the standard error."""
    print(line, flush=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What this process was asked to run, and where."""

    settings: Settings
    listener: socket.socket
    host: str
    data: Path
    demo: bool

    @property
    def port(self) -> int:
        return int(self.listener.getsockname()[1])

    @property
    def environment(self) -> Mapping[str, str]:
        """How the children find what we found; the secret key itself is not in it when it lies in a file."""
        return {
            "DATABASE_URL": self.settings.database_url,
            "REDIS_URL": self.settings.redis_url,
            "HUB_SECRET_KEY": self.settings.secret_key,
        }


def _run(arguments: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    set_up_logging(settings.log_level)
    if bool(settings.database_url) != bool(settings.redis_url):
        raise Invalid("set both or none", field="DATABASE_URL and REDIS_URL")
    with _stopped_by_signals(), ExitStack() as open_things:
        listener = open_things.enter_context(listen(arguments.host, arguments.port))
        engines = None
        if not settings.database_url:
            say(f"Starting PostgreSQL and Valkey in {arguments.data} ...")
            engines = open_things.enter_context(start_engines(arguments.data))
            settings = replace(settings, database_url=engines.database_url, redis_url=engines.redis_url)
        settings = with_key(settings, arguments.data)
        data = arguments.data.expanduser().resolve()
        plan = Plan(settings=settings, listener=listener, host=arguments.host, data=data, demo=arguments.demo)
        asyncio.run(_until_stopped(plan, engines))
        for number in STOP_SIGNALS:  # we are stopping already; another one must not change the exit code
            signal.signal(number, signal.SIG_IGN)
    say("Stopped.")
    return 0


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """While no event loop runs, a signal ends the command orderly too, with exit code 0."""

    def leave(number: int, _: object) -> None:
        sys.exit(0)

    before = {number: signal.signal(number, leave) for number in STOP_SIGNALS}
    try:
        yield
    except BaseException:
        for number, handler in before.items():
            signal.signal(number, handler)
        raise


async def _until_stopped(plan: Plan, engines: Engines | None) -> None:
    """Run all parts until a signal comes; all of them have ended when this returns."""
    loop, running = asyncio.get_running_loop(), asyncio.create_task(_work(plan, engines))
    stopping = False

    def stop() -> None:
        nonlocal stopping
        if not stopping:
            stopping = True
            say("Stopping ...")
            running.cancel()

    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop)
    with suppress(asyncio.CancelledError):
        await running


async def _work(plan: Plan, engines: Engines | None) -> None:
    for revision in await migrate(plan.settings):
        say(f"Database brought to version {revision}")
    async with AsyncExitStack() as open_things:
        connections: list[DemoConnection] = []
        if plan.demo:
            found = await open_things.enter_async_context(showcase.sandboxes(plan.data, plan.port + 1))
            connections = await showcase.furnish(plan.settings, found)
        parts = await open_things.enter_async_context(asyncio.TaskGroup())
        if engines is not None:
            parts.create_task(engines.watch())
        for child in _children(plan):
            parts.create_task(keep(child))
        for connection in connections:
            parts.create_task(showcase.animate(plan.settings, connection))
        await _say_when_ready(plan)
        await asyncio.Event().wait()


def _children(plan: Plan) -> list[Child]:
    descriptor = plan.listener.fileno()
    api = ("serve", "--no-migrations", "--socket", str(descriptor))
    return [
        Child(name="API", arguments=api, environment=plan.environment, descriptors=(descriptor,)),
        Child(name="worker", arguments=("worker", "--no-migrations"), environment=plan.environment),
    ]


async def _say_when_ready(plan: Plan) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not await _is_ready(plan):
        if time.monotonic() > deadline:
            say("The API does not answer yet; its log stands above.")
            deadline = math.inf
        await asyncio.sleep(0.1)
    say(welcome(plan))


async def _is_ready(plan: Plan) -> bool:
    """Whether the API answers on the port that callers use."""
    address = plan.listener.getsockname()[0]
    near = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(near, plan.port)
            writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            answer = await reader.readline()
            writer.close()
    except (OSError, TimeoutError):
        return False
    return answer.split(b" ")[1:2] == [b"200"]


def welcome(plan: Plan) -> str:
    """Where to go, who to be, and one query to try."""
    domain, port = plan.settings.base_domain, plan.port
    host = f"[{plan.host}]" if ":" in plan.host else plan.host
    lines = [f"Crossdock is ready on http://{host}:{port}", ""]
    if not plan.demo:
        lines += [
            "  make a tenant   hub tenant add SLUG --name NAME",
            f"  its address     http://SLUG.{domain}:{port}/",
        ]
        return "\n".join(lines)
    lines += [
        f"  start     http://demo.{domain}:{port}/  and  http://north.{domain}:{port}/",
        f"  GraphQL   http://demo.{domain}:{port}/graphql",
        f"  REST      http://demo.{domain}:{port}/docs/rest",
        f"  logins    admin, integrator, viewer in each tenant; {demo.OPERATOR} on http://{domain}:{port}/",
        f"  password  {demo.PASSWORD}",
        "",
        "  try       "
        + TRY.format(port=port, domain=domain, password=demo.PASSWORD, body=json.dumps({"query": QUERY})),
    ]
    return "\n".join(lines)
