"""A SQLAlchemy statement → SQL text and parameters for asyncpg."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import BindParameter, ClauseElement
from sqlalchemy.dialects.postgresql import asyncpg


class _Inlining(asyncpg.dialect.statement_compiler):  # type: ignore[misc,valid-type]
    """Writes the constants of declarations into the SQL, so that PostgreSQL plans with them; only the plan's own
    parameters, which have no value yet, stay parameters."""

    def visit_bindparam(self, bindparam: BindParameter[Any], **options: Any) -> str:
        if not bindparam.required:
            options["literal_binds"] = True
        return str(super().visit_bindparam(bindparam, **options))


BINDING = asyncpg.dialect()  # type: ignore[no-untyped-call]
INLINING = asyncpg.dialect()  # type: ignore[no-untyped-call]
INLINING.statement_compiler = _Inlining


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with the names and given values of its parameters, in the order of `$1`, `$2` …"""

    sql: str
    parameters: tuple[tuple[str, Any], ...]

    def arguments(self) -> list[Any]:
        return [given for _, given in self.parameters]


def statement_of(clause: ClauseElement, *, inline: bool = False) -> Statement:
    """With `inline`, every value known now becomes part of the SQL."""
    dialect = INLINING if inline else BINDING
    compiled = clause.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    names = getattr(compiled, "positiontup", None) or []
    return Statement(str(compiled), tuple((name, compiled.params[name]) for name in names))
