"""A search on real Ray is steered while it runs, as from another terminal."""

import sys
from pathlib import Path

import pytest
from listening import LOOPBACK, listening
from searches import HOSTS_CONFIG, PATIENT_CELL, events, read, run, start, wait_for

from search.run import main
from search.study.inbox import waiting
from studies import format as files
from studies.events import Result, TrialStarted


def running(study: Path) -> list[str]:
    """The trials that have reported and not ended, the last one first."""
    happened = events(study) if (study / files.EVENTS_FILE).exists() else []
    ended = {event.trial_id for event in happened if isinstance(event, Result) and event.status}
    reported = {event.trial_id: None for event in happened if isinstance(event, Result)}
    return [name for name in reversed(reported) if name not in ended]


def ask(study: Path, *words: str) -> int:
    return main(["--name", study.name, "--storage", str(study.parent), *words])


def test_a_trial_is_enqueued_and_one_is_stopped_in_a_running_search(tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(HOSTS_CONFIG)
    (tmp_path / "cells.py").write_text(PATIENT_CELL)
    study = tmp_path / "runs" / "s"
    process = start(
        "search.run", "--model", "cells:Patient", "--config", config, "--storage", study.parent,
        "--name", "s", "--max-concurrent", 1, "--trials", 3, cwd=tmp_path,
    )  # fmt: skip
    wait_for(lambda: running(study), process, pause=0.02)
    if sys.platform == "linux":  # nobody else can reach it
        assert listening(process.pid)
        assert listening(process.pid) <= LOOPBACK
    (stopped,) = running(study)
    assert ask(study, "--stop-trial", stopped) == 0
    assert ask(study, "--enqueue", "learning_rate=0.0123") == 0
    wait_for(lambda: not list(waiting(study)), process)
    (tmp_path / "go").touch()
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert capsys.readouterr().out.splitlines() == [
        f"{study.name}: {stopped} is stopped at its next result",
        f"{study.name}: T=3: learning_rate 0.0123 is tried next",
    ]
    assert f"as asked: {stopped} is stopped at its next result" in out
    assert "as asked: T=3: learning_rate 0.0123 is tried next" in out
    rows = {row["trial_id"]: row for row in read(study / files.TRIALS_FILE)}
    assert len(rows) == 3
    assert rows[stopped]["status"] == files.INTERRUPTED
    assert "0.0123" in [row["learning_rate"] for row in rows.values()]
    assert list(waiting(study)) == []


@pytest.mark.slow
def test_the_next_T_begins_and_what_is_asked_of_no_search_waits_for_its_resume(tmp_path, capsys):
    config = tmp_path / "config.yaml"
    config.write_text(HOSTS_CONFIG.replace("T: [3]", "T: [3, 4]"))
    (tmp_path / "cells.py").write_text(PATIENT_CELL)
    study = tmp_path / "runs" / "s"
    process = start(
        "search.run", "--model", "cells:Patient", "--config", config, "--storage", study.parent,
        "--name", "s", "--trials", 2, cwd=tmp_path,
    )  # fmt: skip
    wait_for(lambda: running(study), process, pause=0.02)
    process.terminate()
    process.communicate()
    (tmp_path / "go").touch()
    assert ask(study, "--next-T") == 0
    assert ", when the search is resumed: python -m search.run" in capsys.readouterr().out
    resume = ["search.run", "--name", study.name, "--storage", study.parent, "--resume"]
    code, out, err = run(*resume, "--model", "cells:Patient", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "as asked: T=3: its search ends" in out
    assert "--next-T ended it" in out
    started = [event for event in events(study) if isinstance(event, TrialStarted)]
    assert sum(event.training["T"] == 4 for event in started) == 2
