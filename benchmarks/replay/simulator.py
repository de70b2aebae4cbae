"""A discrete-event simulation of a search: workers, a clock, and recorded curves for training."""

import heapq
import math
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from benchmarks.replay.curves import Evaluation, PoolSearch
from search.execute.remote_suggester import AHEAD

TRIAL_START = 0.05
"""Seconds between the end of a trial and the next one's first step in the same worker process:
what Ray Tune takes with reuse_actors. Sides that start a process for each trial are spared it."""


class Policy(Protocol):
    """Decides what is tried and what is stopped. Trials are numbered 0, 1, 2, ..."""

    def ask(self, trial: int) -> Mapping[str, Any]:
        """The hyperparameters of this new trial."""

    def report(self, trial: int, evaluation: Evaluation, final: bool) -> bool:
        """Take in an evaluation; whether the trial goes on. After a final one it does not."""

    def fail(self, trial: int, evaluation: Evaluation) -> None:
        """The trial has diverged in this iteration."""


class Charge(NamedTuple):
    """Seconds that a driver spends beside the calls of the policy, as on Ray's controller.

    A message brings one result of a trial, or several.
    """

    trial: float = 0.0
    message: float = 0.0
    result: float = 0.0


@dataclass
class Outcome:
    """What a simulated search took.

    Attributes:
        solved: whether enough trials had solved T before the horizon.
        exhausted: whether it ended because a trial found no configuration of the pool that no other
            trial had had.
        clock: simulated seconds at the end: when the search knew that T is solved, at the second
            of two evaluations in a row; or when the pool was exhausted; or the horizon.
        tokens: of all evaluations until then.
        trials: started.
        evaluations: reported.
        utilisation: share of the workers' time until then that was training.
        again: share of the other trainings of the configuration that solved T first which solve it
            too; NaN if there is none.
        ask_seconds, report_seconds: CPU time in the policy's calls, without ``other_seconds``.
        other_seconds: CPU time in them that the processes of suggestions would have spent.
        charged_seconds: what the drivers were charged in addition.
    """

    solved: bool = False
    exhausted: bool = False
    clock: float = 0.0
    tokens: int = 0
    trials: int = 0
    evaluations: int = 0
    utilisation: float = 0.0
    again: float = math.nan
    ask_seconds: float = 0.0
    report_seconds: float = 0.0
    other_seconds: float = 0.0
    charged_seconds: float = 0.0


