"""Optuna's journal in a study directory: a copy of the search for optuna and optuna-dashboard.

The search never depends on it, and only appends to it. So what it writes are the lines that
Optuna's JournalStorage writes; that itself would keep every trial in memory, and take long to read
a long journal.
"""

import json
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.trial import FrozenTrial, TrialState
from pydantic_core import from_json

from search.storage.whole_lines import end_of_whole_lines

CREATE_STUDY, DELETE_STUDY, CREATE_TRIAL, SET_STATE, SET_VALUE = 0, 1, 4, 6, 7
"""Operations in a line: see optuna.storages.journal._storage.JournalOperation."""

MAXIMIZE = 2
WORKER = "search"
"""Who writes a line; Optuna raises errors for lines of its own only."""

LINES = 1000
"""Lines that are written at a time, if there are many."""

VALUE = f'{{"worker_id": "{WORKER}", "op_code": {SET_VALUE}, "trial_id": '.encode()
"""How a line of ours begins that adds a value to a trial."""

Line = dict[str, Any]


class TrialProgress(NamedTuple):
    """How far a trial is: its state, and the number of its intermediate values."""

    state: TrialState
    values: int


@dataclass
class Written:
    """What a journal has of the Optuna study of one T; the lists are by the number of the trial.

    Attributes:
        id: of the study in the file.
        trials: the id of each trial in the file.
        states, values: see :class:`TrialProgress`.
        distributions: names of hyperparameters with their distributions, in JSON.
    """

    id: int
    trials: "array[int]" = field(default_factory=lambda: array("l"))
    states: bytearray = field(default_factory=bytearray)
    values: "array[int]" = field(default_factory=lambda: array("l"))
    distributions: set[tuple[str, str]] = field(default_factory=set)

    def progress(self, number: int) -> TrialProgress:
        """How far a trial is."""
        return TrialProgress(TrialState(self.states[number]), self.values[number])

    def can_become(
        self, expected: Sequence[TrialProgress], distributions: Mapping[str, BaseDistribution]
    ) -> bool:
        """Whether Optuna can continue these trials to the expected ones.

        Optuna never reopens a trial that has ended, so a failed trial that runs again must be
        rewritten. So must trials of an earlier version, which sampled whole numbers from an
        IntDistribution.
        """
        known = {(name, distribution_to_json(of)) for name, of in distributions.items()}
        return (
            self.distributions <= known
            and len(self.trials) <= len(expected)
            and all(
                state in (TrialState.RUNNING, expected[number].state)
                for number, state in enumerate(self.states)
            )
        )


