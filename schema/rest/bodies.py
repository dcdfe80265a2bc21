"""Reading a request's body: size while it arrives, then its type, then JSON."""

import asyncio
from collections.abc import Iterable
from typing import Any

from starlette.types import Receive

from schema.rest.json_text import parse

LARGEST = 10 * 1024 * 1024
WORTH_A_THREAD = 256 * 1024
FRAMING = (b"content-length", b"transfer-encoding")
"""A request with neither has no body."""


class Refused(Exception):
    """413 or 415."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Disconnected(Exception):
    """The client left before the body was complete."""


async def read_body(headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> bytes:
    """The body; raise `Refused` for one that is too large (whatever Content-Length says) or not JSON by its type."""
    framing = {name: value for name, value in headers if name in FRAMING}
    length = framing.get(b"content-length", b"0")
    if length == b"0" and b"transfer-encoding" not in framing:
        return b""
    if length.isdigit() and len(length) < 20 and int(length) > LARGEST:
        raise _too_large()
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > LARGEST:
            raise _too_large()
        chunks.append(chunk)
        if not message.get("more_body", False):
            break
    if size and not _is_json(headers):
        raise Refused(415, "Content-Type must be application/json")
    return b"".join(chunks)


async def parsed(body: bytes) -> Any:
    """The JSON value; large bodies are read beside the event loop."""
    return await asyncio.to_thread(parse, body) if len(body) > WORTH_A_THREAD else parse(body)


def _is_json(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    types = [value.partition(b";")[0].strip().lower() for name, value in headers if name == b"content-type"]
    return all(kind in (b"", b"application/json") for kind in types)


def _too_large() -> Refused:
    return Refused(413, f"the body is larger than {LARGEST // 1024 // 1024} MiB")
