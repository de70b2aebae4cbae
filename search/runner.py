"""Searches a whole study: every T in ascending order."""

import dataclasses
import time

import study_format as files
from copytask import configure_process, evaluate, load_model
from search.display import Display
from search.errors import SearchFailed
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
        self._seconds = None if minutes is None else 60 * minutes

    def elapsed(self) -> float:
        """Seconds used so far."""
        return time.monotonic() - self._start

    def left(self) -> float | None:
        """Seconds left, at least 0; None without a limit."""
        return None if self._seconds is None else max(0.0, self._seconds - self.elapsed())

    def share(self, T: int, later: list[int]) -> float | None:
        """The seconds that the search at T may take, with these T still to come.

        What is left is shared in proportion to T**0.25: the tokens that a good trial needs grow
        about so slowly with T. What one T does not use goes to the later ones.
        """
        left = self.left()
        if left is None:
            return None
        return left * T**0.25 / sum(t**0.25 for t in [T, *later])


def search_study(study: Study, slots: int, display: Display, interrupts: Interrupts) -> None:
    """Search every T that has no result yet.

    Args:
        slots: trials that can run at once.

    Raises:
        SearchFailed: there is no result at all, or every trial at a T failed.
        KeyboardInterrupt: the user ended the search; the study can be resumed.
    """
    configure_process()
    config = study.config
    budget = Budget(config.search.budget_minutes, study.elapsed_seconds)
    initial = config.search.initial
    for index, T in enumerate(config.T):
        if T not in study.best:
            seconds = budget.share(T, config.T[index + 1 :])
            deadline = float("inf") if seconds is None else time.monotonic() + seconds
            progress = LengthProgress(study, T, budget, seconds)
            display.update(*progress.now())
            display.length_started(T, seconds)
            with interrupts.tuning():
                tune_length(
                    study,
                    T,
                    initial=initial,
                    deadline=deadline,
                    max_concurrent=slots,
                    display=display,
                    progress=progress.now,
                )
            keep_best(study, T)
            study.write_state(budget.elapsed())
            display.update(*progress.now())
            display.length_ended(T, progress.end_reason())
        initial = carried_configurations(study, T) or initial
    if not study.best:
        raise SearchFailed(
            "no trial finished an iteration in the time given; raise --budget-minutes"
        )


class LengthProgress:
    """How far the search is while one T is searched.

    Args:
        seconds: time that this T may take; None for no limit.
    """

    def __init__(self, study: Study, T: int, budget: Budget, seconds: float | None):
        self._study = study
        self._T = T
        self._budget = budget
        self._seconds = seconds
        self._start = budget.elapsed()

    def now(self) -> tuple[float, float, float | None]:
        """Seconds used, fraction done, and seconds left if they can be told."""
        search = self._study.config.search
        lengths = self._study.config.T
        elapsed = self._budget.elapsed()
        fractions = [self._ended() / search.trials, self._solved() / search.solved_trials]
        if self._seconds:
            fractions.append((elapsed - self._start) / self._seconds)
        here = 1.0 if self._T in self._study.best else min(0.99, max(fractions))
        fraction = (lengths.index(self._T) + here) / len(lengths)
        limits = [] if self._budget.left() is None else [self._budget.left()]
        if fraction > 0:
            limits.append(elapsed * (1 - fraction) / fraction)
        return elapsed, fraction, min(limits, default=None)

    def end_reason(self) -> str:
        """Why the search at T ended."""
        search = self._study.config.search
        if self._solved() >= search.solved_trials:
            return f"{self._solved()} trials solved it"
        if self._ended() >= search.trials:
            return f"all {search.trials} trials ran"
        return "its time is over"

    def _solved(self) -> int:
        rows = self._study.trials_at(self._T)
        return sum(row.get("tokens_to_solve") is not None for row in rows)

    def _ended(self) -> int:
        rows = self._study.trials_at(self._T)
        return sum(row["status"] != files.INTERRUPTED for row in rows)


def keep_best(study: Study, T: int) -> None:
    """Test the best trial at T on data that chose nothing, and keep its checkpoint.

    Raises:
        SearchFailed: every trial at T failed.
    """
    rows = study.trials_at(T)
    if rows and all(row["status"] == files.FAILED for row in rows):
        raise SearchFailed(f"all {len(rows)} trials at T={T} failed; the last: {rows[-1]['error']}")
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


def carried_configurations(study: Study, T: int) -> list[dict[str, Scalar]]:
    """The best configurations at T, to be tried first at the next T."""
    names = study.config.dimensions()
    best = study.ranked(T)[: study.config.search.carried_trials]
    return [{name: row[name] for name in names} for row in best]
