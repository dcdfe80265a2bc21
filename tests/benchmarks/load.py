"""A load of HTTP requests over kept connections: one request in flight on each, latencies noted."""

import asyncio
import time
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Target:
    """Where one request goes: the whole request as bytes, ready to be sent again and again."""

    port: int
    request: bytes
    status: int = 200
    """What the answer must say."""


@dataclass(slots=True)
class Burst:
    """What came of a load."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        return len(self.latencies) / self.seconds if self.seconds else 0.0


def request(path: str, port: int, *, body: bytes = b"", **headers: str) -> Target:
    method = "POST" if body else "GET"
    headers = {"Host": f"127.0.0.1:{port}", "Content-Length": str(len(body))} | headers
    lines = [f"{method} {path} HTTP/1.1", *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items())]
    return Target(port, "\r\n".join([*lines, "", ""]).encode() + body)


async def once(target: Target) -> bytes:
    """One answer's body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    try:
        return await _ask(reader, writer, target)
    finally:
        writer.close()


async def burst(target: Target, *, connections: int, requests: int, seconds: float) -> Burst:
    """At most so many requests and about so many seconds, over so many connections at once."""
    opened = [await asyncio.open_connection("127.0.0.1", target.port) for _ in range(connections)]
    result = Burst()
    left = requests
    started = time.perf_counter()

    async def work(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal left
        while left > 0 and time.perf_counter() - started < seconds:
            left -= 1
            before = time.perf_counter()
            await _ask(reader, writer, target)
            result.latencies.append(time.perf_counter() - before)

    await asyncio.gather(*(work(*each) for each in opened))
    result.seconds = time.perf_counter() - started
    for _, writer in opened:
        writer.close()
    return result


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target) -> bytes:
    writer.write(target.request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    if not head.startswith(b"http/1.1 %d" % target.status):
        raise RuntimeError(f"port {target.port} answered {head.splitlines()[0].decode()}")
    place = head.find(b"content-length:")
    if place >= 0:
        return await reader.readexactly(int(head[place + 15 : head.index(b"\r\n", place)]))
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).strip(), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
