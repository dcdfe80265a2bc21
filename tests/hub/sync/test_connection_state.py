"""What connectors remember survives the process, expires, and keeps its secrets."""

from datetime import timedelta

from hub.crypto import Vault
from hub.sync.connection_state import StoredState
from tests.hub.sync.bench import Bench
from tests.hub.sync.vendor import CODE

KEY = "a key for tests, long enough to be one"


def state_of(bench: Bench, key: str = KEY) -> StoredState:
    return StoredState(bench.database, bench.world.tenant_id, CODE, Vault(key))


async def test_values_are_remembered_replaced_and_forgotten(bench: Bench) -> None:
    state = state_of(bench)
    await state.put("ids", {"AB-44": 7})
    first = await state_of(bench).get("ids")
    await state.put("ids", [1, 2])
    second = await state.get("ids")
    await state.put("ids", None)

    assert (first, second, await state.get("ids"), await state.get("never")) == ({"AB-44": 7}, [1, 2], None, None)


async def test_a_secret_is_readable_by_its_connection_alone(bench: Bench) -> None:
    state = state_of(bench)
    await state.put("session", {"clientID": "s3cr3t-client"}, secret=True)

    (row,) = await bench.world.rows("SELECT value, ciphertext FROM connector_memory")
    assert row["value"] is None
    assert b"s3cr3t" not in bytes(row["ciphertext"])
    assert await state.get("session") == {"clientID": "s3cr3t-client"}
    assert await state_of(bench, "another key, also long enough for it").get("session") is None


async def test_what_has_expired_is_gone(bench: Bench) -> None:
    state = state_of(bench)
    await state.put("token", "x", lives=timedelta(hours=1))
    await state.put("old", "x", lives=timedelta(seconds=-1))

    assert (await state.get("token"), await state.get("old")) == ("x", None)
