"""The form in which texts are searched and sorted without regard to case and accents, kept in a `search` column."""

import unicodedata


def folded(text: str) -> str:
    """One text without case and accents: "Țeavă  Ø20" → "teava ø20"; runs of blanks count as one."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", decomposed) if not unicodedata.combining(sign))
    return " ".join(plain.split())


def searchable(*parts: str | None) -> str:
    """What a `search` column holds: the folded parts, one a line.

    The name comes first, so that ordering by the column is ordering by name; a folded term never spans two parts.
    """
    return "\n".join(folded(part) for part in parts if part)
