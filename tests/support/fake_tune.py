"""Searches in one process: a fake model, a fake clock, and a small executor in place of Ray Tune.

Study, event log, agenda, sampler, scheduler, trial source, recorder, checkpoints and Optuna's
journal are the real ones. What is fake: how a model learns and is tested, the time that it takes,
and who runs it.
"""

import dataclasses
import heapq
import io
import itertools
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import ExitStack, closing
from types import SimpleNamespace
from typing import Any

import pytest
from ray import tune
from ray.exceptions import ActorDiedError, RayTaskError
from ray.tune.experiment import Experiment, Trial
from ray.tune.schedulers import TrialScheduler
from rich.console import Console
from torch import nn

from copytask import Evaluation, Metrics, TrainingConfig
from copytask.training.checkpoint import load_state, save_state
from search.cluster.ray_cluster import Cluster
from search.cluster.slots import Slots
from search.config.sections import ResourcesConfig
from search.config.study_config import StudyConfig
from search.console.display import Display
from search.console.screen import Screen
from search.errors import StorageError
from search.execute import background_evaluator, faults, recorder, trainable
from search.execute.study_run import StudyRun
from search.execute.tuning import search_studies
from search.study import checkpoints
from search.study.listener import Listeners
from search.study.result_files import ResultFiles
from search.study.study import Study
from studies.paths import StudyPath

STEPS = 10_000
"""Many times what any of these searches takes."""

Faults = dict[tuple[str, int], list[Exception]]
"""By trial (T3-0000, or STUDY.T3-0000) and iteration, what is raised in its first attempt, its
second, ...; a list that ends is followed by success."""


def lost_worker() -> Exception:
    return ActorDiedError()


def lost_host() -> Exception:
    error = ActorDiedError()
    error.error_msg = "The actor died because its node has died."
    return error


def raised(error: Exception) -> Exception:
    """As Ray hands on what a worker's own code has raised."""
    return RayTaskError("train", "a traceback", error)


class HangError(Exception):
    """The worker does not answer until it is killed."""


class FakeTrainer:
    """Learns by a curve that its configuration and seed decide; see :class:`copytask.Trainer`."""

    machine: "Machine"  # on which all of them train
    device = "cpu"

    def __init__(self, config: TrainingConfig, history: Sequence[Metrics] = ()):
        self.config = config
        self.history = list(history)
        self.model = SimpleNamespace(parameter_count=lambda: 99)

    def state_floats(self) -> int:
        return 7

    @property
    def progress(self) -> SimpleNamespace:
        return SimpleNamespace(iteration=len(self.history))

    @property
    def finished(self) -> bool:
        last = self.history[-1:]
        solved = self.config.stop_when_solved and any(m.tokens_to_solve for m in last)
        return solved or any(m.tokens >= self.config.max_tokens for m in last)

    def run_iteration(self) -> Metrics:
        k = len(self.history) + 1
        self.machine.train(k)
        quality = random.Random(f"{self.config.seed} {self.config.learning_rate}").random()
        accuracy = 1.0 if quality > 0.7 and k > 2 else round(quality * k / (k + 1), 4)
        tokens = k * self.config.tokens_per_iteration
        before = self.history[-1:]
        to_solve = (None, None)
        if accuracy == 1 and before and before[0].validation_accuracy == 1:
            to_solve = (before[0].tokens_to_solve or tokens, before[0].seconds_to_solve or 1.5 * k)
        self.history.append(
            Metrics(
                iteration=k, step=10 * k, tokens=tokens, seconds=1.5 * k, learning_rate=1e-3,
                max_length=3, training_loss=2.0, validation_accuracy=accuracy,
                ladder_accuracy=accuracy / 2, exact_match=0.0, validation_loss=2.0,
                recalled_bits=1.0, tokens_to_solve=to_solve[0], seconds_to_solve=to_solve[1],
            )
        )  # fmt: skip
        return self.history[-1]

    def save(self, path: StudyPath) -> None:
        history = [dataclasses.asdict(metrics) for metrics in self.history]
        save_state({"config": self.config.to_dict(), "history": history}, path)

    @classmethod
    def load(cls, path: StudyPath, device: str | None = None, **named: str | None):
        state = load_state(path)
        history = [Metrics(**metrics) for metrics in state["history"]]
        return cls(TrainingConfig.from_dict(state["config"]), history)


