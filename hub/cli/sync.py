"""`hub sync list | start | cancel | retry | resync`: look at a tenant's synchronisation and steer it."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from connectors.registry import REGISTRY
from hub.bell import RedisBell
from hub.cli.place import Hub, add_data, opened
from hub.cli.values import columns
from hub.sync import inbox, runs
from hub.sync.overview import ExceptionOverview, RunOverview, StreamOverview, list_exceptions, list_runs, list_streams


def define(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    shown = _command(actions, "list", _list, "the streams of a tenant, its latest runs and parked records")
    shown.add_argument("--latest", type=int, default=10, metavar="N", help="how many runs and records (10)")
    start = _command(actions, "start", _start, "run all streams that are on, or those named, now")
    start.add_argument("streams", nargs="*", metavar="STREAM")
    cancel = _command(actions, "cancel", _cancel, "stop a run after the page under way")
    cancel.add_argument("run_id", type=int, metavar="RUN")
    retry = _command(actions, "retry", _retry, "try a parked record again")
    retry.add_argument("exception_id", type=int, metavar="EXCEPTION")
    _command(actions, "resync", _resync, "read everything again from the beginning")


def _command(actions: Any, name: str, action: Any, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(name, help=what)
    parser.add_argument("--tenant", required=True, metavar="SLUG")
    add_data(parser)
    parser.set_defaults(run=lambda arguments: asyncio.run(action(arguments)))
    return parser


@asynccontextmanager
async def _ringing(hub: Hub) -> AsyncIterator[None]:
    """Wake the workers for what is written meanwhile; without Redis they look by themselves a little later."""
    bell = await RedisBell(hub.settings.redis_url).open()
    hub.database.bell = bell
    try:
        yield
        await asyncio.sleep(0.1)  # the bell rings in the background
    finally:
        hub.database.bell = None
        await bell.close()


async def _list(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub, hub.database.unit_of_work(await hub.inside(arguments.tenant)) as work:
        streams = await list_streams(work, registry=REGISTRY)
        found = await list_runs(work, limit=max(1, arguments.latest))
        parked = await list_exceptions(work, limit=max(1, arguments.latest))
    if not streams:
        print(f"{arguments.tenant} has no active integration")
    else:
        print(columns([("STREAM", "LAST SUCCESS", "FAILURES", "PARKED"), *map(_stream_row, streams)]))
    if found:
        print()
        print(columns([("RUN", "STREAM", "TRIGGER", "STATE", "REQUESTED", "RESULT"), *map(_run_row, found)]))

    if parked:
        print()
        print(columns([("EXCEPTION", "STREAM", "RECORD", "SINCE", "REASON"), *map(_exception_row, parked)]))


async def _retry(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub, _ringing(hub):
        scope = await hub.inside(arguments.tenant)
        await hub.database.write(scope, lambda work: inbox.retry_exception(work, exception_id=arguments.exception_id))
    print(f"the record of exception {arguments.exception_id} is tried again")


async def _start(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub, _ringing(hub):
        scope = await hub.inside(arguments.tenant)
        ids = await hub.database.write(
            scope, lambda work: runs.start(work, registry=REGISTRY, streams=arguments.streams or None)
        )
    print(f"runs {', '.join(map(str, ids))} are queued or under way" if ids else "no stream is switched on")


async def _cancel(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub, _ringing(hub):
        scope = await hub.inside(arguments.tenant)
        await hub.database.write(scope, lambda work: runs.cancel(work, run_id=arguments.run_id, registry=REGISTRY))
    print(f"run {arguments.run_id} ends after the page under way")


async def _resync(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub, _ringing(hub):
        scope = await hub.inside(arguments.tenant)
        ids = await hub.database.write(scope, lambda work: runs.resync(work, registry=REGISTRY))
    print(f"runs {', '.join(map(str, ids))} read everything again")


def _stream_row(stream: StreamOverview) -> tuple[str, ...]:
    return f"{stream.code} {stream.stream}", _moment(stream.last_success_at), str(stream.failures), str(stream.parked)


def _run_row(run: RunOverview) -> tuple[str, ...]:
    counted = f"{run.created} new, {run.updated} changed, {run.unchanged} unchanged, {run.parked} parked"
    result = run.error_message or counted
    return str(run.id), f"{run.code} {run.stream}", run.trigger, run.state, _moment(run.requested_at), result[:120]


def _exception_row(parked: ExceptionOverview) -> tuple[str, ...]:
    place = f"{parked.code} {parked.stream}"
    return str(parked.id), place, parked.external_key[:40], _moment(parked.occurred_at), parked.message[:100]


def _moment(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%SZ") if at else "never"
