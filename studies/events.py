"""The events of a study: what happened in its search, in order.

Everything else that is known of a search follows from them. How they are kept in files is in
:mod:`studies.event_files`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studies import format as files


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        elapsed: when, in seconds of the study's wall time, which adds up over its runs.
    """

    elapsed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of a trial's learning curve: one evaluation, at the end of a training iteration.

    The fields are the columns of progress.csv, see :mod:`studies.columns`. ``tokens_to_solve`` and
    ``seconds_to_solve`` are None until the trial has solved T.
    """

    iteration: int
    step: int
    tokens: int
    seconds: float
    learning_rate: float
    max_length: int
    training_loss: float
    validation_accuracy: float
    ladder_accuracy: float
    exact_match: float
    validation_loss: float
    recalled_bits: float
    tokens_to_solve: int | None = None
    seconds_to_solve: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """How a model did on test payloads; the fields are columns of best.csv."""

    accuracy: float
    accuracy_low: float
    accuracy_high: float
    exact_match: float | None = None
    recalled_bits: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BestTrial(Scores):
    """The best trial at a T, and how it did in its test.

    Attributes:
        trials: how many the search at T had started when this one was the best.
        checkpoint: of its model, relative to the study directory.
    """

    trial_id: str
    trials: int
    checkpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBegan(Event):
    """The search at T begins, or continues after one of its limits was raised.

    Attributes:
        initial: configurations that it tries first.
    """

    T: int
    initial: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationEnqueued(Event):
    """The next trial at T tries a configuration that a user gives; what it lacks is sampled.

    Attributes:
        request: id of the request, which is done once.
    """

    T: int
    configuration: Mapping[str, Any]
    request: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthEnded(Event):
    """The search at T has reached a limit; its live trials are cut off.

    Attributes:
        limit: name of the limit, a key of the section ``search``; ``next_T`` if the user ended it.
        value: that it had; of ``next_T`` that of ``trials``.
    """

    T: int
    limit: str
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialStarted(Event):
    """A trial starts.

    Attributes:
        training: its TrainingConfig as plain values.
        stage: one of :data:`studies.format.STAGES`.
        streams: version of the random streams that it draws from.
        confirms: of a training with a fresh seed, the trial_id of the trial that it repeats: the
            candidate of a race, or the winner of a confirmation.
    """

    trial_id: str
    training: Mapping[str, Any]
    stage: str = files.SEARCH
    streams: int = 1
    confirms: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result(Event):
    """A trial reports an iteration, and ends with it if there is a status.

    Attributes:
        parameters: trained parameters of its model.
        state_floats: numbers that its model carries from step to step at T.
        host: where it trains.
        gpus: share of a GPU that it holds there.
        status: ``completed`` or ``stopped_early``; empty if it continues.
    """

    trial_id: str
    metrics: Point
    parameters: int
    state_floats: int | None = None
    host: str = ""
    gpus: float | None = None
    status: str  # stays the last: see studies.event_files.UNFINISHED


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFailed(Event):
    """A trial fails for good."""

    trial_id: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRetried(Event):
    """A trial lost its worker and will resume from its last checkpoint.

    Attributes:
        blameless: its host went away, which does not count for ``search.max_failures``.
    """

    trial_id: str
    error: str
    blameless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialRestarted(Event):
    """A failed trial starts again from its beginning; the attributes are of TrialStarted."""

    trial_id: str
    stage: str = files.SEARCH
    streams: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialCutOff(Event):
    """A trial is cut off: the user stops it, or another training of a race has shown that its
    candidate is out."""

    trial_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RacingBegan(Event):
    """The search at all T is over; the candidates at each T race, or race on.

    Attributes:
        seeds: with how many fresh seeds in a row a candidate wins.
    """

    seeds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RacingEnded(Event):
    """Racing is over at all T; its live trainings are cut off.

    Attributes:
        limit: name of the limit that ended it, a key of the section ``search``; empty if the race
            at each T is decided.
        value: that it had.
    """

    limit: str
    value: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Best(Event):
    """The best trial at T has been tested."""

    T: int
    row: BestTrial


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed(Event):
    """A confirmation has been tested; without scores if it failed before it had a model."""

    trial_id: str
    scores: Scores | None
