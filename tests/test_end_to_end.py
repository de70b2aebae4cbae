"""Search and comparison on real Ray, as a user runs them."""

import json
import re
import signal
from unittest.mock import Mock

import html5lib
import pytest
from ray._private import services
from searches import optuna_trials, outcome, read, results, run, start, wait_for

from copytask import SOLVED_ACCURACY, evaluate, load_model
from search.execute.replay import replay
from search.run import main
from studies import format as files


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
        return tokens, -float(row["validation_accuracy"]), int(row["tokens"])

    def configuration(row):
        return row["learning_rate"], row["curriculum_length"]

    initial = ("0.01", "10")
    best = [configuration(row) for row in sorted(at["1"], key=rank)[:2]]
    first = list(dict.fromkeys([best[0], initial, best[1]]))
    assert [configuration(row) for row in at["2"][: len(first)]] == first
    assert configuration(at["1"][0]) == initial


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


@pytest.mark.slow
def test_a_trial_is_repeated_by_one_command(searched, monkeypatch):
    study, _ = searched
    monkeypatch.delenv("OMP_NUM_THREADS")  # as on a user's machine
    code, out, err = run("search.run", "--replay", study, "T2-0001")
    assert (code, err) == (0, "")
    told = r"T2-0001: (1 iteration|all \d+ iterations) as recorded"  # as many as the machine needs
    assert re.fullmatch(told, out.splitlines()[-1])
    code, out, err = run("search.run", "--replay", study, "T2-0099")
    assert (code, out) == (2, "")
    assert "no such trial; it has T1-0000, T1-0001, T1-0002, ..." in err


def test_the_comparison_has_the_numbers_of_the_study(searched, tmp_path):
    """Page, Markdown, CSV, JSON and console say what the learning curves of the study do."""
    study, _ = searched
    code, out, err = run("analysis.compare", study.parent, "--output", tmp_path)
    assert (code, err) == (0, "")
    drawn = {path.stem for path in tmp_path.glob("*.png")}
    assert {"accuracy_vs_T", "learning_curves", "best_so_far_vs_tokens", "stops", "slots"} <= drawn
    rows = json.loads((tmp_path / "comparison.json").read_text())
    assert [(row["model"], row["T"]) for row in rows] == [("gru", 1), ("gru", 2)]
    best = read(study / files.BEST_FILE)
    assert [row["accuracy"] for row in rows] == [float(row["accuracy"]) for row in best]

    page = html5lib.parse((tmp_path / "index.html").read_text(), namespaceHTMLElements=False)
    table = next(element for element in page.iter("table") if element.get("class") == "data")
    header, *cells = [
        ["".join(cell.itertext()).strip() for cell in row] for row in table.iter("tr")
    ]
    verdict = " ".join("".join(page.find(".//section[@class='verdict']").itertext()).split())
    markdown = (tmp_path / "comparison.md").read_text()
    console = [line.split() for line in out.splitlines()]
    progress = read(study / files.PROGRESS_FILE)
    for row, cell in zip(read(tmp_path / "comparison.csv"), cells, strict=True):
        curve = [point for point in progress if point["trial_id"] == row["trial_id"]]
        accuracies = [float(point["validation_accuracy"]) for point in curve]
        pairs = zip(curve, accuracies, accuracies[1:], strict=False)
        first = next((point for point, a, b in pairs if min(a, b) >= SOLVED_ACCURACY), {})
        assert float(row["validation_accuracy"]) == max(accuracies)
        assert (row["tokens"], row["seconds"]) == (curve[-1]["tokens"], curve[-1]["seconds"])
        assert row["tokens_to_solve"] == first.get("tokens", "")
        assert row["seconds_to_solve"] == first.get("seconds", "")
        tokens, seconds = (float(first[name]) if first else None for name in ("tokens", "seconds"))
        accuracy = float(row["accuracy"])
        shown = dict(zip(header, cell, strict=True))
        assert (shown["T"], shown["accuracy"]) == (row["T"], f"{accuracy:.4f}")
        assert shown["M tokens"] == (f"{tokens / 1e6:.2f}" if first else "-")
        assert shown["s"] == (f"{seconds:.1f}" if first else "-")
        [line] = [line for line in console if line[:2] == [row["T"], "gru"]]
        million = f"{tokens / 1e6:.3g}" if first else "-"
        assert line[2] == f"{accuracy:.3f}"
        assert line[4:6] == [million, f"{seconds:.0f}" if first else "-"]
        assert f"| {accuracy:.4f} |" in markdown
        assert f"| {million} |" in markdown
        assert f"{accuracy:.4f}" in verdict