class Simulation:
    """A search with a policy on recorded curves.

    Args:
        pool: what its trials get.
        workers: trials that run at once.
        horizon: simulated seconds after which it ends in any case.
        solved_trials: it ends when so many trials have solved T.
        charge: count the time that the policy's calls take, on this machine now, into the simulated
            clock, and this in addition. A driver is one process: a worker waits while it is busy.
            Without it decisions take no time.
        drivers: processes that decide, each for its share of the workers, with the same policy.
        groups: whether results come in groups, as :class:`search.execute.trainable.CopyTrainable`
            sends them: its rungs, and the seconds of a group.
        elsewhere: CPU seconds so far that the policy's calls have spent on what another process
            does in a real search: it makes suggestions, which are requested ``AHEAD`` trials before
            they are needed. Each driver has one such process.
    """

    def __init__(
        self,
        policy: Policy,
        pool: PoolSearch,
        *,
        workers: int,
        horizon: float,
        solved_trials: int = 1,
        charge: Charge | None = None,
        drivers: int = 1,
        groups: tuple[Sequence[int], float] = ((), 0.0),
        elsewhere: Callable[[], float] = float,
    ):
        self._policy = policy
        self._pool = pool
        self._workers = workers
        self._horizon = horizon
        self._solved_trials = solved_trials
        self._charge = charge
        self._events: list[tuple[float, int]] = []  # when a trial reports next, its number
        self._coming: dict[int, tuple[list[Evaluation], deque[Evaluation]]] = {}
        self._before: dict[int, tuple[float, int]] = {}  # seconds and tokens of a trial so far
        self._now = [0.0] * drivers  # when each driver has done all that it was asked so far
        self._driver: dict[int, int] = {}  # of each trial
        self._groups = groups
        self._elsewhere = elsewhere
        self._other = [0.0] * drivers  # when the other process of each has done all so far
        self._suggested = [deque[float]() for _ in range(drivers)]  # when it had, at each request
        self._idle = 0.0
        self._again: dict[int, float] = {}  # see Outcome.again, of each trial
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """Simulate until enough trials have solved T, or the horizon is reached."""
        outcome = self._outcome
        for worker in range(self._workers):
            self._start(0.0, worker % len(self._now))
        missing, driver = self._solved_trials, 0
        while missing and not outcome.exhausted and self._events[0][0] <= self._horizon:
            reported, trial = heapq.heappop(self._events)
            driver = self._driver.pop(trial)
            busy = self._now[driver] if self._charge else 0.0
            self._now[driver] = max(busy, reported)
            group, following = self._coming.pop(trial)
            self._pay(driver, self._charge.message if self._charge else 0.0)
            goes_on = [
                self._tell(
                    driver, trial, evaluation, final=evaluation is group[-1] and not following
                )
                for evaluation in group
            ]
            if goes_on[-1]:
                self._continue(driver, trial, following, free=reported, begin=self._now[driver])
                continue
            if group[-1].tokens_to_solve is not None:
                missing -= 1
                if math.isnan(outcome.again):
                    outcome.again = self._again[trial]
            if missing:
                self._start(reported, driver)
        outcome.solved = not missing
        ended = outcome.solved or outcome.exhausted
        outcome.clock = self._now[driver] if ended else self._horizon
        waiting = sum(max(0.0, outcome.clock - reported) for reported, _ in self._events)
        if outcome.clock:
            outcome.utilisation = 1 - (self._idle + waiting) / (outcome.clock * self._workers)
        return outcome

    def _start(self, free: float, driver: int) -> None:
        """A worker that has been free since then begins the next trial, if the pool has one."""
        trial = self._outcome.trials
        start = time.thread_time()
        hyperparameters = self._policy.ask(trial)
        self._outcome.ask_seconds += self._spend(driver, start)
        self._suggested[driver].append(self._other[driver])
        if self._charge and len(self._suggested[driver]) > AHEAD:
            self._now[driver] = max(self._now[driver], self._suggested[driver].popleft())
        self._pay(driver, self._charge.trial if self._charge else 0.0)
        recorded = self._pool.nearest(hyperparameters)
        if recorded is None:
            self._outcome.exhausted = True
            return
        self._outcome.trials += 1
        curve = deque(recorded.curve)
        self._again[trial], self._before[trial] = recorded.again, (0.0, 0)
        begin = self._now[driver] + TRIAL_START
        self._continue(driver, trial, curve, free=free, begin=begin)

    def _continue(
        self, driver: int, trial: int, following: deque[Evaluation], *, free: float, begin: float
    ) -> None:
        """The trial trains from ``begin`` on, up to the end of its next group of evaluations."""
        self._idle += begin - free
        rungs, seconds = self._groups
        until = self._before[trial][0] + seconds
        group = [following.popleft()]
        last = max(rungs, default=math.inf)
        while (
            following
            and group[-1].iteration not in rungs
            and group[-1].iteration < last
            and group[-1].seconds < until
        ):
            group.append(following.popleft())
        self._coming[trial] = group, following
        self._driver[trial] = driver
        reports = begin + group[-1].seconds - self._before[trial][0]
        heapq.heappush(self._events, (reports, trial))

    def _tell(self, driver: int, trial: int, evaluation: Evaluation, final: bool) -> bool:
        """Hand an evaluation to the policy; whether it lets the trial go on."""
        self._outcome.evaluations += 1
        self._outcome.tokens += evaluation.tokens - self._before[trial][1]
        self._before[trial] = evaluation.seconds, evaluation.tokens
        start = time.thread_time()
        if math.isnan(evaluation.validation_accuracy):
            self._policy.fail(trial, evaluation)
            goes_on = False
        else:
            goes_on = self._policy.report(trial, evaluation, final)
        self._outcome.report_seconds += self._spend(driver, start)
        self._pay(driver, self._charge.result if self._charge else 0.0)
        return goes_on

    def _spend(self, driver: int, start: float) -> float:
        """CPU seconds since ``start``; the driver was busy for so long, or its other process."""
        other = self._elsewhere() - self._outcome.other_seconds
        took = time.thread_time() - start - other
        self._outcome.other_seconds += other
        if self._charge:
            self._other[driver] = max(self._other[driver], self._now[driver]) + other
            self._now[driver] += took
        return took

    def _pay(self, driver: int, seconds: float) -> None:
        """The driver is busy for so long in addition."""
        self._now[driver] += seconds
        self._outcome.charged_seconds += seconds
