"""The only place where Ray meets copytask: one trial as a Ray Tune trainable."""

import dataclasses
import errno
import math
import platform
import time
from collections import deque
from functools import partial
from typing import Any

import ray
import torch
from ray import tune
from upath import UPath

from copytask import DivergedError, Metrics, Trainer, TrainingConfig, configure_process
from copytask.error_lines import reason_line
from search.errors import UnsharedStorageError
from search.storage.store import check_writable, with_retries
from search.study.checkpoints import load_latest, save_checkpoint
from studies.format import COMPLETED, FAILED
from studies.paths import StudyPath

STATUS = "status"
"""In a result: empty while the trial continues, COMPLETED or FAILED in its last one."""

METRICS = "metrics"
"""In a result: a list with the :class:`copytask.Metrics` of its iterations. As one object, for Tune
keeps a history of every number of a result."""

ERROR = "error"

SIZE = "size"
"""In a result: parameters and state_floats of the model, by columns of trials.csv."""

PLACE = "place"
"""In a result: where it was trained, by columns of trials.csv."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a storage that is full, or over its quota."""


class CopyTrainable(tune.Trainable):
    """Runs a :class:`copytask.Trainer`.

    ``config`` has ``training`` (a TrainingConfig as plain values), ``study`` (study.yaml) and
    ``checkpoints`` (the trial's folder), each as an absolute path or an address, ``reported``
    (iterations that the search knows already), ``metrics`` (names of metrics that Tune's scheduler
    is to see), ``rungs`` (see :func:`search.decide.schedulers.rung_iterations`), ``group_seconds``,
    ``threads`` and ``gpus`` (the share of one that it holds).

    A result has the iterations since the one before it: one, or with many slots as many as begin
    within ``group_seconds``, up to the next rung.

    A result is reported only after its checkpoints are written, so the search never knows more
    than they do. They may know more than the search, when either was killed in between: those
    iterations are reported again before training continues.

    A trial that diverges ends with a result that says so, not with an exception: the next
    trial can then use the same worker process, which saves seconds a trial.
    """

    _usable: frozenset[str] = frozenset()  # studies that this worker has seen to be usable here

    def setup(self, config: dict[str, Any]) -> None:
        self._spec = config
        self._trainer: Trainer | None = None  # made in the first step, where errors have a trial
        self._unreported: deque[Metrics] = deque()
        self._known: int = config["reported"]

    def step(self) -> dict[str, Any]:
        trainer = self._trainer = self._trainer or self._start()
        metrics: list[Metrics] = []
        error = ""
        again = bool(self._unreported)
        until = time.monotonic() + self._spec["group_seconds"]
        try:
            metrics.append(self._next(trainer))
            while (
                again == bool(self._unreported)
                and not self._may_end(trainer, metrics[-1])
                and time.monotonic() < until
            ):
                metrics.append(self._next(trainer))
        except DivergedError as diverged:
            error = str(diverged)
        finished = self._is_over(trainer) or bool(error)
        shown = self._spec["metrics"] if metrics else []
        self._known = max([self._known, *(one.iteration for one in metrics)])
        return {
            "done": finished,
            STATUS: FAILED if error else COMPLETED if finished else "",
            ERROR: error,
            SIZE: {
                "parameters": trainer.model.parameter_count(),
                "state_floats": trainer.state_floats(),
            },
            PLACE: {"host": platform.node(), "gpus": self._spec["gpus"]},
            METRICS: metrics,
            **{name: getattr(metrics[-1], name) for name in shown},
        }

    def _next(self, trainer: Trainer) -> Metrics:
        """The next iteration that the search does not know."""
        return self._unreported.popleft() if self._unreported else self._train(trainer)

    def _is_over(self, trainer: Trainer) -> bool:
        """Whether no iteration is left."""
        return trainer.finished and not self._unreported

    def _may_end(self, trainer: Trainer, metrics: Metrics) -> bool:
        """Whether the trial ends with this iteration, or may be stopped after it."""
        rungs = self._spec["rungs"]
        at_rung = metrics.iteration in rungs or metrics.iteration >= max(rungs, default=math.inf)
        return at_rung or self._is_over(trainer)

    def get_auto_filled_metrics(self, *about: Any, **more: Any) -> dict[str, Any]:
        """Nothing: Tune would send the whole configuration along with each result."""
        return {}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self.cleanup()
        self.setup(new_config)
        return True

    def cleanup(self) -> None:
        self._trainer = None
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _start(self) -> Trainer:
        study = self._spec["study"]
        if study not in self._usable:
            check_host(UPath(study))
            self._usable |= {study}
        configure_process(threads=self._spec["threads"])
        training = TrainingConfig.from_recorded(self._spec["training"])
        if training.device == "auto":  # a GPU of the machine that Ray did not give is not ours
            device = "cuda" if self._spec["gpus"] > 0 else "cpu"
            training = dataclasses.replace(training, device=device)
        folder = UPath(self._spec["checkpoints"])
        trainer = load_latest(folder, training.device, cell=training.model, task=training.task)
        trainer = trainer or Trainer(training)
        self._unreported.extend(trainer.history[self._spec["reported"] :])
        return trainer

    def _train(self, trainer: Trainer) -> Metrics:
        metrics = trainer.run_iteration()
        save_checkpoint(trainer, UPath(self._spec["checkpoints"]), self._known)
        return metrics


def check_host(study: StudyPath) -> None:
    """Whether this host can use the study.

    Args:
        study: its study.yaml.

    Raises:
        UnsharedStorageError: it does not see it, or cannot write there.
        OSError: the storage is full, for every host.
    """
    try:
        if with_retries(study.exists, study):
            return with_retries(partial(check_writable, study.parent), study)
        fault = f"does not see {study}: use a --storage that all hosts share, or s3://bucket/prefix"
    except OSError as error:
        if error.errno in FULL:
            raise
        fault = f"cannot write to {study.parent}: {reason_line(error)}"
    host = ray.get_runtime_context().get_node_id() if ray.is_initialized() else ""
    raise UnsharedStorageError(f"host {platform.node()} {fault}", host)
