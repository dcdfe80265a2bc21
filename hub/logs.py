"""The log of a process: plain lines for people or JSON for machines, and never a secret in either."""

import json
import logging
import re
import sys
from collections import OrderedDict
from datetime import UTC, datetime
from threading import Lock

MASK = "•••"
SHORTEST = 6
"""Shorter secrets are not searched for: they would mask ordinary words."""
REMEMBERED = 5_000

_PATTERNS = (
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[^\s,;'\"]+"), rf"\1\2{MASK}"),
    (re.compile(r"(?i)(://[^\s:/@]*:)[^\s@/]+@"), rf"\1{MASK}@"),
    (
        re.compile(
            r"(?i)\b(password|passwd|secret|token|api[_-]?key|apikey|authorization)\b(['\"]?\s*[=:]\s*)['\"]?[^\s,;'\"&)]+"
        ),
        rf"\1\2{MASK}",
    ),
)
_KNOWN_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}

_secrets: OrderedDict[str, None] = OrderedDict()
_lock = Lock()


def keep_out_of_logs(secret: str) -> None:
    """Mask this text wherever it would be logged by this process from now on."""
    if len(secret) < SHORTEST:
        return
    with _lock:
        _secrets[secret] = None
        _secrets.move_to_end(secret)
        if len(_secrets) > REMEMBERED:
            _secrets.popitem(last=False)


def redacted(text: str) -> str:
    """The text with every known secret and everything that looks like a credential masked."""
    with _lock:
        known = list(_secrets)
    for secret in known:
        if secret in text:
            text = text.replace(secret, MASK)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


class PlainFormatter(logging.Formatter):
    """`09:30:00 WARNING hub.auth: text`, tracebacks below."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, and whatever the caller passed as `extra`."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat().replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        entry |= {name: redacted(str(value)) for name, value in vars(record).items() if name not in _KNOWN_FIELDS}
        if record.exc_info:
            entry["error"] = redacted(self.formatException(record.exc_info))
        return json.dumps(entry, ensure_ascii=False)


def set_up_logging(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send everything of this process to the standard error, through the redaction."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if as_json else PlainFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("httpx", "httpcore", "alembic", "asyncio", "arq.worker", "uvicorn.error"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))
