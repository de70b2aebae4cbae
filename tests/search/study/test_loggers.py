"""Loggers that fail, and those of users; MLflow and W&B have tests of their own."""

import threading

import pytest
from made_studies import make_config, report, start

from search.errors import UserError
from search.study.listener import Listener
from search.study.loggers import Guarded, check_loggers, make_loggers
from search.study.run_log import RunLog
from search.study.study import Study
from studies import format as files

OWN = """
from search.study.listener import Listener

class Mine(Listener):
    def __init__(self, study):
        self.path = study.path

    def trial_reported(self, trial):
        (self.path / "mine").open("a").write(f"{trial.id} {trial.tokens}\\n")

class Broken(Listener):
    def __init__(self, study):
        pass

    def trial_reported(self, trial):
        raise SystemExit("no\\nmore")

class Stranger:
    pass
"""


@pytest.fixture
def own(tmp_path) -> str:
    (tmp_path / "own.py").write_text(OWN)
    return str(tmp_path / "own.py")


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("mlfow", "search.loggers: unknown logger 'mlfow'; did you mean 'mlflow'?"),
        ("{own}:Stranger", "own.py:Stranger is not a listener: make it a subclass of"),
        ("{own}:Min", "has no 'Min'; did you mean 'Mine'?"),
        ("nowhere:Mine", "'nowhere:Mine' cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_logger_that_cannot_be_used_is_refused_in_one_line(tmp_path, own, name, fault):
    with pytest.raises(UserError) as error:
        check_loggers([name.format(own=own)], tmp_path / "s")
    assert fault in str(error.value)
    assert "\n" not in str(error.value)


def test_a_logger_that_is_not_installed_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setattr("search.study.loggers.find_spec", lambda name: None)
    with pytest.raises(UserError, match=r"wandb is not installed: pip install .*\[wandb\]"):
        check_loggers(["wandb"], tmp_path / "s")


def test_a_listener_of_a_user_is_told_and_one_that_raises_ends_alone(tmp_path, own):
    study = Study.create(tmp_path / "s", make_config(loggers=[f"{own}:Broken", f"{own}:Mine"]))
    lines: list[str] = []
    loggers = make_loggers(study, lines.append)
    start(study, "a")
    for iteration in (1, 2):
        report(study, "a", iteration, 0.5)
        for logger in loggers:
            logger.trial_reported(study.history.trials["a"])
    assert (study.path / "mine").read_text().count("a ") == 2
    assert lines == [
        f"the logger {own}:Broken failed in trial_reported: SystemExit: no; the search goes on "
        "without it"
    ]


def test_a_logger_that_says_nothing_is_named_by_its_error():
    def fail():
        raise AssertionError

    lines: list[str] = []
    Guarded("x", fail, lines.append)
    assert lines == [
        "the logger x failed in __init__: AssertionError; the search goes on without it"
    ]


def test_a_logger_that_cannot_be_made_ends_alone_too():
    lines: list[str] = []
    logger = Guarded("x", lambda: 1 / 0, lines.append)
    logger.run_ended()
    assert len(lines) == 1
    assert "failed in __init__: ZeroDivisionError" in lines[0]


class Slow:
    """A writer that waits until it may go on."""

    def __init__(self):
        self.may_write = threading.Event()
        self.written: list[tuple[str, int, bool]] = []

    def write(self, trial):
        assert self.may_write.wait(60)
        self.written.append((trial.id, len(trial.curve), trial.ended))


def test_a_slow_logger_writes_the_latest_of_each_trial_while_the_search_goes_on(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    slow = Slow()
    log = RunLog("slow", [], lambda: slow)
    for name in "ab":
        start(study, name)
        for iteration in (1, 2, 3):
            report(study, name, iteration, 0.5, files.COMPLETED if iteration == 3 else "")
            log.trial_reported(study.history.trials[name])
    assert not slow.written
    slow.may_write.set()
    log.run_ended()
    assert slow.written[-1] == ("b", 3, True)
    assert ("a", 3, True) in slow.written
    assert len(slow.written) <= 3  # at most one state of a was taken before the last
    log.trial_ended(study.history.trials["a"])  # after a run, when the cluster was started again
    log.study_ended()
    assert slow.written[-1] == ("a", 3, True)


def test_what_a_writer_raises_is_raised_at_the_next_moment(tmp_path):
    study = Study.create(tmp_path / "s", make_config())
    start(study, "a")
    report(study, "a", 1, 0.5)

    def fail():
        raise RuntimeError("no room")

    lines: list[str] = []
    trials = list(study.history.trials.values())
    logger: Listener = Guarded("x", lambda: RunLog("x", trials, fail), lines.append)
    logger.run_ended()
    logger.run_ended()
    assert lines == [
        "the logger x failed in run_ended: RuntimeError: no room; the search goes on without it"
    ]
