import pytest

from hub.errors import Invalid
from hub.settings import Settings


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("postgres://u:p%40ss@db:5432/hub", "postgresql+asyncpg://u:p%40ss@db:5432/hub"),
        ("postgresql://db/hub?sslmode=require", "postgresql+asyncpg://db/hub?ssl=require"),
        ("postgresql+asyncpg://u@/hub?host=%2Ftmp", "postgresql+asyncpg://u@/hub?host=%2Ftmp"),
        ("", ""),
    ],
)
def test_database_address_may_be_written_as_people_do(given: str, address: str) -> None:
    assert Settings.from_environment({"DATABASE_URL": given}).database_url == address


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "db.example.com"),
        ("DATABASE_ADMIN_URL", "mysql://db/hub"),
        ("HUB_ALLOW_HTTP", "perhaps"),
        ("HUB_POOL_SIZE", "0"),
        ("HUB_TRUSTED_PROXIES", "10.0.0.0/33"),
    ],
)
def test_setting_that_cannot_be_understood_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        Settings.from_environment({name: value})
    assert caught.value.field == name
