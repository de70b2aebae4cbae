"""The trials of a study as runs of Weights & Biases, written offline."""

import os
import shutil
from pathlib import Path

import wandb
from wandb.env import SERVICE

from search.config.conditions import SearchSpace
from search.study.logged import METRICS, digest_of, logged_values
from search.study.records import TrialRecord

PROJECT = "copytask-search"
"""The project, if the environment variable WANDB_PROJECT names no other one."""

ENDED = "ended"
"""A file in the folder of a run that is complete: how its trial ended, and its points."""


class WandbRuns:
    """Writes each trial when it has ended, as a run that ``wandb sync`` uploads.

    A run that was written offline cannot be continued, so it is written as a whole. W&B has a
    process of its own that writes, a service. One that another process shares with this one is not
    used: it still holds the runs of a search that was killed, and refuses their names.

    Args:
        study: its directory; the runs are in its folder ``wandb``.
        space: the hyperparameters that are searched.
    """

    def __init__(self, study: Path, space: SearchSpace):
        self._study = study
        self._space = space
        self._digest = digest_of(study)
        os.environ.pop(SERVICE, None)

    def write(self, trial: TrialRecord) -> None:
        """Write a trial that has ended, if that was not done before."""
        if not trial.ended:
            return
        run_id = f"{self._study.name}-{trial.id}-{self._digest}"
        ending = f"{trial.status} {len(trial.curve)}\n"
        for folder in self._study.glob(f"wandb/offline-run-*-{run_id}"):
            mark = folder / ENDED
            if mark.exists() and mark.read_text() == ending:
                return
            shutil.rmtree(folder)  # a process was killed, or the trial was started again since
        folder = self._write(trial, run_id)
        (folder / ENDED).write_text(ending)

    def _write(self, trial: TrialRecord, run_id: str) -> Path:
        run = wandb.init(
            project=os.environ.get("WANDB_PROJECT", PROJECT),
            dir=self._study,
            id=run_id,
            name=trial.id,
            group=self._study.name,
            job_type=trial.stage,
            config=logged_values(trial, self._space),
            mode="offline",
            reinit="create_new",
            settings=wandb.Settings(
                console="off", silent=True, disable_git=True, save_code=False,
                x_disable_stats=True, x_disable_meta=True,
            ),
        )  # fmt: skip
        for point in trial.curve:
            run.log({name: getattr(point, name) for name in METRICS}, step=point.tokens)
        run.summary["trial_id"] = trial.id
        run.summary["status"] = trial.status
        folder = Path(run.dir).parent
        run.finish(exit_code=int(trial.failed))
        return folder
