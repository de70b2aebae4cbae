import io
import itertools

import pytest
from made_studies import report
from rich.console import Console

from search.config.study_config import StudyConfig
from search.console.display import Display
from search.console.formats import clock, describe
from search.console.screen import Screen
from search.console.sparkline import sparkline
from search.study.listener import Progress
from search.study.study import Study
from studies import format as files


@pytest.fixture
def study(tmp_path) -> Study:
    study = Study.create(tmp_path / "study", StudyConfig(model="mlstm", T=[100, 1000]))
    for name, T in [("T1000-0000", 1000), ("T100-0001", 100)]:
        study.start_trial(name, study.config.training_config(T, {}, seed=1).to_dict())
    report(
        study, "T1000-0000", 1, 0.98765, tokens=12_345_678, ladder_accuracy=0.87654, max_length=1000
    )
    return study


def make_display(study: Study, width: int, terminal: bool) -> tuple[Display, io.StringIO]:
    output = io.StringIO()
    screen = Screen(Console(file=output, width=width, force_terminal=terminal), study.elapsed)
    return Display(study, screen), output


def test_a_finished_trial_is_one_plain_line_of_at_most_80_columns(study):
    display, output = make_display(study, 80, terminal=False)
    with display._screen.live(display.view):
        study.clock._before = 3725.0
        trial, other = study.history.trials["T1000-0000"], study.history.trials["T100-0001"]
        display.trial_started(trial)
        study.retry_trial(trial.id, "worker lost")
        display.trial_retried(trial, "worker lost: " + "x" * 200)
        report(study, trial.id, 2, 0.98765, files.STOPPED_EARLY)
        display.trial_ended(trial)
        study.fail_trial(other.id, "training diverged: " + "x" * 200)
        display.trial_ended(other)
    retried, stopped, failed = output.getvalue().splitlines()
    assert retried.startswith("1:02:05 T1000-0000 resumes from iteration 1: worker lost")
    assert stopped.startswith("1:02:05 T1000-0000 stopped_early accuracy 0.988")
    assert "failed        training diverged" in failed
    assert max(len(retried), len(stopped), len(failed)) <= 80


def test_hyperparameters_of_the_architecture_are_shown_with_their_values(tmp_path):
    config = StudyConfig(model="mingru", T=[100], space={"layers": {"choices": [2, 3]}})
    study = Study.create(tmp_path / "study", config)
    training = study.config.training_config(100, {"layers": 3}, seed=1)
    study.start_trial("T100-0000", training.to_dict())
    display, output = make_display(study, 80, terminal=False)
    with display._screen.live(display.view):
        report(study, "T100-0000", 1, 0.5, files.COMPLETED)
        display.trial_ended(study.history.trials["T100-0000"])
        display._screen.show(display.view)
    line, *view = output.getvalue().splitlines()
    assert "layers 3" in line
    table = "\n".join(view)
    assert "layers" in table
    assert " 3 " in table


@pytest.mark.parametrize("width", [80, 200])
def test_the_live_view_fits_and_shows_running_trials_best_and_time_left(study, width):
    display, output = make_display(study, width, terminal=True)
    display.trial_started(study.history.trials["T1000-0000"])
    display.progressed(Progress(125.0, 0.25, 375.0))
    display.slots_changed(2)
    display._screen.show(display.view)
    text = output.getvalue()
    for expected in (
        "25%", "02:05", "about 06:15 left", "1 of 2 slots in use", "T1000-0000", "12.3 M", "0.877",
        "0.988", "█",
    ):  # fmt: skip
        assert expected in text
    assert "…" not in text
    plain, plain_output = make_display(study, width, terminal=False)
    plain._screen.show(display.view)
    assert max(map(len, plain_output.getvalue().splitlines())) <= width


def test_a_terminal_never_gets_markup_not_even_while_a_line_is_printed_above_the_view(study):
    display, output = make_display(study, 80, terminal=True)
    with display._screen.live(display.view):
        display.view.doing = "T=[1000]"
        display.length_began(1000, 60.0)
        display.trial_started(study.history.trials["T1000-0000"])
        display.say("training diverged: [bold]x[/] " + "long " * 30)
    text = output.getvalue()
    assert text.count("[bold]") == text.count("[/]") == 1  # of the message, which stands as it is
    assert "training diverged: [bold]x[/] " + "long " * 29 in text  # the terminal wraps it


