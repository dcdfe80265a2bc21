"""docs/performance.md: the reads first, the section about REST last; each benchmark replaces its own part."""

from pathlib import Path

REPORT = Path(__file__).parents[2] / "docs" / "performance.md"
REST = "## REST\n"


def write_reads(text: str) -> None:
    _write(text, _parts()[1])


def write_rest(section: str) -> None:
    _write(_parts()[0] or "# Performance\n", section)


def _parts() -> tuple[str, str]:
    whole = REPORT.read_text(encoding="utf-8") if REPORT.exists() else ""
    reads, heading, rest = whole.partition(REST)
    return reads, heading + rest


def _write(reads: str, rest: str) -> None:
    both = "\n\n".join(part.strip() for part in (reads, rest) if part)
    REPORT.write_text(both + "\n", encoding="utf-8")
