from pathlib import Path

import pytest
import yaml
from points import point
from study_files import trial, write_study

from analysis import InputError, Studies, load_studies
from analysis.reading.events import trial_spans
from analysis.tables.comparison import COMPARISON, compare_studies, searched_hyperparameters
from analysis.tables.edges import search_edges
from studies import format as files
from studies.columns import BEST, PROGRESS, TRIALS
from studies.event_files import encode
from studies.events import (
    LengthEnded,
    RacingBegan,
    RacingEnded,
    Result,
    TrialCutOff,
    TrialRestarted,
)


def problem(studies: Studies) -> str:
    [text] = studies.studies["problem"]
    return str(text)


def test_frames_start_with_the_study_and_keep_the_columns(runs: Path) -> None:
    write_study(runs, "mgru-delay")
    studies = load_studies([runs])
    assert studies.studies.to_dict("records") == [
        {
            "study": "mgru-delay",
            "path": str(runs / "mgru-delay"),
            "model": "mgru",
            "task": "delay",
            "problem": "",
            "warning": "",
        }
    ]
    assert list(studies.trials) == ["study", *TRIALS.names]
    assert list(studies.progress) == ["study", *PROGRESS.names]
    assert list(studies.best) == ["study", *BEST.names]
    assert list(studies.lengths["T"]) == [100, 200]


def test_one_path_needs_no_list(runs: Path) -> None:
    write_study(runs, "gru")
    for path in (runs, str(runs)):
        assert load_studies(path).studies.equals(load_studies([runs]).studies)


def test_numbers_are_typed_and_empty_cells_are_missing(runs: Path) -> None:
    write_study(runs, "gru", trials=[trial(100), trial(100, 1, files.FAILED)], best=[])
    trials = load_studies([runs]).trials
    assert trials["tokens"].dtype == "Int64"
    assert trials["learning_rate"].dtype == "float64"
    assert trials["tokens_to_solve"].isna().tolist() == [False, True]
    assert trials["error"].isna().tolist() == [True, False]


def test_searched_hyperparameters_are_kept(runs: Path) -> None:
    trials = [trial(100, optimizer="sgd", batch_size=32)]
    write_study(runs, "gru", T=[100], trials=trials, extra=["optimizer", "batch_size"])
    write_study(runs, "mgru", T=[100])
    best = load_studies([runs]).best
    assert best.loc[best["study"] == "gru", ["optimizer", "batch_size"]].values.tolist() == [
        ["sgd", 32]
    ]
    assert best.loc[best["study"] == "mgru", "optimizer"].isna().all()


@pytest.mark.parametrize("name", ["rank", "label", "path", "searched"])
def test_an_early_study_whose_hyperparameter_has_the_name_of_a_column_is_read_without_it(
    runs: Path, name: str
) -> None:
    trials = [trial(100, k, **{name: 7}) for k in range(5)]
    extra = [] if name in TRIALS.names else [name]
    folder = write_study(runs, "old", T=[100], trials=trials, extra=extra)
    document = yaml.safe_load((folder / files.STUDY_FILE).read_text())
    document["config"]["space"] = {name: {"low": 1, "high": 7}}
    (folder / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    write_study(runs, "new")
    studies = load_studies([runs])
    assert studies.warnings() == [
        f"{folder}: the hyperparameter {name} is not shown: the tables have another column of that "
        "name"
    ]
    comparison = compare_studies(studies)
    assert tuple(comparison) == COMPARISON.names
    assert search_edges(studies, comparison).empty
    assert searched_hyperparameters([studies.configs["old"]]) == []


def test_a_model_may_be_called_na(runs: Path) -> None:
    write_study(runs, "na", model="NA")
    assert set(load_studies([runs]).trials["model"]) == {"NA"}


def test_a_study_may_be_named_itself_and_is_read_once(runs: Path) -> None:
    folder = write_study(runs, "gru")
    assert len(load_studies([folder, runs, folder]).studies) == 1


def test_equal_names_become_paths(tmp_path: Path) -> None:
    folders = [write_study(tmp_path / name, "gru") for name in ("a", "b")]
    studies = load_studies([tmp_path / "a", tmp_path / "b"])
    assert list(studies.studies["study"]) == [str(folder) for folder in folders]
    assert set(studies.trials["study"]) == set(studies.studies["study"])


def test_results_at_a_length_that_is_no_longer_configured_count(runs: Path) -> None:
    write_study(runs, "gru", T=[500], trials=[trial(100)])
    assert sorted(load_studies([runs]).lengths["T"]) == [100, 500]


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("study.yaml", None, "study.yaml is missing"),
        ("study.yaml", "a: [1\nb", "study.yaml is not YAML: line 2:"),
        ("study.yaml", "", "study.yaml has no keys"),
        ("study.yaml", "schema_version: 1", "study.yaml lacks the key config"),
        ("study.yaml", "schema_version: 9", "schema version 9; this program reads 1"),
        ("study.yaml", "schema_version: 1\nconfig: 3", "config has no keys"),
        ("study.yaml", "schema_version: 1\nconfig: {model: gru, T: [1]}", "lacks the key task"),
        (
            "study.yaml",
            "schema_version: 1\nconfig: {model: gru, task: delay, T: [0]}",
            "T must be a list of lengths >= 1, but is [0]",
        ),
        (
            "study.yaml",
            "schema_version: 1\nconfig: {model: gru, task: delay, T: [1], search: [3]}",
            "study.yaml: search has no keys",
        ),
        (
            "study.yaml",
            "schema_version: 1\nconfig: {model: gru, task: delay, T: [1]}\nchance_accuracy: many",
            "study.yaml: chance_accuracy must be above 0 and at most 1, but is 'many'",
        ),
        ("trials.csv", None, "trials.csv is missing"),
        ("progress.csv", None, "progress.csv is missing"),
        ("best.csv", None, "best.csv is missing"),
        ("best.csv", "", "best.csv cannot be read: No columns to parse"),
        ("best.csv", 'a,b\n"1,2', "best.csv cannot be read: "),
        ("best.csv", b"\xff\xfe\x00a", "best.csv cannot be read: "),
        ("best.csv", "model,task\n", "best.csv lacks the column T and 21 more"),
    ],
)
def test_a_broken_study_is_kept_with_its_problem(
    runs: Path, file: str, content: str | bytes | None, message: str
) -> None:
    folder = write_study(runs, "gru")
    if content is None:
        (folder / file).unlink()
    elif isinstance(content, bytes):
        (folder / file).write_bytes(content)
    else:
        (folder / file).write_text(content)
    studies = load_studies([runs])
    assert message in problem(studies)
    assert "\n" not in problem(studies)
    assert studies.trials.empty
    assert studies.best.empty


