"""The command `hub`: one module per noun, each adds its commands and says in plain words what happened."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from hub.errors import HubError

COMMANDS = {
    "up": "run everything: engines, API, worker; --demo adds data to look at",
    "serve": "the API process alone; needs DATABASE_URL and REDIS_URL",
    "worker": "a worker process alone; needs DATABASE_URL and REDIS_URL",
    "tenant": "make tenants, shut them out, let them in",
    "user": "the logins of a tenant",
    "account": "hub-wide logins by e-mail and their tenants",
    "import": "bring the data of an old system in, with its ids",
    "sync": "look at synchronisations and steer them",
    "watch": "the live picture of all synchronisations",
    "sandbox": "run a fake of an external system",
    "key": "the secret key of the hub",
    "doctor": "look at database, Redis, migrations, roles and key",
}
"""Each command is a module beside this one, imported when it is asked for: help comes at once."""
MODULES = {"import": "importing"}
"""Commands whose names no module can have."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 refused or failed, 2 not understood, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        chosen = _parser(given[0] if given else None).parse_args(given)
        return int(chosen.run(chosen) or 0)
    except HubError as error:
        print(f"hub: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return 1


def _parser(asked: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hub", description="Crossdock: a GraphQL integration hub for warehouses.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, what in COMMANDS.items():
        command = commands.add_parser(name, help=what, description=what)
        if name == asked:
            importlib.import_module(f"hub.cli.{MODULES.get(name, name)}").define(command)
    return parser
