"""When the clock of a search for real stops."""

from points import point

from benchmarks.baselines.race import has_solved
from search.study.event_log import read_events
from studies import format as files
from studies.event_files import encode
from studies.events import Result


def test_the_clock_stops_when_a_trial_has_solved_the_largest_T(tmp_path):
    assert not has_solved(tmp_path, 1000), "a study that has no event yet"
    log = tmp_path / files.EVENTS_FILE
    log.write_text(line("T500-0000", 123) + line("T1000-0000", None))
    assert has_solved(tmp_path, 500)
    assert not has_solved(tmp_path, 1000)
    log.write_text(log.read_text() + line("T1000-0000", 456))
    assert has_solved(tmp_path, 1000)


def test_an_event_that_is_being_written_is_not_read(tmp_path):
    whole = line("T1000-0000", 123)
    (tmp_path / files.EVENTS_FILE).write_text(whole + whole[:-5])
    assert len(list(read_events(tmp_path))) == 1


def line(trial_id: str, tokens_to_solve: int | None) -> str:
    """The event of a result, as a study writes it."""
    metrics = point(1, 0.5, tokens_to_solve=tokens_to_solve)
    result = Result(elapsed=0.0, trial_id=trial_id, metrics=metrics, parameters=1, status="")
    return encode(result).decode()
