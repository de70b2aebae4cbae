import pytest

from analysis.figures.labels import wrapped


@pytest.mark.parametrize(
    ("label", "width", "lines"),
    [
        ("mgru", 4, ["mgru"]),
        ("my_package.cells:factory", 14, ["my_package.", "cells:factory"]),
        ("gru (gru-wide-second)", 12, ["gru (gru-", "wide-second)"]),
        ("averylongfactory", 8, ["averylon", "gfactory"]),
        ("", 8, []),
    ],
)
def test_a_label_breaks_between_the_parts_of_its_name(
    label: str, width: int, lines: list[str]
) -> None:
    assert wrapped(label, width).splitlines() == lines


def test_what_is_beyond_the_last_line_is_left_out() -> None:
    assert wrapped("a_package.of_mine:a_long_factory", 12, 2).splitlines() == [
        "a_package.", "of_mine:..."
    ]  # fmt: skip
