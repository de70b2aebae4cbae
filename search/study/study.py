"""A study directory: made, resumed and kept readable at every moment.

What happened in a search is a list of events (:mod:`search.study.event_log`). Everything else
that is known of it, in memory and in the CSV files, follows from them. So a search that dies at any
moment goes on as if nothing had happened: the events up to there are read again.
"""

import shlex
import time
from collections.abc import Mapping, Sequence, Set
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from copytask import MODELS
from copytask.models import absolute_cell
from copytask.training.seeds import STREAMS
from search.config.reading import override, read_yaml
from search.config.space import Scalar
from search.config.study_config import StudyConfig
from search.errors import LockLostError, SearchFailedError, UserError
from search.storage.csv_tables import Row, write_rows
from search.storage.lock import Lock, lock_study
from search.storage.mirrored_files import MirroredFiles
from search.storage.store import children, error_message, remove_tree, write_bytes
from search.study.checkpoints import best_readable, is_readable
from search.study.creation import check_free, holds_study, new_place
from search.study.event_log import EventLog, open_log, read_events, study_segments
from search.study.history import History, TrialRecord, best_of
from search.study.provenance import provenance
from studies import format as files
from studies.paths import StudyPath

if TYPE_CHECKING:
    from search.study.tensorboard import EventFiles

STUDY_HEADER = "# Written by search.run: the resolved configuration and its provenance.\n"


