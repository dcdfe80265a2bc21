from hypothesis import given
from hypothesis import strategies as st

from hub.search import SEPARATORS, folded, searchable, terms


def test_case_and_accents_do_not_count() -> None:
    assert folded("Țeavă ÎNDOITĂ") == folded("teava indoita") == "teava indoita"
    assert folded("Straße") == folded("STRASSE")
    assert folded("Ωμέγα Крушка") == folded("ωμεγα КРУШКА")


def test_runs_of_blanks_count_as_one() -> None:
    assert folded("  bec \t LED\n9W ") == "bec led 9w"


def test_parts_are_kept_apart_and_the_name_leads() -> None:
    text = searchable("Bec LED", "LED-9W", None, "erp-771")

    assert text.split("\n") == ["bec led", "led-9w", "erp-771"]


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)


def test_terms_are_words_longest_first() -> None:
    assert terms("LED-9W bec, bec") == ["bec", "led", "9w"]
    assert terms(" -./ ") == []
    assert terms("x" * 100) == ["x" * 64]
    assert len(terms(" ".join(f"w{n}" for n in range(20)))) == 8


@given(st.text())
def test_every_term_begins_a_word_of_its_own_text(text: str) -> None:
    words = f" {folded(text)}".translate(dict.fromkeys(map(ord, SEPARATORS), " "))

    assert all(f" {term}" in words for term in terms(text))
