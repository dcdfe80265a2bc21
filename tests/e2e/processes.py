"""The hub's processes as a user starts them, each on its own, and ways to talk to them."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import websockets

PATIENCE = 60.0
PASSWORD = "correct-horse"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


async def started(*command: str, environment: Mapping[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub", *command, env={**os.environ, **environment}, stdout=sys.stderr, stderr=sys.stderr
    )


async def ran(*command: str, environment: Mapping[str, str]) -> None:
    process = await started(*command, environment=environment)
    assert await process.wait() == 0, command


async def ended(process: asyncio.subprocess.Process, number: signal.Signals = signal.SIGTERM) -> int:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(number)
    return await process.wait()


async def eventually(read: Callable[[], Any], accept: Callable[[Any], bool], what: str) -> Any:
    """What `read` returns as soon as it is accepted; waits for the state, never for a time."""
    seen = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while True:
                seen = await read()
                if accept(seen):
                    return seen
                await asyncio.sleep(0.1)
    return pytest.fail(f"{what} did not come about; last seen: {str(seen)[:2000]}")


@dataclass
class Hub:
    """A running API with a tenant `acme`, its worker, and a shop in a sandbox."""

    environment: Mapping[str, str]
    port: int
    shop_port: int
    worker: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def graphql(self, query: str, **variables: Any) -> Any:
        answer = await self.http.post("/graphql", json={"query": query, "variables": variables})
        body = answer.json()
        assert "errors" not in body, body
        return body["data"]

    async def rest(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def shop(self, method: str = "GET", path: str = "state", body: Mapping[str, Any] | None = None) -> Any:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.shop_port}/_sandbox/") as client:
            return (await client.request(method, path, json=body)).raise_for_status().json()

    async def kill_worker(self) -> None:
        """SIGKILL, as the kernel does when memory is short."""
        self.worker.kill()
        await self.worker.wait()

    async def start_worker(self) -> None:
        self.worker = await started("worker", "--no-migrations", environment=self.environment)

    async def follow(self, subscription: str) -> AsyncIterator[Any]:
        """The payloads of a subscription over a WebSocket."""
        async with websockets.connect(
            f"ws://acme.localhost:{self.port}/graphql",
            host="127.0.0.1",
            subprotocols=[websockets.Subprotocol("graphql-transport-ws")],
        ) as connection:
            credentials = {"authorization": f"Bearer admin:{PASSWORD}"}
            await connection.send(json.dumps({"type": "connection_init", "payload": credentials}))
            assert json.loads(await connection.recv())["type"] == "connection_ack"
            request = {"id": "1", "type": "subscribe", "payload": {"query": subscription}}
            await connection.send(json.dumps(request))
            async for message in connection:
                told = json.loads(message)
                assert told["type"] == "next", told
                assert "errors" not in told["payload"], told
                yield told["payload"]["data"]
