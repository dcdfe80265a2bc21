"""The configuration of connections: settings, secrets, shops, which one is active; and full re-synchronisation."""

from collections.abc import Mapping
from typing import Any

from strawberry import UNSET
from strawberry.scalars import JSON

from hub.context import Level
from hub.errors import Invalid
from hub.services import integrations
from hub.services.values import text
from hub.sync import runs
from schema.answers import Json, Loaded, Records, answer
from schema.context import Services
from schema.inputs import about, inputs
from schema.integrations import Integration, Website, find_integration, find_websites
from schema.planner.fields import ADMINISTRATOR, Right
from schema.writing import Call, Change, mutation

INTEGRATION = answer(
    "IntegrationPayload", integration=Loaded(Integration | None, "The connection as it is now.", find_integration)
)
CODE = "The system: GOMAG, NEXUS …"


async def _find_website(services: Services, scope: Any, key: list[str]) -> Website | None:
    code, website_id = key
    shops = await find_websites(services, scope, code)
    return next((shop for shop in shops if shop.website_id == website_id), None)


WEBSITE = answer("WebsitePayload", website=Loaded(Website | None, "The shop as it is now.", _find_website))
RESYNC = answer("IntegrationResyncPayload", runs=Records("SyncRun", "The runs that read everything again."))


@inputs()
class IntegrationSaveInput(Change):
    """What to store of a connection. In each object: what is absent stays, what is given replaces, null removes."""

    code: str = about(CODE)
    fields: JSON | None = about(
        'Settings by name, secrets among them: `{"applicationUrl": "https://shop.example"}`.', default=UNSET
    )
    options: JSON | None = about('Options by name, on or off: `{"syncOrders": true}`.', default=UNSET)
    mappings: JSON | None = about(
        'Ids of external states by the name of their mapping: `{"outboundTakeoverStatusId": "3"}`.', default=UNSET
    )


@inputs()
class IntegrationTargetInput(Change):
    """A connection to be switched on or off."""

    code: str = about(CODE)


@inputs()
class IntegrationApiKeyInput(Change):
    """The credentials that a platform issued; they replace the previous ones."""

    code: str = about("The platform: EASYSALES or MERCHANTPRO.")
    api_key: str = about("The key.")
    api_secret: str | None = about("The secret that belongs to it; absent: none.", default=UNSET)
    api_url: str | None = about("The address of the platform; absent: it stays.", default=UNSET)


@inputs()
class WebsiteTokenSaveInput(Change):
    """The token of one shop."""

    code: str = about(CODE)
    website_id: str = about("The shop's id on the platform.")
    token: str = about("The token; it is never shown again.")


@inputs()
class WebsiteTokenResetInput(Change):
    """A shop that shall have no token."""

    code: str = about(CODE)
    website_id: str = about("The shop's id on the platform.")


@inputs()
class IntegrationResyncInput(Change):
    """The tenant whose active connection reads everything again."""


@mutation(INTEGRATION, needs=ADMINISTRATOR)
async def integration_save(call: Call, input: IntegrationSaveInput) -> Json:
    """Stores settings, options and mappings of a connection; secrets are write-only."""
    given = {name: _object(getattr(input, name), name) for name in ("fields", "options", "mappings")}
    code = await integrations.save(
        call.work, code=input.code, registry=call.services.registry, vault=call.services.vault, **given
    )
    return {"integration": code}


@mutation(INTEGRATION, needs=ADMINISTRATOR)
async def integration_activate(call: Call, input: IntegrationTargetInput) -> Json:
    """Makes a connection the tenant's only active one; refused, with the names, while something is missing."""
    code = await integrations.activate(
        call.work, code=input.code, registry=call.services.registry, vault=call.services.vault
    )
    return {"integration": code}


@mutation(INTEGRATION, needs=ADMINISTRATOR)
async def integration_deactivate(call: Call, input: IntegrationTargetInput) -> Json:
    """Switches a connection off and keeps its configuration; a page under way is finished."""
    code = await integrations.deactivate(call.work, code=input.code, registry=call.services.registry)
    return {"integration": code}


@mutation(INTEGRATION, needs=ADMINISTRATOR)
async def integration_api_key_save(call: Call, input: IntegrationApiKeyInput) -> Json:
    """Replaces the key and the secret that a platform issued."""
    code = await integrations.api_key_save(
        call.work, registry=call.services.registry, vault=call.services.vault, **call.filled(input)
    )
    return {"integration": code}


@mutation(WEBSITE, needs=ADMINISTRATOR)
async def website_token_save(call: Call, input: WebsiteTokenSaveInput) -> Json:
    """Stores the token of one detected shop."""
    text(input.token, field="token", longest=integrations.LONGEST_SECRET)
    website_id = await integrations.website_token_save(
        call.work, registry=call.services.registry, vault=call.services.vault, **call.filled(input)
    )
    return {"website": [input.code, website_id]}


@mutation(WEBSITE, needs=ADMINISTRATOR)
async def website_token_reset(call: Call, input: WebsiteTokenResetInput) -> Json:
    """Removes the token of one shop."""
    website_id = await integrations.website_token_reset(
        call.work, registry=call.services.registry, **call.filled(input)
    )
    return {"website": [input.code, website_id]}


@mutation(RESYNC, needs=Right(Level.SUPERADMINISTRATOR))
async def integration_resync(call: Call, input: IntegrationResyncInput) -> Json:
    """Reads everything again from the beginning; while that is under way, a second call answers with its runs."""
    return {"runs": await runs.resync(call.work, registry=call.services.registry)}


def _object(given: Any, field: str) -> Mapping[str, Any]:
    if given is UNSET or given is None:
        return {}
    if not isinstance(given, dict):
        raise Invalid("must be an object", field=field)
    return given