def test_events_tell_what_began_and_ended(runs: Path) -> None:
    write_study(runs, "gru", T=[100], trials=[trial(100), trial(100, 1, files.FAILED)])
    studies = load_studies([runs])
    assert studies.events[["event", "elapsed", "T", "trial_id"]].astype(object).fillna(
        "-"
    ).values.tolist() == [
        ["length_began", 0.0, 100, "-"],
        ["trial_started", 1.0, 100, "T=100-00"],
        ["trial_ended", 11.0, 100, "T=100-00"],
        ["trial_started", 12.0, 100, "T=100-01"],
        ["trial_ended", 22.0, 100, "T=100-01"],
        ["length_ended", 22.0, 100, "-"],
        ["last_seen", 22.0, "-", "-"],
    ]
    assert set(studies.configs) == {"gru"}
    spans = trial_spans(studies.events)
    assert spans[["began", "ended"]].values.tolist() == [[1.0, 11.0], [12.0, 22.0]]


def test_what_has_not_ended_runs_until_its_length_ends_or_until_now(runs: Path) -> None:
    running = [trial(100, 0, files.INTERRUPTED), trial(200, 0, files.INTERRUPTED)]
    folder = write_study(runs, "gru", T=[100, 200], trials=running)
    lines = (folder / files.EVENTS_FILE).read_text().splitlines(keepends=True)
    cut = "".join(lines[:-1]) + lines[-1][:9]  # without the end of T = 200, and half a line
    (folder / files.EVENTS_FILE).write_text(cut)
    studies = load_studies([runs])
    assert studies.studies["warning"].tolist() == [""]
    spans = trial_spans(studies.events)
    assert spans[["T", "began", "ended"]].values.tolist() == [[100, 1.0, 11.0], [200, 12.0, 22.0]]


def test_a_training_of_a_race_runs_until_it_is_cut_off_or_racing_ends(runs: Path) -> None:
    raced = [trial(100, k, files.INTERRUPTED, stage=files.RACE) for k in range(2)]
    folder = write_study(runs, "gru", T=[100], trials=[trial(100, 9), *raced])
    more = [
        TrialCutOff(elapsed=50.0, trial_id="T=100-00"),
        RacingEnded(elapsed=60.0, limit="budget_minutes", value=1.0),
        RacingBegan(elapsed=90.0, seeds=3),
    ]
    with (folder / files.EVENTS_FILE).open("ab") as file:
        file.writelines(map(encode, more))
    spans = trial_spans(load_studies([runs]).events)
    assert spans[["trial_id", "ended"]].values.tolist() == [
        ["T=100-09", 11.0], ["T=100-00", 50.0], ["T=100-01", 60.0]
    ]  # fmt: skip


