import pytest

from analysis import phrases


def test_lists_in_a_sentence() -> None:
    assert phrases.enumeration(["a"]) == "a"
    assert phrases.enumeration(["a", "b", "c"]) == "a, b and c"
    assert phrases.at_lengths([100, 200]) == "T = 100 and 200"


def test_long_lists_are_cut() -> None:
    assert phrases.first_few("abcd") == ["a", "b", "c", "d"]
    assert phrases.first_few("abcde") == ["a", "b", "c", "2 more"]
    assert phrases.short_enumeration("abcde") == "a, b, c and 2 more"
    assert phrases.semicolon_list("ab") == "a; b"
    assert phrases.semicolon_list("abcdefgh") == "a; b; c; d; e; f; 2 more"


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.4, "9 s"), (100, "1.7 min"), (6000, "1.7 h"), (3.6e6, "1,000.0 h")]
)
def test_durations_have_the_unit_that_reads_best(seconds: float, text: str) -> None:
    assert phrases.duration(seconds) == text


def test_numbers_in_a_sentence() -> None:
    assert phrases.million_tokens(8_800_000) == "8.8 M tokens"
    assert phrases.million_tokens(12_000) == "0.012 M tokens"
    assert phrases.between([3, 16, 4]) == "3 to 16"
    assert phrases.between([3, 3]) == "3"
    row = {"accuracy": 0.99314, "accuracy_low": 0.9917, "accuracy_high": 0.9942}
    assert phrases.with_interval(row) == "0.9931 [0.9917, 0.9942]"
