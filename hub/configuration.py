"""What a connector's settings ask for: its fields, what activation still needs, what options and mappings mean."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hub.errors import Invalid, NotFound
from hub.ports import Connector, Registry

TAKEOVERS = {"syncOrders": "outboundTakeoverStatusId", "syncNirs": "inboundTakeoverStatusId"}
"""The option that takes documents in, and the mapping that says which of them."""
CONTRADICTIONS = (
    ("outboundTakeoverStatusId", "outboundDeletedStatusId"),
    ("inboundTakeoverStatusId", "inboundDeletedStatusId"),
)
WEBSITES = "websites"
"""The setting that holds a token per shop; filled by `website_token_save` alone."""
WEBSITE_TOKEN = "website:"
STATUS_ID_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting of a connector as a form shows it; `name` is the name that the outside uses."""

    name: str
    title: str
    help: str
    kind: str
    """STRING, INT, BOOLEAN, CHOICE or MAP."""
    required: bool
    required_with: str | None
    """An option that makes it required."""
    secret: bool
    masked: bool
    """A secret of which the last four characters are shown."""
    pattern: str | None
    default: Any
    choices: tuple[str, ...]


def connector_of(registry: Registry, code: str) -> Connector:
    """The connector of a code; raises `NotFound`."""
    connector = registry.get(code)
    if connector is None:
        raise NotFound(f"there is no integration {code}", field="code", hint=f"one of {', '.join(sorted(registry))}")
    return connector


def settings_of(connector: Connector) -> tuple[Setting, ...]:
    """The settings in the order of the form."""
    return tuple(
        _setting(field.alias or name, field, connector)
        for name, field in connector.config.model_fields.items()
        if (field.alias or name) != WEBSITES
    )


def options_of(connector: Connector, stored: Mapping[str, Any]) -> dict[str, bool]:
    """Every option the connector offers, on or off."""
    return {name: bool(stored.get(name, False)) for name in connector.options}


def mappings_of(connector: Connector, stored: Mapping[str, Any]) -> dict[str, str | None]:
    """Every mapping the connector offers: what was stored, else its default; an empty text means deliberately none."""
    mappings = {name: stored.get(name, default) for name, default in connector.mappings.items()}
    return {name: None if value is None else str(value) or None for name, value in mappings.items()}


def check_names(connector: Connector, kind: str, given: Collection[str], offered: Collection[str]) -> None:
    """Raise `Invalid` naming the first of `given` that the connector does not offer."""
    for name in given:
        if name not in offered:
            raise Invalid(f"{connector.title} does not offer {name}", field=f"{kind}.{name}")


def check_fields(connector: Connector, values: Mapping[str, Any], changed: Collection[str]) -> None:
    """Raise `Invalid` for the first changed value that is wrong; what is missing is not wrong yet."""
    for name, message in _mistakes(connector.config, values):
        if name in changed or not name:
            raise Invalid(message, field=f"fields.{name}" if name else "fields")


def check_mappings(connector: Connector, stored: Mapping[str, Any]) -> None:
    """Raise `Invalid` when one status would mean both take over and delete."""
    mappings = mappings_of(connector, stored)
    for takeover, deleted in CONTRADICTIONS:
        both = status_ids(mappings.get(takeover)) & status_ids(mappings.get(deleted))
        if both:
            shown = ", ".join(sorted(both))
            raise Invalid(f"{shown} cannot be both takeover and deleted status", field=f"mappings.{takeover}")


def status_ids(mapping: str | None) -> set[str]:
    """The ids of a mapping that may hold several separated by commas."""
    return {part.strip() for part in (mapping or "").split(",") if part.strip()}


def missing_for_activation(
    connector: Connector,
    *,
    given: Collection[str],
    options: Mapping[str, Any],
    mappings: Mapping[str, Any],
) -> list[str]:
    """The names of what activation needs and nobody has filled in; `given` = fields and secrets that have a value."""
    switched_on = {name for name, on in options_of(connector, options).items() if on}
    missing = [
        setting.name
        for setting in settings_of(connector)
        if (setting.required or setting.required_with in switched_on) and setting.name not in given
    ]
    missing += [" or ".join(group) for group in connector.required_any if not any(name in given for name in group)]
    known = mappings_of(connector, mappings)
    missing += [
        mapping
        for option, mapping in TAKEOVERS.items()
        if option in switched_on and mapping in connector.mappings and not status_ids(known[mapping])
    ]
    return missing


def has_credentials(connector: Connector, given: Collection[str]) -> bool:
    """Whether the secrets that activation needs are stored; for a connector that needs none, whether any is."""
    secrets = {setting.name for setting in settings_of(connector) if setting.secret}
    required = {setting.name for setting in settings_of(connector) if setting.secret and setting.required}
    groups = [group for group in connector.required_any if secrets & set(group)]
    if not required and not groups:
        return any(name in given for name in secrets)
    return required <= set(given) and all(any(name in given for name in group) for group in groups)


def instance_of(connector: Connector, values: Mapping[str, Any]) -> BaseModel:
    """The connector's own settings object; raises `Invalid` naming what is wrong."""
    try:
        return connector.config.model_validate(dict(values))
    except ValidationError:
        name, message = next(_mistakes(connector.config, values, missing=True))
        raise Invalid(message, field=f"fields.{name}" if name else "fields") from None


def _mistakes(
    config: type[BaseModel], values: Mapping[str, Any], *, missing: bool = False
) -> Iterator[tuple[str, str]]:
    """(setting, what is wrong with it); never the value, which may be a secret."""
    try:
        config.model_validate(dict(values))
    except ValidationError as error:
        for mistake in error.errors(include_url=False, include_context=False, include_input=False):
            if mistake["type"] != "missing" or missing:
                path = [str(part) for part in mistake["loc"]]
                yield (path[0] if path else ""), mistake["msg"].removeprefix("Value error, ")


def _setting(name: str, field: FieldInfo, connector: Connector) -> Setting:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    kind, choices = _kind(field.annotation)
    default = None if field.default in (None, PydanticUndefined) else field.default
    return Setting(
        name=name,
        title=field.title or name,
        help=field.description or "",
        kind=kind,
        required=field.is_required(),
        required_with=str(extra["required_with"]) if "required_with" in extra else None,
        secret=name in connector.secrets or bool(extra.get("secret")),
        masked=bool(extra.get("masked")),
        pattern=next((part.pattern for part in field.metadata if getattr(part, "pattern", None)), None),
        default=default if isinstance(default, str | int | bool | dict) else None,
        choices=choices,
    )


def _kind(annotation: Any) -> tuple[str, tuple[str, ...]]:
    parts = [part for part in get_args(annotation) if part is not type(None)] or [annotation]
    if get_origin(annotation) is Literal:
        return "CHOICE", tuple(map(str, get_args(annotation)))
    if get_origin(annotation) in (dict, Mapping):
        return "MAP", ()
    if bool in parts:
        return "BOOLEAN", ()
    if int in parts:
        return "INT", ()
    return "STRING", ()
