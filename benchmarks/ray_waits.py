"""How long does the driver look for the next result, with so many trials running?

    python -m benchmarks.ray_waits      (a minute)

Ray Tune's controller shuffles the futures of all running trials and waits for
one of them, for every event: the start of a trial in a worker, and each result.
A search finds all that has happened in one look. This does both, in turn, with
as many pending futures, of which one in 64 is done, and takes the processor
time of the thread for each event. Writes ray_waits.csv.
"""

import argparse
import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import ray

from benchmarks import markdown
from search.cluster.ray_compat import ReadyEvents

TRIALS = (2, 16, 64, 256, 1024)
REPEATS = 100

OF_EACH = 64
"""Of so many futures, one is done. A driver that keeps up has fewer, one that does not has more."""


class Trials:
    """Has many tasks at a time that do not end, and one that does."""

    async def train(self) -> None:
        """Never end."""
        await asyncio.sleep(3600)

    async def report(self) -> None:
        """End at once."""


class Tasks:
    """What Tune's manager of actors knows of the futures of running trials.

    Args:
        futures: these.
    """

    num_futures = 0

    def __init__(self, futures: list[ray.ObjectRef]):
        self._tracked_futures = dict.fromkeys(futures)

    def resolve_future(self, future: ray.ObjectRef) -> None:
        """The event is handled."""
        del self._tracked_futures[future]


def one_by_one(futures: list[ray.ObjectRef], done: int) -> int:
    """Find so many events as Tune does; how many were found."""
    tasks, found = set(futures), 0
    for _ in range(done):
        shuffled = list(tasks)
        random.shuffle(shuffled)
        ready, _ = ray.wait(shuffled, num_returns=1, timeout=0.1)
        tasks.difference_update(ready)
        found += len(ready)
    return found


def together(futures: list[ray.ObjectRef], done: int) -> int:
    """The same as a search does."""
    nothing = Tasks([])
    manager: Any = SimpleNamespace(
        next=None, _live_actors_to_kill=(), _pending_actors_to_attrs=(),
        _actor_state_events=nothing, _actor_task_events=Tasks(futures),
    )  # fmt: skip
    events = ReadyEvents(manager)
    return sum(events.next(0.1) for _ in range(done))


WAYS: dict[str, Callable[[list[ray.ObjectRef], int], int]] = {
    "one by one": one_by_one,
    "together": together,
}
"""Column ``way`` of the file -> what finds the events."""


def seconds_for_an_event(
    find: Callable[[list[ray.ObjectRef], int], int],
    trials: ray.actor.ActorHandle,
    pending: list[ray.ObjectRef],
) -> float:
    """Seconds to find each of the futures that are done."""
    done = [trials.report.remote() for _ in range(max(1, len(pending) // OF_EACH))]
    ray.wait(done, num_returns=len(done))
    futures = [*pending[len(done) :], *done]
    random.shuffle(futures)
    start = time.thread_time()
    found = find(futures, len(done))
    took = time.thread_time() - start
    assert found == len(done)
    return took / found


def seconds_of(rows: pd.DataFrame, trials: float) -> float:
    """Seconds a search needs for an event with so many trials, between what was measured."""
    rows = rows[rows["way"] == "together"]
    return float(np.interp(trials, rows["trials"], rows["ms"]) / 1e3)


def wait_table(rows: pd.DataFrame) -> str:
    """The measured times, as a Markdown table."""
    ms = rows.pivot(index="trials", columns="way", values="ms")[list(WAYS)]
    lines = [[str(number), *(f"{value:.3f}" for value in row)] for number, row in ms.iterrows()]
    return markdown.table(
        ["trials that run", "ms Tune needs to find an event", "ms a search needs"], lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.ray_waits",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    ray.init(
        "local", num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="error"
    )
    rows = []
    for number in TRIALS:
        trials = ray.remote(Trials).options(max_concurrency=2 * max(TRIALS)).remote()
        pending = [trials.train.remote() for _ in range(number)]
        times: dict[str, list[float]] = {way: [] for way in WAYS}
        for _ in range(REPEATS):
            for way, find in WAYS.items():
                times[way].append(seconds_for_an_event(find, trials, pending))
        for way, taken in times.items():
            ms = 1e3 * sorted(taken)[REPEATS // 2]
            rows.append({"trials": number, "way": way, "ms": round(ms, 4)})
            print(f"{number:5} trials, {way}: {ms:.3f} ms", flush=True)
        ray.kill(trials)
    output = Path(__file__).with_suffix(".csv")
    pd.DataFrame(rows).to_csv(output, index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
