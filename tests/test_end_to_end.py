"""Search and comparison on real Ray, as a user runs them."""

import itertools
import json
import re
from pathlib import Path

import html5lib
import pytest
from ray._private.services import find_gcs_addresses
from searches import optuna_trials, read, run, searched_once

from copytask import SOLVED_ACCURACY, evaluate, load_model
from search.run import main
from studies import format as files

TINY = """
model: gru
task: sequence
T: [1, 2]
training: {batch_size: 8, tokens_per_iteration: 4000, max_tokens: 40000, validation_payloads: 16}
space:
  learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}
  hidden_size: 12
  curriculum_length: {low: 1, high: 50}
search:
  {trials: 6, solved_trials: 6, budget_minutes: 3, grace_iterations: 1, test_payloads: 200,
   startup_trials: 2, carried_trials: 2, initial: [{learning_rate: 1.0e-2, curriculum_length: 10}]}
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(500)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("config") / "tiny.yaml"
    file.write_text(TINY)
    return file


@pytest.fixture(scope="module")
def searched(tiny, tmp_path_factory) -> tuple[Path, str]:
    """A finished study and what the search printed."""
    storage, out = searched_once(tmp_path_factory, "searched", "search.run", "--config", tiny)
    return storage / "gru-sequence", out


def test_every_T_has_a_best_trial_whose_checkpoint_gives_its_accuracy(searched):
    study, _ = searched
    rows = read(study / files.BEST_FILE)
    assert [int(row["T"]) for row in rows] == [1, 2]
    for row in rows:
        accuracy = float(row["accuracy"])
        assert float(row["accuracy_low"]) <= accuracy <= float(row["accuracy_high"])
        model = load_model(study / row["checkpoint"])
        scores = evaluate(model, "sequence", int(row["T"]), payloads=200, seed=0)
        assert scores.accuracy == accuracy
    assert float(rows[0]["accuracy"]) > 0.5


def test_every_trial_has_a_row_an_ending_and_a_curve(searched):
    study, _ = searched
    trials, progress = (read(study / name) for name in (files.TRIALS_FILE, files.PROGRESS_FILE))
    assert len(trials) == 12
    assert {row["status"] for row in trials} <= {files.COMPLETED, files.STOPPED_EARLY}
    for trial in trials:
        curve = [row for row in progress if row["trial_id"] == trial["trial_id"]]
        assert [int(row["iteration"]) for row in curve] == list(range(1, len(curve) + 1))
        assert curve[-1]["tokens"] == trial["tokens"]
        assert max(float(row["validation_accuracy"]) for row in curve) == float(
            trial["validation_accuracy"]
        )


def test_a_T_starts_from_the_best_configurations_of_the_one_before(searched):
    study, _ = searched
    trials = read(study / files.TRIALS_FILE)
    at = {T: [row for row in trials if row["T"] == T] for T in "12"}

    def rank(row):
        tokens = float(row["tokens_to_solve"] or "inf")
        return -float(row["validation_accuracy"]), tokens, int(row["tokens"])

    def configuration(row):
        return row["learning_rate"], row["curriculum_length"]

    initial = ("0.01", "10")
    best = [configuration(row) for row in sorted(at["1"], key=rank)[:2]]
    first = list(dict.fromkeys([best[0], initial, best[1]]))
    assert [configuration(row) for row in at["2"][: len(first)]] == first
    assert configuration(at["1"][0]) == initial


def test_with_one_worker_the_same_command_gives_the_same_trials(tiny, tmp_path):
    command = [
        "search.run", "--config", tiny, "--storage", tmp_path, "--trials", 4, "--seed", 3,
        "--max-concurrent", 1, "--set", "space.hidden_size={choices: [32, 64]}",
    ]  # fmt: skip
    for name in ("first", "second"):
        code, _, err = run(*command, "--name", name)
        assert (code, err) == (0, "")
    for file in (files.TRIALS_FILE, files.PROGRESS_FILE):
        first, second = (read(tmp_path / name / file) for name in ("first", "second"))
        for row in (*first, *second):
            for name in [name for name in row if name.startswith("seconds")]:
                del row[name]  # the one thing that a machine does not repeat
        assert first == second


def test_optuna_knows_which_trials_were_pruned(searched):
    study, _ = searched
    trials = read(study / files.TRIALS_FILE)
    for T in (1, 2):
        states = {t.user_attrs["trial_id"]: t.state.name for t in optuna_trials(study, T)}
        expected = {files.COMPLETED: "COMPLETE", files.STOPPED_EARLY: "PRUNED"}
        assert states == {
            row["trial_id"]: expected[row["status"]] for row in trials if row["T"] == str(T)
        }


def test_the_console_is_quiet_and_narrow(searched):
    study, out = searched
    first, *lines = out.splitlines()
    assert first == "starting Ray"
    named = [line for line in lines if study.name in line]  # with the path, as long as it is
    assert re.match(r"gru on sequence in (fp32|bf16), \d+ trials? at a time -> ", named[0])
    assert named[-1] == lines[-1]
    assert lines[-1].startswith("compare: python -m analysis.compare ")
    lines = [line for line in lines if line not in named]
    assert max(map(len, lines)) <= 80
    assert sum(" curr. " in line and "accuracy" in line for line in lines) == 12
    assert not any("ray" in line.lower() for line in lines)
    assert "Best trial of each T" in out


def test_a_hundred_trials_are_a_hundred_narrow_lines_and_quiet_is_the_result_alone(tiny, tmp_path):
    fast = [
        "--trials", 100, "--T", 1,
        "--set", "training.max_tokens=4000", "--set", "search.patience=null",
    ]  # fmt: skip
    code, out, err = run("search.run", "--config", tiny, "--storage", tmp_path, *fast)
    assert (code, err) == (0, "")
    # Two have the path, as long as it is.
    lines = [line for line in out.splitlines() if str(tmp_path) not in line]
    assert max(map(len, lines)) <= 80
    trials = [line.split()[1] for line in lines if " curr. " in line and "accuracy" in line]
    assert sorted(trials) == [f"T1-{number:04d}" for number in range(100)]
    quiet = ["--storage", tmp_path, "--name", "gru-sequence", "--resume", "--quiet"]
    code, out, err = run("search.run", *quiet, "--trials", 102)
    assert (code, err) == (0, "")
    assert out.startswith("Best trial of each T")
    rows = [line.split() for line in out.splitlines()[3:]]
    assert [row[:2] for row in rows if row and row[0].isdigit()] == [["1", "102"]]


def test_a_trial_is_repeated_by_one_command(searched, monkeypatch):
    study, _ = searched
    monkeypatch.delenv("OMP_NUM_THREADS")  # as on a user's machine
    code, out, err = run("search.run", "--replay", study, "T2-0001")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1].startswith("T2-0001: all ")
    code, out, err = run("search.run", "--replay", study, "T2-0099")
    assert (code, out) == (2, "")
    assert "no such trial; it has T1-0000, T1-0001, T1-0002, ..." in err


def test_the_comparison_shows_the_study(searched, tmp_path):
    study, _ = searched
    code, out, err = run("analysis.compare", study.parent, "--output", tmp_path)
    assert (code, err) == (0, "")
    rows = json.loads((tmp_path / "comparison.json").read_text())
    assert [(row["model"], row["T"]) for row in rows] == [("gru", 1), ("gru", 2)]
    best = read(study / files.BEST_FILE)
    assert [row["accuracy"] for row in rows] == [float(row["accuracy"]) for row in best]
    drawn = {path.stem for path in tmp_path.glob("*.png")}
    assert {"accuracy_vs_T", "learning_curves", "equal_cost_vs_T", "slices", "slots"} <= drawn
    assert f"{rows[0]['accuracy']:.3f}" in out

    # Page, CSV and console say what the learning curves of the study do.
    page = (tmp_path / "comparison.md").read_text()
    written = {int(row["T"]): row for row in read(tmp_path / "comparison.csv")}
    for T, row in written.items():
        curve = [p for p in read(study / files.PROGRESS_FILE) if p["trial_id"] == row["trial_id"]]
        accuracies = [float(point["validation_accuracy"]) for point in curve]
        assert float(row["validation_accuracy"]) == max(accuracies)
        assert (row["tokens"], row["seconds"]) == (curve[-1]["tokens"], curve[-1]["seconds"])
        pairs = enumerate(itertools.pairwise(accuracies))
        solved = [k for k, pair in pairs if min(pair) >= SOLVED_ACCURACY][:1]
        assert row["tokens_to_solve"] == (curve[solved[0]]["tokens"] if solved else "")
        million = f"{float(row['tokens_to_solve']) / 1e6:.3g}" if solved else "-"
        shown = f"{T} gru {float(row['accuracy']):.3f}"
        [line] = [line for line in out.splitlines() if shown in " ".join(line.split())]
        assert line.split()[4] == million
        assert f"| {float(row['accuracy']):.4f} |" in page
        assert f"| {million} |" in page


def test_page_tables_and_console_have_the_numbers_of_progress_csv(searched, tmp_path):
    study, _ = searched
    code, out, _ = run("analysis.compare", study, "--output", tmp_path)
    assert code == 0
    page = html5lib.parse((tmp_path / "index.html").read_text(), namespaceHTMLElements=False)
    table = next(element for element in page.iter("table") if element.get("class") == "data")
    header, *cells = [
        ["".join(cell.itertext()).strip() for cell in row] for row in table.iter("tr")
    ]
    verdict = " ".join("".join(page.find(".//section[@class='verdict']").itertext()).split())
    console = [line.split() for line in out.splitlines()]
    progress = read(study / files.PROGRESS_FILE)
    for row, cell in zip(read(tmp_path / "comparison.csv"), cells, strict=True):
        curve = [entry for entry in progress if entry["trial_id"] == row["trial_id"]]
        accuracies = [float(entry["validation_accuracy"]) for entry in curve]
        pairs = zip(curve, accuracies, accuracies[1:], strict=False)
        first = next((entry for entry, a, b in pairs if min(a, b) >= 0.99), {})
        assert float(row["validation_accuracy"]) == max(accuracies)
        assert row["tokens"] == curve[-1]["tokens"]
        assert row["tokens_to_solve"] == first.get("tokens", "")
        assert row["seconds_to_solve"] == first.get("seconds", "")
        tokens, seconds = (float(first[name]) if first else None for name in ("tokens", "seconds"))
        shown = dict(zip(header, cell, strict=True))
        assert shown["T"] == row["T"]
        assert shown["accuracy"] == f"{float(row['accuracy']):.4f}"
        assert shown["M tokens"] == (f"{tokens / 1e6:.2f}" if first else "-")
        assert shown["s"] == (f"{seconds:.1f}" if first else "-")
        [line] = [line for line in console if line[:2] == [row["T"], "gru"]]
        assert line[2] == f"{float(row['accuracy']):.3f}"
        assert line[4:6] == ([f"{tokens / 1e6:.3g}", f"{seconds:.0f}"] if first else ["-", "-"])
        assert f"{float(row['accuracy']):.4f}" in verdict


def test_the_best_is_trained_again_and_the_winner_confirmed_with_fresh_seeds(tiny, tmp_path):
    final = "final={max_tokens: 60000, stop_when_solved: false, validation_payloads: 50}"
    code, out, err = run(
        "search.run", "--config", tiny, "--storage", tmp_path, "--trials", 2, "--final",
        "--confirm-seeds", 2, "--set", final,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)
    study = tmp_path / "gru-sequence"
    trials = {row["trial_id"]: row for row in read(study / files.TRIALS_FILE)}
    names = [f"T{T}-{name}" for T in (1, 2) for name in ("final", "confirm-00", "confirm-01")]
    assert {name for name, row in trials.items() if row["stage"] != files.SEARCH} == set(names)
    assert all(int(trials[f"T{T}-final"]["tokens"]) >= 60000 for T in (1, 2))
    best = {row["T"]: row for row in read(study / files.BEST_FILE)}
    for T, row in best.items():
        solved = trials[f"T{T}-final"]["tokens_to_solve"] != ""
        assert (row["trial_id"] == f"T{T}-final") == solved
        assert (study / row["checkpoint"]).exists()
    confirmed = read(study / files.CONFIRM_FILE)
    assert [(row["T"], row["confirms"]) for row in confirmed] == [
        (T, best[T]["trial_id"]) for T in "1122"
    ]
    seeds = [row["seed"] for row in trials.values() if row["stage"] != files.FINAL]
    assert len(set(seeds)) == len(seeds)
    assert not list((study / files.RAY_FOLDER).iterdir())
    assert "trained again with fresh seeds" in out

    before = [row for row in confirmed if row["T"] == "1"]
    more = ["--name", study.name, "--storage", tmp_path, "--resume", "--confirm-seeds", 3]
    code, out, err = run("search.run", *more)
    assert (code, err) == (0, "")
    after = read(study / files.CONFIRM_FILE)
    assert [row for row in after if row["T"] == "1"][:2] == before
    assert [row["trial_id"] for row in after if row not in confirmed] == [
        "T1-confirm-02", "T2-confirm-02"
    ]  # fmt: skip

    code, out, err = run("analysis.compare", tmp_path, "--output", tmp_path / "reports")
    assert (code, err) == (0, "")
    rows = json.loads((tmp_path / "reports" / "comparison.json").read_text())
    assert [row["seeds"] for row in rows] == [3, 3]
    assert [row["trials"] for row in rows] == [2, 2]


def test_a_name_that_exists_is_refused_and_untouched(searched, tiny):
    study, _ = searched
    before = {f: f.read_bytes() for f in study.glob("*.*") if f.is_file()}
    code, out, err = run("search.run", "--config", tiny, "--storage", study.parent)
    assert (code, out) == (2, "")
    assert err.startswith("error: the study ")
    assert "exists: go on with it by --resume" in err
    assert {f: f.read_bytes() for f in study.glob("*.*") if f.is_file()} == before


def test_resuming_a_finished_study_changes_nothing(searched):
    study, _ = searched
    before = {f.name: f.read_bytes() for f in study.glob("*.csv")}
    code, out, err = run("search.run", "--name", study.name, "--storage", study.parent, "--resume")
    assert (code, err) == (0, "")
    assert "Best trial of each T" in out
    assert {f.name: f.read_bytes() for f in study.glob("*.csv")} == before


def test_a_trial_that_diverges_fails_with_its_reason_and_the_search_goes_on(tiny, tmp_path):
    initial = "search.initial=[{learning_rate: 1.0e3, curriculum_length: 10}]"
    wide = "space.learning_rate={low: 1.0e-3, high: 1.0e+3, log: true}"
    code, out, err = run(
        "search.run", "--config", tiny, "--set", initial, "--set", wide, "--T", 1,
        "--storage", tmp_path, "--trials", 3, "--seed", 1,
    )  # fmt: skip
    assert (code, err) == (0, "")
    trials = read(tmp_path / "gru-sequence" / files.TRIALS_FILE)
    assert trials[0]["status"] == files.FAILED
    assert trials[0]["error"].startswith("training diverged: mean loss")
    assert "training diverged" in out
    assert len(trials) == 3
    assert len(read(tmp_path / "gru-sequence" / files.BEST_FILE)) == 1


CELL = """
from torch import nn

