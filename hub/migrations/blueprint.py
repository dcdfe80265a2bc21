"""What an empty database needs to be what the models say, as plain statements; a test compares."""

from collections.abc import Iterator

from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from hub.migrations.security import create_roles, protect
from hub.models import metadata
from hub.models.search import keep_words
from hub.models.views import create_views


def statements() -> Iterator[str]:
    """Tables and indexes, roles, policies, triggers, views, in an order in which they can be executed."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in metadata.sorted_tables:
        yield _written(CreateTable(table).compile(dialect=dialect))
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield _written(CreateIndex(index).compile(dialect=dialect))
    yield from create_roles()
    for table in metadata.sorted_tables:
        yield from protect(table.name)
    yield from keep_words()
    yield from create_views()


def _written(compiled: object) -> str:
    return "\n".join(line.rstrip().replace("\t", "    ") for line in str(compiled).strip().splitlines())
