"""`hub watch`: the live picture of all synchronisations in the terminal."""

import argparse
import asyncio
import shutil
import sys
from datetime import UTC, datetime

from hub.cli.place import Hub, add_data, opened
from hub.cli.values import columns
from hub.sync.overview import LatestEvent, StreamPicture, picture

HOME_AND_CLEAR = "\x1b[H\x1b[2J"
HEADINGS = ("TENANT", "STREAM", "STATE", "FETCHED", "NEW", "CHANGED", "PARKED", "TO SEND", "LAST SUCCESS")


def define(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tenant", metavar="SLUG", help="only this one")
    parser.add_argument("--every", type=float, default=1.0, metavar="S", help="seconds between two looks (1)")
    parser.add_argument("--once", action="store_true", help="print one picture and end; so does a pipe")
    add_data(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        asyncio.run(_watch(arguments))
    except KeyboardInterrupt:
        print()
    return 0


async def _watch(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        while True:
            text = await _drawn(hub, arguments.tenant)
            if arguments.once or not sys.stdout.isatty():
                print(text)
                return
            size = shutil.get_terminal_size()
            lines = [line[: size.columns] for line in text.splitlines()[: size.lines - 1]]
            print(HOME_AND_CLEAR + "\n".join(lines), flush=True)
            await asyncio.sleep(max(0.2, arguments.every))


async def _drawn(hub: Hub, tenant: str | None) -> str:
    if tenant is not None:
        await hub.inside(tenant)
    async with hub.database.system_work() as session:
        streams, events = await picture(session, tenant=tenant)
    lines = [f"Crossdock  {datetime.now(UTC):%Y-%m-%d %H:%M:%SZ}", ""]
    if streams:
        lines.append(columns([HEADINGS, *map(_stream_row, streams)]))
    else:
        lines.append("No integration is active.")
    stopped = sorted({(row.tenant, row.code, row.stopped_reason) for row in streams if row.stopped_reason})
    lines += ["", *(f"STOPPED  {slug} {code}: {reason}" for slug, code, reason in stopped)] if stopped else []
    if events:
        lines += ["", *(_event_line(event) for event in events)]
    return "\n".join(lines)


def _stream_row(row: StreamPicture) -> tuple[str, ...]:
    state = row.state if not row.failures else f"{row.state} ({row.failures} failed)"
    last = f"{row.last_success_at:%H:%M:%S}" if row.last_success_at else "never"
    counts = (row.fetched, row.created, row.updated, row.parked, row.waiting)
    return row.tenant, f"{row.code} {row.stream}", state, *map(str, counts), last


def _event_line(event: LatestEvent) -> str:
    subject = f" {event.subject_id}" if event.subject_id else f" run {event.run_id}" if event.run_id else ""
    facts = " ".join(f"{name}={value}" for name, value in event.data.items() if value not in (None, "", [], {}))
    return f"{event.occurred_at:%H:%M:%S}  {event.tenant}  {event.topic} {event.kind}{subject}  {facts}".rstrip()
