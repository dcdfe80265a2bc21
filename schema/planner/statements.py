"""A SQLAlchemy statement → SQL text and the names of its parameters, for asyncpg."""

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


INLINING = asyncpg.dialect()  # type: ignore[no-untyped-call]
INLINING.statement_compiler = _Inlining


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with the names of its parameters, in the order of `$1`, `$2` …"""

    sql: str
    names: tuple[str, ...]


def statement_of(clause: ClauseElement) -> Statement:
    """Every value known now becomes part of the SQL."""
    compiled = clause.compile(dialect=INLINING, compile_kwargs={"render_postcompile": True})
    return Statement(str(compiled), tuple(getattr(compiled, "positiontup", None) or ()))
