"""The configuration of connections, with a connector made for these rules."""

import asyncio
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel
from sqlalchemy import delete, insert, select, update
from sqlmodel import col

from hub.context import Actor, Grant, Level, Scope
from hub.crypto import Vault
from hub.db import Database
from hub.errors import Conflict, HubError, Invalid, NeedsAttention, NotAllowed, NotFound
from hub.models.integrations import Integration, IntegrationSecret
from hub.models.tenants import AuditEntry, Tenant
from hub.ports import Connector, Registry, SystemType, Vendor
from hub.queries import integrations as queries
from hub.queries.integrations import IntegrationInfo
from hub.services import integrations

SETTINGS = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", hide_input_in_errors=True)
VAULT = Vault("key of the tests")
ADMINISTRATOR = Scope({1: Grant(Level.ADMINISTRATOR)}, Actor("user", 1, "admin"))
VIEWER = Scope({1: Grant(Level.VIEWER)}, Actor("user", 2, "viewer"))
NEIGHBOUR = Scope({2: Grant(Level.ADMINISTRATOR)}, Actor("user", 1, "admin"))


class ShopConfig(BaseModel):
    model_config = SETTINGS

    application_url: str = Field(title="Application URL", pattern="^https?://")
    api_key: SecretStr = Field(title="Api Key", json_schema_extra={"secret": True, "masked": True})
    api_secret: SecretStr | None = Field(default=None, json_schema_extra={"secret": True})
    api_url: str = Field(default="https://platform.test/api", pattern="^https?://")
    websites: dict[str, SecretStr] = Field(default_factory=dict)


class ErpConfig(BaseModel):
    model_config = SETTINGS

    ip: str
    port: int = Field(ge=1, le=65535)
    password: SecretStr | None = Field(default=None, json_schema_extra={"secret": True})
    nir_series: str | None = Field(default=None, json_schema_extra={"required_with": "syncNirs"})


async def check(vendor: Vendor) -> str:
    return "answers"


SHOP = Connector(
    code="SHOP",
    title="The Shop",
    kind=SystemType.ECOMMERCE,
    config=ShopConfig,
    secrets=frozenset({"apiKey", "apiSecret"}),
    options=("syncOrders", "sendStocks"),
    mappings={"outboundTakeoverStatusId": None, "outboundDeletedStatusId": "0"},
    required_any=(("apiSecret", "websites"),),
    streams=(),
    check=check,
)
ERP = Connector(
    code="ERP",
    title="The ERP",
    kind=SystemType.ERP,
    config=ErpConfig,
    secrets=frozenset({"password"}),
    options=("syncOrders", "syncNirs"),
    mappings={"outboundTakeoverStatusId": "1", "inboundTakeoverStatusId": None, "inboundDeletedStatusId": "0"},
    streams=(),
    check=check,
)
REGISTRY: Registry = {"SHOP": SHOP, "ERP": ERP}
SHOP_FIELDS = {"applicationUrl": "https://shop.test", "apiKey": "key-12345678", "apiSecret": "hidden words"}
ERP_FIELDS = {"ip": "10.0.0.5", "port": 8080}


@pytest.fixture(scope="module")
async def tenants(database: Database) -> None:
    async with database.system_work() as session:
        rows = [{"id": 1, "slug": "one", "name": "One"}, {"id": 2, "slug": "two", "name": "Two"}]
        await session.execute(insert(Tenant), rows)


@pytest.fixture
async def hub(database: Database, tenants: None) -> Database:
    for scope in (ADMINISTRATOR, NEIGHBOUR):
        async with database.unit_of_work(scope) as work:
            await work.session.execute(delete(Integration))
    return database


async def save(hub: Database, code: str = "SHOP", *, scope: Scope = ADMINISTRATOR, **given: Any) -> None:
    await hub.write(scope, lambda work: integrations.save(work, code=code, registry=REGISTRY, vault=VAULT, **given))


async def activate(hub: Database, code: str = "SHOP", *, scope: Scope = ADMINISTRATOR) -> None:
    await hub.write(scope, lambda work: integrations.activate(work, code=code, registry=REGISTRY, vault=VAULT))


async def shown(hub: Database, code: str = "SHOP", *, scope: Scope = ADMINISTRATOR) -> IntegrationInfo:
    listed = await queries.list_integrations(hub, scope, registry=REGISTRY, vault=VAULT)
    return next(info for info in listed if info.code == code)


