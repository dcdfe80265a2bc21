"""The hub's secret keys, out of HUB_SECRET_KEY or a key file: the first is in use, the others open what is old."""

import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.errors import Invalid

FILE = "secret.key"
FILE_PREFIX = "file:"


@dataclass(slots=True)
class KeyRing:
    """Keys derived from secret texts, newest first. A ring out of a file follows the file: no restart to rotate.

    The text is `key`, `key,older key` or `file:PATH` (one key a line).
    """

    text: str = field(repr=False)
    _stamp: tuple[int, int, int] = field(default=(0, 0, 0), init=False, repr=False)
    _texts: tuple[str, ...] = field(default=(), init=False, repr=False)

    def __post_init__(self) -> None:
        if not self._present():
            raise Invalid("the secret key is empty", field="HUB_SECRET_KEY", hint="a long random text")

    def derived(self, purpose: str) -> list[bytes]:
        """32 bytes per key, of no use for any other purpose; the first is the one to use for what is new."""
        return [_derive(text, purpose) for text in self._present()]

    def _present(self) -> tuple[str, ...]:
        if not self.text.startswith(FILE_PREFIX):
            if not self._texts:
                self._texts = _parts(self.text.split(","))
            return self._texts
        path = Path(self.text.removeprefix(FILE_PREFIX))
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_ino, status.st_size)
            if stamp != self._stamp:
                self._texts = _parts(path.read_text(encoding="utf-8").splitlines())
                self._stamp = stamp
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}", field="HUB_SECRET_KEY") from error
        return self._texts


def key_of_folder(data: Path) -> str:
    """The text of the key file's ring; makes the file with a new random key when there is none."""
    path = data.expanduser().resolve() / FILE
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _write(path, [new_key()], exclusive=True)
    except FileExistsError:
        pass  # another process was first
    except OSError as error:
        raise Invalid(f"{path} cannot be written: {error.strerror}", field="data") from error
    return f"{FILE_PREFIX}{path}"


def new_key() -> str:
    return secrets.token_urlsafe(48)


def replace_keys(text: str, keys: list[str]) -> None:
    """Write a key file anew, newest first; running processes take it up with their next use of a key."""
    _write(Path(text.removeprefix(FILE_PREFIX)), keys, exclusive=False)


def read_keys(text: str) -> list[str]:
    return list(KeyRing(text)._present())


def _write(path: Path, keys: list[str], *, exclusive: bool) -> None:
    """A complete file with mode 0600 appears at once or not at all."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write("".join(f"{key}\n" for key in keys))
            file.flush()
            os.fsync(file.fileno())
        if exclusive:
            os.link(draft, path)
        else:
            draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _parts(texts: list[str]) -> tuple[str, ...]:
    return tuple(part.strip() for part in texts if part.strip())


@lru_cache(maxsize=256)
def _derive(text: str, purpose: str) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt=None, info=f"crossdock {purpose}".encode()).derive(text.encode())


def signature(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
