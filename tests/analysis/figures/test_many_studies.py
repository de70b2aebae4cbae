"""Six studies, one of them with a long name: what the figures and the table have room for."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from drawn_figures import scope_of
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from study_files import confirm, seed, trial, write_study

from analysis import Studies, load_studies
from analysis.figures import accuracy_vs_t, plotting, rendering
from analysis.tables.comparison import compare_studies
from analysis.tables.registry import make_tables
from studies import format as files

LENGTHS = (50, 100, 200, 500)
LONG = "examples.minimal_gated_unit:factory"
MODELS = {
    "gru-delay": "gru", "gru-wide-second-machine": "gru", "lstm": "lstm", "mgru": "mgru",
    "mlstm": "mlstm", "mine": LONG,
}  # fmt: skip


@pytest.fixture(
    params=[LENGTHS, pytest.param((50, 500), marks=pytest.mark.slow)], ids=["four T", "two T"]
)
def studies(runs: Path, request: pytest.FixtureRequest) -> Studies:
    """Each has 20 trials at each T, so that every figure of a search is drawn."""
    lengths = request.param
    for name, model in MODELS.items():
        trials = [
            trial(
                T, k, [files.COMPLETED, files.STOPPED_EARLY][k % 2],
                learning_rate=1e-4 * 1.2**k, hidden_size=64 + 32 * (k % 3),
                validation_accuracy=0.3 + k / 40,
            )
            for T in lengths
            for k in range(20)
        ]  # fmt: skip
        folder = write_study(
            runs, name, model, T=lengths, trials=trials, search={"sampler": "random"}
        )
        confirm(folder, *(seed(k, T=T, model=model) for T in lengths for k in range(3)))
    return load_studies([runs])


@pytest.fixture
def drawn(studies: Studies, monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """Every figure, laid out as it is saved."""
    kept: list[Figure] = []
    save = rendering._save

    def keep(figure: Figure) -> tuple[bytes, bytes]:
        kept.append(figure)
        return save(figure)

    monkeypatch.setattr(rendering, "_save", keep)
    rendered, _ = rendering.render_all(studies, make_tables(studies, compare_studies(studies)))
    for figure in kept:
        figure.draw_without_rendering()  # it was saved last at another resolution
    return {of.stem: figure for of, figure in zip(rendered, kept, strict=True)}


def texts(figure: Figure) -> Iterator[tuple[str, Bbox]]:
    """Every text of a figure beside its legend and the ticks, with the box that it takes."""
    (legend,) = figure.legends
    others = set(legend.findobj(Text))
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            others |= {*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)}
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text() and text not in others:
            yield text.get_text(), text.get_window_extent()


def test_no_text_of_a_figure_is_cut_or_touches_another(drawn: dict[str, Figure]) -> None:
    assert {"stops", "learning_curves", "seeds_vs_T", "solve_rate_pairs"} < set(drawn)
    for stem, figure in drawn.items():
        page = figure.bbox.padded(1)
        legend = figure.legends[0].get_window_extent()
        assert page.x0 <= legend.x0 < legend.x1 <= page.x1, stem
        for text, box in texts(figure):
            assert all(page.contains(*corner) for corner in (box.min, box.max)), (stem, text)
            assert not box.overlaps(legend), (stem, text)
    for stem in ("solve_rate_pairs", "importance"):
        (axes,) = drawn[stem].axes
        boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
        boxes.sort(key=lambda box: box.y0)
        assert min(box.x0 for box in boxes) >= 0, stem
        for lower, upper in itertools.pairwise(boxes):
            assert lower.y1 <= upper.y0, stem


@pytest.mark.parametrize("lengths", [LENGTHS, (1000, 1050)])
def test_marks_stand_within_six_percent_of_their_length_and_nearest_to_it(
    runs: Path, lengths: tuple[int, ...]
) -> None:
    for name, model in MODELS.items():
        write_study(runs, name, model, T=lengths)
    task, scope = scope_of(runs)
    data = plotting.side_by_side(accuracy_vs_t.data(scope), task)
    assert (data["x"] / data["T"]).between(1 / 1.0601, 1.0601).all()
    assert data.groupby("T")["x"].nunique().eq(6).all()
    for x, T in zip(data["x"], data["T"], strict=True):
        assert min(lengths, key=lambda length: abs(length - x)) == T