async def loaded(hub: Database, code: str = "SHOP") -> queries.Connection:
    async with hub.unit_of_work(ADMINISTRATOR) as work:
        return await queries.load_connection(work.session, 1, code, vault=VAULT, registry=REGISTRY)


async def refused(hub: Database, error: type[HubError], field: str | None, code: str = "SHOP", **given: Any) -> None:
    with pytest.raises(error) as caught:
        await save(hub, code, **given)
    assert caught.value.field == field
    assert "hidden words" not in str(caught.value)


async def test_every_system_is_listed_with_its_defaults_before_anything_is_saved(hub: Database) -> None:
    info = await shown(hub)

    assert (info.active, info.has_credentials, info.type) == (False, False, "ECOMMERCE")
    assert info.fields == {"applicationUrl": None, "apiUrl": "https://platform.test/api", "apiKey": None}
    assert info.options == {"syncOrders": False, "sendStocks": False}
    assert info.mappings == {"outboundTakeoverStatusId": None, "outboundDeletedStatusId": "0"}
    assert info.missing == ["applicationUrl", "apiKey", "apiSecret or websites"]


async def test_saved_secret_is_used_but_never_shown(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)

    info = await shown(hub)
    assert info.has_credentials
    assert info.secrets_set == {"apiKey": True, "apiSecret": True}
    assert info.fields["apiKey"] == "****5678"
    assert "hidden words" not in repr(info)
    assert "key-1234" not in repr(info)
    connection = await loaded(hub)
    assert connection.config.api_secret.get_secret_value() == "hidden words"  # type: ignore[attr-defined]
    assert "hidden words" not in repr(connection)
    async with hub.unit_of_work(ADMINISTRATOR) as work:
        row = (await work.session.execute(select(Integration))).scalar_one()
        sealed = (await work.session.execute(select(IntegrationSecret))).scalars().all()
        entries = (await work.session.execute(select(AuditEntry))).scalars().all()
    assert "hidden words" not in repr((row.fields, [entry.details for entry in entries]))
    assert all(b"hidden" not in secret.ciphertext for secret in sealed)


async def test_absent_secret_stays_a_given_one_replaces_and_null_removes(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)

    await save(hub, fields={"applicationUrl": "https://other.test"})
    assert (await loaded(hub)).config.api_secret.get_secret_value() == "hidden words"  # type: ignore[attr-defined]

    await save(hub, fields={"apiSecret": "new words"})
    assert (await loaded(hub)).config.api_secret.get_secret_value() == "new words"  # type: ignore[attr-defined]

    await save(hub, fields={"apiSecret": None})
    info = await shown(hub)
    assert info.secrets_set == {"apiKey": True, "apiSecret": False}
    assert not info.has_credentials
    assert info.fields["applicationUrl"] == "https://other.test"


async def test_null_field_falls_back_to_its_default(hub: Database) -> None:
    await save(hub, fields={"apiUrl": "https://elsewhere.test"}, options={"syncOrders": True})
    await save(hub, fields={"apiUrl": None}, options={"syncOrders": None})

    info = await shown(hub)
    assert info.fields["apiUrl"] == "https://platform.test/api"
    assert info.options["syncOrders"] is False


@pytest.mark.parametrize(
    ("code", "given", "field"),
    [
        ("SHOP", {"fields": {"port": 1}}, "fields.port"),
        ("SHOP", {"fields": {"websites": {"1": "hidden words"}}}, "fields.websites"),
        ("SHOP", {"fields": {"applicationUrl": "ftp://shop"}}, "fields.applicationUrl"),
        ("SHOP", {"fields": {"apiSecret": 17}}, "fields.apiSecret"),
        ("SHOP", {"options": {"syncNirs": True}}, "options.syncNirs"),
        ("SHOP", {"options": {"syncOrders": "hidden words"}}, "options.syncOrders"),
        ("SHOP", {"mappings": {"inboundTakeoverStatusId": "1"}}, "mappings.inboundTakeoverStatusId"),
        ("SHOP", {"mappings": {"outboundTakeoverStatusId": "x" * 256}}, "mappings.outboundTakeoverStatusId"),
        ("SHOP", {"mappings": {"outboundTakeoverStatusId": "3, 0"}}, "mappings.outboundTakeoverStatusId"),
        ("ERP", {"fields": {"port": 65536}}, "fields.port"),
        ("ERP", {"fields": {"port": "many"}}, "fields.port"),
    ],
)
async def test_what_is_wrong_or_not_offered_is_refused_by_name(
    hub: Database, code: str, given: dict[str, Any], field: str
) -> None:
    await refused(hub, Invalid, field, code, **given)

    assert not (await shown(hub, code)).options["syncOrders"]


