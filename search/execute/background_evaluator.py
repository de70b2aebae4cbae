"""Tests models in a thread of the driver, while workers train on."""

from collections.abc import Callable, Iterator, Set
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from copytask import Evaluation, configure_process, evaluate, load_model
from search.decide.model_tests import ModelTest
from search.storage.store import with_retries


@dataclass
class _Running:
    trial_id: str
    evaluation: "Future[Evaluation]"
    then: Callable[[Evaluation], None]


@contextmanager
def evaluation_thread() -> Iterator[Executor]:
    """The thread that runs the tests of all studies, one at a time, in the order of submission.

    At the end it finishes the test that runs and drops the others.
    """
    # Whether denormal numbers are flushed is a setting of each thread.
    thread = ThreadPoolExecutor(1, initializer=configure_process)
    try:
        yield thread
    finally:
        thread.shutdown(cancel_futures=True)


class BackgroundEvaluator:
    """Has the models of a study tested, see :class:`search.decide.model_tests.Evaluator`.

    Args:
        thread: runs the tests.
    """

    def __init__(self, thread: Executor):
        self._thread = thread
        self._running: list[_Running] = []

    @property
    def trials(self) -> Set[str]:
        """The trials whose checkpoints are needed."""
        return {test.trial_id for test in self._running}

    def submit(self, test: ModelTest, then: Callable[[Evaluation], None]) -> None:
        """Run a test; :meth:`collect` calls ``then`` with its scores."""
        self._running.append(_Running(test.trial_id, self._thread.submit(run, test), then))

    def collect(self, wait: bool = False) -> None:
        """Hand on the scores of the tests that are done; of all of them if told to wait.

        Raises:
            OSError, ValueError: a checkpoint cannot be read.
        """
        while self._running and (wait or self._running[0].evaluation.done()):
            scores = self._running[0].evaluation.result()
            self._running.pop(0).then(scores)


def run(test: ModelTest) -> Evaluation:
    """The scores of a test."""
    model = with_retries(
        lambda: load_model(test.checkpoint, cell=test.model, task=test.task),
        test.checkpoint,
        reading=True,
    )
    return evaluate(
        model, test.task, test.T, payloads=test.payloads, seed=test.seed, purpose=test.purpose
    )
