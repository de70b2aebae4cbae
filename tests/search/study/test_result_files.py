import pytest
from made_studies import make_config, read, report, start

from search.study.listener import Progress
from search.study.result_files import WRITE_INTERVAL, ResultFiles
from search.study.study import Study
from studies import format as files


@pytest.fixture
def study(tmp_path) -> Study:
    return Study.create(tmp_path / "study", make_config())


def trials(study: Study) -> list[str]:
    return [row["trial_id"] for row in read(study.path / files.TRIALS_FILE)]


def test_tables_are_rewritten_when_the_interval_is_over_and_not_before(study, monkeypatch):
    now = 0.0
    monkeypatch.setattr("search.study.result_files.time.monotonic", lambda: now)
    tables = ResultFiles(study)
    start(study, "a")
    tables.progressed(Progress(0.0, 0.0, 0.0))
    assert trials(study) == []
    now = WRITE_INTERVAL
    tables.progressed(Progress(0.0, 0.0, 0.0))
    assert trials(study) == ["a"]


@pytest.mark.parametrize("moment", ["run_ended", "study_ended"])
def test_tables_are_rewritten_at_the_end(study, moment):
    start(study, "a")
    report(study, "a", 1, 0.5)
    getattr(ResultFiles(study), moment)()
    assert trials(study) == ["a"]