async def test_refusal_of_what_is_not_offered_says_its_name_in_words(hub: Database) -> None:
    with pytest.raises(Invalid) as caught:
        await save(hub, options={"syncNirs": True})

    assert caught.value.message.endswith("does not offer syncNirs")


async def test_same_status_may_be_takeover_once_the_deleted_one_is_another(hub: Database) -> None:
    await save(hub, mappings={"outboundTakeoverStatusId": "0,1", "outboundDeletedStatusId": ""})

    assert (await shown(hub)).mappings == {"outboundTakeoverStatusId": "0,1", "outboundDeletedStatusId": None}
    await refused(hub, Invalid, "mappings.outboundTakeoverStatusId", mappings={"outboundDeletedStatusId": "1"})


async def test_activation_names_everything_that_is_missing(hub: Database) -> None:
    await save(hub, fields={"apiKey": "key-12345678"}, options={"syncOrders": True})

    with pytest.raises(Invalid) as caught:
        await activate(hub)

    for name in ("applicationUrl", "apiSecret or websites", "outboundTakeoverStatusId"):
        assert name in caught.value.message
    assert "apiKey" not in caught.value.message
    assert not (await shown(hub)).active


async def test_setting_that_an_option_needs_is_required_with_it_alone(hub: Database) -> None:
    await save(hub, "ERP", fields=ERP_FIELDS, options={"syncOrders": True})
    assert (await shown(hub, "ERP")).missing == []

    await save(hub, "ERP", options={"syncNirs": True})

    assert (await shown(hub, "ERP")).missing == ["nirSeries", "inboundTakeoverStatusId"]


async def test_activating_one_deactivates_the_other(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)
    await save(hub, "ERP", fields=ERP_FIELDS)

    assert not await queries.integration_check(hub, VIEWER)
    await activate(hub)
    assert await queries.integration_check(hub, VIEWER)
    await activate(hub, "ERP")

    assert [(await shown(hub, code)).active for code in ("SHOP", "ERP")] == [False, True]
    assert (await shown(hub)).has_credentials


async def test_concurrent_activations_leave_exactly_one_active(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)
    await save(hub, "ERP", fields=ERP_FIELDS)

    await asyncio.gather(*(activate(hub, code) for _ in range(5) for code in ("SHOP", "ERP")))

    assert [(await shown(hub, code)).active for code in ("SHOP", "ERP")].count(True) == 1


async def test_deactivation_keeps_the_configuration(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)
    await activate(hub)

    for _ in range(2):
        await hub.write(ADMINISTRATOR, lambda work: integrations.deactivate(work, code="SHOP", registry=REGISTRY))

    info = await shown(hub)
    assert not info.active
    assert info.secrets_set["apiSecret"]
    assert not await queries.integration_check(hub, ADMINISTRATOR)


async def test_active_connection_that_loses_its_secret_stops_and_says_why(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)
    await activate(hub)

    await save(hub, fields={"apiKey": None})
    info = await shown(hub)
    assert (info.active, info.stopped_reason) == (True, "missing apiKey")

    await save(hub, fields={"apiKey": "key-12345678"})
    assert (await shown(hub)).stopped_reason is None


async def test_saving_and_activating_let_a_stopped_connection_go_on(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)
    await activate(hub)
    stop = update(Integration).values(stopped_reason="credentials refused")

    async with hub.unit_of_work(ADMINISTRATOR) as work:
        await work.session.execute(stop)
    await activate(hub)
    assert (await shown(hub)).stopped_reason is None

    async with hub.unit_of_work(ADMINISTRATOR) as work:
        await work.session.execute(stop)
    await save(hub, fields={"apiUrl": "https://new.test"})
    assert (await shown(hub)).stopped_reason is None


async def test_new_key_replaces_the_whole_pair(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)

    async def replace(**given: Any) -> None:
        await hub.write(
            ADMINISTRATOR,
            lambda work: integrations.api_key_save(work, registry=REGISTRY, vault=VAULT, **given),
        )

    await replace(code="SHOP", api_key="another-key-9999", api_secret="other", api_url="https://new.test")
    info = await shown(hub)
    assert (info.fields["apiKey"], info.fields["apiUrl"]) == ("****9999", "https://new.test")

    await replace(code="SHOP", api_key="third-key-0000")
    info = await shown(hub)
    assert info.secrets_set == {"apiKey": True, "apiSecret": False}
    assert info.fields["apiUrl"] == "https://new.test"

    for given, field in (
        ({"code": "ERP", "api_key": "x"}, "code"),
        ({"code": "SHOP", "api_key": " "}, "apiKey"),
    ):
        with pytest.raises(Invalid) as caught:
            await replace(**given)
        assert caught.value.field == field


