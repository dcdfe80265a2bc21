"""All routes of the REST contract, module by module."""

from itertools import chain
from typing import Any

from schema.rest.routes import Route, Table

MODULES: tuple[tuple[Route[Any], ...], ...] = ()

TABLE = Table(chain.from_iterable(MODULES))
