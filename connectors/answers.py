"""Opens the answers of JSON interfaces: what every vendor means by its HTTP status, before its own envelope is read."""

from typing import Any

from connectors.fields import decode_json
from hub.errors import NeedsAttention, Retryable
from hub.ports import HttpAnswer


def opened(answer: HttpAnswer, system: str) -> Any:
    """The decoded object or list of an answer, also of one with an error status: its words are the vendor's to read.

    Raises `NeedsAttention` for refused credentials and for a 4xx that no API wrote, `Retryable` for what a proxy wrote.
    """
    if answer.status in (401, 403):
        raise credentials_refused(system, f"HTTP {answer.status}")
    try:
        body = decode_json(answer.content)
    except Retryable:
        if 400 <= answer.status < 500 and answer.status != 408:
            raise NeedsAttention(
                f"{system} has no API at this address (HTTP {answer.status})", hint="check the API URL in the settings"
            ) from None
        raise Retryable(f"{system}'s answer is not JSON: a proxy's page, or cut") from None
    if not isinstance(body, dict | list):
        raise Retryable(f"{system}'s answer is neither an object nor a list")
    return body


def credentials_refused(system: str, words: str) -> NeedsAttention:
    return NeedsAttention(
        f"{system} refuses the credentials ({words})",
        code="CREDENTIALS_REFUSED",
        hint="enter them again in the settings",
    )
