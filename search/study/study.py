"""A study directory: created, resumed and kept readable at every moment.

What happens in a search is a list of events (:mod:`studies.events`). Everything else that is known
of it, in memory and in the CSV files, follows from them. So a search that dies at any moment
resumes as if nothing had happened: it reads the events up to there.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copytask import find_task
from copytask.error_lines import reason_line
from copytask.training.seeds import STREAMS
from search.config.dimensions import Scalar
from search.config.study_config import StudyConfig
from search.errors import LockLostError, UserError
from search.storage.lock import Lock, lock_study
from search.storage.mirrored_files import MirroredFiles
from search.study.clock import Clock
from search.study.creation import new_place
from search.study.event_log import EventLog, open_log, study_segments
from search.study.history import History
from search.study.provenance import provenance
from search.study.reading import read_history
from search.study.records import TrialRecord
from search.study.study_checkpoints import StudyCheckpoints
from search.study.study_file import read_config, read_study_file, write_study_file
from search.study.tables import write_tables
from studies import events
from studies import format as files
from studies.events import BestTrial, Event, Point, Scores
from studies.paths import StudyPath

if TYPE_CHECKING:
    from search.study.tensorboard import EventFiles


class Study:
    """A study directory, see :mod:`studies.format`, in which this process searches.

    :meth:`create` and :meth:`open` lock it against other processes; :meth:`close` releases it.

    Each method that records what happened writes the event before it counts. It raises OSError if
    the event cannot be written, LockLostError if another search has taken over the study.

    Attributes:
        path: the directory.
        history: what is known of the search.
        checkpoints: those of its trials.
        clock: the time that it has used.
    """

    def __init__(self, path: StudyPath, history: History, log: EventLog, lock: Lock):
        self.path = path
        self.history = history
        self.checkpoints = StudyCheckpoints(path, history, lock)
        self.clock = Clock(history.elapsed)
        self._log = log
        self._lock = lock
        self._appended = MirroredFiles(path)
        self._event_files: EventFiles | None = None

    @classmethod
    def create(cls, path: StudyPath, config: StudyConfig) -> "Study":
        """Create the directory of a new study. It appears in one step, with all its files.

        If several processes create the same study, one of them does.

        Raises:
            UserError: it exists, another process creates it, or it cannot be written.
        """
        history = History(config, find_task(config.task).chance_accuracy)
        try:
            with new_place(path) as (place, lock):
                open_log(place).close()
                write_tables(place, history)
                write_study_file(place, config, provenance(config.search.seed))
            return cls(path, history, open_log(path), lock)
        except OSError as error:
            raise UserError(f"cannot write the study {path}: {reason_line(error)}") from None

    @classmethod
    def open(cls, path: StudyPath, model: str | None = None, task: str | None = None) -> "Study":
        """Resume an earlier study.

        Args:
            model, task: see :func:`search.study.study_file.read_config`.

        Raises:
            UserError: there is none, another process searches in it, or its files cannot be read.
        """
        config = read_config(path, model, task)
        try:
            if not study_segments(path):
                raise UserError(
                    f"{path} has no {files.EVENTS_FILE}: an earlier version made it, and it can "
                    "be compared but not resumed; choose another --name"
                )
            lock = lock_study(path, path)
            try:
                log = open_log(path)
                history = read_history(path, config, find_task(config.task).chance_accuracy)
                for key, named in (("model", config.model), ("task", config.task)):
                    found = {str(trial.training.get(key)) for trial in history.trials.values()}
                    if foreign := found - {named}:  # a log must not choose which code runs
                        raise ValueError(f"its trials are of {min(foreign)}, not {named}")
            except BaseException:
                lock.release()
                raise
        except (OSError, ValueError) as error:
            raise UserError(f"cannot resume {path}: {error}") from None
        return cls(path, history, log, lock)

    def close(self) -> None:
        """Release the study for other processes."""
        ours = False
        with suppress(LockLostError, OSError):
            self._lock.check()
            ours = True
        self._appended.close(put=ours)
        if self._event_files:
            with suppress(OSError):  # what they lack, the next run writes again
                self._event_files.close()
        self._log.close()
        self._lock.release()

    @property
    def config(self) -> StudyConfig:
        """The configuration of the search."""
        return self.history.config

    def change_config(self, config: StudyConfig) -> None:
        """Continue with other limits or resources, and put them into study.yaml.

        Raises:
            OSError: it cannot be written.
        """
        if config != self.config:
            self.history.config = config
            made = files.recorded_provenance(read_study_file(self.path))
            write_study_file(self.path, config, made)

    def elapsed(self) -> float:
        """Seconds that the study has used, see :class:`search.study.clock.Clock`."""
        return self.clock.seconds()

    def searched(self) -> float:
        """The part of its time that went into the search, which its budget limits."""
        return self.elapsed() - self.history.beside

    def begin_length(self, T: int, initial: Sequence[Mapping[str, Scalar]]) -> None:
        """The search at T begins, or continues after one of its limits was raised."""
        self._record(events.LengthBegan(elapsed=self._now(), T=T, initial=initial))

    def enqueue(self, T: int, point: Mapping[str, Scalar], request: str) -> None:
        """A user gives the configuration of the next trial at T; ``request`` is its id."""
        now, kind = self._now(), events.ConfigurationEnqueued
        self._record(kind(elapsed=now, T=T, configuration=point, request=request))

    def end_length(self, T: int, limit: str) -> None:
        """The search at T has reached a limit; its live trials are cut off."""
        value = self.config.search.limit(limit)
        self._record(events.LengthEnded(elapsed=self._now(), T=T, limit=limit, value=value))

    def start_trial(
        self,
        trial_id: str,
        training: Mapping[str, Any],
        stage: str = files.SEARCH,
        confirms: str = "",
    ) -> TrialRecord:
        """A trial starts; ``confirms`` names the trial that it repeats with a fresh seed."""
        self._record(
            events.TrialStarted(
                elapsed=self._now(),
                trial_id=trial_id,
                training=dict(training),
                stage=stage,
                streams=STREAMS,
                confirms=confirms,
            )
        )
        return self.history.trials[trial_id]

    def add_result(
        self,
        trial_id: str,
        metrics: Point,
        parameters: int,
        status: str = "",
        *,
        state_floats: int | None = None,
        host: str = "",
        gpus: float | None = None,
    ) -> None:
        """A trial reports an iteration, and ends with it if there is a status."""
        self._record(
            events.Result(
                elapsed=self._now(),
                trial_id=trial_id,
                metrics=metrics,
                parameters=parameters,
                state_floats=state_floats,
                host=host,
                gpus=gpus,
                status=status,
            ),
            # A trial that continues has it in its checkpoint, and would report it again.
            can_wait=not status,
        )

    def fail_trial(self, trial_id: str, error: str) -> None:
        """A trial fails for good."""
        self._record(events.TrialFailed(elapsed=self._now(), trial_id=trial_id, error=error))

    def retry_trial(self, trial_id: str, error: str, blameless: bool = False) -> None:
        """A trial lost its worker and will resume from its last checkpoint.

        Args:
            blameless: its host went away, which does not count for ``search.max_failures``.
        """
        self._record(
            events.TrialRetried(
                elapsed=self._now(), trial_id=trial_id, error=error, blameless=blameless
            )
        )

    def restart_trial(self, trial: TrialRecord) -> None:
        """A failed trial starts again from its beginning, since the user asks for it."""
        self.checkpoints.remove(trial)
        self._record(
            events.TrialRestarted(
                elapsed=self._now(), trial_id=trial.id, stage=trial.stage, streams=STREAMS
            )
        )

    def cut_off(self, trial: TrialRecord) -> None:
        """A trial is cut off: its candidate is out in a race, or the user stops it."""
        self._record(events.TrialCutOff(elapsed=self._now(), trial_id=trial.id))

    def begin_racing(self) -> None:
        """The candidates at each T race, or race on."""
        self._record(events.RacingBegan(elapsed=self._now(), seeds=self.config.search.race_seeds))

    def end_racing(self, limit: str) -> None:
        """Racing is over at all T: it is decided, or has reached a limit."""
        value = getattr(self.config.search, limit) if limit else None
        self._record(events.RacingEnded(elapsed=self._now(), limit=limit, value=value))

    def set_best(self, T: int, best: BestTrial) -> None:
        """The best trial at T has been tested."""
        self._record(events.Best(elapsed=self._now(), T=T, row=best))

    def confirm(self, trial_id: str, scores: Scores | None) -> None:
        """A confirmation has been tested; without scores if it failed before it had a model."""
        self._record(events.Confirmed(elapsed=self._now(), trial_id=trial_id, scores=scores))

    def _now(self) -> float:
        return round(self.elapsed(), 3)

    def _record(self, event: Event, can_wait: bool = False) -> None:
        self._lock.check()
        self._log.append(event, can_wait)
        self.history.apply(event)

    def appended_file(self, name: str) -> Path:
        """A file of the study to which other software appends, on this machine.

        On an object store it is a copy, which :meth:`write` and :meth:`close` put there.

        Raises:
            OSError: it cannot be had.
        """
        return self._appended.file(name)

    def write(self) -> None:
        """Rewrite the CSV files, and whatever else has changed.

        Raises:
            OSError: one cannot be written.
            LockLostError: another search writes to the study.
        """
        self._lock.check()
        write_tables(self.path, self.history)
        self._log.flush()
        self._appended.put()
        if self.config.search.writes_event_files and self.history.trials:
            self._write_event_files()

    def _write_event_files(self) -> None:
        assert isinstance(self.path, Path)  # see requested_study
        if not self._event_files:
            # It takes long to import, and few ask for it.
            from search.study.tensorboard import replace_event_files

            folder = self.path / files.TENSORBOARD_FOLDER
            self._event_files = replace_event_files(folder, self.history.space)
        self._event_files.write(self.history.trials.values())