def test_tables_and_lines_show_what_is_searched_and_not_what_is_fixed(tmp_path):
    space = {
        "batch_size": {"choices": [16, 32]}, "hidden_size": 96,
        "learning_rate": {"low": 1e-3, "high": 1e-2},
    }  # fmt: skip
    study = Study.create(tmp_path / "s", StudyConfig(model="gru", T=[100], space=space))
    chosen = {"learning_rate": 0.0034, "batch_size": 16}
    study.start_trial("T100-0000", study.config.training_config(100, chosen, seed=1).to_dict())
    report(study, "T100-0000", 1, 0.5, files.STOPPED_EARLY, tokens=12_345_678)
    display, output = make_display(study, 80, terminal=False)
    display.trial_ended(study.history.trials["T100-0000"])
    assert output.getvalue().rstrip().endswith("accuracy 0.500 12.3 M lr 3.4e-3 batch_size 16")
    display.view.running.append("T100-0000")
    display._screen.show(display.view)
    headings = [line.split() for line in output.getvalue().splitlines() if " lr " in line][1:]
    assert len(headings) == 3  # running, best, stopped
    assert all("h" not in words and "batch_size" in words for words in headings)
    values = [line.split() for line in output.getvalue().splitlines() if " 3.4e-3 " in line][1:]
    assert [words[words.index("3.4e-3") + 1] for words in values] == ["16"] * 3


def test_a_searched_keyword_of_the_architecture_is_shown_with_its_value(tmp_path):
    space = {"gates": {"choices": ["plain", "refined"]}}
    study = Study.create(tmp_path / "study", StudyConfig(model="gru", T=[5], space=space))
    training = study.config.training_config(5, {"gates": "refined"}, seed=1)
    study.start_trial("T5-0000", training.to_dict())
    assert describe(study.history, study.history.trials["T5-0000"]) == "gates refined"


def test_clock():
    assert [clock(s) for s in (0, 59.6, 3600)] == ["00:00", "01:00", "1:00:00"]


def make_long_search(study: Study, slots: int) -> list[str]:
    """As many trials run as there are slots; four were stopped before."""
    begun = []
    for number in range(slots + 4):
        name = f"T1000-confirm-{number:02}"
        study.start_trial(name, study.config.training_config(1000, {}, seed=number).to_dict())
        for iteration in range(1, 25):
            ended = number < 4 and iteration == 4
            accuracy = min(1.0, iteration * (number + 1) / 25)
            status = files.STOPPED_EARLY if ended else ""
            report(study, name, iteration, accuracy, status, ladder_accuracy=accuracy)
            if ended:
                break
        begun.append(name)
    return begun[4:]


def test_many_trials_with_long_curves_neither_wrap_nor_push_the_best_off_the_screen(study):
    running = make_long_search(study, 40)
    for width, height in itertools.product((80, 120, 200), (24, 40)):
        output = io.StringIO()
        console = Console(file=output, width=width, height=height)
        display = Display(study, Screen(console, study.elapsed))
        for name in running:
            display.trial_started(study.history.trials[name])
        display.slots_changed(40)
        console.print(display.view)
        lines = output.getvalue().splitlines()
        assert len(lines) < height
        assert max(map(len, lines)) <= width
        assert "…" not in output.getvalue()
        shown = sum(line.startswith("T1000-confirm") and "█" in line for line in lines)
        assert f"and {40 - shown} more" in output.getvalue()
        assert "40 of 40 slots in use" in output.getvalue()
        assert "Stopped early: 4" in output.getvalue()
        assert "Best so far" in output.getvalue()


@pytest.mark.parametrize(
    ("shares", "width", "expected"),
    [
        ([], 5, ""),
        ([0.0, 0.13, 0.5, 0.99, 1.0], 5, "▁▂▅██"),
        ([0.0] * 10 + [1.0], 3, "▁▁█"),
        ([0.1, 0.3], 9, "▁▃"),
    ],
)
def test_a_sparkline_ends_with_the_last_value_in_the_width_given(shares, width, expected):
    assert sparkline(shares, width) == expected


def test_what_runs_and_the_time_are_drawn_again_as_the_search_goes_on(study):
    display, output = make_display(study, 80, terminal=True)
    with display._screen.live(display.view):
        display.progressed(Progress(125.0, 0.25, 375.0))
        assert "02:05" in output.getvalue()
        display.trial_started(study.history.trials["T1000-0000"])
        display.run_ended()  # tests of models may follow, in which the search does nothing else
        assert "1 of 0 slots in use" in output.getvalue()