class FakeModel:
    """What a checkpoint of :class:`FakeTrainer` holds."""

    def __init__(self, path: StudyPath):
        self.state = load_state(path)
        self.core = nn.Identity()


def fake_evaluation(model: FakeModel, task: str, T: int, **how: Any) -> Evaluation:
    """Scores that are those of this model and these payloads alone."""
    config, history = model.state["config"], model.state["history"]
    said = f"{config} {len(history)} {task} {T} {sorted(how.items())}"
    accuracy = round(random.Random(said).random(), 6)
    return Evaluation(accuracy, accuracy - 0.1, accuracy + 0.1, 0.0, 2.0, 1.0, how["payloads"])


class InlineExecutor:
    """A thread pool that has done everything at once."""

    def __init__(self, *arguments: Any, **options: Any):
        pass

    def submit(self, call: Callable[..., Any], *arguments: Any) -> Future:
        future: Future = Future()
        future.set_result(call(*arguments))
        return future

    def shutdown(self, **options: Any) -> None:
        pass


class FakeCluster(Cluster):
    """As many places as there are workers, on one host that stays."""

    def __init__(self, workers: int):
        super().__init__(None, ResourcesConfig())
        self.slots = Slots(0, workers)
        self.hosts = {"id": "host"}

    def update_hosts(self) -> list[str]:
        return []


class FakeInterrupts:
    """Ctrl-C, when the test says so."""

    def __init__(self) -> None:
        self.requested = False

    def tuning(self):
        return self

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        if self.requested:
            raise KeyboardInterrupt


