import pytest
from matplotlib.figure import Figure

from analysis.figures.axes import MOST_TICKS, few_ticks, length_axis


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.9, 12, [1, 2, 5, 10]),
        (0.37, 0.83, [0.4, 0.6, 0.8]),
        (0.01, 900, [0.01, 0.1, 1, 10, 100]),
        (0.5, 40, [0.5, 1, 2, 5, 10, 20]),
    ],
)
def test_a_logarithmic_axis_has_a_few_round_ticks(
    low: float, high: float, ticks: list[float]
) -> None:
    assert few_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize("decades", range(1, 12))
def test_ticks_are_never_too_many_nor_too_few(decades: int) -> None:
    for low in (0.11, 0.3, 0.99, 7.0):
        assert 2 <= len(few_ticks(low, low * 10**decades)) <= MOST_TICKS
        assert len(few_ticks(low, low * 1.3)) >= 1


def test_of_lengths_that_are_close_the_largest_keeps_its_label() -> None:
    axes = Figure().subplots()
    length_axis(axes, [100, 900, 950, 1000])
    assert list(axes.xaxis.get_major_locator().locs) == [100, 1000]
    length_axis(axes, [100, 200, 500, 1000])
    assert list(axes.xaxis.get_major_locator().locs) == [100, 200, 500, 1000]
