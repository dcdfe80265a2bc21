import logging
import stat
from pathlib import Path
from typing import TypedDict

import pytest

from hub.crypto import Vault
from hub.errors import Invalid, NeedsAttention
from hub.keys import KeyRing, key_of_folder, new_key, read_keys, replace_keys
from hub.logs import JsonFormatter, PlainFormatter, keep_out_of_logs


class Place(TypedDict, total=False):
    tenant_id: int
    code: str
    field: str


PLACE: Place = {"tenant_id": 1, "code": "GOMAG", "field": "applicationId"}


def test_secret_opens_where_it_was_sealed() -> None:
    vault = Vault("key")

    sealed = vault.seal("clé ș 钥", **PLACE)

    assert "clé".encode() not in sealed
    assert vault.open(sealed, **PLACE) == "clé ș 钥"
    assert vault.seal("clé ș 钥", **PLACE) != sealed


@pytest.mark.parametrize("moved", [{"tenant_id": 2}, {"code": "NEXUS"}, {"field": "apiKey"}])
def test_secret_moved_elsewhere_does_not_open(moved: Place) -> None:
    vault = Vault("key")
    sealed = vault.seal("secret", **PLACE)

    with pytest.raises(NeedsAttention, match="belongs elsewhere"):
        vault.open(sealed, **(PLACE | moved))


def test_changed_cut_or_empty_ciphertext_does_not_open() -> None:
    vault = Vault("key")
    sealed = vault.seal("secret", **PLACE)

    for broken in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:10], b"", b"\x02" + sealed[1:]):
        with pytest.raises(NeedsAttention):
            vault.open(broken, **PLACE)


def test_rotation_seals_with_the_newest_key_and_opens_with_the_older() -> None:
    sealed = Vault("old").seal("secret", **PLACE)
    rotated = Vault("new,old")

    assert rotated.open(sealed, **PLACE) == "secret"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal("secret", **PLACE))
    with pytest.raises(NeedsAttention, match="no longer has"):
        Vault("new").open(sealed, **PLACE)


def test_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    text = key_of_folder(tmp_path / "data")

    path = tmp_path / "data" / "secret.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key_of_folder(tmp_path / "data") == text
    assert len(read_keys(text)[0]) >= 32
    assert list(path.parent.iterdir()) == [path]


def test_running_process_follows_the_key_file(tmp_path: Path) -> None:
    text = key_of_folder(tmp_path)
    vault = Vault(text)
    sealed = vault.seal("secret", **PLACE)

    replace_keys(text, [new_key(), *read_keys(text)])

    assert not vault.is_current(sealed)
    assert vault.open(sealed, **PLACE) == "secret"


def test_purposes_have_keys_of_their_own() -> None:
    ring = KeyRing("key")

    assert ring.derived("one") != ring.derived("two")


@pytest.mark.parametrize("text", ["", " , ", "file:/nowhere/secret.key"])
def test_missing_key_is_named(text: str) -> None:
    with pytest.raises(Invalid, match="HUB_SECRET_KEY"):
        KeyRing(text)


def test_log_lines_never_hold_a_secret() -> None:
    keep_out_of_logs("s3cr3t-of-the-shop")
    record = logging.makeLogRecord(
        {
            "msg": "call failed: %s Authorization: Bearer ana:pass word; postgresql://hub:pw1234@db/x password=hunter2",
            "args": ("key s3cr3t-of-the-shop",),
            "detail": {"apiKey": "abcdef"},
        }
    )
    try:
        raise ValueError("refused s3cr3t-of-the-shop")
    except ValueError as error:
        record.exc_info = (ValueError, error, error.__traceback__)

    for formatter in (PlainFormatter(), JsonFormatter()):
        line = formatter.format(record)
        for secret in ("s3cr3t", "ana:pass", "pw1234", "hunter2", "abcdef"):
            assert secret not in line
        assert "call failed" in line
        assert "ValueError" in line
