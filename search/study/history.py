"""What is known of a search: the sum of its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from search.config.sections import METRIC_NAMES
from search.config.space import Scalar
from search.config.study_config import StudyConfig
from search.storage.csv_tables import Row
from studies import format as files
from studies.columns import PROGRESS, TRIALS
from studies.events import Event

MIN_GAIN = 0.005
"""How much the best value of the search metric must rise to count for ``search.patience``."""


@dataclass
class TrialRecord:
    """What is known of one trial.

    Attributes:
        row: its row of trials.csv.
        training: its TrainingConfig as plain values.
        confirms: of a confirmation, the trial_id of the winner that it repeats.
        curve: its rows of progress.csv, one an iteration.
        ended: whether it will not go on.
        failures: how often it failed since its last new iteration.
        lost_hosts: how often it lost its host since then.
        scores: of a confirmation, its columns of confirm.csv from the test; None before it.
    """

    row: Row
    training: Mapping[str, Any]
    confirms: str = ""
    curve: list[Row] = field(default_factory=list)
    ended: bool = False
    failures: int = 0
    lost_hosts: int = 0
    scores: Row | None = None

    @property
    def id(self) -> str:
        """Its name, unique in the study."""
        return str(self.row["trial_id"])

    @property
    def stage(self) -> str:
        """What it is for: one of :data:`studies.format.STAGES`."""
        return str(self.row["stage"])

    @property
    def failed(self) -> bool:
        """Whether it diverged or crashed for good."""
        return bool(self.row["status"] == files.FAILED)

    @property
    def solved(self) -> bool:
        """Whether it solved T and did not fail."""
        return self.row.get("tokens_to_solve") is not None and not self.failed


@dataclass
class LengthRecord:
    """What is known of one T: its search, and the trainings that follow it.

    Attributes:
        trials: of the search, in the order in which they started.
        live: those of them that have not ended, by trial_id.
        arrivals: trial and row of progress.csv, in the order in which they were reported; of the
            search alone, as the next.
        initial: configurations tried first.
        began: when the search began, in seconds of its own clock, see :class:`History`.
        solved: trials that solved T.
        best_value: of the search metric in the trials that ended, see ``stale``.
        stale: trials in a row that ended without raising ``best_value`` by ``MIN_GAIN``.
        limit: what ended the search (``solved_trials``, ``trials``, ``patience`` or
            ``budget_minutes``); empty before.
        limit_value: the value of that limit then.
        final: the final training.
        confirmations: in the order in which they started.
    """

    trials: list[TrialRecord] = field(default_factory=list)
    live: dict[str, TrialRecord] = field(default_factory=dict)
    arrivals: list[tuple[TrialRecord, Row]] = field(default_factory=list)
    initial: list[dict[str, Scalar]] = field(default_factory=list)
    began: float | None = None
    solved: int = 0
    best_value: float = -1.0
    stale: int = 0
    limit: str = ""
    limit_value: float | None = None
    final: TrialRecord | None = None
    confirmations: list[TrialRecord] = field(default_factory=list)

    def unfinished(self) -> list[TrialRecord]:
        """Trials that have not ended, of a T whose search is over.

        Failed ones that run again, the final training, confirmations.
        """
        after = [self.final] if self.final else []
        unfinished = [trial for trial in (*after, *self.confirmations) if not trial.ended]
        return [*self.live.values(), *unfinished]


class History:
    """The trials, the search at each T and the best trials, as the events tell them.

    Attributes:
        trials: by trial_id, in the order in which they started; of all stages.
        lengths: by T.
        best: rows of best.csv, by T.
        stopped: trials that the scheduler stopped, in the order in which it did.
        elapsed: when the last event happened, in seconds of the study's wall time.
        beside: seconds of the study's wall time that were not the search's: final trainings and
            confirmations. Without them that time is the clock of the search.
    """

    def __init__(self, config: StudyConfig):
        self.config = config
        self.trials: dict[str, TrialRecord] = {}
        self.lengths: dict[int, LengthRecord] = {T: LengthRecord() for T in config.T}
        self.best: dict[int, Row] = {}
        self.stopped: list[TrialRecord] = []
        self.elapsed = 0.0
        self.beside = 0.0
        self._search_left: float | None = None  # when the search ended at the last T

    @property
    def search_seconds(self) -> float:
        """What the clock of the search showed when the last search at a T ended; 0.0 before."""
        return 0.0 if self._search_left is None else self._search_left - self.beside

    def apply(self, event: Event) -> None:
        """Take an event in."""
        self.elapsed = event["elapsed"]
        match event["event"]:
            case "length_began":
                if self._search_left is not None:
                    self.beside += event["elapsed"] - self._search_left
                length = self.lengths[event["T"]]
                length.initial, length.began, length.limit = (
                    event["initial"], event["elapsed"] - self.beside, ""
                )  # fmt: skip
            case "length_ended":
                self._search_left = event["elapsed"]
                length = self.lengths[event["T"]]
                length.limit, length.limit_value = event["limit"], event["value"]
                for trial in list(length.live.values()):
                    self._end(trial)
            case "trial_started":
                self._apply_start(event)
            case "result":
                self._apply_result(self.trials[event["trial_id"]], event)
            case "trial_failed":
                trial = self.trials[event["trial_id"]]
                trial.row.update(status=files.FAILED, error=event["error"])
                self._end(trial)
                self._note_gain(trial)
            case "trial_retried":
                trial, blameless = self.trials[event["trial_id"]], event.get("blameless", False)
                trial.failures += not blameless
                trial.lost_hosts += blameless
            case "trial_restarted":
                self._apply_restart(self.trials[event["trial_id"]])
            case "best":
                self.best[event["T"]] = event["row"]
            case "confirmed":
                self.trials[event["trial_id"]].scores = event["scores"]

    def _apply_start(self, event: Event) -> None:
        trial_id, training = event["trial_id"], event["training"]
        stage = event.get("stage", files.SEARCH)
        row = self._first_row(trial_id, training, stage)
        trial = TrialRecord(row, training, event.get("confirms", ""))
        self.trials[trial_id] = trial
        length = self.lengths[row["T"]]
        if stage == files.FINAL:
            length.final = trial
        elif stage == files.CONFIRM:
            length.confirmations.append(trial)
        else:
            length.trials.append(trial)
            length.live[trial_id] = trial

    def _first_row(self, trial_id: str, training: Mapping[str, Any], stage: str) -> Row:
        """The row of trials.csv of a trial that has not reported anything."""
        columns = {*TRIALS.names, *self.config.dimensions()}
        values = {name: value for name, value in training.items() if name in columns}
        return {"trial_id": trial_id, "status": files.INTERRUPTED, "stage": stage, **values}

    def _apply_restart(self, trial: TrialRecord) -> None:
        """Forget what a failed trial has reported."""
        length = self.lengths[trial.row["T"]]
        if trial.stage == files.SEARCH:
            length.solved -= trial.row.get("tokens_to_solve") is not None
            length.arrivals = [(other, row) for other, row in length.arrivals if other is not trial]
            length.live[trial.id] = trial
        trial.row = self._first_row(trial.id, trial.training, trial.stage)
        trial.curve, trial.scores = [], None
        trial.ended, trial.failures, trial.lost_hosts = False, 0, 0

    def _apply_result(self, trial: TrialRecord, event: Event) -> None:
        metrics, row = event["metrics"], trial.row
        identity = {name: row[name] for name in ("model", "task", "T", "trial_id")}
        point = {name: metrics[name] for name in PROGRESS.names if name in metrics}
        point |= identity
        trial.curve.append(point)
        trial.failures = trial.lost_hosts = 0
        if trial.stage == files.SEARCH:
            length = self.lengths[row["T"]]
            length.arrivals.append((trial, point))
            if row.get("tokens_to_solve") is None and metrics["tokens_to_solve"] is not None:
                length.solved += 1
        row["parameters"] = event["parameters"]
        row.update({name: event[name] for name in files.PLACE_COLUMNS if name in event})
        for name in ("tokens", "seconds", "tokens_to_solve", "seconds_to_solve"):
            row[name] = metrics[name]
        if metrics["validation_accuracy"] >= row.get("validation_accuracy", 0.0):
            row["validation_accuracy"] = metrics["validation_accuracy"]
            row["ladder_accuracy"] = metrics["ladder_accuracy"]
        if event["status"]:
            row["status"] = event["status"]
            if event["status"] == files.STOPPED_EARLY:
                self.stopped.append(trial)
            self._end(trial)
            self._note_gain(trial)

    def _end(self, trial: TrialRecord) -> None:
        trial.ended = True
        self.lengths[trial.row["T"]].live.pop(trial.id, None)

    def _note_gain(self, trial: TrialRecord) -> None:
        """Whether a trial of the search that has ended raised the best value at its T."""
        if trial.stage != files.SEARCH:
            return
        length = self.lengths[trial.row["T"]]
        metric = METRIC_NAMES[self.config.search.metric]
        value = -1.0 if trial.failed else max(point[metric] for point in trial.curve)
        if value > length.best_value + MIN_GAIN:
            length.best_value, length.stale = value, 0
        else:
            length.stale += 1

    def is_over(self, T: int) -> bool:
        """Whether the search at T has reached a limit that was not raised since."""
        length = self.lengths[T]
        if not length.limit:
            return False
        now = getattr(self.config.search, length.limit)
        return length.limit_value is None or (now is not None and now <= length.limit_value)

    def reached_limit(self, T: int) -> str:
        """The limit in :class:`SearchConfig` that the search at T has reached; empty if none.

        Its time, which is no event, is left to :class:`search.decide.budget.LengthProgress`.
        """
        search, length = self.config.search, self.lengths[T]
        if length.solved >= search.solved_trials:
            return "solved_trials"
        if len(length.trials) >= search.trials and not length.live:
            return "trials"
        if search.patience is not None and length.stale >= search.patience and not self._ahead(T):
            return "patience"
        return ""

    def _ahead(self, T: int) -> bool:
        """Whether a trial that runs at T is better by now than those that have ended."""
        metric = METRIC_NAMES[self.config.search.metric]
        length = self.lengths[T]
        return any(
            trial.curve and trial.curve[-1][metric] > length.best_value
            for trial in length.live.values()
        )

    def ranked(self, T: int) -> list[Row]:
        """The evaluated trials of the search at T, best first: by accuracy at T, then by tokens
        to solve."""
        return sorted((trial.row for trial in self.lengths[T].trials if is_ranked(trial)), key=rank)

    def winner(self, T: int) -> TrialRecord | None:
        """The best trial at T so far: the final training if it has solved T, else the search's.

        The final training is not ranked among the others: it is validated on other payloads,
        usually more of them, on which a figure is less often high by luck.
        """
        length = self.lengths[T]
        if length.final and length.final.ended and length.final.solved:
            return length.final
        return best_of(length.trials)

    def is_tested(self, T: int, winner: TrialRecord) -> bool:
        """Whether best.csv has this winner at T, and as the best of all the trials there are."""
        row = self.best.get(T, {})
        tested = row.get("trial_id"), row.get("trials")
        return tested == (winner.id, len(self.lengths[T].trials))

    def failed_trials(self) -> list[TrialRecord]:
        """The trials that failed, of all stages."""
        return [trial for trial in self.trials.values() if trial.failed]

    def all_failed(self, T: int) -> bool:
        """Whether each trial of the search at T failed."""
        trials = self.lengths[T].trials
        return bool(trials) and all(trial.failed for trial in trials)

    def final_is_due(self, T: int) -> bool:
        """Whether the final training at T is still to begin."""
        wanted = self.config.search.final and self.lengths[T].final is None
        return wanted and not self.lengths[T].live and self.winner(T) is not None

    def confirmation_is_due(self, T: int) -> TrialRecord | None:
        """The winner at T, if a confirmation of it is still to begin."""
        length, wanted = self.lengths[T], self.config.search.confirm_seeds
        if not wanted or length.live or self.final_is_due(T):
            return None  # another trial may still become the winner
        if length.final and not length.final.ended:
            return None
        winner = self.winner(T)
        if winner and sum(t.confirms == winner.id for t in length.confirmations) < wanted:
            return winner
        return None

    def training_is_left(self, T: int) -> bool:
        """Whether a final training or confirmation at T, whose search is over, is still to end."""
        due = self.final_is_due(T) or self.confirmation_is_due(T) is not None
        return due or bool(self.lengths[T].unfinished())

    @property
    def complete(self) -> bool:
        """Whether nothing is left to search, to train or to test."""
        return all(
            self.is_over(T)
            and not self.training_is_left(T)
            and all(trial.scores is not None for trial in length.confirmations)
            and ((winner := self.winner(T)) is None or self.is_tested(T, winner))
            for T, length in self.lengths.items()
        )

    def confirmed(self, T: int) -> list[Row]:
        """The rows of confirm.csv at T."""
        return [
            trial.row | {"confirms": trial.confirms} | trial.scores
            for trial in self.lengths[T].confirmations
            if trial.scores is not None
        ]


def best_of(trials: Iterable[TrialRecord]) -> TrialRecord | None:
    """The first of the ranking; None if there is none."""
    return min(filter(is_ranked, trials), key=lambda trial: rank(trial.row), default=None)


def is_ranked(trial: TrialRecord) -> bool:
    """Whether a trial was evaluated and did not fail."""
    return not trial.failed and bool(trial.curve)


def rank(row: Row) -> tuple[float, ...]:
    """What trials are sorted by, the best one first."""
    solved = row["tokens_to_solve"]
    return -row["validation_accuracy"], float("inf") if solved is None else solved, row["tokens"]
