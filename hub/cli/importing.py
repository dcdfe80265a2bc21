"""`hub import`: bring the data of an old system in, with its ids."""

import argparse
import asyncio
import shutil
import sys
from pathlib import Path

from hub.cli.place import add_data, opened
from hub.cli.values import columns
from hub.importing import run as imports
from hub.importing.files import find_sources
from hub.importing.nouns import NOUNS
from hub.importing.report import Report
from hub.services.outcomes import Effect

SHOWN = 20
EFFECTS = (Effect.ADDED, Effect.UPDATED, Effect.UNCHANGED, Effect.REFUSED)


def define(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("place", type=Path, metavar="FOLDER", help=f"with one file per noun: {', '.join(NOUNS)}")
    parser.add_argument("--tenant", required=True, metavar="SLUG")
    parser.add_argument("--dry-run", action="store_true", help="write nothing, report what would happen")
    parser.add_argument("--strict", action="store_true", help="all or nothing: one refused row keeps everything out")
    parser.add_argument(
        "--report",
        type=Path,
        default=Path("import-refused.ndjson"),
        metavar="FILE",
        help="where refused rows are written (import-refused.ndjson)",
    )
    parser.add_argument("--encoding", default="utf-8", metavar="E", help="of files without a byte order mark (utf-8)")
    add_data(parser)
    parser.set_defaults(run=lambda arguments: asyncio.run(_import(arguments)))


async def _import(arguments: argparse.Namespace) -> int:
    sources = find_sources(arguments.place, list(NOUNS), encoding=arguments.encoding)
    shown = _Bar() if sys.stdout.isatty() else _Lines()
    async with opened(arguments.data) as hub:
        report = await imports.run(
            hub.database,
            await hub.inside(arguments.tenant),
            sources,
            dry=arguments.dry_run,
            strict=arguments.strict,
            progress=shown,
        )
    shown.end()
    report.write(arguments.report)
    _print(report, arguments)
    return 1 if report.refusals else 0


def _print(report: Report, arguments: argparse.Namespace) -> None:
    print(columns([("NOUN", *(effect.name for effect in EFFECTS)), *_rows(report)]))
    for one in report.refusals[:SHOWN]:
        print(f"{one.file} line {one.line}: {one.field + ' ' if one.field else ''}{one.message}")
    if len(report.refusals) > SHOWN:
        print(f"… and {len(report.refusals) - SHOWN} more")
    if report.refusals:
        print(f"the refused rows are in {arguments.report}")
    if arguments.dry_run:
        print("nothing was written: this was a dry run")
    elif not report.written:
        print("nothing was written: a row was refused, and --strict takes all or nothing")


def _rows(report: Report) -> list[tuple[str, ...]]:
    return [(noun, *(str(counts[effect]) for effect in EFFECTS)) for noun, counts in report.counts.items()]


class _Bar:
    """One line of a terminal, drawn over and over."""

    WIDTH = 30

    def __init__(self) -> None:
        self._noun = ""

    def __call__(self, noun: str, done: int, rows: int) -> None:
        if noun != self._noun:
            self.end()
            self._noun = noun
        filled = self.WIDTH * done // max(rows, 1)
        bar = "█" * filled + "░" * (self.WIDTH - filled)
        line = f"{noun:<18} {bar} {done:>9,} of {rows:,}"
        print(f"\r{line[: shutil.get_terminal_size().columns - 1]}", end="", flush=True)

    def end(self) -> None:
        if self._noun:
            print()
        self._noun = ""


class _Lines:
    """For files and pipes: a line when a noun is done."""

    def __call__(self, noun: str, done: int, rows: int) -> None:
        if done >= rows:
            print(f"{noun}: {done} rows", flush=True)

    def end(self) -> None:
        """Nothing is left open."""
