"""Searches a whole study: every T in ascending order."""

import dataclasses
import math
import time
from itertools import zip_longest

import study_format as files
from copytask import configure_process, evaluate, load_model
from search.display import Display
from search.errors import SearchFailedError
from search.interrupt import Interrupts
from search.space import Scalar
from search.study import Study
from search.tuning import tune_length


class Budget:
    """The wall time of a search, those of its earlier runs included.

    Args:
        minutes: of the whole search; None for no limit.
        used: seconds that earlier runs took.
    """

    def __init__(self, minutes: float | None, used: float):
        self._start = time.monotonic() - used
        self._seconds = float("inf") if minutes is None else 60 * minutes

    def elapsed(self) -> float:
        """Seconds used so far."""
        return time.monotonic() - self._start

    def left(self) -> float:
        """Seconds left, at least 0; infinite without a limit."""
        return max(0.0, self._seconds - self.elapsed())

    def share(self, T: int, later: list[int]) -> float:
        """The seconds that the search at T may take, with these T still to come.

        What is left is shared in proportion to T**0.25: the tokens that a good trial needs grow
        about so slowly with T. What one T does not use goes to the later ones.
        """
        weights = [math.sqrt(math.sqrt(t)) for t in (T, *later)]
        return self.left() * weights[0] / sum(weights)


def search_study(study: Study, slots: int, display: Display, interrupts: Interrupts) -> None:
    """Search every T that has no result yet.

    Args:
        slots: trials that can run at once.

    Raises:
        SearchFailedError: there is no result at all, or every trial at a T failed.
        KeyboardInterrupt: the user ended the search; the study can be resumed.
    """
    configure_process()
    config = study.config
    budget = Budget(config.search.budget_minutes, study.elapsed_seconds)
    initial = config.initial_points()
    for index, T in enumerate(config.T):
        if T not in study.best:
            seconds = budget.share(T, config.T[index + 1 :])
            progress = LengthProgress(study, T, budget, seconds)
            display.update(*progress.now())
            display.length_started(T, seconds)
            tune_length(
                study,
                T,
                initial=initial,
                deadline=time.monotonic() + seconds,
                max_concurrent=slots,
                display=display,
                progress=progress.now,
                interrupts=interrupts,
            )
            keep_best(study, T)
            study.write_state(budget.elapsed())
            display.update(*progress.now())
            display.length_ended(T, progress.end_reason())
        initial = first_configurations(study, T)
    if not study.best:
        raise SearchFailedError(
            "no trial finished an iteration in the time given; raise --budget-minutes"
        )


class LengthProgress:
    """How far the search is while one T is searched.

    Args:
        seconds: time that this T may take, may be infinite.
    """

    def __init__(self, study: Study, T: int, budget: Budget, seconds: float):
        self._study = study
        self._T = T
        self._budget = budget
        self._seconds = seconds
        self._start = budget.elapsed()

    def now(self) -> tuple[float, float, float]:
        """Seconds used, fraction done, and seconds left (infinite if that cannot be told)."""
        search = self._study.config.search
        lengths = self._study.config.T
        elapsed = self._budget.elapsed()
        done = max(
            self._ended() / search.trials,
            self._study.solved_trials(self._T) / search.solved_trials,
            (elapsed - self._start) / max(self._seconds, 1.0),
        )
        here = 1.0 if self._T in self._study.best else min(0.99, done)
        fraction = (lengths.index(self._T) + here) / len(lengths)
        projected = elapsed * (1 - fraction) / fraction if fraction > 0 else float("inf")
        return elapsed, fraction, min(self._budget.left(), projected)

    def end_reason(self) -> str:
        """Why the search at T ended."""
        search = self._study.config.search
        solved = self._study.solved_trials(self._T)
        if solved >= search.solved_trials:
            return f"{solved} trial{'s' * (solved > 1)} solved it"
        if self._ended() >= search.trials:
            return f"all {search.trials} trials ran"
        return "its time is over"

    def _ended(self) -> int:
        rows = self._study.trials_at(self._T)
        return sum(row["status"] != files.INTERRUPTED for row in rows)


def keep_best(study: Study, T: int) -> None:
    """Test the best trial at T on data that chose nothing, and keep its checkpoint.

    Raises:
        SearchFailedError: every trial at T failed.
    """
    rows = study.trials_at(T)
    if rows and all(row["status"] == files.FAILED for row in rows):
        raise SearchFailedError(
            f"all {len(rows)} trials at T={T} failed; the last: {rows[-1]['error']}"
        )
    ranked = study.ranked(T)
    if not ranked:
        return
    checkpoint = study.best_checkpoint(ranked[0])
    scores = evaluate(
        load_model(checkpoint),
        study.config.task,
        T,
        payloads=study.config.search.test_payloads,
        seed=study.config.search.seed,
    )
    study.add_best(ranked[0], checkpoint, dataclasses.asdict(scores))


def first_configurations(study: Study, T: int) -> list[dict[str, Scalar]]:
    """What is tried first at the next T: the best of T and the initial ones, in turns.

    A configuration that was best at T may stall at a larger T. With an initial one beside it
    from the start, a short search does not hang on it alone.
    """
    names = study.config.dimensions()
    best = study.ranked(T)[: study.config.search.carried_trials]
    carried = [{name: row[name] for name in names} for row in best]
    turns = zip_longest(carried, study.config.initial_points())
    points = [point for turn in turns for point in turn if point is not None]
    return [point for index, point in enumerate(points) if point not in points[:index]]
