"""What the driver keeps of a trial that has ended: it keeps it of each trial of a long search."""

import gc
import tracemalloc
from types import SimpleNamespace

import pytest
from made_studies import agenda_of, make_config, report

from search.config.algorithms import SAMPLERS
from search.decide.agenda import Agenda
from search.decide.schedulers import StudyScheduler
from search.study.study import Study
from studies import format as files

ITERATIONS = 4


def search(study: Study, agenda: Agenda, scheduler: StudyScheduler, trials: int) -> None:
    """Run so many trials, one after the other."""
    for _ in range(trials):
        record = agenda.next_trial(())
        trial = SimpleNamespace(trial_id=record.id)
        scheduler.on_trial_add(None, trial)
        for iteration in range(1, ITERATIONS + 1):
            ending = files.STOPPED_EARLY if iteration == ITERATIONS else ""
            result = {"iteration": iteration, "ladder_accuracy": iteration / 10}
            scheduler.on_trial_result(None, trial, result)
            report(study, record.id, iteration, iteration / 5, ending)
            agenda.reported(record)
        scheduler.on_trial_complete(None, trial, {})
        agenda.released(record)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_trial_that_has_ended_takes_less_than_2_kB(tmp_path, monkeypatch, sampler):
    monkeypatch.setattr("search.decide.limited_storage.GOOD_TRIALS", 5)
    kind = SAMPLERS[sampler]
    monkeypatch.setitem(SAMPLERS, sampler, type(kind)(**{**vars(kind), "shown": 10}))
    config = make_config(T=[5], trials=1000, sampler=sampler, grace_iterations=2)
    study = Study.create(tmp_path / "study", config)
    with agenda_of(study) as agenda:
        scheduler = StudyScheduler(study)
        search(study, agenda, scheduler, 30)
        tracemalloc.start()
        try:
            search(study, agenda, scheduler, 70)  # what grows by leaps has grown
            gc.collect()
            before = tracemalloc.get_traced_memory()[0]
            search(study, agenda, scheduler, 100)
            gc.collect()
            gained = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
    study.close()
    assert gained / 100 < 2000
