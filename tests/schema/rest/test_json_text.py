"""JSON in and out without loss."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Invalid
from schema.rest.json_text import Numeral, decimal_text, numeral_or_text, parse, shown, write

TEXTS = st.text(st.characters(codec="utf-8"))
VALUES = st.recursive(
    st.none() | st.booleans() | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)
STORABLE = st.decimals(-(10**14), 10**14, places=4)


@given(VALUES)
def test_what_is_written_is_what_is_read(value: Any) -> None:
    assert parse(write(value)) == value
    assert parse(json.dumps(value).encode()) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_numbers_keep_the_text_they_were_sent_with(number: Decimal) -> None:
    for text in (str(int(number)), f"{number:f}", f"{int(number)}e-3"):
        assert parse(f"[{text}]".encode()) == [Numeral(text)]
        assert numeral_or_text(text) == Numeral(text)


@given(STORABLE)
def test_decimals_are_written_exactly_and_without_trailing_zeros(number: Decimal) -> None:
    text = decimal_text(number)

    assert Decimal(text) == number
    assert write(number).decode() == text
    assert "e" not in text.lower() and not ("." in text and text.endswith("0")) and text != "-0"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("21.0000"), "21"),
        (Decimal("12.5000"), "12.5"),
        (Decimal("0.0000"), "0"),
        (Decimal("-0.0000"), "0"),
        (Decimal("1E+3"), "1000"),
        (Decimal("99999999999999.9999"), "99999999999999.9999"),
        (datetime(2026, 3, 1, 9, 30, 0, 123456, tzinfo=UTC), '"2026-03-01T09:30:00Z"'),
        (date(2026, 3, 1), '"2026-03-01"'),
        (b'{"ready": 1}', '{"ready": 1}'),
    ],
)
def test_how_values_travel(value: Any, text: str) -> None:
    assert write({"x": value}).decode() == f'{{"x":{text}}}'


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b"{a: 1}",
        b"[1,]",
        b"[01]",
        b"[+1]",
        b"[.5]",
        b"[1.]",
        b"[0x1]",
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b'["\n"]',
        b'["\\x"]',
        b"\xff",
        b'"\xed\xa0\x80"',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"": 1, "": 2}',
        b"[" * 200_000,
        b'{"a":' * 200_000,
        b"[" + b"0," * 1_000_001 + b"0]",
    ],
)
def test_what_is_no_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid):
        parse(raw)


def test_a_repeated_name_is_told() -> None:
    with pytest.raises(Invalid, match="b: is given twice"):
        parse(b'{"a": {"b": 1, "b": 1}}')


@given(st.text())
def test_callers_words_can_always_be_shown(text: str) -> None:
    assert len(shown(text).encode()) <= 60 * 10


@pytest.mark.parametrize("text", ["1 ", "１", "٣", "1_000", "+1", "0x1", "NaN", "", "-", "1e", "01"])
def test_a_query_value_is_a_number_only_as_json_writes_one(text: str) -> None:
    assert numeral_or_text(text) == text
