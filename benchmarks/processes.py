"""Long measurements in several processes, of which each result is kept as it comes."""

import logging
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, TypeVar

Result = TypeVar("Result")


def results(
    function: Callable[..., Result], jobs: Sequence[tuple[Any, ...]], processes: int
) -> Iterator[tuple[int, Result]]:
    """Call a function with the arguments of each job.

    Ctrl-C reaches only this process. It then begins no other job, and waits for those that run.

    Args:
        processes: with one, the jobs run in this process.

    Yields:
        The place of a job in ``jobs``, and its result, in the order in which they end.
    """
    if processes == 1:
        for place, job in enumerate(jobs):
            yield place, function(*job)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), initializer=_begin) as pool:
        futures = {pool.submit(function, *job): place for place, job in enumerate(jobs)}
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin() -> None:
    """In each process: leave Ctrl-C to the first one, and print nothing between its lines."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
