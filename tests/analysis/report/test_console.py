import itertools
from pathlib import Path

import pandas as pd
import yaml
from rich.console import Console
from study_files import NOT_SOLVED, confirm, seed, trial, write_study

from analysis import load_studies
from analysis.report.console import comparison_table, confirmation_table
from analysis.tables.comparison import compare_studies, searched_hyperparameters
from studies import format as files
from studies.reserved import HYPERPARAMETERS

LONG = "examples.minimal_gated_unit:factory"


def comparison(runs: Path) -> pd.DataFrame:
    return compare_studies(load_studies([runs]))


def printed(frame: pd.DataFrame, width: int = 80) -> str:
    console = Console(width=width, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(comparison_table(frame, HYPERPARAMETERS[:3]))
    return capture.get()


def test_the_columns_of_hyperparameters_follow_the_search_space(runs: Path) -> None:
    folder = write_study(
        runs, "gru", model="gru", T=[100], trials=[trial(100, batch_size=16)], extra=["batch_size"]
    )
    document = yaml.safe_load((folder / files.STUDY_FILE).read_text())
    document["config"]["space"] |= {"hidden_size": 64, "batch_size": {"choices": [16, 32]}}
    (folder / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    studies = load_studies([runs])
    searched = searched_hyperparameters(studies.configs.values())
    assert searched == ["learning_rate", "curriculum_length", "batch_size"]
    console = Console(width=80)
    with console.capture() as capture:
        console.print(comparison_table(compare_studies(studies), searched))
    text = " ".join(capture.get().split())
    assert "lr curr. size state" in text
    assert "1.2e-03 500 16 done" in text
    assert " 64 " not in text
    assert "lr: learning rate, curr.: curriculum length." in text


def test_comparison_table_fits_80_columns_and_keeps_the_numbers(runs: Path) -> None:
    write_study(runs, "mine", model="a_package.of_mine:a_long_factory", T=[1000])
    write_study(runs, "lstm", model="lstm", T=[1000], trials=[trial(1000, **NOT_SOLVED)])
    write_study(runs, "gru", model="gru", task="sequence", T=[1000], trials=[])
    text = printed(comparison(runs))
    assert max(map(len, text.splitlines())) <= 80
    assert "delay:" in text
    assert "sequence:" in text
    assert "0.991 0.989-0.993 6 60 1.2e-03 64 500 done" in " ".join(text.split())
    [lstm] = [line for line in text.splitlines() if "lstm" in line]
    assert " ".join(lstm.split()) == "1000 lstm 0.991 0.989-0.993 - - 1.2e-03 64 500 done"
    assert "not started" in text


def test_broken_studies_stay_in_the_table(runs: Path) -> None:
    (write_study(runs, "a", model="gru", T=[100, 200]) / "best.csv").unlink()
    (write_study(runs, "b", model="lstm") / "study.yaml").write_text("- 1")
    assert printed(comparison(runs)).count("broken") == 3


def test_names_break_between_their_parts(runs: Path) -> None:
    write_study(runs, "mine", LONG, T=[100, 200])
    write_study(runs, "mine-wide-second-machine", LONG, T=[100, 200])
    lines = printed(comparison(runs)).splitlines()
    assert max(map(len, lines)) <= 80
    (first, _), *_more = [
        (line, below) for line, below in itertools.pairwise(lines) if "examples." in line
    ]
    assert first[4:].split()[0][-1] in "._:"
    assert LONG.startswith(first[4:].split()[0])


def test_fresh_seeds_have_a_table(runs: Path) -> None:
    study = write_study(runs, "a", T=[100])
    assert confirmation_table(comparison(runs)) is None
    confirm(study, seed(0), seed(1, accuracy=0.975, **NOT_SOLVED))
    table = confirmation_table(comparison(runs))
    console = Console(width=80)
    with console.capture() as capture:
        console.print(table)
    text = " ".join(capture.get().split())
    assert "delay 100 mgru 1/2 0.01-0.99 0.985 0.975 0.6" in text
    assert max(map(len, capture.get().splitlines())) <= 80


def test_the_table_of_fresh_seeds_shows_whole_names_in_80_columns(runs: Path) -> None:
    study = write_study(runs, "a", model="linear_attention", task="selective", T=[1000])
    confirm(study, seed(0, T=1000), seed(1, T=1000))
    console = Console(width=80)
    with console.capture() as capture:
        console.print(confirmation_table(comparison(runs)))
    (line,) = [line for line in capture.get().splitlines() if "2/2" in line]
    assert line.split()[:3] == ["selective", "1000", "linear_attention"]