class OptunaJournal:
    """Appends to the journal at ``path``, which is made if need be; it has a study for each T.

    Only the process that holds the study's lock writes to the file. So half a line at its end is
    what a killed process left behind, and is removed. A file with a damaged line is set aside: a
    new one is made from what the search knows.

    Every method raises OSError if the file cannot be written.
    """

    def __init__(self, path: Path):
        self._path = path
        # An earlier version that was killed has left Optuna's own lock.
        path.with_name(path.name + ".lock").unlink(missing_ok=True)
        with path.open("ab+") as file:
            file.truncate(end_of_whole_lines(file))
        try:
            self._read()
        except (ValueError, KeyError, TypeError, IndexError):
            path.replace(path.with_name(path.name + ".damaged"))
            path.touch()
            self._read()
        self._ids: dict[int, int] = {}  # of the study at each T
        self._live: dict[int, dict[int, tuple[int, int]]] = {}  # T -> number -> id, values

    def _read(self) -> None:
        self._written: dict[str, Written] = {}  # by the name of the study
        self._studies = self._trials = 0  # that were ever created
        names: dict[int, str] = {}
        studies: list[Written] = []  # of each trial
        numbers = array("l")
        with self._path.open("rb") as file:
            for content in file:
                if content.startswith(VALUE):  # most are, and take the shortest way
                    trial = int(content[len(VALUE) : content.index(b",", len(VALUE))])
                    studies[trial].values[numbers[trial]] += 1
                    continue
                line = from_json(content)
                operation = line["op_code"]
                if operation == SET_VALUE:
                    trial = line["trial_id"]
                    studies[trial].values[numbers[trial]] += 1
                elif operation == SET_STATE:
                    trial = line["trial_id"]
                    studies[trial].states[numbers[trial]] = line["state"]
                elif operation == CREATE_TRIAL:
                    study = self._written[names[line["study_id"]]]
                    studies.append(study)
                    numbers.append(len(study.trials))
                    self._add(study, line)
                elif operation == CREATE_STUDY:
                    names[self._studies] = line["study_name"]
                    self._add_study(line["study_name"])
                elif operation == DELETE_STUDY:
                    del self._written[names.pop(line["study_id"])]

    def _add_study(self, name: str) -> None:
        self._written[name] = Written(self._studies)
        self._studies += 1

    def _add(self, study: Written, line: Line) -> None:
        study.trials.append(self._trials)
        study.states.append(line["state"])
        study.values.append(len(line["intermediate_values"]))
        study.distributions.update(line["distributions"].items())
        self._trials += 1

    def catch_up(
        self,
        T: int,
        expected: Sequence[TrialProgress],
        distributions: Mapping[str, BaseDistribution],
        trial_of: Callable[[int], FrozenTrial],
    ) -> None:
        """Add what the file lacks of the trials at T.

        Args:
            expected: how far they are; they are all that there are.
            distributions: of all hyperparameters.
            trial_of: makes the trial of a number.
        """
        name = f"T={T}"
        if name in self._written and not self._written[name].can_become(expected, distributions):
            self._append([{"op_code": DELETE_STUDY, "study_id": self._written.pop(name).id}])
        if name not in self._written:
            create = {"op_code": CREATE_STUDY, "study_name": name, "directions": [MAXIMIZE]}
            self._append([create])
            self._add_study(name)
        study = self._written.pop(name)  # from here on the live trials are enough
        self._ids[T] = study.id
        self._live[T] = {
            number: (trial, study.values[number])
            for number, trial in enumerate(study.trials)
            if study.states[number] == TrialState.RUNNING
        }
        behind = [n for n in self._live[T] if study.progress(n) != expected[n]]
        self._append(line for n in behind for line in self._changes(T, n, trial_of(n)))
        begun = range(len(study.trials), len(expected))
        self._append(self._start(T, number, trial_of(number)) for number in begun)

    def start(self, T: int, number: int, trial: FrozenTrial) -> None:
        """The next trial at T, of this number, has started."""
        self._append([self._start(T, number, trial)])

    def update(self, T: int, number: int, trial: FrozenTrial) -> None:
        """Add what the file lacks of the trial of this number at T, which is this by now."""
        self._append(self._changes(T, number, trial))

    def _start(self, T: int, number: int, trial: FrozenTrial) -> Line:
        if not trial.state.is_finished():
            self._live[T][number] = (self._trials, len(trial.intermediate_values))
        self._trials += 1
        of = trial.distributions
        return {
            "op_code": CREATE_TRIAL,
            "study_id": self._ids[T],
            "datetime_start": now(),
            **({"datetime_complete": now()} if trial.state.is_finished() else {}),
            "state": trial.state,
            "value": trial.value,
            "values": None,
            "distributions": {name: as_json(of[name]) for name in trial.params},
            "params": {name: of[name].to_internal_repr(v) for name, v in trial.params.items()},
            "user_attrs": trial.user_attrs,
            "system_attrs": {},
            "intermediate_values": trial.intermediate_values,
        }

    def _changes(self, T: int, number: int, trial: FrozenTrial) -> Iterator[Line]:
        if number not in self._live[T]:
            return  # it has ended there too
        id_, values = self._live[T][number]
        for step, value in islice(trial.intermediate_values.items(), values, None):
            line: Line = {"op_code": SET_VALUE, "trial_id": id_}
            yield line | {"step": step, "intermediate_value": value}
        self._live[T][number] = (id_, len(trial.intermediate_values))
        if trial.state.is_finished():
            line = {"op_code": SET_STATE, "trial_id": id_, "datetime_complete": now()}
            yield line | {"state": trial.state, "values": trial.values}
            del self._live[T][number]

    def _append(self, lines: Iterable[Line]) -> None:
        left = iter(lines)
        while some := list(islice(left, LINES)):
            whole = [json.dumps({"worker_id": WORKER, **line}) + "\n" for line in some]
            with self._path.open("ab") as file:
                file.write("".join(whole).encode())


def now() -> str:
    """The time as Optuna writes it."""
    return datetime.now(timezone.utc).isoformat(timespec="microseconds")


as_json = cache(distribution_to_json)
"""A distribution as Optuna writes it."""
