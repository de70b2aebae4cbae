from pathlib import Path

import pandas as pd
from drawn_figures import drawn
from study_files import trial, write_study

from analysis.figures.stops import FIGURE, caption
from studies import format as files


def test_each_trial_is_a_mark_where_it_ended(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    for axes, T in zip(found.axes, (100, 200), strict=True):
        assert axes.get_title("left") == f"T = {T}"
        marks = sorted(float(y) for dots in axes.collections for y in dots.get_offsets()[:, 1])
        at_T = found.data[found.data["T"] == T]
        assert marks == sorted(at_T["ladder_accuracy"])
        assert len(axes.collections) == 8  # of each model and each way to end
    assert found.axes[0].get_ylabel() == "last ladder accuracy"
    assert sorted(found.legend[:2]) == ["gru", "mlstm"]
    assert found.legend[2:] == ["completed", "stopped early", "failed"]


def test_the_caption_counts_the_stopped_trials(everything: Path) -> None:
    found = drawn(FIGURE, everything)
    stopped = found.data[found.data["status"] == files.STOPPED_EARLY]
    share = stopped["million_tokens"].sum() / found.data["million_tokens"].sum()
    assert "16 of 48 trials were stopped early, half of them within" in found.caption
    assert f"they took {share:.0%} of all tokens" in found.caption


def test_a_mark_is_at_the_last_evaluation_of_its_trial_and_not_at_the_best(runs: Path) -> None:
    made = [trial(100), trial(100, 1, files.INTERRUPTED), trial(100, 2, stage=files.FINAL)]
    folder = write_study(runs, "gru", model="gru", T=[100], trials=made)
    progress = pd.read_csv(folder / "progress.csv").assign(ladder_accuracy=[0.9, 0.8, 0.7, 0.6] * 3)
    progress.to_csv(folder / "progress.csv", index=False)
    found = drawn(FIGURE, runs)
    columns = ["status", "million_tokens", "ladder_accuracy"]
    assert found.data[columns].values.tolist() == [
        ["completed", 1.0, 0.6],
        ["interrupted", 1.0, 0.6],
    ]
    assert found.legend[1:] == ["completed", "interrupted"]


def test_the_caption_says_that_none_was_stopped(three: Path) -> None:
    assert "trials was stopped early." in drawn(FIGURE, three).caption


def test_one_stopped_trial_is_spoken_of_as_one() -> None:
    rows = [(files.COMPLETED, 3.0), (files.STOPPED_EARLY, 1.0)]
    data = pd.DataFrame(rows, columns=["status", "million_tokens"])
    assert caption(data).endswith(
        "1 of 2 trials was stopped early, within 1.0 M tokens; it took 25% of all tokens."
    )