async def test_token_of_a_shop_stands_in_for_the_secret(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS | {"apiSecret": None})
    shops = [("101", "Magazin RO", "https://ro.test"), ("102", "Magazin BG", None)]
    await hub.write(ADMINISTRATOR, lambda work: integrations.websites_seen(work, code="SHOP", shops=shops))

    await hub.write(
        ADMINISTRATOR,
        lambda work: integrations.website_token_save(
            work, code="SHOP", website_id="101", token="hidden words", registry=REGISTRY, vault=VAULT
        ),
    )

    websites = await queries.list_websites(hub, ADMINISTRATOR, code="SHOP", registry=REGISTRY)
    assert [(site.website_id, site.has_token) for site in websites] == [("101", True), ("102", False)]
    assert "hidden" not in repr(websites)
    await activate(hub)
    assert (await shown(hub)).has_credentials
    tokens = (await loaded(hub)).config.websites  # type: ignore[attr-defined]
    assert {id_: token.get_secret_value() for id_, token in tokens.items()} == {"101": "hidden words"}

    await hub.write(ADMINISTRATOR, lambda work: integrations.websites_seen(work, code="SHOP", shops=shops[:1]))
    await hub.write(
        ADMINISTRATOR,
        lambda work: integrations.website_token_reset(work, code="SHOP", website_id="101", registry=REGISTRY),
    )
    websites = await queries.list_websites(hub, ADMINISTRATOR, code="SHOP", registry=REGISTRY)
    assert [site.has_token for site in websites] == [False, False]
    assert (await shown(hub)).stopped_reason == "missing apiSecret or websites"


async def test_unknown_integration_or_website_is_not_found(hub: Database) -> None:
    await refused(hub, NotFound, "code", "NOTHING")
    with pytest.raises(NotFound, match="website 7"):
        await hub.write(
            ADMINISTRATOR,
            lambda work: integrations.website_token_save(
                work, code="SHOP", website_id="7", token="x", registry=REGISTRY, vault=VAULT
            ),
        )


async def test_configuration_is_for_administrators(hub: Database) -> None:
    with pytest.raises(NotAllowed):
        await save(hub, scope=VIEWER, fields=SHOP_FIELDS)
    with pytest.raises(NotAllowed):
        await activate(hub, scope=VIEWER)
    with pytest.raises(NotAllowed):
        await queries.list_integrations(hub, VIEWER, registry=REGISTRY, vault=VAULT)
    with pytest.raises(NotAllowed):
        await queries.list_websites(hub, VIEWER, code="SHOP", registry=REGISTRY)


async def test_tenants_configure_without_touching_each_other(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)
    await activate(hub)
    await save(hub, "ERP", scope=NEIGHBOUR, fields=ERP_FIELDS)

    await activate(hub, "ERP", scope=NEIGHBOUR)

    assert (await shown(hub)).active
    assert not (await shown(hub, scope=NEIGHBOUR)).secrets_set["apiSecret"]


async def test_lost_key_is_told_to_a_person(hub: Database) -> None:
    await save(hub, fields=SHOP_FIELDS)
    other = Vault("another key")

    with pytest.raises(Conflict, match="enter it again"):
        await hub.write(
            ADMINISTRATOR, lambda work: integrations.activate(work, code="SHOP", registry=REGISTRY, vault=other)
        )
    async with hub.unit_of_work(ADMINISTRATOR) as work:
        with pytest.raises(NeedsAttention, match="enter it again"):
            await queries.load_connection(work.session, 1, "SHOP", vault=other, registry=REGISTRY)
    assert await queries.list_integrations(hub, ADMINISTRATOR, registry=REGISTRY, vault=other)


async def test_last_synchronisation_is_shown_to_everybody(hub: Database) -> None:
    assert await queries.last_sync_date(hub, VIEWER) is None
    await save(hub, fields=SHOP_FIELDS)
    async with hub.unit_of_work(ADMINISTRATOR) as work:
        activated = (
            await work.session.execute(
                update(Integration)
                .values(last_sync_at=col(Integration.updated_at))
                .returning(col(Integration.last_sync_at))
            )
        ).scalar_one()

    assert await queries.last_sync_date(hub, VIEWER) == activated
