"""What the settings of all connectors share."""

import re
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, SecretStr
from pydantic.alias_generators import to_camel

SETTINGS = ConfigDict(
    alias_generator=to_camel,
    validate_by_name=True,
    extra="forbid",
    frozen=True,
    str_strip_whitespace=True,
    hide_input_in_errors=True,  # the input may be a secret
)
HTTP_ADDRESS = r"^https?://[^\s/?#@]+[^\s?#@]*$"
SHOP_ADDRESS = r"^(https?://)?[A-Za-z0-9.-]+(:[0-9]+)?(/[!-~]*)?$"


def _sendable(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[\x21-\x7e]+", secret.get_secret_value()):
        raise ValueError("must be filled in, without blanks and accents")
    return secret


HeaderSecret = Annotated[SecretStr, AfterValidator(_sendable)]
"""A key that travels in a header; declare it with `json_schema_extra={"secret": True}`."""
