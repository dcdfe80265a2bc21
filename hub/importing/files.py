"""The files of an import: one per noun, NDJSON or CSV, read record by record with the line each one stands on."""

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.errors import Invalid

SUFFIXES = {".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}
DELIMITERS = ",;\t"
LONGEST_CELL = 1 << 24

_UNREADABLE = re.compile("[\udc80-\udcff]")
"""What `surrogateescape` makes of bytes that the encoding does not know."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record as the file has it, or why it cannot be read. `textual`: every value is a text (CSV)."""

    file: str
    line: int
    values: dict[str, Any]
    textual: bool = False
    error: Invalid | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The file of one noun."""

    noun: str
    path: Path
    encoding: str

    def records(self) -> Iterator[Record]:
        """All records in order; raises `Invalid` when the file as a whole cannot be read."""
        read = _csv if SUFFIXES[self.path.suffix.lower()] == "csv" else _ndjson
        try:
            with self.path.open(encoding=self._encoding(), errors="surrogateescape", newline="") as lines:
                yield from read(self.path.name, lines)
        except (OSError, UnicodeError, csv.Error) as error:
            raise Invalid(f"cannot be read: {error}", field=self.path.name) from error

    def _encoding(self) -> str:
        """A byte order mark says more than anybody else."""
        with self.path.open("rb") as file:
            mark = file.read(2)
        return "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else self.encoding


def find_sources(place: Path, nouns: Sequence[str], *, encoding: str = "utf-8-sig") -> list[Source]:
    """The files to import, in the order of `nouns`: those of a folder, or the one file that `place` names.

    Raises `Invalid` for data files that belong to no noun, so that nothing is left out silently.
    """
    if not place.exists():
        raise Invalid("does not exist", field=str(place))
    found: dict[str, Source] = {}
    for path in sorted(place.iterdir()) if place.is_dir() else [place]:
        if path.suffix.lower() not in SUFFIXES and path != place:
            continue
        noun = path.stem.replace("_", "-")
        if noun not in nouns or path.suffix.lower() not in SUFFIXES:
            raise Invalid("is the file of no noun", field=path.name, hint=f"known: {', '.join(nouns)}; .ndjson or .csv")
        if noun in found:
            raise Invalid(f"is given twice, the other file is {found[noun].path.name}", field=path.name)
        found[noun] = Source(noun, path, "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding)
    if not found:
        raise Invalid("holds no file to import", field=str(place), hint=f"known: {', '.join(nouns)}; .ndjson or .csv")
    return [found[noun] for noun in nouns if noun in found]


def _ndjson(file: str, lines: Iterator[str]) -> Iterator[Record]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            yield Record(file, number, _object(line))
        except Invalid as error:
            yield Record(file, number, {}, error=error)


def _object(line: str) -> dict[str, Any]:
    if _UNREADABLE.search(line):
        raise _undecodable()
    try:
        value = parse_json(line)
    except RecursionError as error:
        raise Invalid("is nested too deeply") from error
    except ValueError as error:
        raise Invalid(f"is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise Invalid("must be a JSON object")
    return value


def parse_json(text: str) -> Any:
    """The value of a JSON text; numbers keep every digit. Raises `ValueError`."""
    return json.loads(text, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_named_once)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("a name is given twice")
    return values


def _csv(file: str, lines: Iterator[str]) -> Iterator[Record]:
    csv.field_size_limit(LONGEST_CELL)
    heading = next(lines, "")
    delimiter = max(DELIMITERS, key=heading.count)
    [names] = csv.reader([heading], delimiter=delimiter, strict=True) if heading.strip() else [[]]
    if not names or len(set(names)) < len(names) or "" in names:
        raise Invalid("the first line must name each column once", field=file)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    before = 1
    for cells in reader:
        line, before = before + 1, reader.line_num + 1
        if not any(cells):
            continue
        try:
            yield Record(file, line, _named(names, cells), textual=True)
        except Invalid as error:
            yield Record(file, line, {}, error=error)


def _named(names: list[str], cells: list[str]) -> dict[str, str | None]:
    """Empty cells are null; spreadsheets leave out or add empty cells at the end of a row."""
    if any(cells[len(names) :]):
        raise Invalid(f"has {len(cells)} cells, the first line names {len(names)}", hint="quote cells with delimiters")
    if any(_UNREADABLE.search(cell) for cell in cells):
        raise _undecodable()
    cells = cells + [""] * (len(names) - len(cells))
    return {name: cell or None for name, cell in zip(names, cells, strict=False)}


def _undecodable() -> Invalid:
    return Invalid("holds bytes of another encoding", hint="name the file's encoding with --encoding")
