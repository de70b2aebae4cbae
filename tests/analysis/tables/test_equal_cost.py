from pathlib import Path

from study_files import trial, write_study

from analysis import load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.equal_cost import EQUAL_COST, accuracy_at_equal_cost
from studies import format as files
from studies.columns import PROGRESS


def test_costs_are_those_of_all_trials_and_accuracies_are_compared_at_equal_cost(
    runs: Path,
) -> None:
    large = trial(100, 1, parameters=50_000, validation_accuracy=0.999)
    small = trial(100, 0, parameters=9_000, validation_accuracy=0.9, tokens=500_000)
    final = trial(100, 2, parameters=90_000, stage=files.FINAL, seconds=5)
    write_study(runs, "a", model="gru", T=[100], trials=[large, small, final])
    write_study(runs, "b", model="lstm", T=[100], trials=[trial(100, tokens=600_000)])
    studies = load_studies([runs])
    table = accuracy_at_equal_cost(studies, compare_studies(studies))
    assert list(table) == list(EQUAL_COST.names)
    gru, lstm = table.to_dict("records")
    assert (gru["label"], lstm["label"]) == ("gru", "lstm")
    assert (gru["search_tokens"], gru["search_seconds"]) == (2_500_000, 25)
    assert (gru["trials"], lstm["trials"]) == (2, 1)
    # The lstm's best trial has 600,000 tokens; curves have 250,000 of them an evaluation.
    assert gru["equal_tokens"] == lstm["equal_tokens"] == 600_000
    assert gru["accuracy_at_equal_tokens"] == 2 / 4.1
    # The lstm's only model has 12,345 parameters: of the gru's, only the small one is no larger.
    assert gru["equal_parameters"] == 12345
    assert gru["accuracy_at_equal_parameters"] == 0.9
    assert lstm["accuracy_at_equal_parameters"] == 0.9953


def test_a_result_without_a_curve_has_no_accuracy_at_equal_training(runs: Path) -> None:
    folder = write_study(runs, "a", T=[100])
    (folder / files.PROGRESS_FILE).write_text(",".join(PROGRESS.names) + "\n")
    studies = load_studies([runs])
    [row] = accuracy_at_equal_cost(studies, compare_studies(studies)).to_dict("records")
    assert row["accuracy_at_equal_tokens"] != row["accuracy_at_equal_tokens"]  # not a number
    assert row["accuracy"] == 0.991
