"""Suggestions from an actor, on real Ray."""

import time
from functools import partial

import pytest
import ray
from made_studies import make_config, report

from search.decide.samplers import Sampler
from search.decide.suggester import Suggester
from search.execute.remote_suggester import AHEAD, TOGETHER, RemoteSuggester
from search.study.study import Study
from studies import format as files


@pytest.fixture(scope="module")
def _ray():
    ray.init(address="local", num_cpus=1, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


class AskedAhead(Suggester):
    """The same in this process."""

    ahead = AHEAD
    together = TOGETHER

    def request(self, number, points):
        trainings = [suggested() for suggested in super().request(number, points)]
        return [partial(lambda training: training, training) for training in trainings]


TRIALS = 24
LOST_AT = 6
"""The trial before which the actor is killed: not all of them have been requested by then."""


def play(study: Study, elsewhere, lose_at: int | None = None) -> list[dict]:
    """The trainings of a search with three trials at a time."""
    made: list = []

    def make(*args):
        made.append(elsewhere(*args))
        while not made[-1].ready:
            time.sleep(0.05)
        return made[-1]

    sampler = Sampler(study, 5, elsewhere=make)
    sampler.catch_up()
    names: list[str] = []
    for number in range(TRIALS):
        if number == lose_at:
            ray.kill(made[0]._actor)
        name, training = sampler.ask(())
        sampler.started(study.start_trial(name, training))
        names.append(name)
        if number >= 2:
            report(study, names[number - 2], 1, 0.1 * (number % 7), files.COMPLETED)
            sampler.reported(study.history.trials[names[number - 2]])
    sampler.end()
    trainings = [dict(trial.training) for trial in study.history.trials.values()]
    study.close()
    return trainings


@pytest.mark.usefixtures("_ray")
def test_an_actor_suggests_what_this_process_would(tmp_path, monkeypatch):
    monkeypatch.setattr("search.decide.samplers.MANY_TRIALS", 2)
    monkeypatch.setattr("search.execute.remote_suggester.PATIENCE", 600.0)  # a busy machine
    config = make_config(startup_trials=2)
    here = play(Study.create(tmp_path / "here", config), AskedAhead)
    there = play(Study.create(tmp_path / "there", config), RemoteSuggester)
    assert there == here
    assert len({training["learning_rate"] for training in there}) == TRIALS


@pytest.mark.usefixtures("_ray")
def test_a_search_goes_on_when_the_actor_dies(tmp_path, monkeypatch, caplog):
    assert LOST_AT + AHEAD + TOGETHER < TRIALS
    monkeypatch.setattr("search.decide.samplers.MANY_TRIALS", 2)
    study = Study.create(tmp_path / "study", make_config(startup_trials=2))
    trainings = play(study, RemoteSuggester, lose_at=LOST_AT)
    assert len({training["learning_rate"] for training in trainings}) == TRIALS
    [message] = [record.message for record in caplog.records]
    assert message.startswith("suggestions at T = 5 are made in the driver again: ")
