"""Reads the forms that vendors want: one field that holds a JSON text."""

import json
from email import message_from_bytes
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request


async def json_field(request: Request, name: str) -> Any:
    """The decoded field of an urlencoded or multipart body; None for any other body, a plain JSON one included."""
    body, kind = await request.body(), request.headers.get("content-type", "")
    text = ""
    if kind.startswith("application/x-www-form-urlencoded"):
        text = parse_qs(body.decode("utf-8", "replace")).get(name, [""])[0]
    elif kind.startswith("multipart/form-data"):
        message = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body, policy=HTTP)
        for part in message.iter_parts():
            if part.get_param("name", header="content-disposition") == name:
                text = bytes(part.get_payload(decode=True)).decode("utf-8", "replace")
    try:
        return json.loads(text)
    except ValueError:
        return None
