from pathlib import Path

from drawn_figures import drawn

from analysis.figures.stops import FIGURE
from studies import format as files


def test_each_trial_is_a_mark_where_it_ended(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    for axes, T in zip(found.axes, (100, 200), strict=True):
        assert axes.get_title("left") == f"T = {T}"
        marks = sorted(float(y) for dots in axes.collections for y in dots.get_offsets()[:, 1])
        at_T = found.data[found.data["T"] == T]
        assert marks == sorted(at_T["ladder_accuracy"])
        assert len(axes.collections) == 6  # of each model and each way to end
    assert found.axes[0].get_ylabel() == "ladder accuracy"
    assert sorted(found.legend[:2]) == ["gru", "mlstm"]
    assert found.legend[2:] == ["completed", "stopped early", "failed"]


def test_the_caption_counts_the_stopped_trials(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    stopped = found.data[found.data["status"] == files.STOPPED_EARLY]
    share = stopped["million_tokens"].sum() / found.data["million_tokens"].sum()
    assert "16 of 48 trials were stopped early, half of them by iteration 4" in found.caption
    assert f"they took {share:.0%} of all tokens" in found.caption


def test_the_caption_says_that_none_was_stopped(three: Path) -> None:
    assert "trials was stopped early." in drawn(FIGURE, three).caption
