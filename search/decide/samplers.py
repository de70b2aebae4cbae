"""Chooses the next configuration: asks Optuna, and tells it how each trial ended.

Ray's OptunaSearch tells Optuna that a trial which ASHA stopped is COMPLETE, with its last value,
which TPE takes for the trial's final quality. Here such a trial is PRUNED, with all its
intermediate values.
"""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence

from optuna.trial import FrozenTrial, TrialState

from search.config.algorithms import SAMPLERS
from search.config.sections import METRIC_NAMES
from search.config.study_config import StudyConfig
from search.decide.limited_storage import needed, order_of
from search.decide.optuna_space import OptunaSpace
from search.decide.suggester import (
    Point,
    Suggester,
    SuggesterLostError,
    Suggests,
    Training,
    shown_trials,
)
from search.study.optuna_journal import OptunaJournal, TrialProgress
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files

TRIAL_ID = "trial_id"
"""The user attribute of an Optuna trial that names ours."""

STATES = {
    files.COMPLETED: TrialState.COMPLETE,
    files.STOPPED_EARLY: TrialState.PRUNED,
    files.FAILED: TrialState.FAIL,
}
STATES_WITHOUT_STOPS = STATES | {files.STOPPED_EARLY: TrialState.COMPLETE}
"""For a sampler that would ignore the trials that were stopped early."""

MANY_TRIALS = 32
"""Trials at a time from which on the driver's time counts: suggestions then come from a process of
their own, and results in groups. With fewer, the driver has the time for both, and each suggestion
should know the result of the trial before it."""

MakeSuggester = Callable[[StudyConfig, int], Suggests]
"""Makes a suggester for a T in a process of its own."""

log = logging.getLogger(__name__)


