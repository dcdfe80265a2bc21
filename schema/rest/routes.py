"""A route is declared once, as data; the dispatcher, the OpenAPI document and the tests read the same declaration."""

import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args
from urllib.parse import unquote_to_bytes

from pydantic import BaseModel
from pydantic_core import PydanticCustomError

from hub.context import Level, Permission, Scope
from hub.db import Database
from hub.errors import Invalid
from hub.ports import Registry
from hub.settings import Settings
from schema.rest.answers import Shape
from schema.rest.json_text import Numeral
from schema.rest.kinds import Kind, TextKind
from schema.rest.requests import Request
from schema.rest.values import Long, Reference, StatusCode

B = TypeVar("B", bound=BaseModel | None)
_INTEGER = re.compile(r"-?[0-9]{1,30}")


@dataclass(frozen=True, slots=True)
class RestCall(Generic[B]):
    """One authenticated, permitted and well-formed request."""

    scope: Scope
    database: Database
    body: B
    path: Mapping[str, Any]
    query: Any
    registry: Registry
    settings: Settings
    request_id: str


@dataclass(frozen=True)
class Route(Generic[B]):
    """One method of one path. `{name:long}`, `{name:status}` and `{name:text}` in the path are typed parameters.

    `gate` may raise `NotAllowed` for reasons beyond level and permission. `replaced_by` names the GraphQL field that
    does the same; it travels as a header. `body_optional`: no body stands for {}.
    """

    method: str
    path: str
    title: str
    handler: Callable[[RestCall[B]], Awaitable[Any]]
    answer: Shape
    level: Level = Level.VIEWER
    permission: Permission | None = None
    body: type[B] | None = None
    body_optional: bool = False
    query: type[Request] | None = None
    gate: Callable[[Scope, Database], Awaitable[None]] | None = None
    replaced_by: str | None = None
    description: str = ""
    """Markdown for the reference, where the title does not say it all."""

    @cached_property
    def parameters(self) -> dict[str, Kind]:
        """Path parameters with their types, in the order of the path."""
        return {found["name"]: PARAMETERS[found["kind"]] for found in _PARAMETER.finditer(self.path)}

    @cached_property
    def template(self) -> str:
        """The path as the documentation writes it."""
        return _PARAMETER.sub(r"{\g<name>}", self.path)

    @cached_property
    def name(self) -> str:
        """Method and path."""
        return f"{self.method} {self.template}"

    def values(self, found: Mapping[str, bytes]) -> dict[str, Any]:
        """The typed path parameters; raise `Invalid` naming the one that is wrong."""
        return {name: _value(name, kind, found[name]) for name, kind in self.parameters.items()}


class Table:
    """All routes, by path; a path written out wins over one with parameters."""

    def __init__(self, routes: Iterable[Route[Any]]) -> None:
        self.routes = tuple(routes)
        self._paths: dict[str, dict[str, Route[Any]]] = {}
        for route in self.routes:
            methods = self._paths.setdefault(route.path, {})
            assert route.method not in methods, f"{route.method} {route.path} is declared twice"
            methods[route.method] = route
        self._written_out = {path.encode(): methods for path, methods in self._paths.items() if "{" not in path}
        self._patterns: dict[int, list[tuple[re.Pattern[bytes], Mapping[str, Route[Any]]]]] = defaultdict(list)
        for path in sorted(self._paths.keys(), key=lambda path: path.count("{")):
            if "{" in path:
                self._patterns[path.count("/")].append((_pattern(path), self._paths[path]))

    def find(self, raw_path: bytes) -> tuple[Mapping[str, Route[Any]], Mapping[str, bytes]]:
        """The methods of a path (none = unknown path) and its still encoded parameters."""
        if written_out := self._written_out.get(raw_path):
            return written_out, {}
        for pattern, methods in self._patterns.get(raw_path.count(b"/"), ()):
            if found := pattern.fullmatch(raw_path):
                return methods, found.groupdict()
        return {}, {}


PARAMETERS: Mapping[str, Kind] = {
    "long": get_args(Long)[1],
    "status": get_args(StatusCode)[1],
    "text": get_args(Reference)[1],
}
_PARAMETER = re.compile(r"\{(?P<name>\w+):(?P<kind>\w+)\}")


def _pattern(path: str) -> re.Pattern[bytes]:
    parts = [
        f"(?P<{found['name']}>[^/]+)" if (found := _PARAMETER.fullmatch(part)) else re.escape(part)
        for part in path.split("/")
    ]
    return re.compile("/".join(parts).encode())


def _value(name: str, kind: Kind, raw: bytes) -> Any:
    try:
        text = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise Invalid("is not UTF-8", field=name) from None
    number = not isinstance(kind, TextKind)
    if number and not _INTEGER.fullmatch(text):
        raise Invalid("must be a whole number", field=name)
    try:
        return kind.read(Numeral(str(int(text))) if number else text)
    except PydanticCustomError as error:
        raise Invalid(error.message(), field=name) from None
