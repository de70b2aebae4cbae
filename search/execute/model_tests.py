"""Tests models on data that chose nothing, beside the search: workers train on meanwhile."""

from collections.abc import Callable, Set
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from copytask import Evaluation, Purpose, configure_process, evaluate, load_model
from search.storage.store import with_retries
from studies.paths import StudyPath


@dataclass
class _Test:
    trial_id: str
    evaluation: "Future[Evaluation]"
    then: Callable[[Evaluation], None]


class BackgroundTester:
    """Runs tests in a thread, one at a time and in the order in which they were asked for.

    A context manager; at its end the test that runs is waited for, others are dropped.
    """

    def __init__(self) -> None:
        # Whether denormal numbers are flushed is a setting of each thread.
        self._thread = ThreadPoolExecutor(1, initializer=configure_process)
        self._tests: list[_Test] = []

    def __enter__(self) -> "BackgroundTester":
        return self

    def __exit__(self, *exception: object) -> None:
        self._thread.shutdown(cancel_futures=True)

    @property
    def trials(self) -> Set[str]:
        """The trials whose checkpoints are needed."""
        return {test.trial_id for test in self._tests}

    def submit(
        self,
        trial_id: str,
        checkpoint: StudyPath,
        then: Callable[[Evaluation], None],
        *,
        model: str,
        task: str,
        T: int,
        payloads: int,
        seed: int,
        purpose: Purpose,
    ) -> None:
        """Test the model of a trial's checkpoint, as :func:`copytask.evaluate` does.

        Args:
            model: its name; a checkpoint of another one is refused.
            then: called with the scores, by :meth:`collect`.
        """

        def test() -> Evaluation:
            loaded = with_retries(
                lambda: load_model(checkpoint, cell=model), checkpoint, reading=True
            )
            return evaluate(loaded, task, T, payloads=payloads, seed=seed, purpose=purpose)

        self._tests.append(_Test(trial_id, self._thread.submit(test), then))

    def collect(self, wait: bool = False) -> None:
        """Hand on the scores of the tests that are done; of all of them if told to wait.

        Raises:
            OSError, ValueError: a checkpoint cannot be read.
        """
        while self._tests and (wait or self._tests[0].evaluation.done()):
            scores: Any = self._tests[0].evaluation.result()
            self._tests.pop(0).then(scores)
