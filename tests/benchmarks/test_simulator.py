import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.replay.curves import Evaluation, Recorded
from benchmarks.replay.simulator import TRIAL_START, Charge, Simulation
from search.execute.remote_suggester import AHEAD


class Script:
    """A policy and a pool at once: trial n gets the n-th curve, over and over or ``most`` times."""

    def __init__(
        self, *curves: list[Evaluation], stop_at: int | None = None, most: float = math.inf
    ):
        self.curves = curves
        self.stop_at = stop_at
        self.most = most
        self.heard: list[tuple[int, int, bool]] = []
        self.failed: list[int] = []

    def ask(self, trial):
        return {"trial": trial}

    def nearest(self, hyperparameters):
        trial = hyperparameters["trial"]
        if trial >= self.most:
            return None
        return Recorded(self.curves[trial % len(self.curves)], again=trial / 10)

    def report(self, trial, evaluation, final):
        self.heard.append((trial, evaluation.iteration, final))
        return not final and evaluation.iteration != self.stop_at

    def fail(self, trial, evaluation):
        self.failed.append(trial)

    def run(self, workers=1, horizon=100.0, **settings):
        return Simulation(self, self, workers=workers, horizon=horizon, **settings).run()


def make_curve(*accuracies: float, seconds: float = 1.0, solves: bool = False) -> list[Evaluation]:
    points = [
        Evaluation(i, 100 * i, seconds * i, accuracy, accuracy, None, None)
        for i, accuracy in enumerate(accuracies, 1)
    ]
    if solves:
        hit = points[-2]
        points[-1] = points[-1]._replace(tokens_to_solve=hit.tokens, seconds_to_solve=hit.seconds)
    return points


def test_the_clock_stops_when_a_trial_has_solved_it():
    bad, good = make_curve(0.1, 0.2, 0.3), make_curve(0.5, 0.99, 1.0, solves=True)
    outcome = Script(bad, good).run()
    assert outcome.solved
    assert outcome.clock == pytest.approx(6 + 2 * TRIAL_START)
    assert (outcome.tokens, outcome.trials, outcome.evaluations) == (600, 2, 6)
    assert outcome.utilisation == pytest.approx(6 / (6 + 2 * TRIAL_START))


def test_two_workers_run_two_trials_at_a_time():
    bad, good = make_curve(0.1, 0.2, 0.3), make_curve(0.5, 0.99, 1.0, solves=True)
    script = Script(bad, good)
    outcome = script.run(workers=2)
    assert outcome.clock == pytest.approx(3 + TRIAL_START)
    assert script.heard[:4] == [(0, 1, False), (1, 1, False), (0, 2, False), (1, 2, False)]


def test_a_trial_that_is_stopped_or_has_diverged_makes_room_for_the_next():
    script = Script(make_curve(0.1, 0.1, 0.1), make_curve(0.1, math.nan), stop_at=2)
    outcome = script.run(horizon=4 + 2.5 * TRIAL_START)
    assert script.heard == [(0, 1, False), (0, 2, False), (1, 1, False)]
    assert script.failed == [1]
    assert (outcome.trials, outcome.solved, outcome.clock) == (3, False, 4 + 2.5 * TRIAL_START)


def test_a_search_that_needs_more_trials_than_the_pool_has_ends():
    outcome = Script(make_curve(0.1, 0.2), most=3).run(workers=2)
    assert outcome.exhausted
    assert not outcome.solved
    assert outcome.trials == 3
    assert outcome.clock == pytest.approx(2 + TRIAL_START)
    empty = Script(make_curve(0.1), most=0).run()
    assert (empty.exhausted, empty.clock, empty.trials) == (True, 0.0, 0)


def test_whether_the_winner_solves_T_once_more_is_told_of_the_first_one():
    bad, good = make_curve(0.1, 0.2, 0.3), make_curve(0.5, 0.99, 1.0, solves=True)
    assert Script(bad, good).run().again == 0.1
    assert Script(bad, good).run(solved_trials=2).again == 0.1
    assert math.isnan(Script(bad).run().again)


