"""How the commands read levels, permissions and passwords."""

import argparse
import getpass
import sys

from hub.context import Level, Permission
from hub.errors import Invalid

FROM_INPUT = "-"


def add_password(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--password", metavar="P", help="asked for when missing; - reads one line from the input")


def add_rights(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    parser.add_argument("--level", type=level, required=required, metavar="LEVEL", help=", ".join(Level.__members__))
    parser.add_argument(
        "--permission",
        dest="permissions",
        type=permission,
        nargs="+",
        action="extend",
        default=None,
        metavar="X",
        help=", ".join(Permission),
    )


def level(text: str) -> Level:
    try:
        return Level[text.upper()]
    except KeyError:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(Level.__members__)}") from None


def permission(text: str) -> Permission:
    try:
        return Permission(text.upper())
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(Permission)}") from None


def password_of(given: str | None) -> str:
    """The password of the option, of the input, or typed twice; raises `Invalid` when there is none to be had."""
    if given is not None and given != FROM_INPUT:
        return given
    if given == FROM_INPUT:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise Invalid("is missing", field="password", hint="give --password, or --password - to read it from the input")
    typed = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != typed:
        raise Invalid("the two passwords differ", field="password")
    return typed


def columns(rows: list[tuple[str, ...]]) -> str:
    """Rows as aligned text."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
