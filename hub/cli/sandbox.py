"""`hub sandbox VENDOR --port N`: a runnable fake of an external system, for trying and testing."""

import argparse
from pathlib import Path

from connectors.sandbox.app import SANDBOXES, serve
from hub.cli.listening import check_free


def define(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "vendor", type=str.lower, choices=sorted(SANDBOXES), metavar="VENDOR", help=", ".join(SANDBOXES)
    )
    parser.add_argument("--port", type=int, default=0, metavar="N", help="a free one when missing")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--order-every", type=float, default=20, metavar="S", help="seconds between new orders; 0 = none"
    )
    parser.add_argument("--state", type=Path, metavar="FILE", help="keeps the shop over restarts")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    check_free(arguments.host, arguments.port)
    serve(
        arguments.vendor,
        arguments.host,
        arguments.port,
        order_every=arguments.order_every,
        state=arguments.state,
    )
