"""The embedded engines: what survives, who may use a data folder, and what is left when a process is killed."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hub.embedded import Engines, join_engines, start_engines
from hub.errors import Conflict, Invalid, Unavailable

NOBODY = 65534

OTHER_PROCESS = """
import json, os, sys
from pathlib import Path
from hub.embedded import join_engines, start_engines
how, data, uid = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
if uid != os.geteuid():
    os.setgroups([]), os.setgid(uid), os.setuid(uid)
engines = {"start": start_engines, "join": join_engines}[how](data)
print(json.dumps([engines.database_url, engines.redis_url, engines.owned]), flush=True)
sys.stdin.readline()
engines.stop(patience=60)
"""


@dataclass
class OtherProcess:
    """A process that started or joined engines and keeps them until told to stop."""

    process: subprocess.Popen[str]
    database_url: str
    redis_url: str
    owned: bool

    def stop(self) -> int:
        self.process.communicate("stop\n", timeout=60)
        return self.process.returncode


@pytest.fixture
def other_process() -> Iterator[Callable[..., OtherProcess]]:
    processes = []

    def launch(how: str, data: Path, *, uid: int = os.geteuid()) -> OtherProcess:
        process = subprocess.Popen(
            [sys.executable, "-c", OTHER_PROCESS, how, str(data), str(uid)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout is not None
        return OtherProcess(process, *json.loads(process.stdout.readline()))

    yield launch
    for process in processes:
        process.communicate(timeout=60)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that other accounts can reach; pytest's own are closed to them."""
    path = Path(tempfile.mkdtemp(prefix="crossdock-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


async def test_data_survives_a_restart_in_any_folder(tmp_path: Path) -> None:
    data = tmp_path / "Depozit 'nord' \"1\" – Αθήνα\\n"

    with start_engines(data) as engines:
        await write(engines, "kept")
    with start_engines(data) as engines:
        assert await read(engines) == ("kept", "kept")


async def test_sockets_work_in_any_temporary_folder(
    data: Path, open_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = open_path / "tmp ă %"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))

    with start_engines(data, throwaway=True) as engines:
        assert engines.sockets.parent == temporary
        await write(engines, "reached")
        assert await read(engines) == ("reached", "reached")

    assert not engines.sockets.exists()


async def test_application_roles_log_in_over_the_same_socket(data: Path) -> None:
    with start_engines(data, throwaway=True) as engines:
        await sql(engines.database_url, "CREATE ROLE clerk LOGIN")

        assert await sql(engines.app_url("clerk"), "SELECT session_user::text") == "clerk"


async def test_kill_of_the_owner_leaves_no_server_and_loses_nothing(
    data: Path, other_process: Callable[..., OtherProcess]
) -> None:
    owner = other_process("start", data)
    await write(owner, "kept")
    pids = await server_pids(owner, data)

    owner.process.kill()

    await until(lambda: not any(is_alive(pid) for pid in pids))
    with start_engines(data) as engines:
        assert await read(engines) == ("kept", "kept")


async def test_kill_of_owner_and_servers_loses_no_committed_row(
    data: Path, other_process: Callable[..., OtherProcess]
) -> None:
    owner = other_process("start", data)
    await write(owner, "kept")
    pids = await server_pids(owner, data)

    for pid in (owner.process.pid, *pids):
        os.kill(pid, signal.SIGKILL)

    with start_engines(data) as engines:
        assert (await read(engines))[0] == "kept"


async def test_servers_that_outlived_their_owner_are_replaced(data: Path) -> None:
    first = start_engines(data)
    await write(first, "kept")
    old = await server_pids(first, data)
    assert first._lock is not None
    os.close(first._lock)  # as the kernel does when the owner is killed; outside Linux its servers live on

    with start_engines(data) as second:
        assert await read(second) == ("kept", "kept")
        assert not set(old) & set(await server_pids(second, data))
    for daemon in first._daemons:
        daemon.wait_until_stopped(seconds=5)


async def test_stale_process_id_of_a_living_stranger_does_not_bar_the_start(data: Path) -> None:
    with start_engines(data) as engines:
        await write(engines, "kept")
    (data / "postgres" / "postmaster.pid").write_text(f"{os.getpid()}\n{data / 'postgres'}\n")

    with start_engines(data) as engines:
        assert await read(engines) == ("kept", "kept")


async def test_engine_that_dies_is_started_again(data: Path) -> None:
    with start_engines(data) as engines:
        await write(engines, "kept")
        watch = asyncio.create_task(engines.watch())

        for pid in await server_pids(engines, data):
            os.kill(pid, signal.SIGKILL)

        assert await eventually(lambda: read(engines)) == ("kept", "kept")
        watch.cancel()


async def test_unreadable_valkey_data_is_set_aside(data: Path) -> None:
    with start_engines(data) as engines:
        await write(engines, "kept")
    for path in (data / "valkey" / "appendonlydir").glob("*.aof"):
        path.write_bytes(b"not an append-only file\r\n" * 9)

    with start_engines(data) as engines:
        assert await read(engines) == ("kept", None)
    assert (data / "valkey" / "appendonlydir.broken").is_dir()


async def test_logs_stay_bounded(data: Path) -> None:
    with start_engines(data, throwaway=True) as engines:
        output = data / "logs" / "valkey.log"
        os.truncate(output, 9_000_000)
        watch = asyncio.create_task(engines.watch())

        await until(lambda: output.stat().st_size < 1_000_000)
        watch.cancel()


async def test_second_owner_is_refused_and_disturbs_nothing(
    data: Path, other_process: Callable[..., OtherProcess]
) -> None:
    owner = other_process("start", data)
    await write(owner, "kept")

    with pytest.raises(Conflict, match=rf"in use by another hub \(process {owner.process.pid}\)"):
        start_engines(data)

    assert await read(owner) == ("kept", "kept")


async def test_command_joins_the_engines_of_a_running_hub(
    data: Path, other_process: Callable[..., OtherProcess]
) -> None:
    hub = other_process("start", data)
    await write(hub, "of the hub")

    with join_engines(data) as joined:
        assert not joined.owned
        assert await read(joined) == ("of the hub", "of the hub")

    assert await read(hub) == ("of the hub", "of the hub")
    assert hub.stop() == 0


async def test_command_without_a_hub_runs_engines_of_its_own_and_ends_them(data: Path) -> None:
    with join_engines(data) as alone:
        assert alone.owned
        await write(alone, "kept")
        pids = await server_pids(alone, data)

    assert not any(is_alive(pid) for pid in pids)
    with start_engines(data) as engines:
        assert await read(engines) == ("kept", "kept")


async def test_ending_owner_waits_for_commands_that_joined(
    data: Path, other_process: Callable[..., OtherProcess]
) -> None:
    owner = other_process("join", data)
    with join_engines(data) as guest:
        assert owner.process.stdin is not None
        owner.process.stdin.write("stop\n")
        owner.process.stdin.flush()
        await until(lambda: not (data / "running.json").exists())

        await write(guest, "in time")

    assert owner.process.wait(60) == 0


async def test_hub_waits_for_a_command_that_ends_soon(data: Path, other_process: Callable[..., OtherProcess]) -> None:
    command = other_process("join", data)
    stopping = asyncio.get_running_loop().run_in_executor(None, command.stop)

    with start_engines(data) as engines:
        await write(engines, "started")

    assert await stopping == 0


def test_folder_with_foreign_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")

    with pytest.raises(Invalid, match="not empty and not a data folder of Crossdock"):
        start_engines(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(Invalid, match=r"data: .*/data cannot be used: File exists"):
        start_engines(tmp_path / "data")


def test_cluster_of_another_release_is_refused(data: Path) -> None:
    start_engines(data, throwaway=True).stop()
    (data / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(Invalid, match="made by PostgreSQL 17, this is 18"):
        start_engines(data, throwaway=True)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")


@needs_root
async def test_ordinary_user_owns_and_recovers_a_folder(
    open_path: Path, other_process: Callable[..., OtherProcess]
) -> None:
    os.chown(open_path, NOBODY, NOBODY)
    owner = other_process("start", open_path / "data", uid=NOBODY)
    await write(owner, "kept")
    pids = await server_pids(owner, open_path / "data")
    assert {account_of(pid) for pid in pids} == {NOBODY}

    owner.process.kill()

    owner = other_process("start", open_path / "data", uid=NOBODY)
    assert await read(owner) == ("kept", "kept")
    assert owner.stop() == 0


@needs_root
async def test_root_runs_the_engines_as_the_owner_of_the_folder(
    open_path: Path, other_process: Callable[..., OtherProcess]
) -> None:
    os.chown(open_path, NOBODY, NOBODY)
    owner = other_process("start", open_path / "data", uid=NOBODY)
    await write(owner, "kept")
    assert owner.stop() == 0

    with start_engines(open_path / "data") as engines:
        assert await read(engines) == ("kept", "kept")
        await write(engines, "changed")

    owner = other_process("start", open_path / "data", uid=NOBODY)
    assert await read(owner) == ("changed", "changed")
    assert owner.stop() == 0


@needs_root
async def test_root_without_user_namespaces_hands_the_folder_to_nobody(
    open_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = open_path / "data"
    with start_engines(data) as engines:
        await write(engines, "kept")
    without_unshare(open_path / "bin", monkeypatch)

    with start_engines(data) as engines:
        assert await read(engines) == ("kept", "kept")
    assert data.stat().st_uid == NOBODY


@needs_root
def test_root_is_told_what_to_do_when_no_account_can_run_postgres(
    data: Path, open_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_unshare(open_path / "bin", monkeypatch)

    with pytest.raises(Unavailable, match=r"does not run as root.*ordinary user.*DATABASE_URL"):
        start_engines(data)


def without_unshare(bin_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH like that of a system where `unshare` is missing; its refusal takes the same road."""
    bin_folder.mkdir()
    for name in ("sh", "test", "true"):
        (bin_folder / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(bin_folder))


async def write(engines: Engines | OtherProcess, value: str) -> None:
    await sql(engines.database_url, "CREATE TABLE IF NOT EXISTS notes (at serial, value text)")
    await sql(engines.database_url, "INSERT INTO notes (value) VALUES (:value)", value=value)
    async with Redis.from_url(engines.redis_url) as redis:
        await redis.set("value", value)


async def read(engines: Engines | OtherProcess) -> tuple[object, str | None]:
    """What PostgreSQL and Valkey remember."""
    async with Redis.from_url(engines.redis_url, decode_responses=True) as redis:
        remembered = await redis.get("value")
    return await sql(engines.database_url, "SELECT value FROM notes ORDER BY at DESC LIMIT 1"), remembered


async def sql(url: str, statement: str, **values: str) -> object:
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        result = await connection.execute(text(statement), values)
        return result.scalar() if result.returns_rows else None


async def server_pids(engines: Engines | OtherProcess, data: Path) -> tuple[int, int]:
    async with Redis.from_url(engines.redis_url) as redis:
        valkey = (await redis.info("server"))["process_id"]
    return int((data / "postgres" / "postmaster.pid").read_text().split()[0]), int(valkey)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def account_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while True:
            if condition():
                return
            await asyncio.sleep(0.02)


async def eventually(action: Callable[[], Awaitable[object]]) -> object:
    """The first answer of engines that are being started again."""
    async with asyncio.timeout(60):
        while True:
            with suppress(OSError, RedisError, SQLAlchemyError):
                return await action()
            await asyncio.sleep(0.05)
