"""A study that the first version of the program made is still read by everything that reads.

``old_studies/gru-sequence`` is one: of schema version 1, without events.jsonl and without the
columns stage, host and gpus. Its checkpoints and logs were left out.
"""

from pathlib import Path

import pytest

from analysis.reading.studies import load_studies
from search import run
from studies import format as files

OLD = Path(__file__).parent / "old_studies"


@pytest.fixture(autouse=True)
def _plain(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


def test_the_list_has_it_with_its_results(capsys):
    assert run.main(["--list", "--storage", str(OLD)]) == 0
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "gru-sequence" in line)
    words = line.split()
    assert words[:5] == ["gru-sequence", "gru", "sequence", "2/2", "finished"]
    assert words[5:7] == ["1.00", ".477"]


def test_it_is_shown_and_said_not_to_be_resumable(capsys):
    assert run.main(["--show", "gru-sequence", "--storage", str(OLD)]) == 0
    out = capsys.readouterr().out
    assert "gru-sequence: gru on sequence, finished" in out
    assert "learning_rate 0.002 to 0.02 (log), hidden_size 12" in out
    assert "T2-0001" in out
    assert "0.409-0.546" in out
    assert "an early version made it" in out
    assert "--resume" not in out


def test_resuming_it_is_refused_in_one_line(capsys):
    arguments = ["--name", "gru-sequence", "--storage", str(OLD), "--resume"]
    before = {path.name for path in (OLD / "gru-sequence").iterdir()}
    assert run.main(arguments) == 2
    assert "it can be compared but not resumed" in capsys.readouterr().err
    assert {path.name for path in (OLD / "gru-sequence").iterdir()} == before


def test_analysis_reads_it():
    studies = load_studies([OLD])
    assert list(studies.studies["problem"]) == [""]
    assert len(studies.trials) == 8
    assert set(studies.trials["stage"]) == {files.SEARCH}
    assert list(studies.best["accuracy"].round(6)) == [1.0, 0.4775]
