"""Tests models in a thread of the driver, while workers train on."""

import threading
from collections.abc import Callable, Set
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from copytask import CopyModel, Evaluation, configure_process, evaluate, load_model
from search.decide.model_tests import ModelTest
from search.storage.store import with_retries


@dataclass
class _Running:
    trial_id: str
    evaluation: "Future[Evaluation]"
    then: Callable[[Evaluation], None]


class EvaluationThread:
    """The thread that runs the tests of all studies, one at a time, in the order of submission.

    This is a context manager. At its end nobody collects scores any more: the test that runs is
    given up at its next batch, the others are dropped. It waits for that batch: a thread that is
    inside torch at the end of Python would crash the process.
    """

    def __init__(self) -> None:
        # Whether denormal numbers are flushed is a setting of each thread.
        self._thread = ThreadPoolExecutor(1, initializer=configure_process)
        self._over = threading.Event()

    def __enter__(self) -> "EvaluationThread":
        return self

    def __exit__(self, *exception: object) -> None:
        self._over.set()
        self._thread.shutdown(cancel_futures=True)

    def submit(self, test: ModelTest) -> "Future[Evaluation]":
        """Have a test run."""
        return self._thread.submit(run, test, self._over)


class BackgroundEvaluator:
    """Has the models of a study tested, see :class:`search.decide.model_tests.Evaluator`.

    Args:
        thread: runs the tests.
    """

    def __init__(self, thread: EvaluationThread):
        self._thread = thread
        self._running: list[_Running] = []

    @property
    def trials(self) -> Set[str]:
        """The trials whose checkpoints are needed."""
        return {test.trial_id for test in self._running}

    def submit(self, test: ModelTest, then: Callable[[Evaluation], None]) -> None:
        """Run a test; :meth:`collect` calls ``then`` with its scores."""
        self._running.append(_Running(test.trial_id, self._thread.submit(test), then))

    def collect(self, wait: bool = False) -> None:
        """Hand on the scores of the tests that are done; of all of them if told to wait.

        Raises:
            OSError, ValueError: a checkpoint cannot be read.
        """
        while self._running and (wait or self._running[0].evaluation.done()):
            scores = self._running[0].evaluation.result()
            self._running.pop(0).then(scores)


def run(test: ModelTest, over: threading.Event) -> Evaluation:
    """The scores of a test.

    Raises:
        CancelledError: they are not needed any more, since ``over`` was set meanwhile.
        OSError, ValueError: the checkpoint cannot be read.
    """

    def check(*called: Any) -> None:
        if over.is_set():
            raise CancelledError

    def load() -> CopyModel:
        check()
        return load_model(test.checkpoint, cell=test.model, task=test.task)

    model = with_retries(load, test.checkpoint, reading=True)
    model.core.register_forward_pre_hook(check)  # it is called for each batch
    return evaluate(
        model, test.task, test.T, payloads=test.payloads, seed=test.seed, purpose=test.purpose
    )
