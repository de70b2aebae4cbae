import io
import shutil
from pathlib import Path

from rich.console import Console

from search.console.compare_two import fresh_seeds, show_two
from search.console.show_study import show_study
from search.study.overview import look
from studies import format as files

LOG = Path(__file__).parents[2] / "old_logs" / "gru-delay"


def printed(show, *studies: Path) -> str:
    console = Console(file=io.StringIO(), width=80)
    show(*map(look, studies), console)
    return console.file.getvalue()


def without_confirmations(folder: Path) -> Path:
    """The same study before its winners were trained again."""
    study = Path(shutil.copytree(LOG, folder))
    lines = (study / files.EVENTS_FILE).read_text().splitlines(keepends=True)
    kept = [line for line in lines if "confirm" not in line]
    (study / files.EVENTS_FILE).write_text("".join(kept))
    return study


def test_two_studies_are_compared_by_their_fresh_seeds(tmp_path):
    text = printed(show_two, LOG, without_confirmations(tmp_path / "gru-delay"))
    rows = [line.split() for line in text.splitlines()]
    assert ["T", "A", "95", "%", "median", "B", "95", "%", "median"] in rows
    assert ["5", "1/1", "0.03-1.00", "0.970", "-"] in rows
    assert max(map(len, text.splitlines())) <= 80


def test_without_fresh_seeds_there_is_no_such_table(tmp_path):
    study = look(without_confirmations(tmp_path / "gru-delay"))
    assert list(fresh_seeds(study, study)) == []


def test_a_study_shows_its_solve_rates():
    text = printed(show_study, LOG)
    assert "95 % interval of the share median test accuracy lowest highest" in " ".join(
        text.split()
    )
    assert max(map(len, text.split("resume")[0].splitlines())) <= 80
