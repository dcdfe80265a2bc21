import json
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors.fields import Node, decode_json, encode_json, local_moments, members, mentioned
from hub.errors import RecordRejected, Retryable

BUCHAREST = ZoneInfo("Europe/Bucharest")


def test_a_missing_node_keeps_its_path() -> None:
    with pytest.raises(RecordRejected) as rejection:
        Node({"billing": ""})["billing"]["company"]["name"].key()

    assert rejection.value.field == "billing.company.name"


def test_members_of_lists_and_objects_keep_their_paths() -> None:
    order = Node({"items": {"7": {"sku": "A"}}, "lines": [{"sku": "B"}]})

    assert [item["sku"].path for item in order["items"].entries()] == ["items.7.sku"]
    assert [item["sku"].path for item in order["lines"].entries()] == ["lines[0].sku"]


@pytest.mark.parametrize("nothing", [None, "", "  ", [], {}, False])
def test_every_way_of_writing_nothing_is_empty(nothing: object) -> None:
    assert Node(nothing).empty
    assert Node(nothing).text() is None
    assert Node(nothing).decimal_or_none() is None
    assert list(Node(nothing).entries()) == []


@pytest.mark.parametrize(("value", "number"), [("3", 3), (3, 3), (" 2.50 ", Decimal("2.50")), ("-1e2", -100), (0, 0)])
def test_numbers_come_as_text_or_number(value: object, number: Decimal) -> None:
    assert Node(value).decimal() == number


@pytest.mark.parametrize("value", ["", "trei", "1_0", "١", "NaN", "1e99", "inf", True, [1], "1 000", "0x10", "9" * 60])
def test_what_is_no_number_is_rejected(value: object) -> None:
    with pytest.raises(RecordRejected):
        Node(value, "quantity").decimal()


def test_fractions_of_an_answer_stay_exact() -> None:
    decoded = decode_json(b'{"price": 0.1234567890123456789, "pieces": 3}')

    assert Node(decoded)["price"].decimal() == Decimal("0.1234567890123456789")
    assert decoded["pieces"] == 3
    json.dumps(decoded)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"a": 1', b"\xff\xfe\x00", b"[" * 100_000, b"1" * 5000])
def test_what_is_not_json_is_tried_again(body: bytes) -> None:
    with pytest.raises(Retryable):
        decode_json(body)


def test_decimals_become_json_numbers() -> None:
    assert encode_json([Decimal("12.000"), Decimal("2.5"), Decimal("0.1")]) == "[12,2.5,0.1]"


def test_texts_lose_what_cannot_be_stored() -> None:
    assert Node("a\x00b\ud800c").text() == "abc"


def test_the_first_language_that_says_anything_is_taken() -> None:
    assert Node({"en": "Lamp", "ro": "Lampă"}).translated("ro") == "Lampă"
    assert Node({"ro": "", "en": "Lamp"}).translated("ro") == "Lamp"
    assert Node("Lampă").translated("ro") == "Lampă"


def test_members_carry_the_key_they_stood_under() -> None:
    assert members({"811": {"number": "1"}, "812": {"id": 5}, "813": "?"}) == [
        {"number": "1", "id": "811"},
        {"id": 5},
        "?",
    ]
    assert members([1]) == [1]
    assert members([]) == members(None) == members("") == []


def test_the_hour_that_comes_twice_has_two_meanings() -> None:
    assert local_moments("2026-10-25 03:30:00", BUCHAREST) == (
        datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    )
    assert local_moments("2026-03-02 09:14:05", BUCHAREST) == (datetime(2026, 3, 2, 7, 14, 5, tzinfo=UTC),) * 2


@pytest.mark.parametrize("text", ["0000-00-00 00:00:00", "", None, "ieri", "9999-12-31 23:59:59", 7])
def test_what_is_no_moment_is_none(text: object) -> None:
    zone = ZoneInfo("America/New_York")  # west of UTC, so that the last second of the calendar overflows

    assert local_moments(text, zone) is None


def test_a_code_is_mentioned_only_as_a_whole() -> None:
    said = ["SKU AB-4: nu exista", "produsul (X.1) lipseste."]

    assert mentioned("AB-4", said) and mentioned("X.1", said)
    assert not any(mentioned(sku, said) for sku in ("AB", "4", "B-4", "X", "AB-44", "1"))
    assert not mentioned("AB-4", ["AB-4-XL", "AB-4.5", "QAB-4", "AB-44"])
