from pathlib import Path

from drawn_figures import drawn, marked, scope_of
from matplotlib.colors import to_hex
from study_files import trial, write_study

from analysis.figures.styles import KNOWN_MODELS
from analysis.figures.tuning_curves import FIGURE

SEARCH = {"sampler": "random", "scheduler": "none"}


def test_the_curve_and_its_band_are_those_of_the_table(runs: Path) -> None:
    trials = [
        trial(T, k, validation_accuracy=0.1 + k * 7 % 12 / 14)
        for T in (100, 200)
        for k in range(12)
    ]
    write_study(runs, "gru", model="gru", trials=trials, search=SEARCH)
    found = drawn(FIGURE, runs)
    curve = found.data[(found.data["label"] == "gru") & (found.data["T"] == 200)]
    axes = found.axes[1]
    assert axes.get_title("left") == "T = 200"
    assert axes.get_xlabel() == "random trials"
    color = KNOWN_MODELS["gru"].color
    [line] = [
        line for line in axes.lines
        if line.get_color() == color and len(line.get_xdata()) == len(curve)
    ]  # fmt: skip
    assert line.get_linestyle() == "-"
    assert list(line.get_xdata()) == list(range(1, 13))
    assert list(line.get_ydata()) == curve["best"].tolist()
    [end] = marked(axes, "gru")
    assert list(end.get_ydata()) == curve["best"].tolist()[-1:]
    [band] = [
        of.get_paths()[0].vertices
        for of in axes.collections
        if to_hex(of.get_facecolor()[0]) == color.lower()
    ]
    assert {*curve["best_low"], *curve["best_high"]} <= set(band[:, 1])
    assert f"gru {curve['best'].iloc[-1]:.3f} after 12" in found.caption
    assert "Dotted" not in found.caption


def test_a_curve_without_a_band_is_dotted(runs: Path) -> None:
    trials = [trial(100, k, validation_accuracy=k / 10) for k in range(5)]
    write_study(runs, "gru", model="gru", T=[100], trials=trials, search=SEARCH, limit="solved")
    found = drawn(FIGURE, runs)
    assert ":" in [line.get_linestyle() for line in found.axes[0].lines]
    assert found.caption.endswith("Dotted curves have no band; tuning_samples.csv says why.")
    _, scope = scope_of(runs)
    [why] = scope.tables["tuning_samples"]["remark"]
    assert why == "no band: results decided when the search ended (solved)"


def test_without_random_trials_the_reason_is_that_of_the_table(three: Path) -> None:
    _, scope = scope_of(three)
    assert FIGURE.data(scope).empty
    assert "sampled by None, not at random" in FIGURE.why_missing(scope)