@pytest.mark.slow
def test_the_best_wins_a_race_is_trained_again_and_confirmed_with_fresh_seeds(small, tmp_path):
    final = "final={max_tokens: 60000, stop_when_solved: false, validation_payloads: 50}"
    code, out, err = run(
        "search.run", "--config", small, "--storage", tmp_path, "--trials", 2, "--final",
        "--confirm-seeds", 2, "--set", final, "--set", "search.race_seeds=1",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert all(len(line) <= 80 for line in out.splitlines() if str(tmp_path) not in line)
    assert "trained again with fresh seeds" in out
    study = tmp_path / "gru-sequence"
    trials = {row["trial_id"]: row for row in read(study / files.TRIALS_FILE)}
    names = [f"T{T}-{name}" for T in (1, 2) for name in ("final", "confirm-00", "confirm-01")]
    stages = (files.FINAL, files.CONFIRM)
    assert {name for name, row in trials.items() if row["stage"] in stages} == set(names)
    raced = [name for name, row in trials.items() if row["stage"] == files.RACE]
    assert "T1-race-00" in raced
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
    for name in ("T1-final", "T2-confirm-01", "T1-race-00"):
        assert replay(study, name) == 0
    assert not list((study / files.RAY_FOLDER).iterdir())
    code, out, err = run("analysis.compare", tmp_path, "--output", tmp_path / "reports")
    assert (code, err) == (0, "")
    rows = json.loads((tmp_path / "reports" / "comparison.json").read_text())
    assert [(row["seeds"], row["trials"]) for row in rows] == [(2, 2)] * 2


def test_a_name_that_exists_is_refused_and_untouched(searched, small, capsys):
    study, _ = searched
    before = {f: f.read_bytes() for f in study.glob("*.*") if f.is_file()}
    assert main(["--config", str(small), "--storage", str(study.parent)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: the study ")
    assert "exists: continue it with --resume" in err
    assert {f: f.read_bytes() for f in study.glob("*.*") if f.is_file()} == before


def test_a_killed_search_resumes_as_if_nothing_had_happened(searched, small, tmp_path):
    study = tmp_path / "gru-sequence"
    process = start("search.run", "--config", small, "--storage", tmp_path, "--max-concurrent", 1)
    wait_for(lambda: results(study) >= 4, process, pause=0.02)
    process.send_signal(signal.SIGSTOP)  # so that the other search meets it alive
    resume = ["search.run", "--name", study.name, "--storage", tmp_path, "--resume"]
    code, out, err = run(*resume)
    assert (code, out) == (2, "starting Ray\n")
    assert "another process is searching in" in err
    process.kill()
    _, err = process.communicate()
    assert err.startswith("failed: the search was killed, or crashed: see the end of ")
    assert err.endswith(f"Resume with: python -m {' '.join(map(str, resume))}\n")
    code, out, err = run(*resume, "--quiet")
    assert (code, err) == (0, "")
    assert out.startswith("Best trial of each T")
    assert outcome(study) == outcome(searched[0])


@pytest.mark.slow
def test_resuming_a_finished_study_shows_its_result_and_changes_nothing(searched):
    study, _ = searched
    before = {f.name: f.read_bytes() for f in study.glob("*.csv")}
    where = ["--name", study.name, "--storage", study.parent]
    code, out, err = run("search.run", *where, "--resume", "--retry-failed")
    assert (code, err) == (0, "")
    assert "no trial has failed; there is nothing to run again" in out
    assert "Best trial of each T" in out
    assert {f.name: f.read_bytes() for f in study.glob("*.csv")} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "lstmm"], "did you mean 'lstm'?"),
        (["--cpus-per-trial", "9999"], "this machine has"),
        (["--gpus-per-trial", "9999"], "GPUs; request less"),
        (["--storage", "/dev/null/x"], "is not a folder that can be written"),
        (["--name", "a/b"], "must be the name of one folder"),
        (["--name", "none", "--resume"], "no study to resume at"),
        (["--address", "127.0.0.1:1"], "no Ray cluster answers there: Connection refused"),
        (["--address", "auto"], "--address auto: "),
        (["--set", "space.learning_rate={low: 1, high: 0.1}"], "low < high must hold"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(
    arguments, message, small, tmp_path, capsys, monkeypatch
):
    # Clusters of other tests come and go.
    monkeypatch.setattr(services, "find_gcs_addresses", Mock(return_value=set()))
    monkeypatch.setattr(services, "find_bootstrap_address", Mock(return_value=None))
    storage = [] if "--storage" in arguments else ["--storage", tmp_path / "runs"]
    code = main(list(map(str, ["--config", small, *storage, *arguments])))
    out, err = capsys.readouterr()
    assert code == 2
    assert out in ("", "starting Ray\n", "joining Ray at auto\n", "joining Ray at 127.0.0.1:1\n")
    assert message in err
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()
