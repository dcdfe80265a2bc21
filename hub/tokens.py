"""Session tokens: who logged in, with which version of the password, until when; signed, never stored."""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass

from hub.keys import KeyRing, signature

PREFIX = "cd1"
PURPOSE = "session tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What a token says; `tenant_id` is 0 for an account, `expires_at` is in seconds of Unix time."""

    kind: str
    id: int
    tenant_id: int
    credential_version: int
    expires_at: int


def is_token(credential: str) -> bool:
    """Tokens have no colon, credentials always have one."""
    return credential.startswith(f"{PREFIX}.") and ":" not in credential


def issue(keys: KeyRing, claims: Claims) -> str:
    content = [claims.kind, claims.id, claims.tenant_id, claims.credential_version, claims.expires_at]
    body = f"{PREFIX}.{_encoded(json.dumps(content, separators=(',', ':')).encode())}"
    return f"{body}.{_encoded(signature(keys.derived(PURPOSE)[0], body.encode()))}"


def read(keys: KeyRing, token: str, *, now: float) -> Claims | None:
    """The claims of a token that one of the keys has signed and that has not expired."""
    body, _, given = token.rpartition(".")
    try:
        signed = urlsafe_b64decode(given + "=" * (-len(given) % 4))
        if not any(hmac.compare_digest(signature(key, body.encode()), signed) for key in keys.derived(PURPOSE)):
            return None
        text = body.partition(".")[2]
        kind, id_, tenant_id, version, expires_at = json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (NotBase64, ValueError):
        return None
    claims = Claims(kind=kind, id=id_, tenant_id=tenant_id, credential_version=version, expires_at=expires_at)
    return claims if now < claims.expires_at else None


def _encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
