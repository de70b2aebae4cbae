"""Searches a whole study: every T in ascending order."""

import dataclasses
import math
from itertools import zip_longest
from pathlib import Path

from optuna.storages import BaseStorage

import study_format as files
from copytask import configure_process, evaluate, load_model
from copytask.checkpoint import copy_checkpoint
from search.cluster import Cluster
from search.display import Display
from search.errors import SearchFailedError, StorageError
from search.interrupt import Interrupts
from search.optuna_journal import open_journal
from search.sampler import Sampler
from search.space import Scalar
from search.study import Study
from search.tuning import tune_length


def search_study(study: Study, cluster: Cluster, display: Display, interrupts: Interrupts) -> None:
    """Search every T that is not over yet.

    Raises:
        SearchFailedError: there is no result at all, every trial at a T failed, or something
            that the search stands on is gone.
        KeyboardInterrupt: the user ended the search; the study can be resumed.
    """
    configure_process()
    try:
        journal = open_journal(study.path / files.OPTUNA_FILE)
        for T in study.config.T:
            search_length(study, T, journal, cluster, display, interrupts)
    except OSError as error:
        raise StorageError(study.path, error) from None
    if not study.best:
        raise SearchFailedError(
            "no trial finished an iteration in the time given; raise --budget-minutes"
        )


def search_length(
    study: Study,
    T: int,
    journal: BaseStorage,
    cluster: Cluster,
    display: Display,
    interrupts: Interrupts,
) -> None:
    """Search one T unless it is over, and test its best trial.

    Raises:
        OSError: the study cannot be written any more.
    """
    sampler = Sampler(study, T, journal)
    searched = not study.is_over(T)
    if searched:
        length = study.lengths[T]
        if length.began is None or length.limit:  # it is new, or a limit was raised since
            study.begin_length(T, length.initial or first_configurations(study, T))
        progress = LengthProgress(study, T)
        display.update(*progress.now())
        display.length_started(T, progress.deadline - study.elapsed())
        if study.elapsed() < progress.deadline:
            tune_length(
                study,
                T,
                sampler,
                cluster,
                deadline=progress.deadline,
                display=display,
                progress=progress.now,
                interrupts=interrupts,
            )
        cut_off = list(length.live.values())
        study.end_length(T, study.reached_limit(T))
        for trial in cut_off:
            sampler.reported(trial)
    keep_best(study, T)
    study.remove_checkpoints(T)
    if searched:
        display.update(*progress.now())
        display.length_ended(T, end_reason(study, T))


def share_of_time(T: int, later: list[int]) -> float:
    """The share of the time left that the search at T may take, with these T still to come.

    In proportion to T**0.25: the tokens that a good trial needs grow about so slowly with T. What
    one T does not use goes to the later ones.
    """
    weights = [math.sqrt(math.sqrt(t)) for t in (T, *later)]
    return weights[0] / sum(weights)


class LengthProgress:
    """How far the search is while one T is searched.

    Attributes:
        deadline: when the search at T must end, on the clock of :meth:`Study.elapsed`; infinite
            without a budget. It follows from when T began, so an interruption does not move it.
    """

    def __init__(self, study: Study, T: int):
        self._study = study
        self._T = T
        self._began = study.lengths[T].began or 0.0
        minutes = study.config.search.budget_minutes
        self._budget = math.inf if minutes is None else 60 * minutes
        later = [t for t in study.config.T if t > T and not study.is_over(t)]
        self.deadline = self._began + (self._budget - self._began) * share_of_time(T, later)

    def now(self) -> tuple[float, float, float]:
        """Seconds used, fraction done, and seconds left (infinite if that cannot be told)."""
        search = self._study.config.search
        lengths = self._study.config.T
        length = self._study.lengths[self._T]
        elapsed = self._study.elapsed()
        done = max(
            (len(length.trials) - len(length.live)) / search.trials,
            length.solved / search.solved_trials,
            (elapsed - self._began) / max(self.deadline - self._began, 1.0),
        )
        here = 1.0 if self._study.is_over(self._T) else min(0.99, done)
        fraction = (lengths.index(self._T) + here) / len(lengths)
        projected = elapsed * (1 - fraction) / fraction if fraction > 0 else math.inf
        return elapsed, fraction, min(max(0.0, self._budget - elapsed), projected)


def end_reason(study: Study, T: int) -> str:
    """Why the search at T ended."""
    length = study.lengths[T]
    if length.limit == "solved_trials":
        return f"{length.solved} trial{'s' * (length.solved > 1)} solved it"
    if length.limit == "trials":
        return f"all {len(length.trials)} trials ran"
    return "its time is over"


def keep_best(study: Study, T: int) -> None:
    """Test the best trial at T on data that chose nothing, and keep its checkpoint.

    Raises:
        SearchFailedError: every trial at T failed.
        OSError: the study cannot be written any more.
    """
    trials = study.lengths[T].trials
    if trials and all(trial.row["status"] == files.FAILED for trial in trials):
        raise SearchFailedError(
            f"all {len(trials)} trials at T={T} failed; the last: {trials[-1].row['error']}"
        )
    ranked = study.ranked(T)
    if not ranked or study.best.get(T, {}).get("trials") == len(trials):
        return
    checkpoint = study.best_checkpoint(study.trials[ranked[0]["trial_id"]])
    scores = dataclasses.asdict(
        evaluate(
            load_model(checkpoint),
            study.config.task,
            T,
            payloads=study.config.search.test_payloads,
            seed=study.config.search.seed,
        )
    )
    kept = Path(files.CHECKPOINTS_FOLDER) / f"T={T}"
    if checkpoint != study.path / kept:
        copy_checkpoint(checkpoint, study.path / kept)
    row = ranked[0] | {name: scores[name] for name in files.BEST_COLUMNS if name in scores}
    study.set_best(T, row | {"trials": len(trials), "checkpoint": kept.as_posix()})
    study.write()


def first_configurations(study: Study, T: int) -> list[dict[str, Scalar]]:
    """What is tried first at T: the best of the T before it and the initial ones, in turns.

    A configuration that was best there may stall at a larger T. With an initial one beside it
    from the start, a short search does not hang on it alone.
    """
    names = study.config.dimensions()
    before = [t for t in study.config.T if t < T][-1:]
    best = [row for t in before for row in study.ranked(t)[: study.config.search.carried_trials]]
    carried = [{name: row[name] for name in names} for row in best]
    turns = zip_longest(carried, study.config.initial_points())
    points = [point for turn in turns for point in turn if point is not None]
    return [point for index, point in enumerate(points) if point not in points[:index]]
