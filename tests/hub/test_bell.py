"""Rings reach every process; an outage of Redis costs a wake-up, never the listener."""

import asyncio
import contextlib
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from hub.bell import RedisBell
from hub.embedded.valkey import _program


async def bell_at(url: str, **options: timedelta) -> AsyncIterator[RedisBell]:
    bell = await RedisBell(url, **options).open()
    yield bell
    await bell.close()


@pytest.fixture
async def here(redis_url: str) -> AsyncIterator[RedisBell]:
    async for bell in bell_at(redis_url):
        yield bell


@pytest.fixture
async def there(redis_url: str) -> AsyncIterator[RedisBell]:
    async for bell in bell_at(redis_url):
        yield bell


async def heard(bell: RedisBell, *topics: str, wanted: str) -> None:
    """Listen until the wanted topic rings."""
    async with contextlib.aclosing(bell.listen(*topics)) as rings:
        async for topic in rings:
            if topic == wanted:
                return


async def test_a_ring_reaches_listeners_of_its_topic_in_every_process(here: RedisBell, there: RedisBell) -> None:
    waiting = [asyncio.create_task(heard(bell, "stock", "runs", wanted="runs")) for bell in (here, there)]
    await asyncio.sleep(0.1)

    await here.ring("runs")

    await asyncio.wait_for(asyncio.gather(*waiting), 5)


async def test_silence_yields_an_empty_text(redis_url: str) -> None:
    async for bell in bell_at(redis_url, silence=timedelta(milliseconds=20)):
        async with contextlib.aclosing(bell.listen("nobody")) as rings:
            assert [await anext(rings), await anext(rings)] == ["", ""]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator["OwnValkey"]:
    server = OwnValkey(tmp_path / "own.sock")
    server.start()
    yield server
    server.stop()


class OwnValkey:
    """A server that a test may stop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def start(self) -> None:
        command = [str(_program()), "--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no"]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=self.path.parent)
        for _ in range(500):
            with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
                line.connect(str(self.path))
                return
            time.sleep(0.01)
        raise AssertionError("Valkey does not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


async def test_during_an_outage_this_process_hears_its_own_rings(valkey: OwnValkey) -> None:
    async for bell in bell_at(valkey.url):
        listening = asyncio.create_task(heard(bell, "runs", wanted="runs"))
        await asyncio.sleep(0.05)

        valkey.stop()
        await bell.ring("runs")

        await asyncio.wait_for(listening, 5)


async def test_after_an_outage_everybody_is_woken_and_rings_travel_again(valkey: OwnValkey) -> None:
    async for here in bell_at(valkey.url, silence=timedelta(minutes=5)):
        async for there in bell_at(valkey.url, silence=timedelta(minutes=5)):
            woken = asyncio.create_task(heard(there, "runs", wanted="runs"))
            await asyncio.sleep(0.1)
            valkey.stop()
            await asyncio.sleep(0.2)

            valkey.start()

            await asyncio.wait_for(woken, 10)
            again = asyncio.create_task(heard(there, "stock", wanted="stock"))
            while not again.done():
                await here.ring("stock")
                await asyncio.wait([again], timeout=0.1)
