"""Reads raw payloads without trusting them: every wrong value becomes a `RecordRejected` that names its path."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hub.errors import RecordRejected, Retryable

KEY_LENGTH = 255
TEXT_LENGTH = 1000
LARGEST = Decimal(10) ** 12
NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,2})?", re.ASCII)
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""PostgreSQL takes neither NUL nor lone surrogates."""


def decode_json(content: bytes) -> Any:
    """Decode an answer; fractions stay text, so that they are exact and storable. `Retryable` when it is no JSON."""
    try:
        return json.loads(content, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise Retryable("the answer is not JSON (a proxy's page or a cut answer)") from error


def encode_json(value: Any) -> str:
    """The shortest JSON text; decimals become numbers, whole ones without a point."""
    return json.dumps(value, separators=(",", ":"), default=_plain_number)


def _plain_number(value: Any) -> int | float:
    if isinstance(value, Decimal):
        # JSON knows one kind of number; up to 15 digits the shortest form of a float is the decimal's own.
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def members(value: Any) -> list[Any]:
    """A list, or an object keyed by id (the key becomes the member's `id` where it has none); [] for anything else."""
    if isinstance(value, Mapping):
        return [
            {**member, "id": member.get("id") or key} if isinstance(member, Mapping) else member
            for key, member in value.items()
        ]
    return list(value) if isinstance(value, list) else []


def texts(value: Any) -> Iterator[str]:
    """Every text inside, however it is nested: what systems write into their messages."""
    if isinstance(value, Mapping):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for member in value:
            yield from texts(member)
    elif value is not None:
        yield str(value)


@dataclass(frozen=True, slots=True)
class Node:
    """One place of a payload: its value and its path. `node["a"]["b"]` goes down; what is missing is an empty node."""

    value: Any
    path: str = ""

    def __getitem__(self, key: str) -> "Node":
        inside = self.value.get(key) if isinstance(self.value, Mapping) else None
        return Node(inside, f"{self.path}.{key}" if self.path else key)

    def first(self, *keys: str) -> "Node":
        """The first of these that holds something, else the first."""
        return next((self[key] for key in keys if not self[key].empty), self[keys[0]])

    @property
    def empty(self) -> bool:
        """True for every way in which systems write nothing: null, false, "", [] and {}."""
        value = self.value.strip() if isinstance(self.value, str) else self.value
        return value is None or value is False or value in ("", [], {})

    def entries(self) -> Iterator["Node"]:
        """The members of a list, or of an object keyed by id or number; nothing when empty."""
        if self.empty:
            return
        if isinstance(self.value, Mapping):
            pairs = [(f".{key}", member) for key, member in self.value.items()]
        elif isinstance(self.value, list):
            pairs = [(f"[{index}]", member) for index, member in enumerate(self.value)]
        else:
            raise self.rejected("must be a list or an object")
        for step, member in pairs:
            yield Node(member, f"{self.path}{step}")

    def key(self) -> str:
        """A required identifier: text or a whole number, at most 255 characters, outer blanks removed."""
        text = self._text()
        if not text:
            raise self.rejected("is missing")
        if len(text) > KEY_LENGTH:
            raise self.rejected(f"is longer than {KEY_LENGTH} characters")
        return text

    def key_or_none(self) -> str | None:
        return None if self.empty else self.key()

    def text(self, length: int = TEXT_LENGTH) -> str | None:
        """An optional text for people, cut to `length`; None when there is nothing."""
        return (self._text()[:length] if not self.empty else "") or None

    def translated(self, language: str) -> str:
        """A required text, or an object with one text per language: this one, else the first that says anything."""
        several = [self[language], *self.entries()] if isinstance(self.value, Mapping) else [self]
        text = next(filter(None, (one.text() for one in several)), None)
        if text is None:
            raise self.rejected("is missing")
        return text

    def decimal(self) -> Decimal:
        """A required number, given as text or number."""
        if self.empty:
            raise self.rejected("is missing")
        if not isinstance(self.value, str | int | float) or isinstance(self.value, bool):
            raise self.rejected("must be a number")
        text = str(self.value).strip()
        if not NUMBER.fullmatch(text) or abs(number := Decimal(text)) >= LARGEST:
            raise self.rejected("must be a number below 10^12")
        return number

    def decimal_or_none(self) -> Decimal | None:
        return None if self.empty else self.decimal()

    def count_or_none(self) -> int | None:
        """An optional small whole number, as page counts are; None for anything else."""
        text = str(self.value).strip()
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None

    def flag(self, default: bool) -> bool:
        """A switch in any of its usual spellings; `default` when it is not there."""
        if self.value is None or self.value in ("", [], {}):
            return default
        text = str(self.value).strip().lower()
        if text in ("1", "true", "on", "yes", "da", "y"):
            return True
        if text in ("0", "false", "off", "no", "nu", "n"):
            return False
        raise self.rejected("must be a yes or no")

    def rejected(self, reason: str) -> RecordRejected:
        return RecordRejected(reason, field=self.path or "record")

    def _text(self) -> str:
        if self.empty:
            return ""
        if isinstance(self.value, bool) or not isinstance(self.value, str | int):
            raise self.rejected("must be text or a whole number")
        return UNSTORABLE.sub("", str(self.value)).strip()


def key_at(name: str) -> Callable[[Any], str]:
    """A reader of the external key in a raw payload of whatever kind: "" where it shows none."""

    def read(payload: Any) -> str:
        try:
            return Node(payload)[name].key()
        except RecordRejected:
            return ""

    return read


def mentioned(word: str, sentences: Iterable[str]) -> bool:
    """Whether a code stands in one of the sentences, and not merely as a part of a longer code."""
    whole = re.compile(rf"(?<![\w./-]){re.escape(word)}(?![\w/-]|\.\w)")
    return any(whole.search(sentence) for sentence in sentences)


def local_moments(text: object, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """The earliest and the latest moment (UTC) that a naive local time can mean; None when it is none.

    They differ by an hour where the clock is put back and the same hour comes twice.
    """
    try:
        local = datetime.fromisoformat(str(text).strip())
        readings = [local] if local.tzinfo else [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        moments = sorted(reading.astimezone(UTC) for reading in readings)
    except (ValueError, OverflowError):
        return None
    return moments[0], moments[-1]