def test_a_trial_that_was_cut_off_ended_with_its_search_also_if_that_went_on_later(
    runs: Path,
) -> None:
    folder = write_study(runs, "gru", T=[100], trials=[trial(100, 0, files.INTERRUPTED)])
    with (folder / files.EVENTS_FILE).open("ab") as file:
        file.write(encode(LengthEnded(elapsed=90.0, T=100, limit="trials", value=9)))
    [span] = trial_spans(load_studies([runs]).events).to_dict("records")
    assert (span["began"], span["ended"], span["part"]) == (1.0, 11.0, 0)


def test_of_a_trial_that_failed_and_ran_again_the_last_run_counts(runs: Path) -> None:
    failed = [trial(100, 0, files.FAILED), trial(100, 1, files.FAILED)]
    folder = write_study(runs, "gru", T=[100], trials=failed)
    metrics = {"metrics": point(1, 0.5), "parameters": 1}
    again = [
        TrialRestarted(elapsed=30.0, trial_id="T=100-00"),
        TrialRestarted(elapsed=30.0, trial_id="T=100-01"),
        Result(elapsed=40.0, trial_id="T=100-00", status=files.COMPLETED, **metrics),
        Result(elapsed=41.0, trial_id="T=100-01", status="", **metrics),
    ]
    with (folder / files.EVENTS_FILE).open("ab") as file:
        file.writelines(map(encode, again))
    spans = trial_spans(load_studies([runs]).events)
    assert spans[["began", "ended"]].values.tolist() == [[30.0, 40.0], [30.0, 41.0]]


@pytest.mark.parametrize("line", ["{", "3", '{"event": "length_began"}', '{"event": 1}'])
def test_damaged_events_are_a_warning_and_leave_the_rest(runs: Path, line: str) -> None:
    folder = write_study(runs, "gru", T=[100])
    events = (folder / files.EVENTS_FILE).read_text()
    (folder / files.EVENTS_FILE).write_text(line + "\n" + events)
    studies = load_studies([runs])
    [warning] = studies.studies["warning"]
    assert warning == "what happened when is not known: events.jsonl, line 1: no valid event"
    assert studies.events.empty
    assert len(studies.best) == 1


def test_a_curve_that_stops_before_its_trial_is_a_warning(runs: Path) -> None:
    folder = write_study(runs, "gru", trials=[trial(100), trial(200)])
    lines = (folder / files.PROGRESS_FILE).read_text().splitlines(keepends=True)
    (folder / files.PROGRESS_FILE).write_text("".join(lines[:-1]))
    studies = load_studies([runs])
    assert studies.studies["warning"].tolist() == [
        "progress.csv lacks evaluations of 1 of 2 ended trials"
    ]
    assert len(studies.best) == 2


def test_damaged_tests_at_longer_lengths_are_a_warning(runs: Path) -> None:
    folder = write_study(runs, "gru")
    (folder / files.GENERALIZATION_FILE).write_text("T\n")
    studies = load_studies([runs])
    [warning] = studies.studies["warning"]
    assert warning.startswith("generalization.csv lacks the column model and 10 more; make it")
    assert len(studies.best) == 2


def test_a_study_without_events_is_one_of_an_earlier_version(runs: Path) -> None:
    (write_study(runs, "gru", T=[100]) / files.EVENTS_FILE).unlink()
    studies = load_studies([runs])
    assert studies.studies["warning"].tolist() == [""]
    assert trial_spans(studies.events).empty


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"status": "tired"}, "trials.csv: unknown status 'tired'"),
        ({"status": ""}, "trials.csv: a row has no status"),
        ({"trial_id": ""}, "trials.csv: a row has no trial_id"),
        ({"tokens": "many"}, "trials.csv: column tokens: "),
        ({"tokens": 1.5}, "trials.csv: column tokens: "),
        ({"seconds": "1,5"}, "trials.csv: column seconds: "),
    ],
)
def test_bad_cells_are_a_problem(runs: Path, values: dict[str, object], message: str) -> None:
    write_study(runs, "gru", trials=[trial(100) | values], best=[])
    assert message in problem(load_studies([runs]))


def test_a_broken_study_does_not_touch_the_others(runs: Path) -> None:
    (write_study(runs, "gru") / "best.csv").unlink()
    write_study(runs, "mgru")
    studies = load_studies([runs])
    assert set(studies.best["study"]) == {"mgru"}
    assert set(studies.studies["study"]) == {"gru", "mgru"}


def test_a_study_that_is_being_made_is_passed_over(runs: Path) -> None:
    write_study(runs, "mgru").rename(runs / ".mgru-delay.new")
    write_study(runs, "gru")
    assert set(load_studies([runs]).studies["study"]) == {"gru"}


def test_no_study_is_an_error_that_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"runs does not exist.*python -m search\.run --model"):
        load_studies([tmp_path / "runs"])
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    with pytest.raises(InputError, match=r"no study in .*empty/\*/study.yaml.*search\.run"):
        load_studies([tmp_path / "empty"])
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="file is not a folder"):
        load_studies([tmp_path / "file"])
