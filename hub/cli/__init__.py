"""The command `hub`: one module per noun, each adds its commands and says in plain words what happened."""

import argparse
import importlib
import sys
from collections.abc import Sequence

from hub.errors import HubError

NOUNS = ("up", "serve", "worker", "tenant", "user", "account", "sync", "sandbox", "key", "doctor")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 refused or failed, 2 not understood, 130 interrupted."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    chosen = _parser(given).parse_args(given)
    try:
        return int(chosen.run(chosen) or 0)
    except HubError as error:
        print(f"hub: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has seen enough
        sys.stderr.close()
        return 1


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """All commands; only the module of the one that is asked for is imported, so that help comes at once."""
    parser = argparse.ArgumentParser(prog="hub", description="Crossdock: a GraphQL integration hub for warehouses.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = given[0] if given and given[0] in NOUNS else None
    for noun in NOUNS if asked is None else (asked,):
        importlib.import_module(f"hub.cli.{noun}").add_to(commands)
    return parser
