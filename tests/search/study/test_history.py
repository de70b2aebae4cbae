"""A log that an earlier version wrote is the same study as it was for that version.

``tests/old_logs/gru-delay`` was written before events were typed, with the tables that its version
made of them. It has trials of every stage and status, and every kind of event.
"""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from search import run
from search.errors import UserError
from search.study.overview import look
from search.study.reading import read_history
from search.study.study import Study
from search.study.study_file import read_config
from search.study.tables import write_tables
from studies import format as files
from studies.event_files import KINDS

LOG = Path(__file__).parents[2] / "old_logs" / "gru-delay"
TABLES = (files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE, files.CONFIRM_FILE)

ADDED = ("stage", "streams", "blameless", "host", "gpus")
"""Fields of events that the first version with events did not write."""


@pytest.fixture
def study(tmp_path) -> Path:
    return Path(shutil.copytree(LOG, tmp_path / "gru-delay"))


def lines(study: Path) -> list[dict]:
    return [json.loads(line) for line in (study / files.EVENTS_FILE).read_text().splitlines()]


def write_lines(study: Path, events: list[dict]) -> None:
    text = "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events)
    (study / files.EVENTS_FILE).write_text(text)


def tables(study: Path, folder: Path) -> dict[str, str]:
    """The tables that this version makes of the events."""
    folder.mkdir()
    write_tables(folder, read_history(study, read_config(study)))
    return {path.name: without_later_columns(path) for path in folder.iterdir()}


def without_later_columns(path: Path) -> str:
    """A table without the columns that the version which wrote the log did not have."""
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    later = set(files.LATER_COLUMNS) - {"host", "gpus"}
    return frame.drop(columns=list(later), errors="ignore").to_csv(index=False)


def test_the_log_has_every_kind_of_event_that_its_version_had():
    later = {"trial_cut_off", "racing_began", "racing_ended", "configuration_enqueued"}
    assert {event["event"] for event in lines(LOG)} == set(KINDS) - later


def test_the_tables_are_those_of_the_version_that_wrote_the_log(study, tmp_path):
    before = {name: (study / name).read_text() for name in TABLES}
    assert tables(study, tmp_path / "tables") == before
    resumed = Study.open(study)
    assert len(resumed.history.stopped) == 2
    assert resumed.history.lengths[5].solved == 1
    assert list(resumed.history.lengths[5].live) == ["T5-0002"]
    assert resumed.history.trials["T5-0002"].curve[-1].iteration == 1
    assert resumed.history.trials["T9-0002"].error == "again: loss nan"
    resumed.write()
    resumed.close()
    assert {name: without_later_columns(study / name) for name in TABLES} == before


def test_a_log_without_the_fields_of_later_versions_gives_the_same_tables(study, tmp_path):
    searched = [e for e in lines(study) if "-final" not in str(e) and "-confirm" not in str(e)]
    write_lines(study, searched)
    expected = tables(study, tmp_path / "expected")
    assert "host-0" in expected[files.TRIALS_FILE]
    write_lines(study, [{k: v for k, v in e.items() if k not in ADDED} for e in searched])
    expected = {name: text.replace("host-0,0.0", ",") for name, text in expected.items()}
    retries = [e for e in searched if e.get("blameless")]
    assert len(retries) == 2
    assert tables(study, tmp_path / "found") == expected


def test_events_of_a_newer_version_are_refused_in_one_line(study, capsys):
    with (study / files.EVENTS_FILE).open("a") as file:
        file.write('{"event":"trial_paused","elapsed":99.0,"trial_id":"T5-0000"}\n')
    line = len(lines(study))
    told = (
        f"{study / files.EVENTS_FILE}, line {line}: unknown event 'trial_paused'; a newer version "
        "of the program may have written it"
    )
    where = ["--storage", str(study.parent)]
    assert run.main([*where, "--show", "gru-delay"]) == 2
    assert capsys.readouterr().err == f"error: {told}\n"
    assert run.main([*where, "--list"]) == 0
    assert told in capsys.readouterr().out
    with pytest.raises(UserError, match=r"line \d+: unknown event 'trial_paused'; a newer version"):
        Study.open(study)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"event": "trial_failed", "trial_id": "T5-0099", "error": ""}, "KeyError: 'T5-0099'"),
        ({"event": "length_began", "T": 7, "initial": []}, "KeyError: 7"),
        ({"event": "trial_started", "trial_id": "a", "training": {}}, "KeyError: 'T'"),
    ],
)
def test_an_event_that_does_not_fit_those_before_it_is_told(study, event, message):
    write_lines(study, [*lines(study), {"elapsed": 99.0, **event}])
    for read in (look, Study.open):
        with pytest.raises(UserError) as told:
            read(study)
        assert f"{event['event']} at 99.0 s does not fit the events before it" in str(told.value)
        assert message in str(told.value)