def factory(input_size, hidden_size):
    return nn.RNN(input_size, hidden_size)

class Short(nn.RNN):
    def forward(self, input, state=None):
        if len(input) > 5:
            raise RuntimeError("this cell is made for five steps")
        return super().forward(input, state)
"""


def test_a_users_own_cell_is_searched(tiny, tmp_path, monkeypatch):
    (tmp_path / "my_cells.py").write_text(CELL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    code, _, err = run(
        "search.run", "--config", tiny, "--model", "my_cells:factory", "--storage",
        tmp_path / "runs", "--trials", 1, "--T", 1,
    )  # fmt: skip
    assert (code, err) == (0, "")
    (row,) = read(tmp_path / "runs" / "my_cells.factory-sequence" / files.BEST_FILE)
    assert row["model"] == "my_cells:factory"


def test_if_all_trials_fail_the_search_fails_and_says_why(tiny, tmp_path, monkeypatch):
    (tmp_path / "my_cells.py").write_text(CELL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # without --address that is no matter
    code, _, err = run(
        "search.run", "--config", tiny, "--model", "my_cells:Short", "--storage",
        tmp_path / "runs", "--trials", 2, "--T", 1,
    )  # fmt: skip
    reason = "RuntimeError: this cell is made for five steps"
    assert code == 1
    assert err == (
        f"failed: all 2 trials at T=1 failed; the last: {reason}. "
        "--resume --retry-failed runs them again\n"
    )
    rows = read(tmp_path / "runs" / "my_cells.Short-sequence" / files.TRIALS_FILE)
    assert [(row["status"], row["error"]) for row in rows] == [(files.FAILED, reason)] * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "lstmm"], "did you mean 'lstm'?"),
        (["--cpus-per-trial", "9999"], "this machine has"),
        (["--gpus-per-trial", "9999"], "GPUs; ask for less"),
        (["--storage", "/dev/null/x"], "is not a folder that can be written"),
        (["--name", "a/b"], "must be the name of one folder"),
        (["--name", "none", "--resume"], "no study to resume at"),
        (["--address", "127.0.0.1:1"], "no Ray cluster there: Connection refused"),
        (["--address", "auto"], "--address auto: "),
        (["--set", "space.learning_rate={low: 1, high: 0.1}"], "low < high must hold"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(arguments, message, tiny, tmp_path, capsys):
    if "auto" in arguments and find_gcs_addresses():
        pytest.skip("a Ray cluster runs on this machine: auto finds it")
    storage = [] if "--storage" in arguments else ["--storage", tmp_path / "runs"]
    code = main(list(map(str, ["--config", tiny, *storage, *arguments])))
    out, err = capsys.readouterr()
    assert code == 2
    assert out in ("", "starting Ray\n", "joining Ray at auto\n", "joining Ray at 127.0.0.1:1\n")
    assert message in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()