@given(
    st.lists(st.lists(st.integers(10, 100), min_size=1, max_size=4), min_size=1, max_size=6),
    st.integers(1, 8),
)
def test_no_worker_is_idle_but_for_the_starts_of_trials(accuracies, workers):
    script = Script(*(make_curve(*(a / 200 for a in curve)) for curve in accuracies))
    outcome = script.run(workers=workers, horizon=20.0)
    starts = outcome.trials * TRIAL_START
    assert outcome.utilisation == pytest.approx(1 - starts / (20 * workers))
    assert len(script.heard) == outcome.evaluations


def test_a_busy_driver_makes_workers_wait():
    class Slow(Script):
        def report(self, trial, evaluation, final):
            busy_until = time.thread_time() + 0.005
            while time.thread_time() < busy_until:
                pass
            return super().report(trial, evaluation, final)

    curves = make_curve(*[0.1] * 50, seconds=0.01)
    free = Slow(curves).run(workers=4, horizon=0.4)
    charged = Slow(curves).run(workers=4, horizon=0.4, charge=Charge())
    assert charged.evaluations < free.evaluations
    assert charged.utilisation < 0.7 * free.utilisation


def test_what_a_driver_is_charged_is_spent_one_after_the_other():
    curves = make_curve(0.1, 0.1, 0.1, seconds=1.0)
    charge = Charge(trial=0.5, result=0.25)
    outcome = Script(curves).run(workers=2, horizon=2.5, charge=charge)
    # The first trial begins at 0.5 and the second at 1.0: so the second reports first after 2 s.
    assert outcome.evaluations == 2
    assert outcome.charged_seconds == pytest.approx(2 * 0.5 + 2 * 0.25)


@pytest.mark.parametrize(
    ("rungs", "seconds", "messages"),
    [([], 0.0, 6), ([2, 9], 60.0, 2), ([2, 4], 60.0, 4), ([], 2.5, 2), ([], 60.0, 1)],
)
def test_results_come_in_groups_up_to_a_rung_or_until_their_seconds_are_over(
    rungs, seconds, messages
):
    script = Script(make_curve(*[0.1] * 6), most=1)
    outcome = script.run(charge=Charge(message=0.25), groups=(rungs, seconds))
    assert [iteration for _, iteration, _ in script.heard] == [1, 2, 3, 4, 5, 6]
    assert [final for *_, final in script.heard] == [False] * 5 + [True]
    assert outcome.charged_seconds == 0.25 * messages
    assert outcome.clock == pytest.approx(6 + TRIAL_START + 0.25 * messages, abs=0.1)


def test_several_drivers_do_not_wait_for_each_other():
    curves = make_curve(*[0.1] * 50, seconds=0.01)
    charge = Charge(message=0.02)
    one, two = (
        Script(curves).run(workers=4, horizon=2.0, charge=charge, drivers=drivers)
        for drivers in (1, 2)
    )
    assert two.evaluations == pytest.approx(2 * one.evaluations, rel=0.1)
    assert two.charged_seconds == pytest.approx(2 * one.charged_seconds, rel=0.1)


def test_suggestions_of_another_process_delay_the_driver_only_if_it_is_behind():
    class Suggests(Script):
        """The other process computes ``cost`` seconds for every suggestion."""

        cost = spent = 0.0

        def ask(self, trial):
            start = time.thread_time()
            while time.thread_time() < start + self.cost:
                pass
            self.spent += time.thread_time() - start
            return super().ask(trial)

    def evaluations(cost: float) -> int:
        script = Suggests(make_curve(0.1, seconds=0.01))
        script.cost = cost
        settings = {"charge": Charge(trial=0.01), "elsewhere": lambda: script.spent}
        return script.run(workers=8, horizon=1.0, **settings).evaluations

    assert evaluations(0.005) == pytest.approx(evaluations(0.0), rel=0.1)
    # Now each trial waits for its suggestion; a few were requested ahead.
    assert evaluations(0.03) == pytest.approx(1 / 0.03, abs=AHEAD + 8)
