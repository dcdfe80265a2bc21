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


SEPARATORS = "\n\t-_/\\.,;:()[]{}+#&*'\"!?|<>=@%"
"""What parts the words of a `search` column; the database parts them by the same signs (models/search.py)."""
LONGEST_WORD = 64
MOST_TERMS = 8


def terms(text: str) -> list[str]:
    """The words somebody looks for, longest first: each must begin a word of the `search` column."""
    found = folded(text).translate(dict.fromkeys(map(ord, SEPARATORS), " ")).split()
    return sorted({word[:LONGEST_WORD] for word in found}, key=lambda word: (-len(word), word))[:MOST_TERMS]
