"""What is known of a search: the sum of its events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import study_format as files
from search.config import StudyConfig
from search.event_log import Event
from search.space import Scalar
from search.study_files import Row


@dataclass
class TrialRecord:
    """What is known of one trial.

    Attributes:
        row: its row of trials.csv.
        training: its TrainingConfig as plain values.
        curve: its rows of progress.csv, one an iteration.
        ended: whether it will not go on.
        failures: how often it failed since its last new iteration.
    """

    row: Row
    training: Mapping[str, Any]
    curve: list[Row] = field(default_factory=list)
    ended: bool = False
    failures: int = 0

    @property
    def id(self) -> str:
        """Its name, unique in the study."""
        return str(self.row["trial_id"])


@dataclass
class LengthRecord:
    """What is known of the search at one T.

    Attributes:
        trials: in the order in which they started.
        live: those of them that have not ended, by trial_id.
        arrivals: trial and row of progress.csv, in the order in which they were reported.
        initial: configurations tried first.
        began: when it began, in seconds of the study's wall time.
        solved: trials that solved T.
        limit: what ended it (``solved_trials``, ``trials`` or ``budget_minutes``); empty before.
        limit_value: the value of that limit then.
    """

    trials: list[TrialRecord] = field(default_factory=list)
    live: dict[str, TrialRecord] = field(default_factory=dict)
    arrivals: list[tuple[TrialRecord, Row]] = field(default_factory=list)
    initial: list[dict[str, Scalar]] = field(default_factory=list)
    began: float | None = None
    solved: int = 0
    limit: str = ""
    limit_value: float | None = None


class History:
    """The trials, the search at each T and the best trials, as the events tell them.

    Attributes:
        trials: by trial_id, in the order in which they started.
        lengths: by T.
        best: rows of best.csv, by T.
    """

    def __init__(self, config: StudyConfig):
        self.config = config
        self.trials: dict[str, TrialRecord] = {}
        self.lengths: dict[int, LengthRecord] = {T: LengthRecord() for T in config.T}
        self.best: dict[int, Row] = {}

    def apply(self, event: Event) -> None:
        """Take an event in."""
        match event["event"]:
            case "length_began":
                length = self.lengths[event["T"]]
                length.initial, length.began, length.limit = (
                    event["initial"], event["elapsed"], ""
                )  # fmt: skip
            case "length_ended":
                length = self.lengths[event["T"]]
                length.limit, length.limit_value = event["limit"], event["value"]
                for trial in list(length.live.values()):
                    self._end(trial)
            case "trial_started":
                self._apply_start(event["trial_id"], event["training"])
            case "result":
                self._apply_result(self.trials[event["trial_id"]], event)
            case "trial_failed":
                trial = self.trials[event["trial_id"]]
                self._end(trial)
                trial.row.update(status=files.FAILED, error=event["error"])
            case "trial_retried":
                self.trials[event["trial_id"]].failures += 1
            case "best":
                self.best[event["T"]] = event["row"]

    def _apply_start(self, trial_id: str, training: Mapping[str, Any]) -> None:
        columns = {*files.TRIALS_COLUMNS, *self.config.dimensions()}
        values = {name: value for name, value in training.items() if name in columns}
        row = {"trial_id": trial_id, "status": files.INTERRUPTED, **values}
        self.trials[trial_id] = trial = TrialRecord(row, training)
        length = self.lengths[row["T"]]
        length.trials.append(trial)
        length.live[trial_id] = trial

    def _apply_result(self, trial: TrialRecord, event: Event) -> None:
        metrics, row = event["metrics"], trial.row
        identity = {name: row[name] for name in ("model", "task", "T", "trial_id")}
        point = {name: metrics[name] for name in files.PROGRESS_COLUMNS if name in metrics}
        point |= identity
        trial.curve.append(point)
        trial.failures = 0
        length = self.lengths[row["T"]]
        length.arrivals.append((trial, point))
        if row.get("tokens_to_solve") is None and metrics["tokens_to_solve"] is not None:
            length.solved += 1
        row["parameters"] = event["parameters"]
        for name in ("tokens", "seconds", "tokens_to_solve", "seconds_to_solve"):
            row[name] = metrics[name]
        if metrics["validation_accuracy"] >= row.get("validation_accuracy", 0.0):
            row["validation_accuracy"] = metrics["validation_accuracy"]
            row["ladder_accuracy"] = metrics["ladder_accuracy"]
        if event["status"]:
            row["status"] = event["status"]
            self._end(trial)

    def _end(self, trial: TrialRecord) -> None:
        trial.ended = True
        del self.lengths[trial.row["T"]].live[trial.id]

    def is_over(self, T: int) -> bool:
        """Whether the search at T has reached a limit that was not raised since."""
        length = self.lengths[T]
        if not length.limit:
            return False
        now = getattr(self.config.search, length.limit)
        return length.limit_value is None or (now is not None and now <= length.limit_value)

    def reached_limit(self, T: int) -> str:
        """What ends the search at T now: the name of a limit in :class:`SearchConfig`."""
        search, length = self.config.search, self.lengths[T]
        if length.solved >= search.solved_trials:
            return "solved_trials"
        if len(length.trials) >= search.trials and not length.live:
            return "trials"
        return "budget_minutes"

    def ranked(self, T: int) -> list[Row]:
        """The evaluated trials at T, best first: by accuracy at T, then by tokens to solve."""
        return sorted((trial.row for trial in self.lengths[T].trials if is_ranked(trial)), key=rank)


def is_ranked(trial: TrialRecord) -> bool:
    """Whether a trial was evaluated and did not fail."""
    return trial.row["status"] != files.FAILED and bool(trial.curve)


def rank(row: Row) -> tuple[float, ...]:
    """What trials are sorted by, the best one first."""
    solved = row["tokens_to_solve"]
    return -row["validation_accuracy"], float("inf") if solved is None else solved, row["tokens"]
