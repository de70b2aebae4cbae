"""The trials of a study as runs of MLflow."""

import os
import time
from pathlib import Path

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # before it is imported

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, Run

from search.config.conditions import SearchSpace
from search.storage.store import remove_tree
from search.study.logged import METRICS, digest_of, logged_values
from search.study.records import TrialRecord
from studies import format as files
from studies.paths import StudyPath

TRIAL, STATUS, STUDY = "trial_id", "status", "study"
"""Tags of a run: its trial, how that ended, and the digest of its study. Studies of the same
name share an experiment on a server."""

RUNNING = "RUNNING"
"""The status of a run until its trial has ended."""

STATUSES = {files.FAILED: "FAILED", files.INTERRUPTED: "KILLED"}
"""How a trial ended -> the status of its run, where that is not FINISHED."""

UNFINISHED = "mlflow-unfinished"
"""The folder in which the database is made."""

POINTS = 100
"""Points that are written at a time; MLflow takes 1,000 values at most."""


class MlflowRuns:
    """One experiment for the study, one run for each trial; what is there already stays.

    Args:
        study: its directory. Its name is that of the experiment.
        space: the hyperparameters that are searched.
        uri: of the tracking server; None for a database in the study directory.
    """

    def __init__(self, study: StudyPath, space: SearchSpace, uri: str | None):
        self._space = space
        self._client = MlflowClient(tracking_uri=uri or _database(Path(str(study))))
        self._digest = digest_of(study)
        self._local = uri is None
        self._experiment = self._open(study, self._local)
        self._runs: dict[str, Run] = {}
        for run in self._all_runs():
            if run.data.params:
                self._runs[run.data.tags[TRIAL]] = run
            else:  # a process was killed when it had just begun this run
                self._client.delete_run(run.info.run_id)
        self._written: dict[str, int] = {}  # trial_id -> points

    def write(self, trial: TrialRecord) -> None:
        """Write what is new of a trial."""
        run = self._run_of(trial)
        run_id = run.info.run_id
        written = self._points(run, trial)
        for first in range(written, len(trial.curve), POINTS):
            metrics = [
                Metric(name, getattr(point, name), _milliseconds(), point.tokens)
                for point in trial.curve[first : first + POINTS]
                for name in METRICS
            ]
            self._client.log_batch(run_id, metrics=metrics)
        # An object store may have lost the latest points with the process that wrote them.
        self._written[trial.id] = max(written, len(trial.curve))
        if trial.ended and run.info.status == RUNNING:
            self._client.set_tag(run_id, STATUS, trial.status)
            self._client.set_terminated(run_id, STATUSES.get(trial.status, "FINISHED"))
            self._runs[trial.id] = self._client.get_run(run_id)

    def _open(self, study: StudyPath, local: bool) -> str:
        found = self._client.get_experiment_by_name(study.name)
        if found:
            return str(found.experiment_id)
        artifacts = Path(str(study), "mlflow-artifacts").absolute().as_uri() if local else None
        return str(self._client.create_experiment(study.name, artifact_location=artifacts))

    def _all_runs(self) -> list[Run]:
        """The runs of this study. An earlier version wrote them without the tag."""
        runs: list[Run] = []
        token = None
        while True:
            page = self._client.search_runs([self._experiment], max_results=1000, page_token=token)
            runs += page
            token = page.token
            if not token:
                break
        untagged = self._digest if self._local else ""
        return [
            run for run in runs
            if TRIAL in run.data.tags and run.data.tags.get(STUDY, untagged) == self._digest
        ]  # fmt: skip

    def _run_of(self, trial: TrialRecord) -> Run:
        run = self._runs.get(trial.id)
        if run and STATUS in run.data.tags and self._began_again(run, trial):
            self._client.delete_run(run.info.run_id)
            self._written.pop(trial.id, None)
            run = None
        if not run:
            run = self._runs[trial.id] = self._begin(trial)
        return run

    def _began_again(self, run: Run, trial: TrialRecord) -> bool:
        """Whether a trial that had ended was started again since."""
        other_ending = not trial.ended or run.data.tags[STATUS] != trial.status
        return other_ending or self._points(run, trial) > len(trial.curve)

    def _points(self, run: Run, trial: TrialRecord) -> int:
        """The number of points that the run has; those of one batch are written together."""
        if trial.id not in self._written:
            history = self._client.get_metric_history(run.info.run_id, METRICS[0])
            self._written[trial.id] = len(history)
        return self._written[trial.id]

    def _begin(self, trial: TrialRecord) -> Run:
        tags = {TRIAL: trial.id, STUDY: self._digest, "stage": trial.stage}
        run = self._client.create_run(self._experiment, run_name=trial.id, tags=tags)
        values = logged_values(trial, self._space)
        self._client.log_batch(
            run.info.run_id, params=[Param(name, str(value)) for name, value in values.items()]
        )
        self._written[trial.id] = 0
        return run


def _database(study: Path) -> str:
    """The address of the database in a study directory.

    MLflow makes one in many steps, which take seconds, and cannot use one that lacks some, as a
    killed process leaves it. So it has its name only when it is whole.
    """
    file = study / files.MLFLOW_FILE
    if not file.exists():
        unfinished = study / UNFINISHED
        remove_tree(unfinished)
        unfinished.mkdir()
        MlflowClient(tracking_uri=f"sqlite:///{unfinished / file.name}").search_experiments()
        (unfinished / file.name).rename(file)
        remove_tree(unfinished)
    return f"sqlite:///{file}"


def _milliseconds() -> int:
    return int(1000 * time.time())
