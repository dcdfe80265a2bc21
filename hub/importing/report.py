"""What became of the rows of an import: counted by noun, and those refused one by one."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hub.errors import HubError
from hub.importing.entries import Entry
from hub.services.outcomes import Effect, Outcome


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a row was not taken; `field` is its path in the row."""

    file: str
    line: int
    field: str | None
    message: str


@dataclass(slots=True)
class Report:
    """`counts`: noun → effect → rows."""

    counts: dict[str, Counter[Effect]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    written: bool = True
    """False when nothing was kept: a dry run, or an import that is all or nothing."""

    def count(self, noun: str, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> None:
        counts = self.counts.setdefault(noun, Counter())
        for entry, outcome in zip(entries, outcomes, strict=True):
            counts[outcome.effect] += 1
            if outcome.error is not None:
                self.refusals.append(_refusal(entry, outcome.error))

    def write(self, path: Path) -> None:
        """One refused row a line, as NDJSON; an empty file when there is none."""
        with path.open("w", encoding="utf-8") as file:
            for one in self.refusals:
                row = {"file": one.file, "line": one.line, "field": one.field, "message": one.message}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _refusal(entry: Entry, error: HubError) -> Refusal:
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    return Refusal(entry.record.file, entry.record.line, error.field, message)
