"""The comparison that every benchmark relies on."""

import pytest

from tests.benchmarks.answers import as_the_hub, data_of, difference, records, without


def told(before: bytes, after: bytes) -> str:
    return difference(data_of(before), data_of(after))


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        (b'"21.5"', b"21.5000"),
        (b'"12"', b"12"),
        (b'"2026-01-01T01:40:00Z"', b'"2026-01-01T03:40:00.000000+02:00"'),
        (b'[{"code": "P-1"}]', b'[{"code": "P-1"}]'),
    ],
)
def test_the_same_value_may_be_written_in_two_ways(mine: bytes, other: bytes) -> None:
    assert told(b'{"data": {"a": %b}}' % mine, b'{"data": {"a": %b}}' % other) == ""


@pytest.mark.parametrize(
    ("mine", "other", "difference"),
    [
        (b'"21.5"', b"21.51", "data.a is Decimal('21.51'), not Decimal('21.5')"),
        (b'"21.5"', b"null", "data.a is None, not Decimal('21.5')"),
        (b"true", b"1", "data.a is Decimal('1'), not True"),
        (b'[{"b": 1}, {"b": 2}]', b'[{"b": 1}]', "data.a has 1 entries, not 2"),
        (b'[{"b": 1}, {"b": 2}]', b'[{"b": 2}, {"b": 1}]', "data.a[0].b is Decimal('2'), not Decimal('1')"),
        (b'{"b": 1, "c": 2}', b'{"b": 1}', "data.a has the fields ['b'], not ['b', 'c']"),
        (b'{"b": 1, "c": 2}', b'{"c": 2, "b": 1}', "data.a has the fields ['c', 'b'], not ['b', 'c']"),
    ],
)
def test_the_first_difference_is_told(mine: bytes, other: bytes, difference: str) -> None:
    assert told(b'{"data": {"a": %b}}' % mine, b'{"data": {"a": %b}}' % other) == difference


def test_an_answer_with_errors_is_none() -> None:
    with pytest.raises(RuntimeError, match="too much"):
        data_of(b'{"data": null, "errors": [{"message": "too much"}]}')


def test_answers_of_postgraphile_take_the_form_of_the_hub() -> None:
    product = {"id": "WyJQcm9kdWN0Il0=", "code": "P-1", "stock": {"totalQuantityInStock": 5}}
    nir = {"status": 2, "lines": {"nodes": [{"product": product}]}}

    answer = as_the_hub({"nirs": {"nodes": [nir]}, "stockSummary": {"nodes": [{"quantity": 5}]}})

    line = {"product": {"code": "P-1", "totalQuantityInStock": 5}}
    assert without("id", answer) == {
        "nirs": {"nodes": [{"status": "ACTIVE", "lines": {"nodes": [line]}}]},
        "stockSummary": [{"quantity": 5}],
    }
    assert records(answer) == [1, 1]
