"""What users ask of a search while it runs."""

import io
import time

import pytest
from made_studies import agenda_of, make_checkpoint, make_config, report
from rich.console import Console

from copytask import TrainingConfig
from search.console.display import Display
from search.console.screen import Screen
from search.console.search_more import search_more
from search.decide.steering import Steering
from search.study.inbox import Enqueue, NextT, StopTrial, leave, waiting
from search.study.study import Study
from studies import format as files

POINT = {"learning_rate": 3e-3, "hidden_size": 16}


@pytest.fixture
def study(tmp_path):
    return Study.create(tmp_path / "s", make_config(trials=3, carried_trials=1))


class Search:
    """A search without Ray, and what its console shows."""

    def __init__(self, study: Study, agenda, monkeypatch):
        self.study, self.agenda = study, agenda
        self.output = io.StringIO()
        self.running: list[str] = []
        display = Display(study, Screen(Console(file=self.output, width=120), study.elapsed))
        self.steering = Steering(study, agenda, display, self.running)
        self.now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: self.now)

    def take(self, *requests) -> str:
        """The search looks into its inbox; returns what it prints then."""
        for request in requests:
            leave(self.study.path, request)
        self.now += 9
        before = len(self.output.getvalue())
        self.steering.advance()
        assert list(waiting(self.study.path)) == []
        return self.output.getvalue()[before:]

    def next(self):
        trial = self.agenda.next_trial(self.running)
        self.running.append(trial.id)
        return trial

    def end(self, trial, accuracy: float = 0.5) -> None:
        make_checkpoint(self.study, TrainingConfig.from_dict(trial.training), trial.id)
        report(self.study, trial.id, 1, accuracy, files.COMPLETED)
        self.running.remove(trial.id)
        self.agenda.reported(trial)
        self.agenda.released(trial)
        self.agenda.advance()


def searched(trial) -> dict:
    return {name: trial.training[name] for name in POINT}


def test_an_enqueued_configuration_is_the_next_trial_and_initial_ones_follow(study, monkeypatch):
    with agenda_of(study) as agenda:
        search = Search(study, agenda, monkeypatch)
        first = search.next()
        out = search.take(Enqueue(5, POINT), Enqueue(5, {"hidden_size": 8}))
        assert "as asked: T=5: learning_rate 0.003, hidden_size 16 is tried next" in out
        assert searched(search.next()) == POINT
        assert search.next().training["hidden_size"] == 8
        assert study.history.lengths[5].waiting == 0
        assert first.id == "T5-0000"
        assert agenda.next_trial(search.running) is None  # all trials have started
        search.take(Enqueue(5, POINT))
        fourth = search.next()  # beyond the number of trials, since the user asks for it
        assert (fourth.id, searched(fourth)) == ("T5-0003", POINT)
        for trial in list(study.history.trials.values()):
            search.end(trial)
        assert study.history.lengths[5].limit == "trials"


def test_one_for_a_later_T_comes_first_there_also_after_a_resume(study, monkeypatch):
    with agenda_of(study) as agenda:
        search = Search(study, agenda, monkeypatch)
        search.take(Enqueue(9, POINT))
        search.end(search.next(), 0.9)
    study.close()
    study = Study.open(study.path)
    with agenda_of(study) as agenda:
        search = Search(study, agenda, monkeypatch)
        search.end(search.next())
        search.end(search.next())
        assert [searched(search.next()) for _ in range(1)] == [POINT]
        best = study.history.trials["T5-0000"]
        assert searched(search.next()) == searched(best)  # the carried one has moved on
    study.close()


def test_a_request_that_was_done_is_not_done_again(study, monkeypatch):
    with agenda_of(study) as agenda:
        search = Search(study, agenda, monkeypatch)
        leave(study.path, Enqueue(5, POINT))
        ((path, _),) = waiting(study.path)
        content = path.read_bytes()
        search.take()
        path.write_bytes(content)  # as if the search had been killed before it removed it
        assert search.take() == ""
        assert study.history.lengths[5].waiting == 1


def test_a_trial_is_stopped_whether_it_runs_or_waits_for_a_worker(study, monkeypatch):
    with agenda_of(study) as agenda:
        search = Search(study, agenda, monkeypatch)
        running, waits = search.next(), search.next()
        search.running.remove(waits.id)
        out = search.take(StopTrial(running.id), StopTrial(waits.id))
        assert f"as asked: {running.id} is stopped at its next result" in out
        assert all(trial.ended and trial.status == files.INTERRUPTED for trial in (running, waits))
        assert search.next().id == "T5-0002"
        out = search.take(StopTrial(running.id), StopTrial("T9-0000"))
        assert f"not done: --stop-trial {running.id}: it has ended: interrupted" in out
        assert "not done: --stop-trial T9-0000: no such trial; these have not ended: T5-0002" in out


def test_the_next_T_begins_and_more_trials_continue_the_one_before(study, monkeypatch):
    with agenda_of(study) as agenda:
        search = Search(study, agenda, monkeypatch)
        search.end(search.next())
        cut_off = search.next()
        assert "as asked: T=5: its search ends" in search.take(NextT(5))
        assert cut_off.ended
        assert search.agenda.next_trial([]).T == 9
        assert "not done: --next-T: T=5 is not searched any more" in search.take(NextT(5))
        search.take(NextT(9))
        agenda.advance()
        assert agenda.over
    assert [study.history.lengths[T].limit for T in (5, 9)] == [files.NEXT_T] * 2
    more = dict(search_more(study.history, study.path))
    (command,) = (text for what, text in more.items() if "where --next-T ended it" in what)
    assert command.endswith("--resume --trials 6")
    search = study.config.search.model_copy(update={"trials": 6})
    study.change_config(study.config.model_copy(update={"search": search}))
    assert not study.history.is_over(5)


def test_a_request_that_cannot_be_read_is_said_and_removed(study, monkeypatch):
    with agenda_of(study) as agenda:
        search = Search(study, agenda, monkeypatch)
        leave(study.path, NextT(5))
        ((path, _),) = waiting(study.path)
        path.write_bytes(b"{")
        assert "cannot be read; it is left out" in search.take()
        assert not study.history.is_over(5)
