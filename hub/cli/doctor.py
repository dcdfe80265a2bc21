"""`hub doctor`: what is wrong, in words; exit code 1 when something is."""

import argparse
import asyncio
import os

from hub import doctor
from hub.cli.place import add_data, located
from hub.errors import Invalid


def define(parser: argparse.ArgumentParser) -> None:
    add_data(parser)
    parser.set_defaults(run=lambda arguments: asyncio.run(_run(arguments)))


async def _run(arguments: argparse.Namespace) -> int:
    if not os.environ.get("DATABASE_URL") and not arguments.data.expanduser().exists():
        raise Invalid(f"there is no {arguments.data}", field="data", hint="hub up makes it, or set DATABASE_URL")
    well = True
    with located(arguments.data) as settings:
        async for finding in doctor.examine(settings):
            well = well and finding.well
            print(f"{'ok   ' if finding.well else 'WRONG'}  {finding.subject}: {finding.words}")
    print("All is well." if well else "Something is wrong: see above.")
    return 0 if well else 1
