"""The forms of answers: the envelope of the contract, its exceptions, and how a refusal looks."""

import logging
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from hub.errors import Conflict, HubError, Invalid, NotAllowed, NotFound, Unauthenticated, Unavailable
from schema.rest.json_text import write

log = logging.getLogger(__name__)

JSON = "application/json"
OPENING, CLOSING = b'{"error":false,"errorMessage":null,"status":200,"data":', b"}"
"""The envelope of the contract around what a route answers."""
STATUSES: tuple[tuple[type[HubError], int], ...] = (
    (Unauthenticated, 401),
    (NotAllowed, 403),
    (Invalid, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)


class Form(Enum):
    """How the value that a handler returns becomes a body."""

    LIST = "list"
    """The envelope around a list."""
    ONE = "one"
    """The envelope around one value."""
    BARE = "bare"
    """The value itself, no envelope."""
    FILE = "file"
    """A `Document`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a route answers on success: the form, and the annotated class (or plain type) of the value."""

    form: Form
    of: Any


def listing(of: Any) -> Shape:
    return Shape(Form.LIST, of)


def one(of: Any) -> Shape:
    return Shape(Form.ONE, of)


def bare(of: Any) -> Shape:
    return Shape(Form.BARE, of)


PDF = Shape(Form.FILE, "application/pdf")


@dataclass(frozen=True, slots=True)
class Document:
    """A file as an answer."""

    content: bytes
    media_type: str
    name: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A list that is too long for one piece: parts of its JSON text."""

    pieces: AsyncGenerator[bytes, None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer, or one whose body follows piece by piece."""

    status: int
    body: bytes | AsyncGenerator[bytes, None]
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON


def success(shape: Shape, value: Any, headers: Mapping[str, str]) -> Answer:
    """`bytes` inside the value are JSON text that PostgreSQL has written already."""
    if isinstance(value, Document):
        shown_as = {"Content-Disposition": f'inline; filename="{value.name}"'}
        return Answer(200, value.content, {**shown_as, **headers}, value.media_type)
    if isinstance(value, Parts):
        return Answer(200, _enveloped(value.pieces), headers)
    text = value if isinstance(value, bytes) else write(value)
    return Answer(200, text if shape.form is Form.BARE else b"%b%b%b" % (OPENING, text, CLOSING), headers)


async def _enveloped(pieces: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    yield OPENING
    async with aclosing(pieces):
        async for piece in pieces:
            yield piece
    yield CLOSING


def failure(status: int, message: str, headers: Mapping[str, str] | None = None) -> Answer:
    body = write({"error": True, "errorMessage": message, "status": status, "data": None})
    return Answer(status, body, headers or {})


def refused(error: HubError, request_id: str) -> Answer:
    """A refusal keeps its words, except where the contract fixes them; anything else is a bug and says nothing."""
    status = next((code for kind, code in STATUSES if isinstance(error, kind)), 500)
    if status == 500:
        return broken(error, request_id)
    if status == 401:
        return failure(401, error.message, {"WWW-Authenticate": "Bearer"})
    if status == 403:
        return failure(403, "Insufficient permissions")
    if status == 503:
        return failure(503, str(error), {"Retry-After": "1"})
    return failure(status, str(error))


def broken(error: Exception, request_id: str) -> Answer:
    log.error("request %s failed", request_id, exc_info=error)
    return failure(500, f"Internal error; quote request {request_id} to your operator")