class Study(History):
    """A study directory, see :mod:`studies.format`, and what is known of its search.

    Made by :meth:`create` or :meth:`open`, which lock it against other processes.

    What happens is told by its methods; each writes the event before it counts, and raises
    OSError if it cannot be written, LockLostError if another search has taken over the study.
    """

    _log: EventLog
    _lock: Lock

    def __init__(self, path: StudyPath, config: StudyConfig):
        super().__init__(config)
        self.path = path
        self._appended: MirroredFiles | None = None
        self._event_files: EventFiles | None = None
        self._elapsed_before = 0.0
        self._opened = time.monotonic()

    @classmethod
    def create(cls, path: StudyPath, config: StudyConfig) -> "Study":
        """Make the directory of a new study. It appears in one step, with all its files.

        Of several processes that make the same study, one does.

        Raises:
            UserError: it exists, another process makes it, or it cannot be written.
        """
        try:
            with new_place(path) as (place, lock):
                study = cls(place, config)
                study._lock = lock
                study._log = open_log(place)
                study.write()
                study._write_document(provenance(config.search.seed))
            study.path, study._log = path, open_log(path)
        except OSError as error:
            raise UserError(f"cannot write the study {path}: {error_message(error)}") from None
        return study

    @classmethod
    def open(cls, path: StudyPath, model: str | None = None) -> "Study":
        """Go on with an earlier study.

        Args:
            model: see :func:`read_config`.

        Raises:
            UserError: there is none, another process searches in it, or its files cannot be read.
        """
        study = cls(path, read_config(path, model))
        try:
            if not study_segments(path):
                raise UserError(
                    f"{path} has no {files.EVENTS_FILE}: an earlier version made it, and it can "
                    "be compared but not resumed; choose another --name"
                )
            study._lock = lock_study(path, path)
            try:
                study._log = open_log(path)
                for event in read_events(path):
                    study.apply(event)
                    study._elapsed_before = event["elapsed"]
                models = {str(trial.training.get("model")) for trial in study.trials.values()}
                if foreign := models - {study.config.model}:
                    raise ValueError(f"its trials are of {min(foreign)}, not {study.config.model}")
            except BaseException:
                study._lock.release()
                raise
        except (OSError, ValueError) as error:
            raise UserError(f"cannot resume {path}: {error}") from None
        study._opened = time.monotonic()
        return study

    def close(self) -> None:
        """Let other processes have it."""
        ours = False
        with suppress(LockLostError, OSError):
            self._lock.check()
            ours = True
        if self._appended:
            self._appended.close(put=ours)
        if self._event_files:
            self._event_files.close()
        self._log.close()
        self._lock.release()

    def appended_file(self, name: str) -> Path:
        """A file of the study to which other software appends, on this machine.

        On an object store it is a copy, which :meth:`write` and :meth:`close` put there.

        Raises:
            OSError: it cannot be had.
        """
        if isinstance(self.path, Path):
            return self.path / name
        if not self._appended:
            self._appended = MirroredFiles(self.path)
        return self._appended.file(name)

    def elapsed(self) -> float:
        """Wall time of the study in seconds, that of its earlier runs included."""
        return self._elapsed_before + time.monotonic() - self._opened

    def searched(self) -> float:
        """The part of it that went into the search; what its budget limits."""
        return self.elapsed() - self.beside

    def begin_length(self, T: int, initial: Sequence[Mapping[str, Scalar]]) -> None:
        """The search at T begins, or goes on after a limit of it was raised."""
        self._record("length_began", T=T, initial=list(initial))

    def end_length(self, T: int, limit: str) -> None:
        """The search at T has reached a limit; its live trials are cut off."""
        self._record("length_ended", T=T, limit=limit, value=getattr(self.config.search, limit))

    def start_trial(
        self, trial_id: str, training: Mapping[str, Any], stage: str = files.SEARCH, **more: Any
    ) -> TrialRecord:
        """A trial starts; a confirmation tells with ``confirms`` which trial it repeats."""
        self._record(
            "trial_started",
            trial_id=trial_id,
            training=dict(training),
            stage=stage,
            streams=STREAMS,
            **more,
        )
        return self.trials[trial_id]

    def add_result(
        self,
        trial_id: str,
        metrics: Mapping[str, Any],
        parameters: int,
        status: str = "",
        place: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        """A trial reports an iteration, and ends with it if there is a status.

        Args:
            place: its columns ``host`` and ``gpus``.
        """
        self._record(
            "result",
            # A trial that goes on has it in its checkpoint, and would report it again.
            can_wait=not status,
            trial_id=trial_id,
            metrics=dict(metrics),
            parameters=parameters,
            **place,
            status=status,
        )

    def fail_trial(self, trial_id: str, error: str) -> None:
        """A trial fails for good."""
        self._record("trial_failed", trial_id=trial_id, error=error)

    def retry_trial(self, trial_id: str, error: str, blameless: bool = False) -> None:
        """A trial lost its worker and will go on from its last checkpoint.

        Args:
            blameless: its host went away, which does not count for ``search.max_failures``.
        """
        self._record("trial_retried", trial_id=trial_id, error=error, blameless=blameless)

    def restart_trial(self, trial: TrialRecord) -> None:
        """A failed trial starts again, from its beginning, since the user asks for it."""
        remove_tree(self.trial_folder(trial))
        self._record("trial_restarted", trial_id=trial.id, stage=trial.stage, streams=STREAMS)

    def set_best(self, T: int, row: Row) -> None:
        """The best trial at T has been tested."""
        self._record("best", T=T, row=row)

    def confirm(self, trial_id: str, scores: Row) -> None:
        """A confirmation has been tested; without scores if it failed before it had a model."""
        self._record("confirmed", trial_id=trial_id, scores=scores)

    def _record(self, kind: str, can_wait: bool = False, **fields: Any) -> None:
        self._lock.check()
        event = {"event": kind, "elapsed": round(self.elapsed(), 3), **fields}
        self._log.append(event, can_wait)
        self.apply(event)

    def trial_folder(self, trial: TrialRecord) -> StudyPath:
        """Where a trial's worker keeps its checkpoints."""
        return self._length_folder(trial.row["T"]) / trial.id

    def best_checkpoint(self, trial: TrialRecord) -> StudyPath:
        """The checkpoint of a trial's best evaluation of those that are whole.

        Raises:
            SearchFailedError: none is.
        """
        best = self.best.get(trial.row["T"], {})
        if best.get("trial_id") == trial.id:  # its folder may be gone by now
            kept: StudyPath = self.path / str(best["checkpoint"])
            if is_readable(kept):
                return kept
        folder = self.trial_folder(trial)
        accuracies = {point["iteration"]: point["validation_accuracy"] for point in trial.curve}
        found = best_readable(folder, accuracies)
        if found is None:
            raise SearchFailedError(
                f"{trial.id} cannot be tested: no whole checkpoint of it is left in {folder}"
            )
        return found

    def remove_checkpoints(self, T: int, testing: Set[str] = frozenset()) -> None:
        """Remove the checkpoints at T that nothing needs any more.

        Trials that have not ended keep theirs. While T is searched, so does the best of those
        that have: it may be the best again once a live one that is ahead fails, or trains on
        without a gain. After that the winner does, and each confirmation, until it was tested;
        the winner's is then in the folder of the study's results.

        Args:
            testing: trials that are being tested.
        """
        self._lock.check()
        folder, length = self._length_folder(T), self.lengths[T]
        kept = {*testing, *length.live, *(trial.id for trial in length.unfinished())}
        kept |= {trial.id for trial in length.confirmations if trial.scores is None}
        ended = (trial for trial in length.trials if trial.ended)
        best = self.winner(T) if self.is_over(T) else best_of(ended)
        if best and self.best.get(T, {}).get("trial_id") != best.id:
            kept.add(best.id)
        for path in children(folder):
            if path.name not in kept:
                remove_tree(path)
        if not kept:
            remove_tree(folder)

    def _length_folder(self, T: int) -> StudyPath:
        return self.path.absolute() / files.RAY_FOLDER / f"T={T}"

    def write(self) -> None:
        """Rewrite the CSV files, and whatever else has changed.

        Raises:
            OSError: one cannot be written.
            LockLostError: another search writes to the study.
        """
        self._lock.check()
        extra = [name for name in self.config.dimensions() if name not in files.TRIALS_COLUMNS]
        trials = self.trials.values()
        curves = (point for trial in trials for point in trial.curve)
        write_rows(
            self.path / files.TRIALS_FILE,
            (*files.TRIALS_COLUMNS, *extra),
            (trial.row for trial in trials),
        )
        write_rows(self.path / files.PROGRESS_FILE, files.PROGRESS_COLUMNS, curves)
        best = [self.best[T] for T in sorted(self.best)]
        write_rows(self.path / files.BEST_FILE, (*files.BEST_COLUMNS, *extra), best)
        if confirmed := [row for T in self.config.T for row in self.confirmed(T)]:
            columns = (*files.CONFIRM_COLUMNS, *extra)
            rows = ({name: row.get(name) for name in columns} for row in confirmed)
            write_rows(self.path / files.CONFIRM_FILE, columns, rows)
        self._log.flush()
        if self._appended:
            self._appended.put()
        if self.config.search.tensorboard and trials:
            self._write_event_files()

    def _write_event_files(self) -> None:
        assert isinstance(self.path, Path)  # see run.resolve
        if not self._event_files:
            from search.study.tensorboard import (
                EventFiles,  # takes long to import, and is rarely asked
            )

            folder = self.path / files.TENSORBOARD_FOLDER
            self._event_files = EventFiles(folder, self.config.dimensions())
        self._event_files.write(self.trials.values())

    def change_config(self, config: StudyConfig) -> None:
        """Go on with other limits or resources; study.yaml tells.

        Raises:
            OSError: it cannot be written.
        """
        if config != self.config:
            self.config = config
            self._write_document(read_document(self.path)["provenance"])

    def _write_document(self, origin: Mapping[str, Any]) -> None:
        document = {
            "schema_version": files.SCHEMA_VERSION,
            "config": self.config.model_dump(mode="json"),
            "provenance": dict(origin),
        }
        text = STUDY_HEADER + yaml.safe_dump(document, sort_keys=False)
        write_bytes(self.path / files.STUDY_FILE, text.encode())


def read_config(path: StudyPath, model: str | None = None) -> StudyConfig:
    """The configuration of the study at ``path``.

    Args:
        model: what the user says that the study searches. The module of a cell of one's own is
            imported only if it is named here: a study alone does not choose which code runs.

    Raises:
        UserError: there is no study, it cannot be read, or it searches a cell that is not named.
    """
    if not holds_study(path):
        check_free(path)
        raise UserError(f"no study to resume at {path}; start it without --resume")
    values = read_document(path).get("config") or {}
    name = values.get("model")
    trusted = (*MODELS, model and absolute_cell(model))
    if isinstance(name, str) and ":" in name and name not in trusted:
        raise UserError(
            f"{path / files.STUDY_FILE} names the cell {name!r}, whose code would be run: if you "
            f"trust it, add --model {shlex.quote(name)}"
        )
    return override(files.recorded_values(values), [], {}, str(path / files.STUDY_FILE))


def read_document(path: StudyPath) -> dict[str, Any]:
    """What study.yaml holds: schema_version, config, provenance.

    Raises:
        UserError: it cannot be read, or another version wrote it.
    """
    file = path / files.STUDY_FILE
    document = read_yaml(file)
    if document.get("schema_version") != files.SCHEMA_VERSION:
        raise UserError(
            f"{file} has schema version {document.get('schema_version')}; "
            f"this program reads {files.SCHEMA_VERSION}"
        )
    return document
