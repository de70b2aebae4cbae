"""A search watched with other tools while it runs, is killed, and goes on."""

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest
from ports import free_port
from searches import events, read, run, start, wait_for

from studies import format as files
from studies.events import TrialStarted

CONFIG = """
model: gru
task: sequence
T: [3]
training:
  {batch_size: 32, tokens_per_iteration: 60000, max_tokens: 600000, validation_payloads: 32,
   precision: fp32}
space:
  learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}
  hidden_size: {choices: [12, 16]}
search:
  {trials: 200, solved_trials: 999, patience: null, budget_minutes: null, grace_iterations: 2,
   test_payloads: 100, race_seeds: 0, tensorboard: true}
"""

pytestmark = pytest.mark.slow


def page(port: int, path: str = "/", **headers: str) -> bytes:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers)
    with urllib.request.urlopen(request) as response:
        return response.read()


def answers(port: int) -> Callable[[], bool]:
    def answer() -> bool:
        try:
            return bool(page(port))
        except OSError:
            return False

    return answer


def tags(port: int) -> dict[str, list[str]]:
    """Of each run that TensorBoard knows, the scalars."""
    return json.loads(page(port, "/data/plugin/scalars/tags"))


def scalars(port: int, trial_id: str, tag: str) -> list[list[float]]:
    """[time, step, value] of each point."""
    return json.loads(page(port, f"/data/plugin/scalars/scalars?run={trial_id}&tag={tag}"))


def optuna_states(port: int, T: int) -> list[str]:
    (listed,) = json.loads(page(port, "/api/studies")).values()
    known = {entry["study_name"]: entry["study_id"] for entry in listed}
    trials = json.loads(page(port, f"/api/studies/{known[f'T={T}']}?after=0"))["trials"]
    return [trial["state"] for trial in trials]


def hyperparameters(port: int) -> dict[str, dict]:
    """The rows of TensorBoard's table of hyperparameters, by trial."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/data/plugin/hparams/session_groups",
        data=json.dumps({"sliceSize": 100, "allowedStatuses": [
            "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING", "STATUS_UNKNOWN"
        ]}).encode(),
        headers={"Content-Type": "application/json"},
    )  # fmt: skip
    with urllib.request.urlopen(request) as response:
        return {row["sessions"][0]["name"]: row for row in json.load(response)["sessionGroups"]}


def test_tensorboard_and_optuna_dashboard_show_a_search_while_it_runs_and_after_a_kill(
    tmp_path: Path,
):
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    study = tmp_path / "s"
    command = ["search.run", "--storage", tmp_path, "--name", "s"]
    optuna, board = free_port(), free_port()
    tensorboard = start(
        "tensorboard.main", "--logdir", study / files.TENSORBOARD_FOLDER, "--host", "127.0.0.1",
        "--port", board, "--reload_interval", 1,
    )  # fmt: skip
    process = start(*command, "--config", config)
    wait_for((study / files.OPTUNA_FILE).exists, process)
    dashboard = start("optuna_dashboard._cli", study / files.OPTUNA_FILE, "--port", optuna)
    wait_for(answers(optuna), dashboard)
    wait_for(answers(board), tensorboard)
    assert b"TensorBoard" in page(board)
    assert b"Optuna Dashboard" in page(optuna)
    wait_for(lambda: "accuracy/ladder" in tags(board).get("T3-0000", ()), process)
    wait_for(lambda: "Running" in optuna_states(optuna, 3), process)

    process.kill()
    process.communicate()
    trials = sum(isinstance(event, TrialStarted) for event in events(study)) + 2
    code, _, err = run(*command, "--resume", "--trials", trials)
    assert (code, err) == (0, "")
    assert set(optuna_states(optuna, 3)) <= {"Complete", "Pruned"}
    expected: dict[str, list[tuple[int, float]]] = {}
    for row in read(study / files.PROGRESS_FILE):
        point = int(row["tokens"]), pytest.approx(float(row["ladder_accuracy"]))
        expected.setdefault(row["trial_id"], []).append(point)

    def all_there() -> bool:
        """TensorBoard has read all files to their ends."""
        rows = hyperparameters(board)
        return set(tags(board)) == set(rows) == set(expected) and all(
            len(scalars(board, trial_id, "accuracy/ladder")) >= len(points)
            and rows[trial_id]["sessions"][0]["status"] in ("STATUS_SUCCESS", "STATUS_FAILURE")
            for trial_id, points in expected.items()
        )

    wait_for(all_there, tensorboard)
    for trial_id, points in expected.items():
        shown = [(step, value) for _, step, value in scalars(board, trial_id, "accuracy/ladder")]
        assert shown == points
    rows = hyperparameters(board)
    for trial in read(study / files.TRIALS_FILE):
        row = rows[trial["trial_id"]]
        assert row["hparams"]["hidden_size"] == int(trial["hidden_size"])
        assert row["hparams"]["learning_rate"] == pytest.approx(float(trial["learning_rate"]))
        assert row["sessions"][0]["status"] == "STATUS_SUCCESS"
        assert "accuracy/at_T" in {metric["name"]["tag"] for metric in row["metricValues"]}
    for watcher in (tensorboard, dashboard):
        watcher.terminate()
        _, err = watcher.communicate()
        assert "Traceback" not in err
