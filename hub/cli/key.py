"""`hub key rotate`: a new secret key, and every stored secret sealed with it."""

import argparse
import asyncio

from hub.cli.place import OPERATOR, add_data, opened
from hub.crypto import Vault
from hub.keys import FILE_PREFIX, new_key, read_keys, replace_keys
from hub.services.rotation import reseal

SETTLING = 2.0
"""Seconds after which no running process still uses the key file as it was before."""


def define(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    rotate = actions.add_parser(
        "rotate",
        help="seal every stored secret with a new key; sessions end",
        description="With a key file: makes a new key and forgets the old one; running processes follow. "
        "With HUB_SECRET_KEY=new,old: seals everything with the new one; then restart with the new one alone.",
    )
    add_data(rotate)
    rotate.set_defaults(run=lambda arguments: asyncio.run(_rotate(arguments)))


async def _rotate(arguments: argparse.Namespace) -> None:
    async with opened(arguments.data) as hub:
        ring = hub.settings.secret_key
        vault = Vault(ring)
        if not ring.startswith(FILE_PREFIX):
            count = await reseal(hub.database, OPERATOR, vault)
            print(f"{count} secrets sealed anew with the first key of HUB_SECRET_KEY; the others may go now")
            return
        replace_keys(ring, [new_key(), *read_keys(ring)])
        count = await reseal(hub.database, OPERATOR, vault)
        await asyncio.sleep(SETTLING)  # whoever had just read the old key has finished with it
        count += await reseal(hub.database, OPERATOR, vault)
        replace_keys(ring, read_keys(ring)[:1])
        print(f"a new key is in use, {count} secrets are sealed with it; everybody logs in again")
