"""Request models: JSON objects in which null means absent and unknown names are ignored; errors name the path."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    ValidationError,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, ErrorDetails, PydanticCustomError

from hub.errors import Invalid
from schema.rest.kinds import LONGEST_LIST, JsonSchema, nullable
from schema.rest.values import PageNumber, PageSize

M = TypeVar("M", bound=BaseModel)
LARGEST_PAGE = 1000
MOST_ERRORS = 3


class Request(BaseModel):
    """A JSON object of the contract; field names are the contract's own."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    needs_one_of: ClassVar[tuple[str, ...]] = ()
    """Fields of which one at least must say something. This describes; what refuses the rest stands with each field."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        described = handler(schema)
        fields = handler.resolve_ref_schema(described)
        required = fields.get("required", [])
        properties = fields.get("properties", {})
        for name in properties.keys() - set(required):
            properties[name] = nullable(not_null(properties[name]))
        if cls.needs_one_of:
            fields["anyOf"] = [_saying(name, not_null(properties[name])) for name in cls.needs_one_of]
        return described

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


class PagedRequest(Request):
    """A read request: page from 1, at most 1000 records a page."""

    page: PageNumber = 1
    limit: PageSize = 100

    @property
    def rows(self) -> int:
        return min(self.limit, LARGEST_PAGE)

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.rows


class Patch(BaseModel):
    """New values of a record: a key present is set, null clears (to the default), an absent key changes nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    mandatory: ClassVar[frozenset[str]] = frozenset()
    defaults: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchema:
        described = handler(schema)
        properties = handler.resolve_ref_schema(described).get("properties", {})
        for name, value in properties.items():
            plain = not_null(value)
            properties[name] = plain if name in cls.mandatory or "not" in plain else nullable(plain)
        return described

    @model_validator(mode="before")
    @classmethod
    def _mandatory_stays(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name in sorted(cls.mandatory):
                if name in data and data[name] is None:
                    raise refusal("is required and cannot be cleared", field=name)
        return data

    def changes(self, renamed: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Column (snake case of the field, or as `renamed` says) → new value, for the keys that were sent."""
        columns = renamed or {}
        return {
            columns.get(name) or snake(name): self.defaults.get(name) if value is None else value
            for name, value in self
            if name in self.model_fields_set
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """`updateFields: Annotated[Patch, Changes(AddProductApiRequest)]`: the fields of that model, none required."""

    model: type[Request]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(patch_of(self.model))


@cache
def patch_of(model: type[Request]) -> type[Patch]:
    """The patch of the records that `model` adds: what is required there is mandatory here."""
    fields: dict[str, Any] = {}
    defaults: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        declared: Any = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        fields[name] = (declared | None, None)
        if not field.is_required():
            defaults[name] = field.get_default(call_default_factory=True)
    patch = create_model(f"{model.__name__.removesuffix('Changes')}Changes", __base__=Patch, **fields)
    patch.mandatory = frozenset(fields) - frozenset(defaults)
    patch.defaults = defaults
    return patch


def not_null(schema: JsonSchema) -> JsonSchema:
    """The schema of an optional field without its null."""
    beside = {name: value for name, value in schema.items() if name != "anyOf"}
    choices = [choice for choice in schema.get("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {**choices[0], **beside}
    if isinstance(schema.get("type"), list):
        types = [each for each in schema["type"] if each != "null"]
        return {**schema, "type": types if len(types) > 1 else types[0]}
    return schema


def _saying(name: str, schema: JsonSchema) -> JsonSchema:
    """An object in which a field is there and neither null nor an empty list."""
    filled = {"minItems": 1} if schema["type"] == "array" else {}
    return {"required": [name], "properties": {name: {"type": schema["type"], **filled}}}


def refusal(message: str, *, field: str) -> PydanticCustomError:
    """What a validator of a whole model raises to blame one of its fields."""
    return PydanticCustomError("refused", "{message}", {"message": message, "field": field})


def read_model(model: type[M], data: Any) -> M:
    """Validate; raise `Invalid` that names the fields by their paths."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _invalid(error) from None


def snake(name: str) -> str:
    """thirdPartyReference → third_party_reference."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def _invalid(error: ValidationError) -> Invalid:
    told = [_told(detail) for detail in error.errors(include_url=False, include_input=False)]
    if len(told) == 1:
        path, message = told[0]
        return Invalid(message, field=path or None)
    more = f"; and {len(told) - MOST_ERRORS} more" if len(told) > MOST_ERRORS else ""
    return Invalid("; ".join(f"{path}: {message}" for path, message in told[:MOST_ERRORS]) + more)


_WORDS = {
    "missing": "is required",
    "list_type": "must be a list",
    "too_long": f"has more than {LONGEST_LIST} elements",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


def _told(detail: ErrorDetails) -> tuple[str, str]:
    """Path and message of one refused value."""
    context = detail.get("ctx", {})
    path = ""
    for part in (*detail["loc"], *filter(None, (context.get("field"),))):
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path, str(context.get("message") or _WORDS.get(detail["type"]) or detail["msg"])
