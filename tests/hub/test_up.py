"""`hub up --demo` from its start to its end, however that comes: a real hub in a process of its own."""

import asyncio
import json
import os
import re
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.hub.command import run

PATIENCE = 120


@dataclass(frozen=True)
class RunningHub:
    """A hub that has said that it is ready."""

    process: Process
    data: Path
    port: int

    @property
    def children(self) -> dict[int, str]:
        """The living child processes: pid → command line."""
        found = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return {int(pid): command_line(int(pid)) for pid in found}

    def child(self, word: str) -> int:
        return next(pid for pid, command in self.children.items() if word in command)

    async def ask(self, path: str, user: str = "", host: str = "demo.localhost", **given: object) -> httpx.Response:
        headers = {"Host": host} | ({"Authorization": f"Bearer {user}:crossdock-demo"} if user else {})
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as client:
            url = f"http://127.0.0.1:{self.port}{path}"
            return await client.request("POST" if given else "GET", url, headers=headers, json=given or None)

    async def is_ready(self) -> bool:
        return (await self.ask("/readyz")).status_code == 200


def all_gone(pids: list[int]) -> Callable[[], Awaitable[bool]]:
    async def fact() -> bool:
        return not any(map(command_line, pids))

    return fact


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@asynccontextmanager
async def up(data: Path, *options: str) -> AsyncIterator[RunningHub]:
    """A running hub; what is left of it at the end is killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", "up", "--demo", "--port", "0", "--data", str(data), *options, stdout=PIPE
    )
    try:
        yield RunningHub(process, data, int((await said(process, "ready on http")).rsplit(":", 1)[1]))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def said(process: Process, words: str) -> str:
    """The first line from now on that holds these words."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        while words not in (line := (await process.stdout.readline()).decode()):
            assert line, "the hub ended"
    return line.strip()


async def until(fact: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if await fact():
                return
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "data"


async def test_hub_runs_is_administered_beside_mends_itself_and_stops_orderly(data: Path) -> None:
    async with up(data) as hub:
        assert (await hub.ask("/readyz")).status_code == 200
        shown = re.search("-d '(.*)'", await said(hub.process, "curl"))
        assert shown is not None
        answer = await hub.ask("/graphql", user="viewer", **json.loads(shown[1]))
        assert answer.status_code == 200
        assert "errors" not in answer.json()
        assert (await hub.ask("/graphql", query="{ orders { nodes { id } } }")).status_code == 401
        assert (await hub.ask("/api/product/read", user="viewer", page=1)).status_code == 200
        assert (await hub.ask("/api/product/read", user="viewer", host="nobody.localhost", page=1)).status_code == 401

        listed, refused = await asyncio.gather(
            run("tenant", "list", "--data", data), run("up", "--port", "0", "--data", data)
        )
        assert (listed.code, listed.err) == (0, "")
        assert all(slug in listed.out for slug in ("demo", "north"))
        assert refused.code == 1
        assert "in use by another hub" in refused.err.splitlines()[-1]

        os.kill(hub.child(" serve "), signal.SIGKILL)
        await until(hub.is_ready)  # callers wait in the queue of the socket, which is still there

        children = list(hub.children)
        hub.process.terminate()
        await said(hub.process, "Stopped.")
        assert await hub.process.wait() == 0
        assert await all_gone(children)()
        assert not (data / "running.json").exists()


async def test_killed_hub_leaves_nothing_running_and_starts_again(data: Path) -> None:
    async with up(data) as hub:
        children = list(hub.children)
        assert len(children) == 4

        hub.process.kill()
        await hub.process.wait()

        await until(all_gone(children))
        with pytest.raises(httpx.ConnectError):
            await hub.ask("/healthz")

    listed = await run("user", "list", "--tenant", "demo", "--data", data)
    assert [line.split()[0] for line in listed.out.splitlines()[1:]] == ["admin", "integrator", "viewer"]