class Machine:
    """Where searches run: its clock, and the faults that its workers meet.

    Attributes:
        clock: seconds.
        faults: each is met once, however often the search is resumed.
        output: what the searches printed.
        interrupts: of the search that runs.
        trial: the one that trains now, as STUDY.TRIAL.
        error: what the last trial that failed has raised.
        killed: trials whose worker the search has killed.
        runs: the studies of the last search.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.clock = 1000.0
        self.faults: Faults = {}
        self.output = io.StringIO()
        self.interrupts = FakeInterrupts()
        self.trial = ""
        self.error: Exception | None = None
        self.killed: list[Trial] = []
        self.runs: list[StudyRun] = []
        FakeTrainer.machine = self
        monkeypatch.setattr(time, "monotonic", lambda: self.clock)
        monkeypatch.setattr(tune, "run", lambda kind, **how: FakeTune(self, kind, **how).run())
        monkeypatch.setattr(trainable, "Trainer", FakeTrainer)
        monkeypatch.setattr(checkpoints, "Trainer", FakeTrainer)
        monkeypatch.setattr(
            background_evaluator, "load_model", lambda path, cell, task: FakeModel(path)
        )
        monkeypatch.setattr(background_evaluator, "evaluate", fake_evaluation)
        monkeypatch.setattr(background_evaluator, "ThreadPoolExecutor", InlineExecutor)
        monkeypatch.setattr(faults, "error_of", lambda trial: self.error)
        monkeypatch.setattr(recorder, "worker_of", lambda trial: trial)
        monkeypatch.setattr(recorder.ray, "kill", self.killed.append)

    def search(self, path: StudyPath, config: StudyConfig | None = None, workers: int = 1) -> None:
        """Make a study with this configuration, or resume the one there, and search to its end."""
        self.search_several({path: config}, workers)
        (run,) = self.runs
        if isinstance(run.guard.error, OSError):
            raise StorageError(path, run.guard.error)
        if run.guard.error:
            raise run.guard.error

    def search_several(
        self, configs: dict[StudyPath, StudyConfig | None], workers: int = 1
    ) -> None:
        """The same with studies that share the workers; see ``runs`` for what went wrong."""
        self.interrupts.requested = False
        self.killed.clear()
        self.runs = []
        with ExitStack() as in_use:
            for path, config in configs.items():
                study = Study.create(path, config) if config else Study.open(path)
                in_use.enter_context(closing(study))
                if not config:
                    study.write()  # as search.execute.launch does
                display = Display(
                    study, Screen(Console(file=self.output, width=100), study.elapsed)
                )
                self.runs.append(StudyRun(study, Listeners(ResultFiles(study), display)))
            search_studies(self.runs, FakeCluster(workers), self.interrupts)

    def train(self, iteration: int) -> None:
        """The present trial trains; raises what is to go wrong in this attempt."""
        for name in (self.trial, self.trial.rpartition(".")[2]):
            if coming := self.faults.get((name, iteration)):
                raise coming.pop(0)


class FakeTune:
    """One call of ``tune.run``: calls everybody in the order in which Ray 2.60 does.

    See TuneController.step there. The time that an iteration takes depends on the trial.
    """

    def __init__(
        self, machine: Machine, kind: type[tune.Trainable], *, search_alg, scheduler, stop,
        callbacks, storage_path: str, **options: Any,
    ):  # fmt: skip
        self._machine = machine
        self._kind = kind
        self._source, self._scheduler, self._stopper = search_alg, scheduler, stop
        self._callback, _ = callbacks
        # What search.cluster.ray_compat would forget of it, or replace in it.
        self._tune_controller = SimpleNamespace(
            _stopped_trials=set(), _failed_trials=set(), _running_trials=set(),
            _actor_manager=SimpleNamespace(next=None),
        )  # fmt: skip
        self._source.add_configurations([Experiment("study", kind, storage_path=storage_path)])
        self._due: list[tuple[float, int, Trial]] = []  # when a trial reports next
        self._order = itertools.count()
        self._workers: dict[Trial, tune.Trainable] = {}
        self._idle: list[tune.Trainable] = []

    def run(self) -> None:
        machine = self._machine
        for _ in range(STEPS):
            if self._stopper.stop_all() or (self._source.is_finished() and not self._workers):
                return self._callback.on_experiment_end([])
            while (trial := self._source.next_trial()) is not None:
                self._start(trial)
            if machine.killed:
                self._fail(machine.killed.pop(), lost_worker())
            elif self._due:
                machine.clock, _, trial = heapq.heappop(self._due)
                self._step(trial)
            else:
                machine.clock += 1
            self._callback.on_step_end(0, [])
        raise AssertionError(f"the search does not end in {STEPS} steps")

    def _start(self, trial: Trial) -> None:
        self._scheduler.on_trial_add(self, trial)
        worker = self._idle.pop() if self._idle else self._kind(trial.config)
        worker.reset_config(trial.config)
        self._workers[trial] = worker
        self._callback.on_trial_start(0, [], trial)
        self._train_on(trial)

    def _train_on(self, trial: Trial) -> None:
        seconds = 1 + random.Random(trial.experiment_tag).random()
        heapq.heappush(self._due, (self._machine.clock + seconds, next(self._order), trial))

    def _step(self, trial: Trial) -> None:
        self._machine.trial = trial.trial_id
        try:
            result = self._workers[trial].step()
        except HangError:
            return
        except Exception as error:
            self._fail(trial, error)
            return
        decision = TrialScheduler.STOP
        if not result["done"]:
            decision = self._scheduler.on_trial_result(self, trial, dict(result))
            result["done"] = decision == TrialScheduler.STOP
        self._callback.on_trial_result(0, [], trial, result)
        trial.update_last_result(result)
        if decision == TrialScheduler.STOP:
            self._scheduler.on_trial_complete(self, trial, trial.last_result)
            self._idle.append(self._workers.pop(trial))
        else:
            self._train_on(trial)

    def _fail(self, trial: Trial, error: Exception) -> None:
        self._machine.error = error
        self._callback.on_trial_error(0, [], trial)
        del self._workers[trial]
