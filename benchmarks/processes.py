"""Processes of measurements: like the workers of a search, and several of them for a long one."""

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, TypeVar

from copytask import MALLOC_ENVIRONMENT

Result = TypeVar("Result")


def be_like_a_worker() -> None:
    """Start this process again unless it has the memory settings of a search's workers."""
    if MALLOC_ENVIRONMENT.items() - os.environ.items():
        os.execve(sys.executable, sys.orig_argv, os.environ | MALLOC_ENVIRONMENT)


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
