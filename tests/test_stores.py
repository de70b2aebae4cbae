"""Searches whose study is in an object store, and what happens when the store is away."""

import json
import os
import signal

import pytest
from searches import Followed, results, run, start, wait_for
from stores import BUCKET, object_store
from upath import UPath

from copytask import evaluate, load_model
from search.run import main
from search.storage.csv_tables import read_rows
from search.storage.lock import LOCK_FILE
from search.study.event_log import open_log, read_events, study_segments
from studies import format as files
from studies.events import Result, TrialFailed, TrialStarted

CONFIG = """
model: gru
task: sequence
T: [3]
training:
  {batch_size: 32, tokens_per_iteration: 15000, max_tokens: 150000, validation_payloads: 32,
   precision: fp32}
space: {learning_rate: {low: 2.0e-3, high: 2.0e-2, log: true}, hidden_size: 12}
search: {trials: 4, solved_trials: 99, race_seeds: 0, budget_minutes: null, test_payloads: 100}
"""


@pytest.fixture(scope="module")
def door():
    with object_store() as door:
        yield door


@pytest.fixture
def command(tmp_path) -> list[object]:
    config = tmp_path / "config.yaml"
    config.write_text(CONFIG)
    few = ["--max-concurrent", 2]  # on many cores all trials would end at the same time
    return ["search.run", "--config", config, *few, "--storage", f"s3://{BUCKET}/runs"]


def study_of(name: str, **settings: str) -> UPath:
    return UPath(f"s3://{BUCKET}/runs/{name}", **settings)


def check_whole(study: UPath) -> None:
    """Every trial ended, each was started once, and the best model is there."""
    trials = read_rows(study / files.TRIALS_FILE)
    assert len(trials) == 4
    assert {row["status"] for row in trials} <= {files.COMPLETED, files.STOPPED_EARLY}
    assert {row["gpus"] for row in trials} == {0}
    events = list(read_events(study))
    started = [e.trial_id for e in events if isinstance(e, TrialStarted)]
    assert sorted(started) == sorted(row["trial_id"] for row in trials)
    seen = [(e.trial_id, e.metrics.iteration) for e in events if isinstance(e, Result)]
    assert len(seen) == len(set(seen)) == len(read_rows(study / files.PROGRESS_FILE))
    (best,) = read_rows(study / files.BEST_FILE)
    model = load_model(study / best["checkpoint"])
    assert evaluate(model, "sequence", 3, payloads=100, seed=0).accuracy == best["accuracy"]
    assert not (study / files.RAY_FOLDER).exists()
    assert not (study / ".lock").exists()


@pytest.mark.slow
def test_a_search_that_is_interrupted_waits_for_its_store_and_is_killed_goes_on(
    door, command, tmp_path
):
    study, seen = study_of("killed"), study_of("killed", endpoint_url=door.behind)
    command += ["--name", "killed"]
    resume = [*command[:1], *command[3:], "--resume"]

    door.delay = 0.3  # for the search alone, so that the signal comes while the study is made
    try:
        process = start(*command)
        wait_for(lambda: study_segments(seen), process, pause=0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    finally:
        door.delay = 0.0
    assert (process.returncode, err) == (130, "interrupted\n")
    assert not (study / files.STUDY_FILE).exists()
    assert not (study / LOCK_FILE).exists()
    code, _, err = run(*resume)
    assert code == 2
    assert err == f"error: no study to resume at {study}; start it without --resume\n"

    # So many iterations that it does not end before it is killed.
    process = start(*command, "--set", "training.max_tokens=600000")
    printed = Followed(process)
    wait_for(lambda: results(study) >= 4, process)
    door.shut()
    try:
        wait_for(lambda: printed.say(" does not answer ("), process)
    finally:
        door.open()
    wait_for(lambda: printed.say(" answers again after "), process)
    so_far = results(study)
    wait_for(lambda: results(study) > so_far, process)  # it goes on

    process.send_signal(signal.SIGSTOP)  # else it may end before the other one has started
    code, _, err = run(*resume)
    assert code == 2
    assert "another process is searching in s3://studies/runs/killed" in err
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    code, _, err = run(*resume)
    assert (code, err) == (0, "")
    check_whole(study)
    first = (study / files.OPTUNA_FILE).read_text().splitlines()[0]
    assert json.loads(first)["study_name"] == "T=3"

    report = tmp_path / "report"
    code, out, err = run("analysis.compare", study.parent, "--output", report)
    assert (code, err) == (0, "")
    assert "gru" in out
    (row,) = [r for r in read_rows(report / "comparison.csv") if r["study"] == "killed"]
    (best,) = read_rows(study / files.BEST_FILE)
    assert (row["accuracy"], row["trial_id"]) == (best["accuracy"], best["trial_id"])
    assert f"--replay {study} {best['trial_id']}" in (report / "index.html").read_text()
    code, _, err = run(*command)
    assert code == 2
    assert "exists: continue it with --resume" in err


@pytest.mark.slow
def test_a_search_that_lost_its_lease_stops_and_writes_no_more(door, command):
    """As after a while without the store, in which another machine has gone on with the study."""
    study = study_of("robbed")
    process = start(*command, "--name", "robbed", "--set", "training.max_tokens=3000000")
    wait_for(lambda: results(study) >= 4, process)
    owner = json.loads((study / LOCK_FILE).read_text())
    assert owner["pid"] == process.pid
    taken = json.dumps(owner | {"host": "another", "boot": "another", "search": "another"})
    (study / LOCK_FILE).write_text(taken)
    log = open_log(study)
    events = list(read_events(study))
    _, err = process.communicate()
    assert process.returncode == 1
    assert err == (
        f"failed: another process has taken over {study}, so this search has stopped; "
        "everything that it had written before is intact\n"
    )
    later = TrialFailed(elapsed=0.0, trial_id="later", error="")
    log.append(later)
    assert list(read_events(study)) == [*events, later]
    assert (study / LOCK_FILE).read_text() == taken


@pytest.mark.parametrize(
    ("storage", "message"),
    [
        ("s3://no-bucket/runs", "cannot be written: The specified bucket does not exist"),
        ("s3://", "the bucket is missing"),
        ("s3://studies/runs?region=x", "unknown 'region'; the only parameter is endpoint_override"),
        ("ftpx://studies/runs", "cannot be read yet"),
        (
            "s3://studies/runs?endpoint_override=localhost:9000",
            "endpoint_override must be http://HOST:PORT or https://HOST:PORT",
        ),
        ("s3://studies/runs?endpoint_override=", "endpoint_override must be http://HOST:PORT or"),
    ],
)
@pytest.mark.usefixtures("door")
def test_a_store_that_cannot_be_used_is_one_line(command, storage, message, capsys):
    assert main([*map(str, command[1:-1]), storage]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: --storage {storage}")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.usefixtures("door")
def test_a_server_of_the_environment_that_is_no_address_is_one_line(command, monkeypatch, capsys):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:9000")
    assert main([*map(str, command[1:-1]), "s3://studies/runs"]) == 2
    assert capsys.readouterr().err == (
        "error: --storage s3://studies/runs: cannot be reached: AWS_ENDPOINT_URL must be "
        "http://HOST:PORT or https://HOST:PORT, with letters, digits, '-' and '.' in HOST, but got "
        "'localhost:9000'\n"
    )