class Sampler:
    """Asks a suggester for configurations at one T, and tells it how their trials ended.

    The suggester is built from the trials that the search knows. Optuna's journal in the study
    directory, which optuna and optuna-dashboard can open at any time, is a copy. The search never
    depends on that file: if a killed search left something out, the next run adds it.

    Call :meth:`catch_up` first. Every method raises OSError if the journal cannot be written.

    Args:
        journal: Optuna's journal in the study directory, if there is one.
        elsewhere: makes a suggester in a process of its own, for a search with many trials at a
            time; without it, suggestions are always made here.
    """

    def __init__(
        self,
        study: Study,
        T: int,
        journal: OptunaJournal | None = None,
        elsewhere: MakeSuggester | None = None,
    ):
        self._config = study.config
        self._metric = METRIC_NAMES[self._config.search.metric]
        self._T = T
        self._length = study.history.lengths[T]
        self._kind = SAMPLERS[self._config.search.sampler]
        self._space = OptunaSpace(study.history.space, self._kind)
        self._here = Suggester(self._config, T)
        self._suggester: Suggests = self._here
        self._requested: deque[tuple[Point | None, Callable[[], Training]]] = deque()
        # A process that dies takes the notes along; a grid needs all trials, also failed ones.
        self._make = None if self._kind.keeps_notes or self._kind.on_grid else elsewhere
        self._starting: Suggests | None = None
        self._journal = journal
        # How the sampler is told of an ending.
        self._states = STATES if self._kind.tells_stopped else STATES_WITHOUT_STOPS

    def catch_up(self) -> None:
        """Tell Optuna about the trials that exist already: as many as it needs."""
        self._begin()
        trials = self._length.trials
        if self._journal:
            progress = [TrialProgress(state_of(trial), len(trial.curve)) for trial in trials]
            self._journal.catch_up(
                self._T, progress, self._space.distributions,
                lambda number: self._freeze(trials[number]),
            )  # fmt: skip

    def _begin(self) -> None:
        """Let the suggester know the trials that exist, and no others."""
        self._requested.clear()
        if self._kind.keeps_notes:
            self._ask_again()
            return
        trials = self._length.trials
        if self._kind.on_grid:  # it counts points, and a trial that failed has tried one
            numbers: Iterable[int] = range(len(trials))
        else:
            running = (trial.number for trial in trials if not trial.ended)
            numbers = sorted([*running, *needed(self._finished(), shown_trials(self._config))])
        shown = {number: self._shown_as(trials[number]) for number in numbers}
        self._suggester.begin(len(trials), shown)

    def _finished(self) -> dict[int, tuple[float, ...]]:
        """The order of the trials that have ended, without failed ones, for the sampler."""
        finished = {}
        for trial in self._length.trials:
            state = state_of(trial, self._states)
            if state in (TrialState.COMPLETE, TrialState.PRUNED):
                iteration = trial.curve.value(-1, "iteration")
                value = trial.curve.value(-1, self._metric)
                finished[trial.number] = order_of(state, iteration, value, trial.number)
        return finished

    def _ask_again(self) -> None:
        """Ask for each trial when as many had ended as did then; the notes on it are the same."""
        self._here.begin(0, {})
        trials, endings, initial = self._length.trials, self._length.endings, self._length.initial
        told = 0
        for number, trial in enumerate(trials):
            for ended in endings[told : trial.known]:
                self._here.update(ended.number, self._shown_as(ended))
            told = max(told, trial.known)
            self._here.suggest(number, point_of(number, initial))
            self._here.correct(number, trial.training)
        for trial in trials:
            self._here.update(trial.number, self._shown_as(trial))

    def ask(self, initial: Sequence[Point]) -> tuple[str, Training]:
        """The name and the training of the next trial.

        The first trials take the ``initial`` configurations unchanged.
        """
        self._move_if_many()
        number = len(self._length.trials)
        requested = [point for point, _ in self._requested]
        if requested != [point_of(number + n, initial) for n in range(len(requested))]:
            self._begin()  # a user has enqueued a configuration
        try:
            training = self._next_of(number, initial)
        except SuggesterLostError as error:
            log.warning(f"suggestions at T = {self._T} are made in the driver again: {error}")
            self._suggester = self._here
            self._begin()
            training = self._next_of(number, initial)
        return f"T{self._T}-{number:04d}", training

    def _move_if_many(self) -> None:
        """With many trials at a time, have suggestions made elsewhere, once that is ready."""
        if self._make and len(self._length.live) + 1 >= MANY_TRIALS:
            self._starting, self._make = self._make(self._config, self._T), None
        if self._starting and self._starting.ready:
            self._suggester, self._starting = self._starting, None
            self._begin()

    def _next_of(self, number: int, initial: Sequence[Point]) -> Training:
        """The training of the trial of this number; others are requested ahead."""
        suggester, requested = self._suggester, self._requested
        if not requested:
            self._request(number, 1, initial)  # alone, as this one is waited for
        while suggester.ahead + 1 - len(requested) >= suggester.together:
            self._request(number + len(requested), suggester.together, initial)
        _, wait = requested.popleft()
        return wait()

    def _request(self, first: int, count: int, initial: Sequence[Point]) -> None:
        """Request the trainings of so many trials."""
        points = [point_of(number, initial) for number in range(first, first + count)]
        self._requested.extend(zip(points, self._suggester.request(first, points), strict=True))

    def started(self, trial: TrialRecord) -> None:
        """The trial that the last :meth:`ask` named has started."""
        if self._journal:
            self._journal.start(self._T, trial.number, self._freeze(trial))

    def reported(self, trial: TrialRecord) -> None:
        """The trial has reported an iteration, or has ended."""
        if trial.ended:  # of a running trial a sampler looks at the hyperparameters only
            self._suggester.update(trial.number, self._shown_as(trial))
        if self._journal:
            self._journal.update(self._T, trial.number, self._freeze(trial))

    def end(self) -> None:
        """The search at this T is over: a suggester in another process is not needed any more."""
        self._suggester, self._make, self._starting = self._here, None, None
        self._requested.clear()

    def _shown_as(self, trial: TrialRecord) -> FrozenTrial:
        """The trial as the sampler sees it."""
        return self._freeze(trial, self._states)

    def _freeze(self, trial: TrialRecord, states: Mapping[str, TrialState] = STATES) -> FrozenTrial:
        """The trial as Optuna sees it."""
        curve = trial.curve
        values = dict(zip(curve.column("iteration"), curve.column(self._metric), strict=True))
        state = state_of(trial, states)
        last = list(values.values())[-1:]
        params = self._space.params(trial.hyperparameters)
        return FrozenTrial(  # create_trial checks all of it, for each result
            number=trial.number,
            trial_id=trial.number,
            state=state,
            value=last[0] if last and state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
            params=params,
            distributions={name: self._space.distributions[name] for name in params},
            intermediate_values=values,
            user_attrs={TRIAL_ID: trial.id},
            system_attrs={},
            datetime_start=None,
            datetime_complete=None,
        )


def point_of(number: int, initial: Sequence[Point]) -> Point | None:
    """The configuration that the trial of this number is given, if it is given one."""
    return initial[number] if number < len(initial) else None


def state_of(trial: TrialRecord, states: Mapping[str, TrialState] = STATES) -> TrialState:
    """The state of a trial as Optuna sees it."""
    return states.get(trial.status, TrialState.FAIL if trial.ended else TrialState.RUNNING)
