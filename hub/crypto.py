"""Seals connector secrets with AES-GCM, bound to tenant, connection and field, and keeps opened ones out of the log."""

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import NeedsAttention
from hub.keys import KeyRing
from hub.logs import keep_out_of_logs

PURPOSE = "connector secrets"
FORMAT = b"\x01"
ID_LENGTH = 4
NONCE_LENGTH = 12


class Vault:
    """Seals with the newest key of the ring and opens with whichever key it was."""

    def __init__(self, secret_key: str) -> None:
        self._keys = KeyRing(secret_key)

    def seal(self, plain: str, *, tenant_id: int, code: str, field: str) -> bytes:
        """The sealed text: format, key id, nonce, ciphertext. It opens for the same place only."""
        keep_out_of_logs(plain)
        key_id, key = self._ring()[0]
        nonce = secrets.token_bytes(NONCE_LENGTH)
        sealed = AESGCM(key).encrypt(nonce, plain.encode(), _place(tenant_id, code, field))
        return FORMAT + key_id + nonce + sealed

    def open(self, sealed: bytes, *, tenant_id: int, code: str, field: str) -> str:
        """The secret again; raises `NeedsAttention` when its key is gone or somebody changed or moved it."""
        key_id, rest = sealed[1 : 1 + ID_LENGTH], sealed[1 + ID_LENGTH :]
        key = dict(self._ring()).get(key_id)
        if key is None or sealed[:1] != FORMAT:
            raise _lost(code, field, "was sealed with a key that the hub no longer has")
        try:
            opened = AESGCM(key).decrypt(rest[:NONCE_LENGTH], rest[NONCE_LENGTH:], _place(tenant_id, code, field))
        except (InvalidTag, ValueError):
            raise _lost(code, field, "was changed or belongs elsewhere") from None
        plain = opened.decode()
        keep_out_of_logs(plain)
        return plain

    def is_current(self, sealed: bytes) -> bool:
        """Whether it was sealed with the newest key."""
        return sealed[: 1 + ID_LENGTH] == FORMAT + self._ring()[0][0]

    def _ring(self) -> list[tuple[bytes, bytes]]:
        keys = self._keys.derived(PURPOSE)
        return list(zip((id_[:ID_LENGTH] for id_ in self._keys.derived("key id")), keys, strict=True))


def _place(tenant_id: int, code: str, field: str) -> bytes:
    return "\x1f".join((str(tenant_id), code, field)).encode()


def _lost(code: str, field: str, why: str) -> NeedsAttention:
    return NeedsAttention(
        f"the stored secret {field} of {code} {why}", field=field, hint="enter it again, or give the hub its key back"
    )
