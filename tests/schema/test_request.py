"""JSON becomes a request strictly: what is no text, no number or bottomless is refused before it costs anything."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import Invalid
from schema.request import DEEPEST, decoded, request_of


def test_decimals_stay_exact() -> None:
    assert decoded(b'{"a": 0.10, "b": 12}') == {"a": Decimal("0.10"), "b": 12}
    assert str(decoded("1e3")) == "1E+3"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": 1, "a": 2}',
        b'{"a": "\\u0000"}',
        b'{"a\\u0000": 1}',
        b'["\\ud800"]',
        b'[{"deep": ["\\udc00"]}]',
        b"9" * 5000,
        b"1." + b"9" * 5000,
        b"1e999999999",
        b"1e-1000000000000000000000",
        b"[" * 100_000,
        b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2),
        b'{"a":' * 900 + b"1" + b"}" * 900,
    ],
)
def test_hostile_json_is_refused(body: bytes) -> None:
    with pytest.raises(Invalid) as caught:
        decoded(body)
    assert caught.value.code == "BAD_REQUEST"


def test_pairs_of_surrogates_are_text_and_ordinary_depth_is_no_crime() -> None:
    assert decoded(b'"\\ud83d\\ude00 \\u0041"') == "😀 A"
    assert decoded("[" * DEEPEST + "]" * DEEPEST)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ([{"query": "{a}"}], "arrays of operations"),
        (None, "JSON object"),
        (42, "JSON object"),
        ("text", "JSON object"),
        ({}, "query"),
        ({"query": None}, "query"),
        ({"query": ["{a}"]}, "query"),
        ({"query": "{a}", "operationName": 1}, "operationName"),
        ({"query": "{a}", "variables": []}, "variables"),
        ({"query": "{a}", "variables": "{}"}, "variables"),
        ({"query": "{a}", "extensions": 1}, "extensions"),
    ],
)
def test_a_request_of_another_shape_is_refused(message: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        request_of(message)


def test_nulls_stand_for_what_is_absent() -> None:
    request = request_of({"query": "{a}", "operationName": None, "variables": None, "extensions": None})

    assert (request.operation_name, request.variables, request.extensions) == (None, {}, {})


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_are_a_value_or_refused(body: bytes | str) -> None:
    try:
        decoded(body)
    except Invalid as error:
        assert error.code == "BAD_REQUEST"
